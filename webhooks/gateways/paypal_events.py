"""What PayPal's events say, as facts.

Subscriptions come as ``subscription`` (v2, ``status``) or as the older ``Agreement`` (v1, ``state``),
money as v1 (``amount.total``) or v2 (``amount.value``); which it is, the keys tell.
PayPal makes no invoice for a subscription's payments, so that each sale is one here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.facts import (
    CustomerFact,
    DisputeFact,
    DisputeStatus,
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
# A refund or a reversal never takes a payment back out of paid: it has a ledger of its own.
SALE_STATUS = {
    "completed": InvoiceStatus.PAID,
    "partially_refunded": InvoiceStatus.PAID,
    "refunded": InvoiceStatus.PAID,
    "reversed": InvoiceStatus.PAID,
    "pending": InvoiceStatus.PENDING,
    "denied": InvoiceStatus.VOID,
}
# https://developer.paypal.com/docs/api/payments/v1/#refund_get
REFUND_STATUS = {
    "completed": RefundStatus.SUCCEEDED,
    "pending": RefundStatus.PENDING,
    "failed": RefundStatus.FAILED,
    "cancelled": RefundStatus.CANCELLED,
}

QUANTITY = re.compile("[0-9]{1,9}")
# …/v1/payments/sale/9T09, …/v2/payments/captures/2GG2
LINK = re.compile("/payments/(?P<kind>[a-z-]+?)s?/(?P<ref>[A-Z0-9]+)$")


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
    word = (text(resource, "status") or text(resource, "state") or "").upper()
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


def _sale(event: Event, *failed: PaymentFailedFact) -> Reading:
    """A payment, which is the invoice too."""
    resource = event.resource
    sale_ref = required_ref(resource)
    subscription_ref = ref(resource, "billing_agreement_id")
    word = (text(resource, "state") or "").lower()
    if word not in SALE_STATUS:
        raise PayloadError(f"sale state {word[:40]!r} is not one that PayPal documents")
    money = paypal_money(table(resource, "amount"))
    return Reading(
        refs=Refs(subscription=subscription_ref, invoice=sale_ref, payment=sale_ref),
        facts=(
            InvoiceFact(
                ref=sale_ref,
                step=event.step,
                money=money,
                tax_minor=_tax(resource, money),
                status=SALE_STATUS[word],
                gateway_status=word,
                number=text(resource, "invoice_number"),
                subscription_ref=subscription_ref,
                created_at=event.created_at,
                paid_at=event.created_at if SALE_STATUS[word] == InvoiceStatus.PAID else None,
            ),
            PaymentFact(
                ref=sale_ref,
                step=event.step,
                invoice_ref=sale_ref,
                subscription_ref=subscription_ref,
            ),
            *_tenants(resource),
            *failed,
        ),
    )


def _sale_denied(event: Event) -> Reading:
    return _sale(
        event,
        PaymentFailedFact(
            invoice_ref=required_ref(event.resource),
            attempt="denied",
            money=paypal_money(table(event.resource, "amount")),
        ),
    )


def _tax(resource: Payload, money: Money) -> int | None:
    """The tax of a v1 sale, which stands in the amount's details."""
    tax = table(resource, "amount", "details").get("tax")
    if tax is None:
        return None
    minor = paypal_money({"value": tax, "currency": money.currency}, signed=True).minor
    if minor > money.minor:
        raise PayloadError("tax is more than the total that includes it")
    return minor


def _sale_refunded(event: Event) -> Reading:
    """A refund of a sale. Its amount is negative, and its sale missing when made on the website."""
    resource = event.resource
    refund_ref = required_ref(resource)
    word = (text(resource, "state") or "").lower()
    if word not in REFUND_STATUS:
        raise PayloadError(f"refund state {word[:40]!r} is not one that PayPal documents")
    # A refund that names no sale is its own payment: a tenant can still be assigned to it.
    payment_ref = ref(resource, "sale_id") or _linked(resource, "sale") or refund_ref
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


def _sale_reversed(event: Event) -> Reading:
    """A chargeback. Seen in two shapes: the id is the sale's, or that of the reversal itself."""
    resource = event.resource
    reversal_ref = required_ref(resource)
    payment_ref = ref(resource, "sale_id") or _linked(resource, "sale") or reversal_ref
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


def _linked(resource: Payload, kind: str) -> str | None:
    """The id of the object of a kind that the resource links to."""
    for link in rows(resource, "links"):
        found = LINK.search(text(link, "href") or "")
        if found and found["kind"] == kind:
            return found["ref"]
    return None


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
    "BILLING.SUBSCRIPTION.CREATED": Tracked("Subscription initiated", _subscription),
    "BILLING.SUBSCRIPTION.ACTIVATED": Tracked("Subscription confirmed", _subscription),
    "BILLING.SUBSCRIPTION.SUSPENDED": Tracked("Subscription suspended", _subscription),
    "BILLING.SUBSCRIPTION.CANCELLED": Tracked("Subscription cancelled", _subscription),
    "PAYMENT.SALE.PENDING": Tracked("Payment pending", _sale),
    "PAYMENT.SALE.COMPLETED": Tracked("Payment received", _sale),
    "PAYMENT.SALE.DENIED": Tracked("Payment denied and notification sent", _sale_denied),
    "PAYMENT.SALE.REFUNDED": Tracked("Refund recorded", _sale_refunded),
    "PAYMENT.SALE.REVERSED": Tracked("Reversal recorded as disputed", _sale_reversed),
}
STEPS = {event_type: step for step, event_type in enumerate(EVENTS)}
