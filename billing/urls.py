"""Where each page of Payments & Invoices is, under /admin/payments/."""

from django.urls import path
from django.views.generic import RedirectView

from billing import views

app_name = "billing"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="billing:events"), name="home"),
    path("events/", views.events, name="events"),
    path("events/export.csv", views.events_csv, name="events_csv"),
    path("invoices/", views.invoices, name="invoices"),
    path("invoices/export.csv", views.invoices_csv, name="invoices_csv"),
    path("invoices/<slug:gateway>/<path:ref>/", views.invoice, name="invoice"),
    path("totals.json", views.totals_json, name="totals_json"),
]
