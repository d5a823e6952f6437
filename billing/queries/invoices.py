"""One invoice and all that belongs to it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

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
    """The invoice of that gateway and id, or None; nine queries, however much belongs to it."""
    invoice = Invoice.objects.filter(gateway=gateway, ref=ref).select_related("tenant").first()
    if invoice is None:
        return None
    payments = _payments_of(invoice)
    paid_by = [payment.ref for payment in payments]
    history = list(
        PaymentEvent.objects.filter(
            Q(invoice_ref=ref) | Q(payment_ref__in=paid_by), gateway=gateway
        )
        .defer("body", "body_sha256")
        .order_by("-occurred_at", "-pk")[: HISTORY_LENGTH + 1]
    )
    return InvoiceDetail(
        invoice=invoice,
        subscription=Subscription.objects.filter(
            gateway=gateway, ref=invoice.subscription_ref
        ).first(),
        payments=payments,
        refunds=list(
            Refund.objects.filter(
                Q(payment_ref__in=paid_by) | Q(invoice_ref=ref), gateway=gateway
            ).order_by("created_at", "pk")
        ),
        disputes=list(
            Dispute.objects.filter(gateway=gateway, payment_ref__in=paid_by).order_by(
                "created_at", "pk"
            )
        ),
        credit_notes=list(
            CreditNote.objects.filter(gateway=gateway, invoice_ref=ref).order_by("created_at", "pk")
        ),
        notifications=list(
            Notification.objects.filter(gateway=gateway, invoice_ref=ref).order_by("-pk")
        ),
        history=history[:HISTORY_LENGTH],
        has_older=len(history) > HISTORY_LENGTH,
    )


def _payments_of(invoice: Invoice) -> list[Payment]:
    """Payments that name the invoice, and the charges of those that are payment intents."""
    of_gateway = Payment.objects.filter(gateway=invoice.gateway)
    named = list(of_gateway.filter(invoice_ref=invoice.ref))
    intents = [payment.ref for payment in named]
    charges = of_gateway.filter(intent_ref__in=intents).exclude(ref__in=intents)
    return sorted([*named, *charges], key=lambda payment: payment.ref)
