"""What Stripe's events say, as facts.

The object in an event counts, not the event's type: genuine ``invoice.created`` events already say
paid. Which shape an object has is told by the keys that are there, not by the API version, for both
shapes occur in one payload (https://docs.stripe.com/changelog/basil).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from billing.facts import (
    CustomerFact,
    Fact,
    InvoiceFact,
    InvoiceStatus,
    PaymentFact,
    PaymentFailedFact,
    Reading,
    Refs,
    RefundFact,
    RefundStatus,
    SubscriptionFact,
    SubscriptionStatus,
    TenantFact,
    Trust,
)
from billing.money import Money
from webhooks.gateways.base import PayloadError
from webhooks.gateways.values import (
    Payload,
    epoch,
    integer,
    ref,
    required_ref,
    rows,
    stripe_money,
    table,
    text,
)

# https://docs.stripe.com/api/invoices/object#invoice_object-status
INVOICE_STATUS = {
    "draft": InvoiceStatus.DRAFT,
    "open": InvoiceStatus.PENDING,
    "paid": InvoiceStatus.PAID,
    "uncollectible": InvoiceStatus.UNCOLLECTIBLE,
    "void": InvoiceStatus.VOID,
}
# https://docs.stripe.com/api/subscriptions/object#subscription_object-status
SUBSCRIPTION_STATUS = {
    "incomplete": SubscriptionStatus.INCOMPLETE,
    "incomplete_expired": SubscriptionStatus.EXPIRED,
    "trialing": SubscriptionStatus.TRIALING,
    "active": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    "unpaid": SubscriptionStatus.UNPAID,
    "paused": SubscriptionStatus.PAUSED,
    "canceled": SubscriptionStatus.CANCELLED,
}
# https://docs.stripe.com/api/refunds/object#refund_object-status
REFUND_STATUS = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELLED,
}


def read(payload: dict[str, Any]) -> Reading:
    """What an event says; raises `PayloadError` where a value cannot be what it should be."""
    if payload.get("object") == "v2.core.event":
        return Reading(ignored="a thin event carries no object; reading it needs an API key")
    event_type = text(payload, "type") or ""
    tracked = EVENTS.get(event_type)
    if tracked is None:
        return Reading(ignored="this type changes nothing")
    return tracked.read(table(payload, "data", "object"), STEPS[event_type])


def _invoice(invoice: Payload, step: int, *facts: Fact, deleted: bool = False) -> Reading:
    if ref(invoice, "id") is None:
        return Reading(ignored="a preview of an invoice, which does not exist yet")
    invoice_ref = required_ref(invoice)
    customer_ref = ref(invoice, "customer")
    subscription_ref = _invoice_subscription(invoice)
    status, gateway_status = _invoice_status(invoice)
    money = stripe_money(invoice, "total", signed=True)
    payments = _invoice_payments(invoice, invoice_ref, customer_ref, subscription_ref)
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
                tax_minor=_invoice_tax(invoice, money),
                status=InvoiceStatus.DELETED if deleted else status,
                gateway_status="deleted" if deleted else gateway_status,
                number=text(invoice, "number"),
                customer_ref=customer_ref,
                subscription_ref=subscription_ref,
                attempt_count=integer(invoice, "attempt_count"),
                next_attempt_at=epoch(invoice, "next_payment_attempt"),
                cleared=_cleared(invoice, next_payment_attempt="next_attempt_at"),
                created_at=_invoice_created(invoice),
                due_at=epoch(invoice, "due_date"),
                paid_at=epoch(table(invoice, "status_transitions"), "paid_at"),
            ),
            *payments,
            *_tenants(
                table(invoice, "parent", "subscription_details", "metadata"),
                table(invoice, "subscription_details", "metadata"),
                table(invoice, "metadata"),
            ),
            *facts,
        ),
    )


def _invoice_deleted(invoice: Payload, step: int) -> Reading:
    return _invoice(invoice, step, deleted=True)


def _invoice_payment_failed(invoice: Payload, step: int) -> Reading:
    due = "amount_remaining" if "amount_remaining" in invoice else "amount_due"
    failed = PaymentFailedFact(
        invoice_ref=ref(invoice, "id") or "",
        attempt=str(integer(invoice, "attempt_count") or 0),
        money=stripe_money(invoice, due) if due in invoice else None,
    )
    return _invoice(invoice, step, failed)


def _invoice_status(invoice: Payload) -> tuple[InvoiceStatus, str]:
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


def _invoice_tax(invoice: Payload, money: Money) -> int | None:
    """The tax in the total, in minor units; from the newest field that says."""
    tax: int | None
    if invoice.get("total_taxes") is not None:
        tax = sum(integer(row, "amount") or 0 for row in rows(invoice, "total_taxes"))
    elif invoice.get("tax") is not None:
        tax = integer(invoice, "tax")
    elif invoice.get("total_tax_amounts") is not None:
        tax = sum(integer(row, "amount") or 0 for row in rows(invoice, "total_tax_amounts"))
    elif (net := integer(invoice, "total_excluding_tax")) is not None:
        tax = money.minor - net
    else:
        tax = None
    if tax is not None and money.minor >= 0 and tax > money.minor:
        raise PayloadError("tax is more than the total that includes it")
    return tax


def _invoice_created(invoice: Payload) -> Any:
    # ``date`` until 2019-03-14.
    created_at = epoch(invoice, "created") or epoch(invoice, "date")
    if created_at is None:
        raise PayloadError("created is missing")
    return created_at


def _invoice_subscription(invoice: Payload) -> str | None:
    details = table(invoice, "parent", "subscription_details")
    return ref(details, "subscription") or ref(invoice, "subscription")


def _invoice_payments(
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


def _invoice_payment(payment: Payload, step: int) -> Reading:
    """An InvoicePayment: since basil the only link between an invoice and its payments."""
    invoice_ref = required_ref(payment, "invoice")
    paid_by = table(payment, "payment")
    intent_ref, charge_ref = ref(paid_by, "payment_intent"), ref(paid_by, "charge")
    payment_ref = charge_ref or intent_ref or ref(paid_by, "payment_record")
    if payment_ref is None:
        return Reading(
            refs=Refs(invoice=invoice_ref), ignored="paid by something that is not a payment"
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


def _subscription(subscription: Payload, step: int, *, deleted: bool = False) -> Reading:
    subscription_ref = required_ref(subscription)
    customer_ref = ref(subscription, "customer")
    word = text(subscription, "status") or ""
    items = rows(subscription, "items")
    # The period stands on the items since basil, and items may differ; before, on the whole.
    periods = items if any("current_period_end" in item for item in items) else [subscription]
    starts = [at for item in periods if (at := epoch(item, "current_period_start"))]
    ends = [at for item in periods if (at := epoch(item, "current_period_end"))]
    ends_on = max(ends, default=None)
    cancel_at = epoch(subscription, "cancel_at")
    if cancel_at is None and subscription.get("cancel_at_period_end") is True:
        cancel_at = ends_on
    return Reading(
        refs=Refs(customer=customer_ref, subscription=subscription_ref),
        facts=(
            SubscriptionFact(
                ref=subscription_ref,
                step=step,
                status=SubscriptionStatus.CANCELLED if deleted else SUBSCRIPTION_STATUS.get(word),
                gateway_status=word or None,
                customer_ref=customer_ref,
                plan=_plan(subscription, items),
                quantity=_quantity(subscription, items),
                period_start_at=min(starts, default=None),
                period_end_at=ends_on,
                cancel_at=cancel_at,
                cleared=frozenset() if cancel_at else frozenset({"cancel_at"}),
                ended_at=epoch(subscription, "ended_at"),
            ),
            *_tenants(table(subscription, "metadata")),
        ),
    )


def _subscription_deleted(subscription: Payload, step: int) -> Reading:
    return _subscription(subscription, step, deleted=True)


def _plan(subscription: Payload, items: list[Payload]) -> str | None:
    """What is subscribed to: the prices of the items; before there were any, the plan."""
    priced = [table(item, "price") or table(item, "plan") for item in items]
    priced = [price for price in priced if price] or [table(subscription, "plan")]
    names = [text(price, "nickname") or text(price, "id") for price in priced]
    return ", ".join(name for name in names if name) or None


def _quantity(subscription: Payload, items: list[Payload]) -> int | None:
    quantities = [quantity for item in items if (quantity := integer(item, "quantity")) is not None]
    return sum(quantities) if quantities else integer(subscription, "quantity")


def _checkout_session(session: Payload, step: int) -> Reading:
    """A buyer finished a checkout: ties our tenant to the gateway's customer and subscription."""
    customer_ref = ref(session, "customer")
    subscription_ref = ref(session, "subscription")
    invoice_ref = ref(session, "invoice")
    intent_ref = ref(session, "payment_intent")
    facts: list[Fact] = [
        *_tenants(table(session, "metadata")),
        *_browser_tenant(session),
    ]
    if customer_ref is not None:
        details = table(session, "customer_details")
        facts.append(
            CustomerFact(
                ref=customer_ref,
                step=step,
                hint=True,
                email=text(details, "email") or text(session, "customer_email"),
                name=text(details, "name"),
            )
        )
    if subscription_ref is not None:
        settled = session.get("payment_status") in ("paid", "no_payment_required")
        facts.append(
            SubscriptionFact(
                ref=subscription_ref,
                step=step,
                hint=True,
                status=SubscriptionStatus.ACTIVE if settled else SubscriptionStatus.INCOMPLETE,
                customer_ref=customer_ref,
            )
        )
    if intent_ref is not None:
        facts.append(
            PaymentFact(
                ref=intent_ref, step=step, invoice_ref=invoice_ref, customer_ref=customer_ref
            )
        )
    return Reading(
        refs=Refs(
            customer=customer_ref,
            subscription=subscription_ref,
            invoice=invoice_ref,
            payment=intent_ref,
        ),
        facts=tuple(facts),
    )


