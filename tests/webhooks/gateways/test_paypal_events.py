"""PayPal's events become facts: the same from both shapes (B8), and never a guess (B9, B10)."""

import dataclasses
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from tests import payloads
from webhooks.gateways.base import PayloadError
from webhooks.gateways.paypal_events import STEPS, read

F = TypeVar("F", bound=Fact)

SUBSCRIPTION, PAYER, PLAN = "I-BRAE4CYCLES1", "BRAEPAYER0001", "P-0BRAEPLAN00000000000001"
SALE, REFUND, REVERSAL = "4BR12345AE678901C", "7BR12345AE678902F", "9BR12345AE678903V"
TENANT = TenantFact(key="brae-cycles", trust=Trust.BROWSER)
TOTAL = Money(6050, "EUR", 2)
NAMES = payloads.names("paypal")
SALES = [name for name in NAMES if name.startswith("PAYMENT.SALE.")]


def one(reading: Reading, kind: type[F]) -> F:
    (found,) = (fact for fact in reading.facts if isinstance(fact, kind))
    return found


# --- Subscriptions --------------------------------------------------------------------------

ACTIVE = SubscriptionFact(
    ref=SUBSCRIPTION,
    step=STEPS["BILLING.SUBSCRIPTION.ACTIVATED"],
    status=SubscriptionStatus.ACTIVE,
    gateway_status="ACTIVE",
    customer_ref=PAYER,
    plan=PLAN,
    quantity=2,
    period_end_at=datetime(2025, 6, 15, 10, tzinfo=UTC),
)
STATUSES = {
    "BILLING.SUBSCRIPTION.CREATED": (SubscriptionStatus.INCOMPLETE, "APPROVAL_PENDING", None),
    "BILLING.SUBSCRIPTION.ACTIVATED": (
        SubscriptionStatus.ACTIVE,
        "ACTIVE",
        ACTIVE.period_end_at,
    ),
    "BILLING.SUBSCRIPTION.SUSPENDED": (
        SubscriptionStatus.SUSPENDED,
        "SUSPENDED",
        ACTIVE.period_end_at,
    ),
    "BILLING.SUBSCRIPTION.CANCELLED": (
        SubscriptionStatus.CANCELLED,
        "CANCELLED",
        ACTIVE.period_end_at,
    ),
}


def subscription_reading(event_type: str) -> Reading:
    status, word, ends_at = STATUSES[event_type]
    step = STEPS[event_type]
    return Reading(
        refs=Refs(customer=PAYER, subscription=SUBSCRIPTION),
        facts=(
            dataclasses.replace(
                ACTIVE, step=step, status=status, gateway_status=word, period_end_at=ends_at
            ),
            TENANT,
            CustomerFact(
                ref=PAYER, step=step, email="accounts@brae-cycles.example", name="Ailsa Brae"
            ),
        ),
    )


@pytest.mark.parametrize("event_type", sorted(STATUSES))
def test_a_subscription_is_read_completely(event_type: str) -> None:
    assert read(payloads.load("paypal", f"{event_type}--v2")) == subscription_reading(event_type)


@pytest.mark.parametrize("event_type", sorted(STATUSES))
def test_the_older_agreement_says_the_same_but_for_the_quantity(event_type: str) -> None:
    expected = subscription_reading(event_type)
    found = read(payloads.load("paypal", f"{event_type}--v1"))
    old, new = one(found, SubscriptionFact), one(expected, SubscriptionFact)
    # Its words are its own (Pending), and it has no quantity.
    assert (old.gateway_status or "")[:3] in ("PEN", (new.gateway_status or "")[:3])
    assert old == dataclasses.replace(new, gateway_status=old.gateway_status, quantity=None)
    assert found.refs == expected.refs
    assert found.facts[1:] == expected.facts[1:]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("APPROVAL_PENDING", SubscriptionStatus.INCOMPLETE),
        ("APPROVED", SubscriptionStatus.INCOMPLETE),
        ("ACTIVE", SubscriptionStatus.ACTIVE),
        ("Active", SubscriptionStatus.ACTIVE),
        ("SUSPENDED", SubscriptionStatus.SUSPENDED),
        ("CANCELLED", SubscriptionStatus.CANCELLED),
        ("EXPIRED", SubscriptionStatus.EXPIRED),
        ("SLEEPING", None),
    ],
)
def test_a_subscriptions_status_is_its_own_whatever_the_type_says(
    word: str, status: SubscriptionStatus | None
) -> None:
    fact = one(
        read(payloads.paypal("BILLING.SUBSCRIPTION.CREATED--v2", status=word)), SubscriptionFact
    )
    assert (fact.status, fact.gateway_status) == (status, word.upper())


