"""The records in Django's admin: tenants to be edited, all that a gateway said to be read."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billing import ledger
from billing.models import (
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    Notification,
    Payment,
    PaymentEvent,
    Refund,
    Subscription,
    Tenant,
    TenantClaim,
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


class AssignTenantForm(forms.Form):
    tenant = forms.ModelChoiceField(
        Tenant.objects.all(),
        widget=AutocompleteSelect(
            TenantClaim._meta.get_field("tenant"),
            admin.site,  # any field that leads to a tenant
        ),
    )


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnlyAdmin):
    list_display = ["event_id", "gateway", "event_type", "tenant", "state", "received_at"]
    list_filter = ["state", "gateway"]
    search_fields = ["event_id__exact", "invoice_ref__exact", "customer_ref__exact"]
    # May have a megabyte, and personal data.
    exclude = ["body", "body_sha256"]
    actions = ["assign_tenant", "try_again"]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.change_paymentevent")

    @admin.action(description=_("Assign a tenant"), permissions=["decide"])
    def assign_tenant(
        self, request: HttpRequest, events: QuerySet[PaymentEvent]
    ) -> HttpResponse | None:
        """Ask for a tenant, then record that a person says whose these events are."""
        form = AssignTenantForm(request.POST if "assign" in request.POST else None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": _("Assign a tenant"),
                "form": form,
                "media": self.media + form.media,
                "events": events,
                "opts": self.opts,
                "selected": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "admin/billing/assign_tenant.html", context)
        tenant = form.cleaned_data["tenant"]
        assigned = ledger.assign_tenant(events, tenant, request.user)
        self.message_user(
            request,
            ngettext(
                "%(n)d event, and all of its customer, now belong to %(tenant)s.",
                "%(n)d events, and all of their customers, now belong to %(tenant)s.",
                assigned,
            )
            % {"n": assigned, "tenant": tenant},
        )
        left = len(events) - assigned
        if left:
            text = ngettext(
                "%(n)d event names nothing that a tenant could be kept for.",
                "%(n)d events name nothing that a tenant could be kept for.",
                left,
            )
            self.message_user(request, text % {"n": left}, messages.WARNING)
        return None

    @admin.action(description=_("Try again"), permissions=["decide"])
    def try_again(self, request: HttpRequest, events: QuerySet[PaymentEvent]) -> None:
        """Put events that failed back into the queue, with all their attempts."""
        failed = events.filter(state=PaymentEvent.State.FAILED)
        again = failed.update(next_attempt_at=timezone.now(), attempts=0)
        text = ngettext("%(n)d event is tried again.", "%(n)d events are tried again.", again)
        self.message_user(request, text % {"n": again})


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ["display_number", "gateway", "tenant", "amount", "status", "created_at"]
    list_filter = ["status", "gateway"]
    search_fields = ["number__exact", "ref__exact", "customer_ref__exact"]


@admin.register(CreditNote)
class CreditNoteAdmin(ReadOnlyAdmin):
    list_display = ["ref", "gateway", "tenant", "amount", "status", "created_at"]
    search_fields = ["ref__exact", "number__exact", "invoice_ref__exact"]


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
    list_display = ["__str__", "kind", "gateway", "occurred_at", "state", "attempts", "sent_at"]
    list_filter = ["kind", "state"]
    search_fields = ["invoice_ref__exact", "subscription_ref__exact"]
    list_select_related = []
