"""Where each page of Payments & Invoices is, under /admin/payments/."""

from django.urls import path
from django.views.generic import RedirectView

from billing.files import FORMATS
from billing.views import exports, fresh, lists, machines, tenants
from billing.views.assign import assign
from billing.views.invoice import invoice
from billing.views.payload import payload
from billing.views.preferences import preferences
from billing.views.trends import trends

EXPORTS = {
    "events": exports.events,
    "invoices": exports.invoices,
    "refunds": exports.refunds,
    "disputes": exports.disputes,
}

app_name = "billing"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="billing:events"), name="home"),
    path("events/", lists.events, name="events"),
    path("events/fresh/", fresh.events, name="fresh_events"),
    path("events/<int:pk>/assign/", assign, name="assign"),
    path("events/<int:pk>/payload/", payload, name="payload"),
    path("tenant-choices/", lists.tenant_choices, name="tenant_choices"),
    path("invoices/", lists.invoices, name="invoices"),
    path("invoices/fresh/", fresh.invoices, name="fresh_invoices"),
    path("refunds/", lists.refunds, name="refunds"),
    path("disputes/", lists.disputes, name="disputes"),
    path("invoices/<slug:gateway>/<path:ref>/", invoice, name="invoice"),
    *(
        path(f"{name}/export.{kind}", view, {"kind": kind}, name=f"{name}_{kind}")
        for name, view in EXPORTS.items()
        for kind in FORMATS
    ),
    # By primary key: a tenant's own id may be any text, dots and slashes too.
    path("tenants/", tenants.tenants, name="tenants"),
    path("tenants/<int:pk>/", tenants.tenant, name="tenant"),
    path("tenants/<int:pk>/subscriptions/", tenants.subscriptions, name="tenant_subscriptions"),
    path("tenants/<int:pk>/customers/", tenants.customers, name="tenant_customers"),
    path("preferences/", preferences, name="preferences"),
    path("trends/", trends, name="trends"),
    path("totals.json", machines.totals_json, name="totals_json"),
]
