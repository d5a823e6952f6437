"""A payment: Stripe's charge or payment intent, PayPal's sale or capture."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.gateway import GatewayObject
from billing.money import Money


class Payment(GatewayObject):
    """The knot that ties refunds and disputes to their invoice.

    A charge names its payment intent; a payment intent or a charge names its invoice. Either link
    may arrive first, or late, so each is kept here and followed when a page asks.
    """

    intent_ref = models.TextField(_("payment intent"), blank=True, null=True)
    invoice_ref = models.TextField(_("invoice"), blank=True, null=True)
    customer_ref = models.TextField(_("customer"), blank=True, null=True)
    subscription_ref = models.TextField(_("subscription"), blank=True, null=True)
    amount_minor = models.BigIntegerField(_("amount"), blank=True, null=True)
    # What a charge says was refunded of it so far, in all. Refunds that no event named one by one
    # are the rest of this; see billing.ledger.derived.
    refunded_minor = models.BigIntegerField(_("refunded in all"), blank=True, null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, null=True)
    exponent = models.SmallIntegerField(_("decimals"), blank=True, null=True)

    class Meta(GatewayObject.Meta):
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        indexes = [
            # The payments of an invoice, and the charges of a payment intent.
            models.Index(fields=["gateway", "invoice_ref"], name="payment_invoice"),
            models.Index(fields=["gateway", "intent_ref"], name="payment_intent"),
            # Tenant matching, and search.
            models.Index(fields=["gateway", "customer_ref"], name="payment_customer"),
            models.Index(fields=["gateway", "subscription_ref"], name="payment_subscription"),
            # Whether a tenant that is to be deleted has any.
            models.Index(fields=["tenant"], name="payment_tenant"),
        ]
        constraints = [
            *GatewayObject.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(refunded_minor__isnull=True) | models.Q(refunded_minor__gte=0),
                name="payment_refunded_not_negative",
            ),
        ]

    @property
    def money(self) -> Money | None:
        """What was paid, where an event said."""
        if self.amount_minor is None or self.currency is None or self.exponent is None:
            return None
        return Money(self.amount_minor, self.currency, self.exponent)
