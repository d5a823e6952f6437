"""A credit note: an issued invoice made smaller."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.models.gateway import MonetaryObject


class CreditNote(MonetaryObject):
    """One credit note.

    ``pre_payment_minor`` lowers what is still to be paid. The rest of ``amount_minor`` was paid
    before: it is refunded, which the refunds say themselves, or given as credit or outside.
    """

    class Status(models.TextChoices):
        ISSUED = "issued", _("Issued")
        VOID = "void", pgettext_lazy("credit note", "Void")

    number = models.TextField(_("number"), blank=True, null=True)
    invoice_ref = models.TextField(_("invoice"), blank=True, null=True)
    customer_ref = models.TextField(_("customer"), blank=True, null=True)
    pre_payment_minor = models.BigIntegerField(_("taken off before payment"))
    status = models.TextField(_("status"), choices=Status)
    created_at = models.DateTimeField(_("date"))

    class Meta(MonetaryObject.Meta):
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        indexes = [
            # The credit notes of an invoice.
            models.Index(fields=["gateway", "invoice_ref"], name="creditnote_invoice"),
            # Those of a customer whose tenant becomes known.
            models.Index(fields=["gateway", "customer_ref"], name="creditnote_customer"),
            # Search by number.
            models.Index(fields=["number"], name="creditnote_number"),
            # Whether a tenant that is to be deleted has any.
            models.Index(fields=["tenant"], name="creditnote_tenant"),
        ]
        constraints = [
            *MonetaryObject.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(
                    pre_payment_minor__gte=0, pre_payment_minor__lte=models.F("amount_minor")
                ),
                name="creditnote_part_within_amount",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["issued", "void"]), name="creditnote_status_known"
            ),
        ]
