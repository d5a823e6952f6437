"""What PayPal's events say, as facts.

Subscriptions come as ``subscription`` (v2, ``status``) or as the older ``Agreement`` (v1,
``state``), payments as v1 sales and captures (``state``, ``amount.total``) or v2 captures
(``status``, ``amount.value``); which it is, the keys tell. PayPal makes no invoice for a
subscription's payments, so that each payment is one here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from billing.facts import (
    CustomerFact,
    DisputeFact,
    DisputeStatus,
    Fact,
    FailureFact,
    InvoiceFact,
    InvoiceStatus,
    PaymentFact,
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
    integer,
    iso_time,
    paypal_money,
    ref,
    required_ref,
    rows,
    table,
    text,
)

# https://developer.paypal.com/docs/api/subscriptions/v1/#subscriptions_get, and the states of the
# older billing agreements: https://developer.paypal.com/docs/api/payments.billing-agreements/v1/
SUBSCRIPTION_STATUS = {
    "APPROVAL_PENDING": SubscriptionStatus.INCOMPLETE,
    "APPROVED": SubscriptionStatus.INCOMPLETE,
    "PENDING": SubscriptionStatus.INCOMPLETE,
    "ACTIVE": SubscriptionStatus.ACTIVE,
    "REACTIVATED": SubscriptionStatus.ACTIVE,
    "SUSPENDED": SubscriptionStatus.SUSPENDED,
    "CANCELLED": SubscriptionStatus.CANCELLED,
    "EXPIRED": SubscriptionStatus.EXPIRED,
}
# https://developer.paypal.com/docs/api/payments/v1/#sale_get
# https://developer.paypal.com/docs/api/payments/v2/#captures_get
# A refund or a dispute never takes a payment back out of paid: each has a ledger of its own.
PAYMENT_STATUS = {
    "COMPLETED": InvoiceStatus.PAID,
    "PARTIALLY_REFUNDED": InvoiceStatus.PAID,
    "REFUNDED": InvoiceStatus.PAID,
    "REVERSED": InvoiceStatus.PAID,
    "PENDING": InvoiceStatus.PENDING,
    "DENIED": InvoiceStatus.VOID,
    "DECLINED": InvoiceStatus.VOID,
    "FAILED": InvoiceStatus.VOID,
}
# https://developer.paypal.com/docs/api/invoicing/v2/#invoices_get
# The event PAID is sent for a part payment too: only the status says which it was.
INVOICE_STATUS = {
    "DRAFT": InvoiceStatus.DRAFT,
    "SCHEDULED": InvoiceStatus.DRAFT,
    "SENT": InvoiceStatus.PENDING,
    "UNPAID": InvoiceStatus.PENDING,
    "PAYMENT_PENDING": InvoiceStatus.PENDING,
    "PARTIALLY_PAID": InvoiceStatus.PENDING,
    "PAID": InvoiceStatus.PAID,
    "MARKED_AS_PAID": InvoiceStatus.PAID,
    "PARTIALLY_REFUNDED": InvoiceStatus.PAID,
    "REFUNDED": InvoiceStatus.PAID,
    "MARKED_AS_REFUNDED": InvoiceStatus.PAID,
    "CANCELLED": InvoiceStatus.VOID,
}
# https://developer.paypal.com/docs/api/payments/v2/#refunds_get
REFUND_STATUS = {
    "COMPLETED": RefundStatus.SUCCEEDED,
    "PENDING": RefundStatus.PENDING,
    "FAILED": RefundStatus.FAILED,
    "CANCELLED": RefundStatus.CANCELLED,
}
# https://developer.paypal.com/docs/api/customer-disputes/v1/#disputes_get
# Who the money went to in the end. Any other outcome (the seller's favour, a payout by PayPal, a
# case that was dropped) leaves it with the seller.
LOST_OUTCOMES = {"RESOLVED_BUYER_FAVOUR", "ACCEPTED"}

QUANTITY = re.compile("[0-9]{1,9}")
# …/v1/payments/sale/9T09, …/v2/payments/captures/2GG2: the payment, of the links of a refund.
PAYMENT_LINK = re.compile("/payments/(?:sale|capture)s?/(?P<ref>[A-Z0-9]+)$")


def read(payload: dict[str, Any]) -> Reading:
    """What an event says; raises `PayloadError` where a value cannot be what it should be."""
    event_type = text(payload, "event_type") or ""
    tracked = EVENTS.get(event_type)
    if tracked is None:
        return Reading(ignored="this type changes nothing")
    return tracked.read(Event(payload, table(payload, "resource"), STEPS[event_type]))


@dataclass(frozen=True, slots=True)
class Event:
    """An event on its way into facts: the whole, the object in it, and the step of its type."""

    payload: Payload
    resource: Payload
    step: int

    @property
    def created_at(self) -> datetime:
        """When the object came to be; the event's own time where the object does not say."""
        for place in (self.resource, self.payload):
            for key in ("create_time", "update_time"):
                if (found := iso_time(place, key)) is not None:
                    return found
        raise PayloadError("create_time is missing")


