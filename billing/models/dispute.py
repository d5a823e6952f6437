"""A dispute or reversal: money that a bank or the gateway took back."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.gateway import MonetaryObject
from billing.money import Money


class Dispute(MonetaryObject):
    """One dispute or reversal.

    ``counted_minor`` is the part of ``amount_minor`` that is gone because of it: nothing for an
    inquiry, one that was won or whose money came back, and for what a refund or another case of the
    same payment took already.
    """

    class Status(models.TextChoices):
        INQUIRY = "inquiry", _("Inquiry")
        OPEN = "open", _("Open")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    #: No gateway says of a dispute which invoice it is about, but which payment.
    invoice_ref: str | None = None

    payment_ref = models.TextField(_("payment"), blank=True, null=True)
    status = models.TextField(_("status"), choices=Status)
    counted_minor = models.BigIntegerField(_("counted"), default=0, db_default=0)
    # The gateway said that the money came back (true) or left (false).
    returned = models.BooleanField(_("money returned"), null=True)
    gateway_status = models.TextField(_("gateway status"), blank=True, null=True)
    created_at = models.DateTimeField(_("date"))

    class Meta(MonetaryObject.Meta):
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        indexes = [
            # The disputes of a payment, and so of an invoice.
            models.Index(fields=["gateway", "payment_ref"], name="dispute_payment"),
            # The disputes page, newest first: unfiltered, and by each filter.
            models.Index(fields=["-created_at", "-id"], name="dispute_page"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="dispute_page_tenant"),
            models.Index(fields=["status", "-created_at", "-id"], name="dispute_page_status"),
            models.Index(fields=["currency", "-created_at", "-id"], name="dispute_page_currency"),
            models.Index(fields=["gateway", "-created_at", "-id"], name="dispute_page_gateway"),
            models.Index(
                fields=["-created_at", "-id"],
                name="dispute_page_counted",
                condition=models.Q(counted_minor__gt=0),
            ),
        ]
        constraints = [
            *MonetaryObject.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(
                    counted_minor__gte=0, counted_minor__lte=models.F("amount_minor")
                ),
                name="dispute_counted_within_amount",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["inquiry", "open", "won", "lost"]),
                name="dispute_status_known",
            ),
        ]

    @property
    def counted(self) -> Money:
        """The part of the amount that is gone because of it."""
        return Money(self.counted_minor, self.currency, self.exponent)
