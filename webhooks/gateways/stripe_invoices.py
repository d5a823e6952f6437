"""Stripe's invoices, and what ties them to their payments."""

from billing.facts import (
    Attention,
    Fact,
    Failure,
    FailureFact,
    InvoiceFact,
    InvoiceStatus,
    PaymentFact,
    Reading,
    Refs,
    SubscriptionFact,
)
from billing.money import Money
from webhooks.gateways.base import PayloadError, _
from webhooks.gateways.stripe_metadata import tenants
from webhooks.gateways.values import (
    Payload,
    epoch,
    integer,
    label,
    ref,
    required_epoch,
    required_ref,
    rows,
    stripe_money,
    table,
    text,
    total,
)

# https://docs.stripe.com/api/invoices/object#invoice_object-status
INVOICE_STATUS = {
    "draft": InvoiceStatus.DRAFT,
    "open": InvoiceStatus.PENDING,
    "paid": InvoiceStatus.PAID,
    "uncollectible": InvoiceStatus.UNCOLLECTIBLE,
    "void": InvoiceStatus.VOID,
}


def invoice(
    invoice: Payload,
    step: int,
    *facts: Fact,
    deleted: bool = False,
    attention: Attention | None = None,
) -> Reading:
    """An invoice, in any shape that Stripe ever gave it."""
    if ref(invoice, "id") is None:
        return Reading(ignored=_("a preview of an invoice, which does not exist yet"))
    invoice_ref = required_ref(invoice)
    customer_ref = ref(invoice, "customer")
    subscription_ref = _subscription(invoice)
    status, gateway_status = _status(invoice)
    money = stripe_money(invoice, "total", signed=True)
    settled = status in (InvoiceStatus.PAID, InvoiceStatus.VOID)
    payments = _payments(invoice, invoice_ref, customer_ref, subscription_ref)
    return Reading(
        refs=Refs(
            customer=customer_ref,
            subscription=subscription_ref,
            invoice=invoice_ref,
            payment=payments[-1].ref if payments else None,
        ),
        facts=(
            InvoiceFact(
                ref=invoice_ref,
                step=step,
                money=money,
                tax_minor=_tax(invoice, money),
                status=InvoiceStatus.DELETED if deleted else status,
                gateway_status="deleted" if deleted else gateway_status,
                number=label(invoice, "number"),
                customer_ref=customer_ref,
                subscription_ref=subscription_ref,
                attention=None if settled else attention,
                attempt_count=integer(invoice, "attempt_count"),
                next_attempt_at=epoch(invoice, "next_payment_attempt"),
                cleared=_cleared(invoice, settled=settled),
                # ``date`` until 2019-03-14.
                created_at=required_epoch(invoice, "created", "date"),
                due_at=epoch(invoice, "due_date"),
                paid_at=epoch(table(invoice, "status_transitions"), "paid_at"),
            ),
            *payments,
            *_subscriber(subscription_ref, customer_ref),
            *tenants(
                table(invoice, "parent", "subscription_details", "metadata"),
                table(invoice, "subscription_details", "metadata"),
                table(invoice, "metadata"),
            ),
            *facts,
        ),
    )


def deleted_invoice(payload: Payload, step: int) -> Reading:
    """Only drafts can be deleted; the payload still says draft."""
    return invoice(payload, step, deleted=True)


def invoice_action_required(payload: Payload, step: int) -> Reading:
    return invoice(payload, step, attention=Attention.ACTION_REQUIRED)


def overdue_invoice(payload: Payload, step: int) -> Reading:
    return invoice(payload, step, attention=Attention.OVERDUE)


def invoice_finalization_failed(payload: Payload, step: int) -> Reading:
    """A draft that cannot be issued, for want of the buyer's tax location for instance."""
    failed = FailureFact(
        kind=Failure.FINALIZATION, invoice_ref=required_ref(payload), attempt="finalization"
    )
    return invoice(payload, step, failed, attention=Attention.FINALIZATION_FAILED)


