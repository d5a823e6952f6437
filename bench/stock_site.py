"""Lists of the same rows as one would first build them: Django's admin, and django-tables2.

The tables are ours; the classes know of no more than a site would that was made in an afternoon.
They are ordered by primary key, which serves page numbers best.
"""

import os
from typing import Any

import django
import psycopg2.extensions
from django.conf import settings

_database = psycopg2.extensions.parse_dsn(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    STATIC_URL="static/",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    # The one that the session was made with.
    AUTHENTICATION_BACKENDS=["payments_admin.authentication.OneStatementBackend"],
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django_filters",
        "django_tables2",
        "bench",
    ],
    MIDDLEWARE=[
        "django.middleware.gzip.GZipMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ],
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {
                            "list.html": "{% load django_tables2 %}"
                            "{% for card in cards %}<p>{{ card }}</p>{% endfor %}"
                            "<form>{{ filter.form.as_p }}</form>{% render_table table %}"
                        },
                    ),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _database["dbname"],
            "USER": _database["user"],
            "PASSWORD": _database.get("password", ""),
            "HOST": _database["host"],
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth.mixins import LoginRequiredMixin  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.db.models import Count, Sum  # noqa: E402
from django.urls import path  # noqa: E402
from django_filters.views import FilterView  # noqa: E402
from django_tables2 import SingleTableMixin  # noqa: E402

ROWS = 25


class Invoice(models.Model):
    gateway = models.TextField(choices=[("stripe", "Stripe"), ("paypal", "PayPal")])
    number = models.TextField()
    currency = models.TextField()
    amount_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    status = models.TextField(choices=[(each, each) for each in ("pending", "paid", "void")])
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "billing_invoice"
        app_label = "bench"

    def __str__(self) -> str:
        return self.number


class Event(models.Model):
    gateway = models.TextField(choices=[("stripe", "Stripe"), ("paypal", "PayPal")])
    event_id = models.TextField()
    event_type = models.TextField()
    state = models.TextField(choices=[(each, each) for each in ("waiting", "processed", "failed")])
    received_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "billing_paymentevent"
        app_label = "bench"

    def __str__(self) -> str:
        return self.event_id


@admin.register(Invoice)
class InvoiceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["number", "gateway", "currency", "amount_minor", "status", "created_at"]
    list_filter = ["status", "gateway"]
    list_per_page = ROWS


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["event_id", "gateway", "event_type", "state", "received_at"]
    list_filter = ["state", "gateway"]
    list_per_page = ROWS


class Rows(LoginRequiredMixin, SingleTableMixin, FilterView):  # type: ignore[misc]
    ordering = "-pk"
    paginate_by = ROWS
    template_name = "list.html"


class Events(Rows):
    model = Event
    filterset_fields = ["state", "gateway"]


class Invoices(Rows):
    model = Invoice
    filterset_fields = ["status", "gateway"]


class InvoicesWithCards(Invoices):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        by = Invoice._default_manager.values("status", "currency")
        sums = by.annotate(Sum("amount_minor"), Count("pk"))
        return super().get_context_data(cards=list(sums), **kwargs)  # type: ignore[no-any-return]


urlpatterns = [
    path("admin/", admin.site.urls),
    path("tables/invoice/", Invoices.as_view()),
    path("tables/invoice/cards/", InvoicesWithCards.as_view()),
    path("tables/event/", Events.as_view()),
]
application = get_wsgi_application()