def _subscription(event: Event) -> Reading:
    resource = event.resource
    subscription_ref = required_ref(resource)
    word = _word(resource)
    subscriber = table(resource, "subscriber") or table(resource, "payer", "payer_info")
    customer_ref = ref(subscriber, "payer_id")
    name = table(subscriber, "name") or subscriber
    names = (text(name, "given_name") or text(name, "first_name"), _surname(name))
    facts: list[Fact] = [
        SubscriptionFact(
            ref=subscription_ref,
            step=event.step,
            status=SUBSCRIPTION_STATUS.get(word),
            gateway_status=word or None,
            customer_ref=customer_ref,
            plan=text(resource, "plan_id") or text(table(resource, "plan"), "id"),
            quantity=_quantity(resource),
            period_end_at=iso_time(table(resource, "billing_info"), "next_billing_time")
            or iso_time(table(resource, "agreement_details"), "next_billing_date"),
        ),
        *_tenants(resource),
    ]
    if customer_ref is not None:
        facts.append(
            CustomerFact(
                ref=customer_ref,
                step=event.step,
                email=text(subscriber, "email_address") or text(subscriber, "email"),
                name=" ".join(part for part in names if part) or None,
            )
        )
    return Reading(
        refs=Refs(customer=customer_ref, subscription=subscription_ref), facts=tuple(facts)
    )


def _surname(name: Payload) -> str | None:
    return text(name, "surname") or text(name, "last_name")


def _quantity(resource: Payload) -> int | None:
    """PayPal writes quantities as text."""
    value = text(resource, "quantity")
    if value is None:
        return None
    if not QUANTITY.fullmatch(value):
        raise PayloadError("quantity is not a whole number in a string")
    return int(value)


def _subscription_payment_failed(event: Event) -> Reading:
    """A cycle could not be collected: pending under the cycle's name until a payment comes."""
    reading = _subscription(event)
    subscription_ref = required_ref(event.resource)
    billing = table(event.resource, "billing_info")
    failed = table(billing, "last_failed_payment")
    amount = table(failed, "amount")
    money = paypal_money(amount) if amount else None
    attempts = integer(billing, "failed_payments_count")
    facts: list[Fact] = [
        FailureFact(
            subscription_ref=subscription_ref,
            attempt=text(failed, "time") or str(attempts or 0),
            money=money,
        )
    ]
    if money is not None:
        facts.append(
            InvoiceFact(
                ref=f"{subscription_ref}:{_cycle(billing)}",
                step=event.step,
                money=money,
                status=InvoiceStatus.PENDING,
                gateway_status=text(failed, "reason_code"),
                customer_ref=reading.refs.customer,
                subscription_ref=subscription_ref,
                attempt_count=attempts,
                next_attempt_at=iso_time(failed, "next_payment_retry_time")
                or iso_time(failed, "next_payment_retry_date"),
                created_at=iso_time(failed, "time") or event.created_at,
            )
        )
    return replace(reading, facts=(*reading.facts, *facts))


