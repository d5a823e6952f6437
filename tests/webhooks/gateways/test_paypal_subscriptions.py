"""PayPal's subscriptions beside their plain life, and the cycles that could not be collected.

Created, activated, suspended and cancelled ones are in test_paypal_events.
"""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.facts import (
    CustomerFact,
    FailureFact,
    InvoiceFact,
    InvoiceStatus,
    Reading,
    Refs,
    SubscriptionFact,
    SubscriptionStatus,
)
from tests.orders import every_order
from tests.payloads import Payload, load, paypal, thing
from tests.webhooks.gateways.said import BROWSER_TENANT, after, eur, one, row, statuses, totals
from webhooks.gateways.base import PayloadError
from webhooks.gateways.paypal_events import STEPS, read

SUBSCRIPTION, PAYER = "I-BRAE4CYCLES1", "BRAEPAYER0001"
CYCLE = f"{SUBSCRIPTION}:2"
SHAPES = ["v1", "v2"]
FAILED = "BILLING.SUBSCRIPTION.PAYMENT.FAILED"
ACTIVE = SubscriptionFact(
    ref=SUBSCRIPTION,
    status=SubscriptionStatus.ACTIVE,
    gateway_status="ACTIVE",
    customer_ref=PAYER,
    plan="P-0BRAEPLAN00000000000001",
    quantity=2,
    period_end_at=datetime(2025, 6, 15, 10, tzinfo=UTC),
)
SAID = {
    "BILLING.SUBSCRIPTION.UPDATED": dataclasses.replace(
        ACTIVE, plan="P-0BRAEPLAN00000000000002", quantity=3
    ),
    "BILLING.SUBSCRIPTION.RE-ACTIVATED": ACTIVE,
    "BILLING.SUBSCRIPTION.EXPIRED": dataclasses.replace(
        ACTIVE, status=SubscriptionStatus.EXPIRED, gateway_status="EXPIRED"
    ),
}


