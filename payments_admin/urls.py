"""Where each path leads."""

from django.contrib import admin
from django.urls import include, path

from billing.views.machines import healthz
from webhooks.pages import send_test_event, setup, tracked_events

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    # Before Django's admin, which would take everything below admin/.
    path("admin/payments/tracked-events/", tracked_events, name="tracked_events"),
    path("admin/payments/setup/", setup, name="setup"),
    path(
        "admin/payments/setup/<slug:gateway_name>/test-event/",
        send_test_event,
        name="send_test_event",
    ),
    path("admin/payments/", include("billing.urls")),
    path("webhooks/", include("webhooks.urls")),
    path("admin/", admin.site.urls),
]
