"""One invoice and all that belongs to it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from billing.models import (
    CreditNote,
    Dispute,
    Invoice,
    Notification,
    Payment,
    PaymentEvent,
    Refund,
    Subscription,
)
from billing.models.gateway import MonetaryObject
from billing.money import Money
from billing.queries.reads import all_of, first_of, read_together

#: An invoice has a dozen events; one with more is shown with its newest.
HISTORY_LENGTH = 100


@dataclass(frozen=True, slots=True)
class InvoiceDetail:
    """``history`` has every event that names the invoice or a payment of it, newest first."""

    invoice: Invoice
    subscription: Subscription | None
    payments: list[Payment]
    refunds: list[Refund]
    disputes: list[Dispute]
    credit_notes: list[CreditNote]
    notifications: list[Notification]
    history: list[PaymentEvent]
    has_older: bool

    @property
    def refunded(self) -> Money | None:
        """What was given back, if anything, as far as it is counted in the invoice's unit."""
        return self._sum(
            (refund, refund.amount_minor)
            for refund in self.refunds
            if refund.status == Refund.Status.SUCCEEDED
        )

    @property
    def disputed(self) -> Money | None:
        """What is gone because of disputes, if anything."""
        return self._sum((dispute, dispute.counted_minor) for dispute in self.disputes)

    def _sum(self, parts: Iterable[tuple[MonetaryObject, int]]) -> Money | None:
        unit = (self.invoice.currency, self.invoice.exponent)
        minor = sum(minor for part, minor in parts if (part.currency, part.exponent) == unit)
        return Money(minor, *unit) if minor else None


def invoice_detail(gateway: str, ref: str) -> InvoiceDetail | None:
    """The invoice of that gateway and id, or None; in two statements, whatever belongs to it."""
    found = first_of(Invoice.objects.filter(gateway=gateway, ref=ref).select_related("tenant"))
    paid_by = all_of(_payments_of(gateway, ref))
    read_together(found, paid_by)
    invoice = found.value
    if invoice is None:
        return None
    payments = sorted(paid_by.value, key=lambda payment: payment.ref)
    by_payment = Q(payment_ref__in=[payment.ref for payment in payments], gateway=gateway)
    by_name = Q(invoice_ref=ref, gateway=gateway)
    history = PaymentEvent.objects.filter(by_name | by_payment).defer("body", "body_sha256")
    events = all_of(history.order_by("-occurred_at", "-pk")[: HISTORY_LENGTH + 1])
    subscription = first_of(
        Subscription.objects.filter(gateway=gateway, ref=invoice.subscription_ref)
    )
    age = ("created_at", "pk")
    refunds = all_of(Refund.objects.filter(by_name | by_payment).order_by(*age))
    disputes = all_of(Dispute.objects.filter(by_payment).order_by(*age))
    credit_notes = all_of(CreditNote.objects.filter(by_name).order_by(*age))
    notifications = all_of(Notification.objects.filter(by_name).order_by("-pk"))
    read_together(events, subscription, refunds, disputes, credit_notes, notifications)
    return InvoiceDetail(
        invoice=invoice,
        subscription=subscription.value,
        payments=payments,
        refunds=refunds.value,
        disputes=disputes.value,
        credit_notes=credit_notes.value,
        notifications=notifications.value,
        history=events.value[:HISTORY_LENGTH],
        has_older=len(events.value) > HISTORY_LENGTH,
    )


def _payments_of(gateway: str, ref: str) -> QuerySet[Payment]:
    """Payments that name the invoice, and the charges of those that are payment intents."""
    of_gateway = Payment.objects.filter(gateway=gateway).defer("stamps").order_by()
    named = of_gateway.filter(invoice_ref=ref)
    return named.union(of_gateway.filter(intent_ref__in=named.values("ref")))