def test_a_date_that_cannot_be_read_is_missing() -> None:
    """PayPal's simulator sends a month 19."""
    event = payloads.paypal("BILLING.SUBSCRIPTION.ACTIVATED--v2", at="2018-19-12T22:20:32.000Z")
    payloads.thing("paypal", event)["billing_info"]["next_billing_time"] = "2018-19-12T00:00:00Z"
    assert one(read(event), SubscriptionFact).period_end_at is None


def test_a_subscriber_without_payer_id_is_no_customer() -> None:
    event = payloads.load("paypal", "BILLING.SUBSCRIPTION.ACTIVATED--v2")
    del payloads.thing("paypal", event)["subscriber"]["payer_id"]
    reading = read(event)
    assert reading.refs == Refs(subscription=SUBSCRIPTION)
    assert not [fact for fact in reading.facts if isinstance(fact, CustomerFact)]


@pytest.mark.parametrize("wrong", ["-1", "1.5", "1e3", "１", "many", 2, True, "1" * 10])
def test_a_quantity_is_digits_or_refused(wrong: Any) -> None:
    with pytest.raises(PayloadError, match="quantity"):
        read(payloads.paypal("BILLING.SUBSCRIPTION.ACTIVATED--v2", quantity=wrong))


# --- Sales ----------------------------------------------------------------------------------

MADE_AT = datetime(2025, 5, 15, 9, 8, tzinfo=UTC)
PAID = InvoiceFact(
    ref=SALE,
    step=STEPS["PAYMENT.SALE.COMPLETED"],
    money=TOTAL,
    tax_minor=1050,
    status=InvoiceStatus.PAID,
    gateway_status="completed",
    subscription_ref=SUBSCRIPTION,
    created_at=MADE_AT,
    paid_at=MADE_AT,
)


def test_a_sale_is_a_paid_invoice_that_links_itself() -> None:
    reading = read(payloads.load("paypal", "PAYMENT.SALE.COMPLETED--v1"))
    assert reading.refs == Refs(subscription=SUBSCRIPTION, invoice=SALE, payment=SALE)
    assert one(reading, InvoiceFact) == PAID
    link = one(reading, PaymentFact)
    assert (link.ref, link.invoice_ref, link.subscription_ref) == (SALE, SALE, SUBSCRIPTION)
    assert one(reading, TenantFact) == TENANT


def test_a_single_sale_has_its_invoice_number_and_no_subscription() -> None:
    fact = one(read(payloads.load("paypal", "PAYMENT.SALE.COMPLETED--v1-one-off")), InvoiceFact)
    assert fact == dataclasses.replace(PAID, number="BRAE-7", subscription_ref=None)


@pytest.mark.parametrize(
    ("name", "status", "word"),
    [
        ("PAYMENT.SALE.PENDING--v1", InvoiceStatus.PENDING, "pending"),
        # Held, and paid all the same: the object's own state counts.
        ("PAYMENT.SALE.PENDING--v1-held", InvoiceStatus.PAID, "completed"),
        ("PAYMENT.SALE.DENIED--v1", InvoiceStatus.VOID, "denied"),
    ],
)
def test_a_sales_status_is_its_own(name: str, status: InvoiceStatus, word: str) -> None:
    fact = one(read(payloads.load("paypal", name)), InvoiceFact)
    assert (fact.status, fact.gateway_status, fact.money) == (status, word, TOTAL)
    assert (fact.paid_at is not None) == (status == InvoiceStatus.PAID)


@pytest.mark.parametrize("state", ["refunded", "partially_refunded", "reversed"])
def test_a_refund_never_takes_a_sale_out_of_paid(state: str) -> None:
    fact = one(read(payloads.paypal("PAYMENT.SALE.COMPLETED--v1", state=state)), InvoiceFact)
    assert (fact.status, fact.gateway_status) == (InvoiceStatus.PAID, state)


