"""PayPal's subscriptions, and the cycles that could not be collected."""

import re
from dataclasses import replace

from billing.facts import (
    CustomerFact,
    Fact,
    FailureFact,
    InvoiceFact,
    InvoiceStatus,
    Reading,
    Refs,
    SubscriptionFact,
    SubscriptionStatus,
)
from webhooks.gateways.base import PayloadError
from webhooks.gateways.paypal_resources import Event, status_word, tenants
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
    total,
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

QUANTITY = re.compile("[0-9]{1,9}")


def subscription(event: Event) -> Reading:
    resource = event.resource
    subscription_ref = required_ref(resource)
    word = status_word(resource)
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
        *tenants(resource),
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


def subscription_payment_failed(event: Event) -> Reading:
    """A cycle could not be collected: pending under the cycle's name until a payment comes."""
    reading = subscription(event)
    subscription_ref = required_ref(event.resource)
    billing = table(event.resource, "billing_info")
    failed = table(billing, "last_failed_payment")
    money = paypal_money(failed, "amount") if failed.get("amount") is not None else None
    attempts = integer(billing, "failed_payments_count")
    facts: list[Fact] = [
        FailureFact(
            subscription_ref=subscription_ref,
            # An older Agreement does not say which attempt it was: then each event is one.
            attempt=text(failed, "time") or str(attempts or event.created_at.isoformat()),
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
    return 1 + total(rows(billing, "cycle_executions"), "cycles_completed")


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