def _charge_refunded(charge: Payload, step: int) -> Reading:
    charge_ref = required_ref(charge)
    customer_ref, invoice_ref = ref(charge, "customer"), ref(charge, "invoice")
    intent_ref = ref(charge, "payment_intent")
    refunded = stripe_money(charge, "amount_refunded")
    refunds = [
        fact
        for refund in rows(charge, "refunds")
        # Before 2014 a refund had no id: then the charge's own sum is all there is.
        if ref(refund, "id")
        for fact in _refund_facts(refund, step, charge)
    ]
    return Reading(
        refs=Refs(customer=customer_ref, invoice=invoice_ref, payment=charge_ref),
        facts=(
            PaymentFact(
                ref=charge_ref,
                # Of two sums said in the same second the larger is the later.
                step=refunded.minor,
                intent_ref=intent_ref,
                invoice_ref=invoice_ref,
                customer_ref=customer_ref,
                refunded=refunded,
            ),
            *refunds,
            *_tenants(table(charge, "metadata")),
        ),
    )


def _refund(refund: Payload, step: int) -> Reading:
    return Reading(
        refs=Refs(
            customer=ref(refund, "customer"),
            payment=ref(refund, "charge") or ref(refund, "payment_intent") or ref(refund, "id"),
        ),
        facts=(*_refund_facts(refund, step), *_tenants(table(refund, "metadata"))),
    )


