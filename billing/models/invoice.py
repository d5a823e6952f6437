"""An invoice: what a tenant was asked to pay."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.gateway import MonetaryObject
from billing.money import Money


class Invoice(MonetaryObject):
    """One invoice. PayPal has none for subscriptions: there each sale or capture is one.

    Amounts are integer minor units of ``currency``; ``exponent`` is the number of decimals of the
    minor unit as the gateway counts it (2 for cents). ``amount_minor`` includes ``tax_minor``;
    ``credited_minor`` is the part of it that credit notes took off before it was paid.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PENDING = "pending", _("Pending")
        PAID = "paid", _("Paid")
        VOID = "void", _("Void")
        DELETED = "deleted", _("Deleted")
        SUPERSEDED = "superseded", _("Superseded")

    class Attention(models.TextChoices):
        FINALIZATION_FAILED = "finalization_failed", _("Cannot be finalized")
        ACTION_REQUIRED = "action_required", _("Buyer must act")
        OVERDUE = "overdue", _("Overdue")

    #: On the page and in the cards. Drafts are not issued yet, deleted drafts never were; a
    #: superseded row is a payment that turned out to belong to an invoice of its own.
    ISSUED = (Status.PENDING, Status.PAID, Status.VOID)

    number = models.TextField(_("invoice number"), blank=True, null=True)
    customer_ref = models.TextField(_("customer"), blank=True, null=True)
    subscription_ref = models.TextField(_("subscription"), blank=True, null=True)
    tax_minor = models.BigIntegerField(_("tax"), null=True, blank=True)
    credited_minor = models.BigIntegerField(_("credited before payment"), default=0, db_default=0)
    status = models.TextField(_("status"), choices=Status)
    gateway_status = models.TextField(_("gateway status"), blank=True, null=True)
    attention = models.TextField(_("attention"), blank=True, null=True, choices=Attention)
    attempt_count = models.BigIntegerField(_("payment attempts"), blank=True, null=True)
    next_attempt_at = models.DateTimeField(_("next payment attempt"), blank=True, null=True)
    created_at = models.DateTimeField(_("date"))
    due_at = models.DateTimeField(_("due"), blank=True, null=True)
    paid_at = models.DateTimeField(_("paid"), blank=True, null=True)

    class Meta(MonetaryObject.Meta):
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        indexes = [
            # The invoices page, newest first: unfiltered, of a tenant, and by any filters. Without
            # its condition the second would not tell which are issued, and PostgreSQL may rather
            # sort all of a tenant's, which the last one does tell.
            models.Index(
                fields=["-created_at", "-id"],
                name="invoice_page",
                condition=models.Q(status__in=["pending", "paid", "void"]),
            ),
            models.Index(
                fields=["tenant", "-created_at", "-id"],
                name="invoice_page_tenant",
                condition=models.Q(status__in=["pending", "paid", "void"]),
            ),
            models.Index(
                fields=["currency", "status", "gateway", "-created_at", "-id"],
                name="invoice_page_filters",
            ),
            models.Index(
                fields=["tenant", "currency", "status", "gateway", "-created_at", "-id"],
                name="invoice_page_tenant_filters",
            ),
            # Tenant matching, and what is linked to an event.
            models.Index(fields=["gateway", "customer_ref"], name="invoice_customer"),
            models.Index(fields=["gateway", "subscription_ref"], name="invoice_subscription"),
            # Search by number.
            models.Index(fields=["number"], name="invoice_number"),
        ]
        constraints = [
            *MonetaryObject.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(
                    status__in=["draft", "pending", "paid", "void", "deleted", "superseded"]
                ),
                name="invoice_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(amount_minor__lt=0)
                | models.Q(tax_minor__isnull=True)
                | models.Q(tax_minor__lte=models.F("amount_minor")),
                name="invoice_tax_within_amount",
            ),
            models.CheckConstraint(
                condition=models.Q(credited_minor=0)
                | models.Q(credited_minor__gt=0, credited_minor__lte=models.F("amount_minor")),
                name="invoice_credited_within_amount",
            ),
        ]

    @property
    def amount(self) -> Money:
        """What the buyer owes or paid: the total, less what was credited before payment."""
        return Money(self.amount_minor - self.credited_minor, self.currency, self.exponent)

    @property
    def credited(self) -> Money | None:
        """What credit notes took off before payment, if anything."""
        if not self.credited_minor:
            return None
        return Money(self.credited_minor, self.currency, self.exponent)

    @property
    def tax(self) -> Money | None:
        if self.tax_minor is None:
            return None
        return Money(self.tax_minor, self.currency, self.exponent)

    @property
    def display_number(self) -> str:
        """The invoice number, or the gateway's id for one that has no number."""
        return self.number or self.ref
