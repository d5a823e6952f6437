"""The outbox: e-mails that say that a payment failed, or that an invoice cannot be issued."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.gateway import Gateway
from billing.money import Money


class Notification(models.Model):
    """One e-mail for one failed attempt to pay one invoice (or one cycle of a subscription)."""

    class Kind(models.TextChoices):
        PAYMENT_FAILED = "payment_failed", _("Payment failed")
        FINALIZATION_FAILED = "finalization_failed", _("Invoice cannot be finalized")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    gateway = models.TextField(choices=Gateway)
    kind = models.TextField(choices=Kind, default=Kind.PAYMENT_FAILED)
    # The invoice that could not be paid; a subscription where the gateway has no invoice.
    invoice_ref = models.TextField(blank=True, default="")
    subscription_ref = models.TextField(blank=True, default="")
    # Which attempt of the gateway, as the gateway counts or names it.
    attempt = models.TextField()
    currency = models.CharField(max_length=3, null=True)
    exponent = models.SmallIntegerField(null=True)
    amount_minor = models.BigIntegerField(null=True)
    occurred_at = models.DateTimeField(null=True)

    state = models.TextField(choices=State, default=State.WAITING)
    recipients = models.JSONField(default=list)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "kind", "invoice_ref", "subscription_ref", "attempt"],
                name="notification_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "sent", "failed"]),
                name="notification_state_known",
            ),
        ]
        indexes = [
            # The outbox.
            models.Index(
                fields=["next_attempt_at"],
                name="notification_queue",
                condition=models.Q(next_attempt_at__isnull=False),
            ),
            # The failed payments behind a bar of the trends.
            models.Index(fields=["kind", "occurred_at"], name="notification_occurred"),
            # The notifications of an event's subscription.
            models.Index(fields=["gateway", "subscription_ref"], name="notification_subscription"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_ref or self.subscription_ref} #{self.attempt}"

    @property
    def money(self) -> Money | None:
        """What could not be collected, where the event said."""
        if self.amount_minor is None or self.currency is None or self.exponent is None:
            return None
        return Money(self.amount_minor, self.currency, self.exponent)