def _refund_facts(refund: Payload, step: int, charge: Payload | None = None) -> Iterator[Fact]:
    """A refund, and the link between the charge and the payment intent that it names.

    Refunds inside a charge of old versions lack a status (they had succeeded), and may lack the
    currency and the charge's id.
    """
    if charge is not None:
        refund = {"charge": charge.get("id"), "currency": charge.get("currency")} | refund
    charge_ref, intent_ref = ref(refund, "charge"), ref(refund, "payment_intent")
    word = text(refund, "status") or "succeeded"
    if word not in REFUND_STATUS:
        raise PayloadError(f"refund status {word[:40]!r} is not one that Stripe documents")
    created_at = epoch(refund, "created")
    if created_at is None:
        raise PayloadError("created is missing")
    yield RefundFact(
        ref=required_ref(refund),
        step=step,
        money=stripe_money(refund, "amount"),
        status=REFUND_STATUS[word],
        payment_ref=charge_ref or intent_ref,
        created_at=created_at,
    )
    if charge_ref is not None and intent_ref is not None:
        yield PaymentFact(ref=charge_ref, step=step, intent_ref=intent_ref)


def _tenants(*metadata: Payload) -> list[Fact]:
    """The tenant id that the platform put into metadata; the first place that has one."""
    for values in metadata:
        if key := ref(values, "tenant_id"):
            return [TenantFact(key=key, trust=Trust.METADATA)]
    return []


def _browser_tenant(session: Payload) -> list[Fact]:
    key = ref(session, "client_reference_id")
    return [TenantFact(key=key, trust=Trust.BROWSER)] if key else []


def _cleared(payload: Payload, **fields: str) -> frozenset[str]:
    """The fields that the payload says are empty: there, and null."""
    return frozenset(
        field for key, field in fields.items() if key in payload and payload[key] is None
    )


@dataclass(frozen=True, slots=True)
class Tracked:
    """What happens when an event of a type arrives, in words and in code."""

    effect: str
    read: Callable[[Payload, int], Reading]


# https://docs.stripe.com/api/events/types
# In the order of an object's life: of two events of one second the later line wins a tie.
EVENTS = {
    "checkout.session.completed": Tracked("New subscription activated", _checkout_session),
    "customer.subscription.created": Tracked("Subscription record created", _subscription),
    "customer.subscription.updated": Tracked("Plan change or renewal", _subscription),
    "customer.subscription.deleted": Tracked("Subscription cancelled", _subscription_deleted),
    "invoice.created": Tracked("Invoice drafted", _invoice),
    "invoice.updated": Tracked("Invoice amounts refreshed", _invoice),
    "invoice.finalized": Tracked("Invoice pending", _invoice),
    "invoice.payment_failed": Tracked(
        "Payment failed and notification sent", _invoice_payment_failed
    ),
    "invoice.marked_uncollectible": Tracked("Invoice written off", _invoice),
    "invoice.payment_succeeded": Tracked("Invoice paid", _invoice),
    "invoice.paid": Tracked("Invoice paid", _invoice),
    "invoice.voided": Tracked("Invoice void", _invoice),
    "invoice.deleted": Tracked("Draft deleted, never issued", _invoice_deleted),
    "invoice_payment.paid": Tracked("Invoice linked to its payment", _invoice_payment),
    "charge.refunded": Tracked("Refund counted", _charge_refunded),
    "refund.created": Tracked("Refund recorded", _refund),
    "refund.updated": Tracked("Refund status changed", _refund),
    "charge.refund.updated": Tracked("Refund status changed", _refund),
    "refund.failed": Tracked("Refund taken out again", _refund),
}
STEPS = {event_type: step for step, event_type in enumerate(EVENTS)}
