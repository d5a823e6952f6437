"""What every row that mirrors a gateway's object has."""

from django.db import models
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _

from billing.money import MAX_EXPONENT, Money

# Longer than any id that a gateway documents; a longer one is refused, never cut.
MAX_REF_LENGTH = 255

# ``CHECK (length(ref) <= 255)`` on text columns, for ids must never be truncated silently.
models.TextField.register_lookup(Length)


class Gateway(models.TextChoices):
    STRIPE = "stripe", "Stripe"
    PAYPAL = "paypal", "PayPal"


def ref_length_constraint(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(ref__length__gte=1, ref__length__lte=MAX_REF_LENGTH), name=name
    )


class GatewayObject(models.Model):
    """A row per object of a gateway, found by the gateway's own id.

    ``stamps`` says from which event each field's value came, so that a later arrival of an
    older event changes nothing; `billing.ledger.merge` reads and writes it.
    """

    gateway = models.TextField(_("gateway"), choices=Gateway)
    ref = models.TextField(_("gateway id"))
    # Those that have pages of a tenant have an index for them.
    tenant = models.ForeignKey(
        "billing.Tenant",
        verbose_name=_("tenant"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_index=False,
    )
    stamps = models.JSONField(default=dict, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["gateway", "ref"], name="%(class)s_ref_unique"),
            ref_length_constraint("%(class)s_ref_length"),
        ]

    def __str__(self) -> str:
        return self.ref


class MonetaryObject(GatewayObject):
    """A row that is about an amount of money.

    ``amount_minor`` counts minor units of ``currency``; ``exponent`` is the number of decimals of
    the minor unit as the gateway counts it (2 for cents).
    """

    currency = models.CharField(_("currency"), max_length=3)
    exponent = models.SmallIntegerField(_("decimals"))
    amount_minor = models.BigIntegerField(_("amount"))

    class Meta(GatewayObject.Meta):
        abstract = True
        constraints = [
            *GatewayObject.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(exponent__gte=0, exponent__lte=MAX_EXPONENT),
                name="%(class)s_exponent_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="%(class)s_currency_iso"
            ),
        ]

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency, self.exponent)