def _cycle(billing: Payload) -> int:
    """Which cycle is open: the one after all that were completed."""
    return 1 + sum(
        integer(cycle, "cycles_completed") or 0 for cycle in rows(billing, "cycle_executions")
    )


def _payment(event: Event, *failed: FailureFact) -> Reading:
    """A sale or a capture, which is the invoice too unless PayPal has one for it."""
    resource = event.resource
    payment_ref = required_ref(resource)
    subscription_ref = ref(resource, "billing_agreement_id")
    word = _word(resource)
    if word not in PAYMENT_STATUS:
        raise PayloadError(f"payment status {word[:40]!r} is not one that PayPal documents")
    status = PAYMENT_STATUS[word]
    money = paypal_money(table(resource, "amount"))
    return Reading(
        refs=Refs(subscription=subscription_ref, invoice=payment_ref, payment=payment_ref),
        facts=(
            InvoiceFact(
                ref=payment_ref,
                step=event.step,
                money=money,
                tax_minor=_tax(table(resource, "amount", "details").get("tax"), money),
                status=status,
                gateway_status=word.lower(),
                number=text(resource, "invoice_number") or text(resource, "invoice_id"),
                subscription_ref=subscription_ref,
                created_at=event.created_at,
                paid_at=event.created_at if status == InvoiceStatus.PAID else None,
            ),
            PaymentFact(
                ref=payment_ref,
                step=event.step,
                hint=True,
                money=money,
                invoice_ref=payment_ref,
                subscription_ref=subscription_ref,
            ),
            *_tenants(resource),
            *failed,
        ),
    )


def _denied_payment(event: Event) -> Reading:
    return _payment(
        event,
        FailureFact(
            invoice_ref=required_ref(event.resource),
            attempt="denied",
            money=paypal_money(table(event.resource, "amount")),
        ),
    )


def _tax(amount: Any, money: Money) -> int | None:
    """Tax in minor units, from an amount in text."""
    if amount is None:
        return None
    minor = paypal_money({"value": amount, "currency": money.currency}, signed=True).minor
    if minor > money.minor:
        raise PayloadError("tax is more than the total that includes it")
    return minor


def _refund(event: Event) -> Reading:
    """A refund of a sale or capture: v1 has negative amounts, v2 names its capture by a link."""
    resource = event.resource
    refund_ref = required_ref(resource)
    word = _word(resource)
    if word not in REFUND_STATUS:
        raise PayloadError(f"refund status {word[:40]!r} is not one that PayPal documents")
    # Refunds made on PayPal's website name no payment. Such a one is its own, so that a person can
    # still say whose it is.
    payment_ref = _returned_of(resource) or refund_ref
    return Reading(
        refs=Refs(payment=payment_ref),
        facts=(
            RefundFact(
                ref=refund_ref,
                step=event.step,
                money=abs(paypal_money(table(resource, "amount"), signed=True)),
                status=REFUND_STATUS[word],
                payment_ref=payment_ref,
                created_at=event.created_at,
            ),
            *_tenants(resource),
        ),
    )


def _reversal(event: Event) -> Reading:
    """A chargeback. Seen in two shapes: the id is the payment's, or that of the reversal itself."""
    resource = event.resource
    reversal_ref = required_ref(resource)
    payment_ref = _returned_of(resource) or reversal_ref
    return Reading(
        refs=Refs(payment=payment_ref),
        facts=(
            DisputeFact(
                ref=reversal_ref,
                step=event.step,
                money=abs(paypal_money(table(resource, "amount"), signed=True)),
                status=DisputeStatus.LOST,
                gateway_status="reversed",
                payment_ref=payment_ref,
                created_at=event.created_at,
            ),
            *_tenants(resource),
        ),
    )


def _returned_of(resource: Payload) -> str | None:
    """The payment that money went back from: by its id, or by a link to it."""
    named = ref(resource, "sale_id") or ref(resource, "capture_id")
    if named is not None:
        return named
    for link in rows(resource, "links"):
        found = PAYMENT_LINK.search(text(link, "href") or "")
        if found:
            return found["ref"]
    return None