def invoice_payment_failed(payload: Payload, step: int) -> Reading:
    due = "amount_remaining" if "amount_remaining" in payload else "amount_due"
    failed = FailureFact(
        invoice_ref=required_ref(payload),
        attempt=str(integer(payload, "attempt_count") or 0),
        money=stripe_money(payload, due) if due in payload else None,
    )
    return invoice(payload, step, failed)


def _status(invoice: Payload) -> tuple[InvoiceStatus, str]:
    word = text(invoice, "status")
    if word is None:
        # Before 2019 an invoice had no status, only these three.
        if invoice.get("paid") is True:
            word = "paid"
        elif invoice.get("forgiven") is True:
            word = "uncollectible"
        elif invoice.get("closed") is True:
            word = "void"
        else:
            word = "open"
    if word not in INVOICE_STATUS:
        raise PayloadError(f"invoice status {word[:40]!r} is not one that Stripe documents")
    return INVOICE_STATUS[word], word


def _tax(invoice: Payload, money: Money) -> int | None:
    """The tax in the total, in minor units; from the newest field that says."""
    tax: int | None
    if invoice.get("total_taxes") is not None:
        tax = total(rows(invoice, "total_taxes"), "amount")
    elif invoice.get("tax") is not None:
        tax = integer(invoice, "tax")
    elif invoice.get("total_tax_amounts") is not None:
        tax = total(rows(invoice, "total_tax_amounts"), "amount")
    elif (net := integer(invoice, "total_excluding_tax")) is not None:
        tax = money.minor - net
    else:
        tax = None
    if tax is not None and money.minor >= 0 and tax > money.minor:
        raise PayloadError("tax is more than the total that includes it")
    return tax


def _subscription(invoice: Payload) -> str | None:
    details = table(invoice, "parent", "subscription_details")
    return ref(details, "subscription") or ref(invoice, "subscription")


def _subscriber(subscription_ref: str | None, customer_ref: str | None) -> list[Fact]:
    """Whose the subscription is, for one that no event of its own has described yet."""
    if subscription_ref is None or customer_ref is None:
        return []
    return [
        SubscriptionFact(ref=subscription_ref, hint=True, status=None, customer_ref=customer_ref)
    ]


def _payments(
    invoice: Payload, invoice_ref: str, customer_ref: str | None, subscription_ref: str | None
) -> list[PaymentFact]:
    """The payments that an invoice names: itself before basil, in ``payments`` where expanded."""
    named = [(ref(invoice, "payment_intent"), ref(invoice, "charge"))]
    named += [
        (ref(payment, "payment_intent"), ref(payment, "charge"))
        for payment in (table(row, "payment") for row in rows(invoice, "payments"))
    ]
    return [
        PaymentFact(
            ref=payment_ref,
            intent_ref=intent_ref if payment_ref == charge_ref else None,
            invoice_ref=invoice_ref,
            customer_ref=customer_ref,
            subscription_ref=subscription_ref,
        )
        for intent_ref, charge_ref in named
        for payment_ref in (intent_ref, charge_ref)
        if payment_ref is not None
    ]


def invoice_payment(payment: Payload, step: int) -> Reading:
    """An InvoicePayment: since basil the only link between an invoice and its payments."""
    invoice_ref = required_ref(payment, "invoice")
    paid_by = table(payment, "payment")
    intent_ref, charge_ref = ref(paid_by, "payment_intent"), ref(paid_by, "charge")
    payment_ref = charge_ref or intent_ref or ref(paid_by, "payment_record")
    if payment_ref is None:
        return Reading(
            refs=Refs(invoice=invoice_ref), ignored=_("paid by something that is not a payment")
        )
    return Reading(
        refs=Refs(invoice=invoice_ref, payment=payment_ref),
        facts=(
            PaymentFact(
                ref=payment_ref,
                step=step,
                intent_ref=intent_ref if charge_ref else None,
                invoice_ref=invoice_ref,
            ),
        ),
    )


def _cleared(invoice: Payload, *, settled: bool) -> frozenset[str]:
    """What the invoice says is no more: a next attempt, and anything to look at once settled."""
    cleared = {"attention"} if settled else set()
    if "next_payment_attempt" in invoice and invoice["next_payment_attempt"] is None:
        cleared.add("next_attempt_at")
    return frozenset(cleared)
