"""A refund: money that went back to a buyer."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.models.gateway import MonetaryObject


class Refund(MonetaryObject):
    """One refund, by the gateway's own id, whichever events report it.

    ``remainder`` rows have the id of a charge: they hold what the charge says was refunded and no
    refund of its own explains, for accounts whose events do not name refunds one by one.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", pgettext_lazy("refund", "Cancelled")

    payment_ref = models.TextField(_("payment"), blank=True, null=True)
    invoice_ref = models.TextField(_("invoice"), blank=True, null=True)
    status = models.TextField(_("status"), choices=Status)
    remainder = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(_("date"))

    class Meta(MonetaryObject.Meta):
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        indexes = [
            # The refunds of a payment and of an invoice.
            models.Index(fields=["gateway", "payment_ref"], name="refund_payment"),
            models.Index(fields=["gateway", "invoice_ref"], name="refund_invoice"),
            # The refunds page, newest first: unfiltered, of a tenant, and by any filters.
            models.Index(fields=["-created_at", "-id"], name="refund_page"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="refund_page_tenant"),
            models.Index(
                fields=["currency", "status", "gateway", "-created_at", "-id"],
                name="refund_page_filters",
            ),
            models.Index(
                fields=["tenant", "currency", "status", "gateway", "-created_at", "-id"],
                name="refund_page_tenant_filters",
            ),
        ]
        constraints = [
            *MonetaryObject.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(amount_minor__gte=0), name="refund_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "succeeded", "failed", "cancelled"]),
                name="refund_status_known",
            ),
        ]