def subscription_reading(event_type: str, said: SubscriptionFact, *more: Any) -> Reading:
    step = STEPS[event_type]
    payer = CustomerFact(
        ref=PAYER, step=step, email="accounts@brae-cycles.example", name="Ailsa Brae"
    )
    return Reading(
        refs=Refs(customer=PAYER, subscription=SUBSCRIPTION),
        facts=(dataclasses.replace(said, step=step), BROWSER_TENANT, payer, *more),
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("event_type", sorted(SAID))
def test_a_subscription_is_read_completely(event_type: str, shape: str) -> None:
    # The older agreement has no quantity.
    said = SAID[event_type]
    said = said if shape == "v2" else dataclasses.replace(said, quantity=None)
    assert read(load("paypal", f"{event_type}--{shape}")) == subscription_reading(event_type, said)


def test_a_cycle_that_failed_is_an_invoice_under_its_own_name() -> None:
    at = datetime(2025, 6, 15, 10, tzinfo=UTC)
    cycle = InvoiceFact(
        ref=CYCLE,
        step=STEPS[FAILED],
        money=eur(6050),
        status=InvoiceStatus.PENDING,
        gateway_status="PAYMENT_DENIED",
        customer_ref=PAYER,
        subscription_ref=SUBSCRIPTION,
        attempt_count=1,
        next_attempt_at=datetime(2025, 6, 20, 10, tzinfo=UTC),
        created_at=at,
    )
    failure = FailureFact(
        subscription_ref=SUBSCRIPTION, attempt="2025-06-15T10:00:00Z", money=eur(6050)
    )
    expected = subscription_reading(FAILED, ACTIVE, failure, cycle)
    assert read(load("paypal", f"{FAILED}--v2")) == expected


def failed(**changes: Any) -> Payload:
    """The failed cycle, with other values of its last failed payment."""
    event = load("paypal", f"{FAILED}--v2")
    last = thing("paypal", event)["billing_info"]["last_failed_payment"]
    last |= changes
    return event


def test_the_retry_is_also_called_a_date_and_the_amount_may_be_missing() -> None:
    event = failed(next_payment_retry_time=None, next_payment_retry_date="2025-06-21T10:00:00Z")
    assert one(read(event), InvoiceFact).next_attempt_at == datetime(2025, 6, 21, 10, tzinfo=UTC)
    without = read(failed(amount=None))
    assert one(without, FailureFact).money is None
    assert not [fact for fact in without.facts if isinstance(fact, InvoiceFact)]


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("event_type", sorted(SAID))
def test_each_type_alone_makes_the_row_and_no_money(event_type: str, shape: str) -> None:
    state = after(paypal(f"{event_type}--{shape}"))
    status = SAID[event_type].status
    assert status is not None
    assert row(state, "subscription")["status"] == status.value
    assert row(state, "customer")["tenant"] == "brae-cycles"
    assert totals(state) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_subscription_updated_changes_the_plan(shape: str) -> None:
    names = [f"BILLING.SUBSCRIPTION.{word}--{shape}" for word in ("ACTIVATED", "UPDATED")]
    state = every_order(*map(paypal, names))
    assert row(state, "subscription")["plan"] == "P-0BRAEPLAN00000000000002"


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_subscription_re_activated_and_expired(shape: str) -> None:
    words = ["ACTIVATED", "SUSPENDED", "RE-ACTIVATED"]
    names = [f"BILLING.SUBSCRIPTION.{word}--{shape}" for word in words]
    assert row(every_order(*map(paypal, names)), "subscription")["status"] == "active"


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_subscription_expired_is_final_though_it_is_activated_late(shape: str) -> None:
    late = {"event_id": "WH-LATE", "at": "2027-01-01T00:00:00Z"}
    state = every_order(
        paypal(f"BILLING.SUBSCRIPTION.EXPIRED--{shape}"),
        paypal(f"BILLING.SUBSCRIPTION.RE-ACTIVATED--{shape}", **late),
    )
    assert row(state, "subscription")["status"] == "expired"


@pytest.mark.django_db
def test_subscription_payment_failed_is_pending_and_told_once_an_attempt() -> None:
    again = failed() | {"id": "WH-AGAIN"}
    retry = failed(time="2025-06-20T10:00:00Z") | {
        "id": "WH-RETRY",
        "create_time": "2025-06-20T10:00:05Z",
    }
    state = every_order(failed(), again, retry)
    assert totals(state) == {"pending": 6050}
    assert [row["ref"] for row in state["invoice"]] == [CYCLE]
    assert sorted(row["attempt"] for row in state["notification"]) == [
        "2025-06-15T10:00:00Z",
        "2025-06-20T10:00:00Z",
    ]


@pytest.mark.django_db
def test_a_later_sale_of_the_subscription_supersedes_the_cycle() -> None:
    earlier = paypal("PAYMENT.SALE.COMPLETED--v1")
    later = paypal(
        "PAYMENT.SALE.COMPLETED--v1",
        event_id="WH-LATER",
        id="9BR12345AE678999C",
        at="2025-06-20T10:00:02Z",
        create_time="2025-06-20T10:00:00Z",
    )
    state = every_order(earlier, failed(), later)
    assert statuses(state)[CYCLE] == "superseded"
    assert totals(state) == {"paid": 2 * 6050}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("EXPIRED", {"void": 6050}),
        ("SUSPENDED", {"pending": 6050}),
        ("CANCELLED", {"pending": 6050}),
    ],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_an_open_cycle_is_void_once_the_subscription_expired(
    word: str, expected: dict[str, int], shape: str
) -> None:
    state = every_order(failed(), paypal(f"BILLING.SUBSCRIPTION.{word}--{shape}"))
    assert totals(state) == expected


@pytest.mark.parametrize("wrong", [60.5, 60, True, None, "", "1e3", "-0.01", "NaN", [], {}])
def test_an_amount_of_a_wrong_type_is_refused(wrong: Any) -> None:
    with pytest.raises(PayloadError, match="amount"):
        read(failed(amount={"currency_code": "EUR", "value": wrong}))


@pytest.mark.parametrize("wrong", [1.5, "1", True, 2**63, {}])
def test_counts_of_a_wrong_type_are_refused_by_name(wrong: Any) -> None:
    event = load("paypal", f"{FAILED}--v2")
    thing("paypal", event)["billing_info"]["failed_payments_count"] = wrong
    with pytest.raises(PayloadError, match="failed_payments_count"):
        read(event)