def test_a_state_that_paypal_does_not_document_moves_no_money() -> None:
    for name in ("PAYMENT.SALE.COMPLETED--v1", "PAYMENT.SALE.REFUNDED--v1"):
        for state in ("settled", "", ...):
            with pytest.raises(PayloadError, match="is not one that PayPal documents"):
                read(payloads.paypal(name, state=state))


def test_a_denied_sale_tells_somebody() -> None:
    reading = read(payloads.load("paypal", "PAYMENT.SALE.DENIED--v1"))
    failure = one(reading, FailureFact)
    assert (failure.invoice_ref, failure.attempt, failure.money) == (SALE, "denied", TOTAL)


def test_a_sale_without_a_date_of_its_own_has_the_events() -> None:
    event = payloads.paypal("PAYMENT.SALE.COMPLETED--v1", create_time=..., update_time=...)
    fact = one(read(event), InvoiceFact)
    assert fact.created_at == datetime(2025, 5, 15, 9, 8, 2, tzinfo=UTC)
    event["create_time"] = "2018-19-12T22:20:32.000Z"
    with pytest.raises(PayloadError, match="create_time is missing"):
        read(event)


# --- Refunds and reversals ------------------------------------------------------------------

REFUNDED = RefundFact(
    ref=REFUND,
    step=STEPS["PAYMENT.SALE.REFUNDED"],
    money=Money(1210, "EUR", 2),
    status=RefundStatus.SUCCEEDED,
    payment_ref=SALE,
    created_at=datetime(2025, 5, 18, 14, tzinfo=UTC),
)


@pytest.mark.parametrize("shape", ["v1", "v1-linked"])
def test_a_refund_is_positive_and_finds_its_sale(shape: str) -> None:
    reading = read(payloads.load("paypal", f"PAYMENT.SALE.REFUNDED--{shape}"))
    assert one(reading, RefundFact) == REFUNDED
    assert reading.refs == Refs(payment=SALE)


def test_a_refund_made_on_the_website_names_no_sale_and_is_its_own_payment() -> None:
    reading = read(payloads.load("paypal", "PAYMENT.SALE.REFUNDED--v1-website"))
    assert one(reading, RefundFact) == dataclasses.replace(REFUNDED, payment_ref=REFUND)
    assert reading.refs == Refs(payment=REFUND)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("pending", RefundStatus.PENDING),
        ("completed", RefundStatus.SUCCEEDED),
        ("Completed", RefundStatus.SUCCEEDED),
        ("failed", RefundStatus.FAILED),
        ("cancelled", RefundStatus.CANCELLED),
    ],
)
def test_a_refunds_state(state: str, status: RefundStatus) -> None:
    event = payloads.paypal("PAYMENT.SALE.REFUNDED--v1", state=state)
    assert one(read(event), RefundFact).status == status


@pytest.mark.parametrize(
    ("shape", "ref", "payment"), [("v1", REVERSAL, SALE), ("v1-sale", SALE, SALE)]
)
def test_a_reversal_is_disputed_money_and_no_refund(shape: str, ref: str, payment: str) -> None:
    reading = read(payloads.load("paypal", f"PAYMENT.SALE.REVERSED--{shape}"))
    dispute = one(reading, DisputeFact)
    assert (dispute.ref, dispute.payment_ref) == (ref, payment)
    assert (dispute.money, dispute.status) == (TOTAL, DisputeStatus.LOST)
    assert reading.refs.payment == payment
    assert not [fact for fact in reading.facts if isinstance(fact, RefundFact)]


# --- Ignored, missing, wrong ----------------------------------------------------------------


def test_a_type_that_is_not_tracked_is_ignored() -> None:
    event = payloads.load("paypal", "PAYMENT.SALE.COMPLETED--v1")
    event["event_type"] = "CATALOG.PRODUCT.CREATED"
    assert read(event) == Reading(ignored="this type changes nothing")


