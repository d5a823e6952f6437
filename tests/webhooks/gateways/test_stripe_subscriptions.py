"""Stripe's customers and subscriptions: facts and rows; neither is money.

Created, updated and deleted subscriptions are in test_stripe_events.
"""

import dataclasses
from typing import Any

import pytest

from billing.facts import CustomerFact, Reading, Refs, SubscriptionFact, SubscriptionStatus
from tests.orders import every_order
from tests.payloads import load, stripe
from tests.webhooks.gateways.said import (
    CUSTOMER,
    DAY,
    SUBSCRIPTION,
    T0,
    TENANT,
    after,
    row,
    totals,
    when,
)
from webhooks.gateways.base import PayloadError
from webhooks.gateways.stripe_events import STEPS, read

SHAPES = ["2022", "basil"]
BEGUN = SubscriptionFact(
    ref=SUBSCRIPTION,
    status=SubscriptionStatus.ACTIVE,
    gateway_status="active",
    customer_ref=CUSTOMER,
    plan="Workshop",
    quantity=2,
    period_start_at=when(T0),
    period_end_at=when(T0 + 30 * DAY),
    cleared=frozenset({"cancel_at"}),
)
TRIAL = dataclasses.replace(BEGUN, status=SubscriptionStatus.TRIALING, gateway_status="trialing")
SAID = {
    "customer.subscription.trial_will_end": TRIAL,
    "customer.subscription.paused": dataclasses.replace(
        BEGUN, status=SubscriptionStatus.PAUSED, gateway_status="paused"
    ),
    "customer.subscription.resumed": BEGUN,
    "customer.subscription.pending_update_applied": dataclasses.replace(
        BEGUN,
        quantity=3,
        period_start_at=when(T0 + 30 * DAY),
        period_end_at=when(T0 + 60 * DAY),
    ),
    "customer.subscription.pending_update_expired": BEGUN,
}
FIRST, LATER = "accounts@brae-cycles.example", "books@brae-cycles.example"
CUSTOMERS = {
    "customer.created": FIRST,
    "customer.updated": LATER,
    "customer.deleted": LATER,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("event_type", sorted(SAID))
def test_a_subscription_is_read_completely(event_type: str, shape: str) -> None:
    said = dataclasses.replace(SAID[event_type], step=STEPS[event_type])
    assert read(load("stripe", f"{event_type}--{shape}")) == Reading(
        refs=Refs(customer=CUSTOMER, subscription=SUBSCRIPTION), facts=(said, TENANT)
    )


def test_a_trial_of_2017_says_the_same() -> None:
    name = "customer.subscription.trial_will_end"
    assert read(load("stripe", f"{name}--2017")) == read(load("stripe", f"{name}--basil"))


@pytest.mark.parametrize("shape", ["2017", *SHAPES])
@pytest.mark.parametrize("event_type", sorted(CUSTOMERS))
def test_a_customer_is_read_completely(event_type: str, shape: str) -> None:
    # In 2017 customers had no name.
    said = CustomerFact(
        ref=CUSTOMER,
        step=STEPS[event_type],
        email=CUSTOMERS[event_type],
        name=None if shape == "2017" else "Brae Cycles",
    )
    assert read(load("stripe", f"{event_type}--{shape}")) == Reading(
        refs=Refs(customer=CUSTOMER), facts=(said, TENANT)
    )


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("event_type", sorted(SAID))
def test_each_type_alone_makes_the_row_and_no_money(event_type: str, shape: str) -> None:
    state = after(stripe(f"{event_type}--{shape}"))
    said, subscription = SAID[event_type], row(state, "subscription")
    assert said.status is not None
    assert (subscription["status"], subscription["quantity"]) == (said.status.value, said.quantity)
    assert subscription["tenant"] == row(state, "customer")["tenant"] == "brae-cycles"
    assert totals(state) == {}
    assert state["notification"] == []


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_customer_subscription_paused_and_resumed(shape: str) -> None:
    life = [f"customer.subscription.{end}--{shape}" for end in ("trial_will_end", "paused")]
    state = every_order(*map(stripe, life))
    assert row(state, "subscription")["status"] == "paused"


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_customer_subscription_resumed_is_active_again_until_deleted(shape: str) -> None:
    ends = ["paused", "resumed"]
    state = every_order(*(stripe(f"customer.subscription.{end}--{shape}") for end in ends))
    assert row(state, "subscription")["status"] == "active"
    ended = after(
        stripe(f"customer.subscription.deleted--{shape}"),
        stripe(f"customer.subscription.resumed--{shape}", event_id="evt_late", at=T0 + 90 * DAY),
    )
    assert row(ended, "subscription")["status"] == "cancelled"


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_customer_subscription_pending_updates(shape: str) -> None:
    names = [
        f"customer.subscription.pending_update_{end}--{shape}" for end in ("expired", "applied")
    ]
    state = every_order(*map(stripe, names))
    assert row(state, "subscription")["quantity"] == 3


@pytest.mark.django_db
@pytest.mark.parametrize("shape", ["2017", *SHAPES])
def test_customer_created_updated_and_deleted_keeps_its_rows(shape: str) -> None:
    state = every_order(
        *(stripe(f"{event_type}--{shape}") for event_type in sorted(CUSTOMERS)),
        stripe("invoice.paid--basil"),
    )
    customer = row(state, "customer")
    assert (customer["email"], customer["tenant"]) == (LATER, "brae-cycles")
    assert totals(state) == {"paid": 12100}


@pytest.mark.django_db
def test_a_customer_tells_whose_its_charge_is() -> None:
    state = every_order(stripe("charge.refunded--basil"), stripe("customer.created--basil"))
    assert row(state, "refund")["tenant"] == "brae-cycles"


@pytest.mark.parametrize("wrong", [1.5, "2", True, 2**63, {}])
@pytest.mark.parametrize("event_type", sorted(SAID))
def test_a_quantity_of_a_wrong_type_is_refused_by_name(event_type: str, wrong: Any) -> None:
    event = load("stripe", f"{event_type}--basil")
    (item,) = event["data"]["object"]["items"]["data"]
    item["quantity"] = wrong
    with pytest.raises(PayloadError, match="quantity"):
        read(event)


@pytest.mark.parametrize("wrong", [7, True, [], {}])
@pytest.mark.parametrize("event_type", sorted(CUSTOMERS))
def test_an_address_of_a_wrong_type_is_refused_by_name(event_type: str, wrong: Any) -> None:
    with pytest.raises(PayloadError, match="email"):
        read(stripe(f"{event_type}--2022", email=wrong))
