"""Stripe's subscriptions and customers."""

from billing.facts import CustomerFact, Reading, Refs, SubscriptionFact, SubscriptionStatus
from webhooks.gateways.stripe_metadata import tenants
from webhooks.gateways.values import (
    Payload,
    epoch,
    integer,
    ref,
    required_ref,
    rows,
    table,
    text,
    total,
)

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


def subscription(subscription: Payload, step: int, *, deleted: bool = False) -> Reading:
    """A subscription, with its period where its version has it."""
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
            *tenants(table(subscription, "metadata")),
        ),
    )


def deleted_subscription(payload: Payload, step: int) -> Reading:
    """Gone for good, whatever status the payload still has."""
    return subscription(payload, step, deleted=True)


def _plan(subscription: Payload, items: list[Payload]) -> str | None:
    """What is subscribed to: the prices of the items; before there were any, the plan."""
    priced = [table(item, "price") or table(item, "plan") for item in items]
    priced = [price for price in priced if price] or [table(subscription, "plan")]
    names = [text(price, "nickname") or text(price, "id") for price in priced]
    return ", ".join(name for name in names if name) or None


def _quantity(subscription: Payload, items: list[Payload]) -> int | None:
    if any(item.get("quantity") is not None for item in items):
        return total(items, "quantity")
    return integer(subscription, "quantity")


def customer(customer: Payload, step: int) -> Reading:
    """A customer. One that was deleted keeps its rows: invoices are never deleted with it."""
    customer_ref = required_ref(customer)
    return Reading(
        refs=Refs(customer=customer_ref),
        facts=(
            CustomerFact(
                ref=customer_ref,
                step=step,
                email=text(customer, "email"),
                name=text(customer, "name"),
            ),
            *tenants(table(customer, "metadata")),
        ),
    )