REQUIRED = {
    "Agreement": {"id"},
    "subscription": {"id"},
    "sale": {"id", "amount", "state"},
    "capture": {"id", "amount", "state", "status"},
    "refund": {"id", "amount", "state", "status"},
    "invoices": {"id", "status", "amount"},
    "dispute": {"dispute_id", "dispute_amount"},
    "checkout-order": set(),
}


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_field_that_is_missing_or_null_never_fails(data: st.DataObject) -> None:
    event = payloads.load("paypal", data.draw(st.sampled_from(NAMES), label="file"))
    thing = payloads.thing("paypal", event)
    thing = thing.get("invoice", thing)
    optional = sorted(set(thing) - REQUIRED[event["resource_type"]])
    for key in data.draw(st.lists(st.sampled_from(optional), unique=True), label="dropped"):
        del thing[key]
    left = sorted(set(thing) & set(optional)) or ["nothing"]
    for key in data.draw(st.lists(st.sampled_from(left), unique=True), label="null"):
        thing[key] = None
    assert isinstance(read(event), Reading)


@pytest.mark.parametrize(
    "wrong",
    [60.5, 60, True, None, "", "1e3", "1_000", "６０.５０", "NaN", "Infinity", "1,000.00", [], {}],
)
@pytest.mark.parametrize("name", SALES)
def test_an_amount_of_a_wrong_type_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(PayloadError, match="amount"):
        read(payloads.paypal(name, amount={"total": wrong, "currency": "EUR"}))


@pytest.mark.parametrize("wrong", [None, ..., [], "60.50", 60])
@pytest.mark.parametrize("name", SALES)
def test_an_amount_that_is_missing_or_no_object_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(PayloadError, match=r"amount|currency"):
        read(payloads.paypal(name, amount=wrong))


@pytest.mark.parametrize("currency", ["KWD", "eur", "ZZZ", "", None, 978])
@pytest.mark.parametrize("name", SALES)
def test_a_currency_that_paypal_does_not_list_is_refused(name: str, currency: Any) -> None:
    with pytest.raises(PayloadError, match="currency"):
        read(payloads.paypal(name, amount={"total": "60.50", "currency": currency}))


def test_a_sale_is_not_negative() -> None:
    event = payloads.paypal(
        "PAYMENT.SALE.COMPLETED--v1", amount={"total": "-0.01", "currency": "EUR"}
    )
    with pytest.raises(PayloadError, match="amount is negative"):
        read(event)


@pytest.mark.parametrize(("total", "minor"), [("822.0160", 82202), ("60.0", 6000), ("5", 500)])
def test_odd_numbers_of_decimals_as_paypal_has_sent_them(total: str, minor: int) -> None:
    event = payloads.paypal(
        "PAYMENT.SALE.COMPLETED--v1", amount={"total": total, "currency": "CZK"}
    )
    assert one(read(event), InvoiceFact).money == Money(minor, "CZK", 2)


@pytest.mark.parametrize("tax", [10.5, True, "1e1", "60.51", {}])
def test_a_tax_that_cannot_be_is_refused(tax: Any) -> None:
    amount = {"total": "60.50", "currency": "EUR", "details": {"tax": tax}}
    with pytest.raises(PayloadError, match=r"amount|tax"):
        read(payloads.paypal("PAYMENT.SALE.COMPLETED--v1", amount=amount))


@pytest.mark.parametrize(
    ("changes", "tenant"),
    [
        ({"custom": "brae-cycles"}, "brae-cycles"),
        ({"custom": ..., "custom_id": "brae-cycles"}, "brae-cycles"),
        ({"custom": ""}, None),
        ({"custom": ...}, None),
    ],
)
def test_what_the_checkout_passed_along_is_the_tenant_but_trusted_less(
    changes: dict[str, Any], tenant: str | None
) -> None:
    facts = read(payloads.paypal("PAYMENT.SALE.COMPLETED--v1", **changes)).facts
    found = [fact for fact in facts if isinstance(fact, TenantFact)]
    assert found == ([TenantFact(key=tenant, trust=Trust.BROWSER)] if tenant else [])


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_value_of_any_other_type_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    """No payload makes an error of ours: it is facts, or a PayloadError that names a field."""
    event = payloads.load("paypal", data.draw(st.sampled_from(NAMES), label="file"))
    target: Any = payloads.thing("paypal", event)
    while True:
        key = data.draw(st.sampled_from(sorted(target)), label="field")
        if not (isinstance(target[key], dict) and target[key] and data.draw(st.booleans())):
            break
        target = target[key]
    target[key] = data.draw(
        st.sampled_from([None, True, -1, 2**63, 1.5, "", "x", "1e3", [], [1], [{}], {}, {"a": 1}])
    )
    try:
        reading = read(event)
    except PayloadError:
        return
    assert isinstance(reading, Reading)
