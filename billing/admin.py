"""The records in Django's admin: tenants to be edited, all that a gateway said to be read."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from billing.models import (
    Customer,
    Dispute,
    Invoice,
    Notification,
    Payment,
    PaymentEvent,
    Refund,
    Subscription,
    Tenant,
)

if TYPE_CHECKING:
    TenantModelAdmin = admin.ModelAdmin[Tenant]
    AnyModelAdmin = admin.ModelAdmin[Any]
else:
    # At run time the class takes no type argument.
    TenantModelAdmin = AnyModelAdmin = admin.ModelAdmin


@admin.register(Tenant)
class TenantAdmin(TenantModelAdmin):
    list_display = ["name", "key", "billing_email", "created_at"]
    search_fields = ["name", "key", "billing_email"]
    show_full_result_count = False


class ReadOnlyAdmin(AnyModelAdmin):
    """Rows that only the ledger writes. Lists are in the order of the primary key, newest first,
    and never counted in full."""

    ordering = ["-pk"]
    list_per_page = 50
    show_full_result_count = False
    list_select_related = ["tenant"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnlyAdmin):
    list_display = ["event_id", "gateway", "event_type", "tenant", "state", "received_at"]
    list_filter = ["state", "gateway"]
    search_fields = ["event_id__exact", "invoice_ref__exact", "customer_ref__exact"]
    # May have a megabyte, and personal data.
    exclude = ["body", "body_sha256"]


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ["display_number", "gateway", "tenant", "amount", "status", "created_at"]
    list_filter = ["status", "gateway"]
    search_fields = ["number__exact", "ref__exact", "customer_ref__exact"]


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    list_display = ["ref", "gateway", "tenant", "name", "email"]
    search_fields = ["ref__exact"]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ["ref", "gateway", "tenant", "plan", "status", "period_end_at"]
    list_filter = ["status"]
    search_fields = ["ref__exact", "customer_ref__exact"]


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ["ref", "gateway", "tenant", "intent_ref", "invoice_ref"]
    search_fields = ["ref__exact", "intent_ref__exact", "invoice_ref__exact"]


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ["ref", "gateway", "tenant", "amount", "status", "created_at"]
    search_fields = ["ref__exact", "payment_ref__exact", "invoice_ref__exact"]


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ["ref", "gateway", "tenant", "amount", "status", "created_at"]
    search_fields = ["ref__exact", "payment_ref__exact"]


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "gateway", "state", "attempts", "sent_at"]
    list_filter = ["state"]
    search_fields = ["invoice_ref__exact", "subscription_ref__exact"]
    list_select_related = []