def _invoice(event: Event) -> Reading:
    """An invoice of PayPal's invoicing, whose payments are sales or captures of their own too."""
    invoice = table(event.resource, "invoice") or event.resource
    invoice_ref = required_ref(invoice)
    detail = table(invoice, "detail")
    word = text(invoice, "status") or ""
    if word not in INVOICE_STATUS:
        raise PayloadError(f"invoice status {word[:40]!r} is not one that PayPal documents")
    money = paypal_money(table(invoice, "amount"))
    payments = [
        payment_ref
        for payment in rows(table(invoice, "payments"), "transactions")
        if (payment_ref := ref(payment, "payment_id"))
    ]
    created_at = iso_time(table(detail, "metadata"), "create_time") or event.created_at
    refunds = table(invoice, "refunds")
    facts: list[Fact] = [
        InvoiceFact(
            ref=invoice_ref,
            step=event.step,
            money=money,
            tax_minor=_tax(table(invoice, "amount", "breakdown", "tax_total").get("value"), money),
            status=INVOICE_STATUS[word],
            gateway_status=word.lower(),
            number=text(detail, "invoice_number"),
            created_at=created_at,
            due_at=iso_time(table(detail, "payment_term"), "due_date"),
        ),
        *(PaymentFact(ref=one, step=event.step, invoice_ref=invoice_ref) for one in payments),
    ]
    if returned := table(refunds, "refund_amount"):
        # PayPal counts up here what refunds of the payments say one by one: it stands for those
        # that no other event names, with the payment they are of.
        refunded = paypal_money(returned)
        facts.append(
            PaymentFact(
                ref=payments[0] if len(payments) == 1 else invoice_ref,
                step=refunded.minor,
                money=money,
                invoice_ref=invoice_ref,
                refunded=refunded,
            )
        )
    for row in rows(refunds, "transactions"):
        refund_ref = ref(row, "refund_id")
        if refund_ref is not None:
            facts.append(
                RefundFact(
                    ref=refund_ref,
                    step=event.step,
                    hint=True,
                    money=paypal_money(table(row, "amount")),
                    status=RefundStatus.SUCCEEDED,
                    payment_ref=payments[0] if len(payments) == 1 else invoice_ref,
                    invoice_ref=invoice_ref,
                    created_at=iso_time(row, "refund_date") or created_at,
                )
            )
    return Reading(
        refs=Refs(invoice=invoice_ref, payment=payments[0] if len(payments) == 1 else None),
        facts=tuple(facts),
    )


def _dispute(event: Event) -> Reading:
    """A case. While it is an inquiry between buyer and seller no money moves."""
    resource = event.resource
    dispute_ref = required_ref(resource, "dispute_id")
    disputed = rows(resource, "disputed_transactions")
    payment_ref = next(
        (found for one in disputed if (found := ref(one, "seller_transaction_id"))), None
    )
    word = text(resource, "status") or ""
    outcome = text(table(resource, "dispute_outcome"), "outcome_code")
    if word == "RESOLVED":
        status = DisputeStatus.LOST if outcome in LOST_OUTCOMES else DisputeStatus.WON
    elif text(resource, "dispute_life_cycle_stage") == "INQUIRY":
        status = DisputeStatus.INQUIRY
    else:
        status = DisputeStatus.OPEN
    return Reading(
        refs=Refs(payment=payment_ref or dispute_ref),
        facts=(
            DisputeFact(
                ref=dispute_ref,
                step=event.step,
                money=paypal_money(table(resource, "dispute_amount")),
                status=status,
                gateway_status=(outcome or word).lower(),
                payment_ref=payment_ref or dispute_ref,
                created_at=event.created_at,
            ),
        ),
    )


def _order(event: Event) -> Reading:
    return Reading(ignored="an approval, which moves no money")


def _word(resource: Payload) -> str:
    """The status: v2 ``status``, v1 ``state``, in capitals as v2 has it."""
    return (text(resource, "status") or text(resource, "state") or "").upper()


def _tenants(resource: Payload) -> list[Fact]:
    """What the checkout page passed along as the tenant: v2 ``custom_id``, v1 ``custom``."""
    key = ref(resource, "custom_id") or ref(resource, "custom")
    return [TenantFact(key=key, trust=Trust.BROWSER)] if key else []


@dataclass(frozen=True, slots=True)
class Tracked:
    """What happens when an event of a type arrives, in words and in code."""

    effect: str
    read: Callable[[Event], Reading]


# https://developer.paypal.com/api/rest/webhooks/event-names/
# In the order of an object's life: of two events of one moment the later line wins a tie.
EVENTS = {
    "CHECKOUT.ORDER.APPROVED": Tracked("Logged: no money yet", _order),
    "CHECKOUT.ORDER.COMPLETED": Tracked("Logged: the capture says it", _order),
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED": Tracked("Logged: no money moved", _order),
    "BILLING.SUBSCRIPTION.CREATED": Tracked("Subscription initiated", _subscription),
    "BILLING.SUBSCRIPTION.ACTIVATED": Tracked("Subscription confirmed", _subscription),
    "BILLING.SUBSCRIPTION.RE-ACTIVATED": Tracked("Subscription confirmed again", _subscription),
    "BILLING.SUBSCRIPTION.UPDATED": Tracked("Subscription changed", _subscription),
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED": Tracked(
        "Payment failed and notification sent", _subscription_payment_failed
    ),
    "BILLING.SUBSCRIPTION.SUSPENDED": Tracked("Subscription suspended", _subscription),
    "BILLING.SUBSCRIPTION.CANCELLED": Tracked("Subscription cancelled", _subscription),
    "BILLING.SUBSCRIPTION.EXPIRED": Tracked("Subscription expired", _subscription),
    "PAYMENT.SALE.PENDING": Tracked("Payment pending", _payment),
    "PAYMENT.SALE.COMPLETED": Tracked("Payment received", _payment),
    "PAYMENT.SALE.DENIED": Tracked("Payment denied and notification sent", _denied_payment),
    "PAYMENT.SALE.REFUNDED": Tracked("Refund recorded", _refund),
    "PAYMENT.SALE.REVERSED": Tracked("Reversal recorded as disputed", _reversal),
    "PAYMENT.CAPTURE.PENDING": Tracked("Payment pending", _payment),
    "PAYMENT.CAPTURE.COMPLETED": Tracked("Payment received", _payment),
    "PAYMENT.CAPTURE.DENIED": Tracked("Payment denied and notification sent", _denied_payment),
    "PAYMENT.CAPTURE.DECLINED": Tracked("Payment denied and notification sent", _denied_payment),
    "PAYMENT.CAPTURE.REFUNDED": Tracked("Refund recorded", _refund),
    "PAYMENT.CAPTURE.REVERSED": Tracked("Reversal recorded as disputed", _reversal),
    "INVOICING.INVOICE.CREATED": Tracked("Invoice drafted", _invoice),
    "INVOICING.INVOICE.SCHEDULED": Tracked("Invoice drafted", _invoice),
    "INVOICING.INVOICE.UPDATED": Tracked("Invoice refreshed", _invoice),
    "INVOICING.INVOICE.PAID": Tracked("Invoice paid, or paid in part", _invoice),
    "INVOICING.INVOICE.CANCELLED": Tracked("Invoice void", _invoice),
    "INVOICING.INVOICE.REFUNDED": Tracked("Refund counted", _invoice),
    "CUSTOMER.DISPUTE.CREATED": Tracked("Dispute recorded", _dispute),
    "CUSTOMER.DISPUTE.UPDATED": Tracked("Dispute refreshed", _dispute),
    "CUSTOMER.DISPUTE.RESOLVED": Tracked("Dispute won or lost", _dispute),
}
STEPS = {event_type: step for step, event_type in enumerate(EVENTS)}
