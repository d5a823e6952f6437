"""PayPal's captures, their refunds and reversals, disputes and orders: facts, rows and totals.

Sales, their refunds and reversals are in test_paypal_events.
"""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.facts import (
    DisputeFact,
    DisputeStatus,
    FailureFact,
    InvoiceFact,
    InvoiceStatus,
    PaymentFact,
    Reading,
    Refs,
    RefundFact,
    RefundStatus,
)
from tests.orders import every_order
from tests.payloads import load, paypal
from tests.webhooks.gateways.said import BROWSER_TENANT, after, eur, one, row, totals
from webhooks.gateways.base import PayloadError
from webhooks.gateways.paypal_events import STEPS, read

SHAPES = ["v1", "v2"]
CAPTURE, REFUND, REVERSAL = "2BR12345AE678904K", "6BR12345AE678907F", "8BR12345AE678908V"
DENIED, DECLINED = "3BR12345AE678905D", "5BR12345AE678906D"
SALE, CASE = "4BR12345AE678901C", "PP-R-BRA-000000001"
MADE_AT = datetime(2025, 5, 22, 10, tzinfo=UTC)

CAPTURES = [
    ("PENDING", "v1", CAPTURE, InvoiceStatus.PENDING, "pending"),
    ("PENDING", "v2", CAPTURE, InvoiceStatus.PENDING, "pending"),
    ("COMPLETED", "v1", CAPTURE, InvoiceStatus.PAID, "completed"),
    ("COMPLETED", "v2", CAPTURE, InvoiceStatus.PAID, "completed"),
    ("DENIED", "v1", DENIED, InvoiceStatus.VOID, "denied"),
    ("DENIED", "v2", DENIED, InvoiceStatus.VOID, "declined"),
    ("DECLINED", "v2", DECLINED, InvoiceStatus.VOID, "declined"),
]

# --- Facts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("end", "shape", "ref", "status", "word"), CAPTURES)
def test_a_capture_is_an_invoice(
    end: str, shape: str, ref: str, status: InvoiceStatus, word: str
) -> None:
    step = STEPS[f"PAYMENT.CAPTURE.{end}"]
    invoice = InvoiceFact(
        ref=ref,
        step=step,
        money=eur(2420),
        status=status,
        gateway_status=word,
        number="BRAE-8",
        created_at=MADE_AT,
        paid_at=MADE_AT if status == InvoiceStatus.PAID else None,
    )
    link = PaymentFact(ref=ref, step=step, hint=True, money=eur(2420), invoice_ref=ref)
    failed = FailureFact(invoice_ref=ref, attempt="denied", money=eur(2420))
    assert read(load("paypal", f"PAYMENT.CAPTURE.{end}--{shape}")) == Reading(
        refs=Refs(invoice=ref, payment=ref),
        facts=(
            *(invoice, link, BROWSER_TENANT),
            *([failed] if status == InvoiceStatus.VOID else []),
        ),
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("COMPLETED", InvoiceStatus.PAID),
        # Opening a dispute sets this one too: refunds are never derived from it.
        ("PARTIALLY_REFUNDED", InvoiceStatus.PAID),
        ("REFUNDED", InvoiceStatus.PAID),
        ("PENDING", InvoiceStatus.PENDING),
        ("DECLINED", InvoiceStatus.VOID),
        ("FAILED", InvoiceStatus.VOID),
    ],
)
def test_a_captures_status_is_its_own_whatever_the_type_says(
    word: str, status: InvoiceStatus
) -> None:
    for end in ("COMPLETED", "PENDING", "DECLINED"):
        reading = read(paypal(f"PAYMENT.CAPTURE.{end}--v2", status=word))
        assert one(reading, InvoiceFact).status == status


@pytest.mark.parametrize("shape", SHAPES)
def test_a_refund_of_a_capture_finds_it(shape: str) -> None:
    refund = RefundFact(
        ref=REFUND,
        step=STEPS["PAYMENT.CAPTURE.REFUNDED"],
        money=eur(484),
        status=RefundStatus.SUCCEEDED,
        payment_ref=CAPTURE,
        created_at=datetime(2025, 5, 26, 14, tzinfo=UTC),
    )
    assert read(load("paypal", f"PAYMENT.CAPTURE.REFUNDED--{shape}")) == Reading(
        refs=Refs(payment=CAPTURE), facts=(refund, BROWSER_TENANT)
    )


def test_a_refund_of_a_capture_is_found_by_its_id_or_by_the_link_up() -> None:
    named = paypal("PAYMENT.CAPTURE.REFUNDED--v2", links=[], capture_id=CAPTURE)
    assert read(named) == read(load("paypal", "PAYMENT.CAPTURE.REFUNDED--v2"))
    lost = read(paypal("PAYMENT.CAPTURE.REFUNDED--v2", links=[]))
    assert lost.refs == Refs(payment=REFUND)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PENDING", RefundStatus.PENDING),
        ("COMPLETED", RefundStatus.SUCCEEDED),
        ("FAILED", RefundStatus.FAILED),
        ("CANCELLED", RefundStatus.CANCELLED),
    ],
)
def test_a_refunds_status(word: str, status: RefundStatus) -> None:
    event = paypal("PAYMENT.CAPTURE.REFUNDED--v2", status=word)
    assert one(read(event), RefundFact).status == status


@pytest.mark.parametrize("shape", SHAPES)
def test_a_reversal_of_a_capture_is_disputed_money(shape: str) -> None:
    reversal = DisputeFact(
        ref=REVERSAL,
        step=STEPS["PAYMENT.CAPTURE.REVERSED"],
        money=eur(1936),
        status=DisputeStatus.LOST,
        gateway_status="reversed",
        payment_ref=CAPTURE,
        created_at=datetime(2025, 6, 2, 8, 59, tzinfo=UTC),
    )
    assert read(load("paypal", f"PAYMENT.CAPTURE.REVERSED--{shape}")) == Reading(
        refs=Refs(payment=CAPTURE), facts=(reversal, BROWSER_TENANT)
    )


OPENED = DisputeFact(
    ref=CASE,
    money=eur(4840),
    status=DisputeStatus.INQUIRY,
    gateway_status="open",
    payment_ref=SALE,
    created_at=datetime(2025, 5, 20, 8, tzinfo=UTC),
)
CASES = [
    ("CREATED--v1", DisputeStatus.INQUIRY, "open"),
    ("UPDATED--v1", DisputeStatus.OPEN, "waiting_for_seller_response"),
    ("RESOLVED--v1", DisputeStatus.WON, "resolved_seller_favour"),
    ("RESOLVED--v1-lost", DisputeStatus.LOST, "resolved_buyer_favour"),
]


@pytest.mark.parametrize(("name", "status", "word"), CASES)
def test_a_case_is_read_completely(name: str, status: DisputeStatus, word: str) -> None:
    said = dataclasses.replace(
        OPENED,
        step=STEPS[f"CUSTOMER.DISPUTE.{name.split('--')[0]}"],
        status=status,
        gateway_status=word,
    )
    assert read(load("paypal", f"CUSTOMER.DISPUTE.{name}")) == Reading(
        refs=Refs(payment=SALE), facts=(said,)
    )


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("RESOLVED_BUYER_FAVOUR", DisputeStatus.LOST),
        ("ACCEPTED", DisputeStatus.LOST),
        ("RESOLVED_SELLER_FAVOUR", DisputeStatus.WON),
        ("RESOLVED_WITH_PAYOUT", DisputeStatus.WON),
        ("CANCELED_BY_BUYER", DisputeStatus.WON),
        ("DENIED", DisputeStatus.WON),
        ("NONE", DisputeStatus.WON),
        (None, DisputeStatus.WON),
    ],
)
def test_a_resolved_case_by_its_outcome(outcome: str | None, status: DisputeStatus) -> None:
    event = paypal("CUSTOMER.DISPUTE.RESOLVED--v1", dispute_outcome={"outcome_code": outcome})
    assert one(read(event), DisputeFact).status == status


@pytest.mark.parametrize("stage", ["CHARGEBACK", "PRE_ARBITRATION", "ARBITRATION", None])
def test_a_case_past_the_inquiry_is_open(stage: str | None) -> None:
    event = paypal("CUSTOMER.DISPUTE.CREATED--v1", dispute_life_cycle_stage=stage)
    assert one(read(event), DisputeFact).status == DisputeStatus.OPEN


ORDERS = [
    "CHECKOUT.ORDER.APPROVED",
    "CHECKOUT.ORDER.COMPLETED",
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
]

# --- Rows and totals ------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("event_type", ORDERS)
def test_an_order_is_ignored_with_the_reason(event_type: str) -> None:
    state = after(paypal(f"{event_type}--v2"), state="ignored")
    assert row(state, "paymentevent")["reason"] == "an approval, which moves no money"
    assert [state[table] for table in ("invoice", "payment", "total")] == [[], [], []]


@pytest.mark.django_db
@pytest.mark.parametrize(("end", "shape", "ref", "status", "word"), CAPTURES)
def test_each_capture_alone_on_the_cards(
    end: str, shape: str, ref: str, status: InvoiceStatus, word: str
) -> None:
    name = f"PAYMENT.CAPTURE.{end}--{shape}"
    state = after(paypal(name), paypal(name, event_id="WH-AGAIN"))
    assert totals(state) == {status.value: 2420}
    invoice = row(state, "invoice")
    assert (invoice["ref"], invoice["gateway_status"]) == (ref, word)
    assert (invoice["number"], invoice["tenant"]) == ("BRAE-8", "brae-cycles")
    assert len(state["notification"]) == (status == InvoiceStatus.VOID)


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_a_capture_pending_paid_refunded_and_reversed(shape: str) -> None:
    ends = ["PENDING", "COMPLETED", "REFUNDED", "REVERSED"]
    state = every_order(*(paypal(f"PAYMENT.CAPTURE.{end}--{shape}") for end in ends))
    assert totals(state) == {"paid": 2420, "refunded": 484, "disputed": 1936}
    assert row(state, "refund")["tenant"] == row(state, "dispute")["tenant"] == "brae-cycles"


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("event_type", ["PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"])
def test_money_that_went_back_counts_without_its_capture(event_type: str, shape: str) -> None:
    state = after(paypal(f"{event_type}--{shape}"))
    figure, minor = ("refunded", 484) if "REFUNDED" in event_type else ("disputed", 1936)
    assert totals(state) == {figure: minor}


@pytest.mark.django_db
def test_the_status_of_a_disputed_capture_is_no_refund() -> None:
    state = after(paypal("PAYMENT.CAPTURE.COMPLETED--v2", status="PARTIALLY_REFUNDED"))
    assert totals(state) == {"paid": 2420}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ends", "disputed"),
    [
        (["CREATED--v1"], 0),
        (["CREATED--v1", "UPDATED--v1"], 4840),
        (["CREATED--v1", "UPDATED--v1", "RESOLVED--v1"], 0),
        (["CREATED--v1", "UPDATED--v1", "RESOLVED--v1-lost"], 4840),
    ],
)
def test_customer_dispute_is_beside_what_was_refunded(ends: list[str], disputed: int) -> None:
    state = every_order(
        paypal("PAYMENT.SALE.COMPLETED--v1"),
        paypal("PAYMENT.SALE.REFUNDED--v1"),
        *(paypal(f"CUSTOMER.DISPUTE.{end}") for end in ends),
    )
    counted = {"disputed": disputed} if disputed else {}
    assert totals(state) == {"paid": 6050, "refunded": 1210} | counted
    assert row(state, "dispute")["tenant"] == "brae-cycles"


@pytest.mark.django_db
def test_customer_dispute_and_a_reversal_of_one_sale_are_one_loss() -> None:
    state = every_order(
        paypal("PAYMENT.SALE.COMPLETED--v1"),
        paypal("PAYMENT.SALE.REVERSED--v1"),
        paypal("CUSTOMER.DISPUTE.RESOLVED--v1-lost"),
    )
    assert totals(state) == {"paid": 6050, "disputed": 6050}


# --- Wrong values ---------------------------------------------------------------------------

WRONG: list[object] = [
    24.2,
    24,
    True,
    None,
    "",
    "1e3",
    "1_000",
    "２４.２０",
    "NaN",
    "1,000.00",
    [],
    {},
]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    "name",
    [
        *(f"PAYMENT.CAPTURE.{end}--v2" for end in ("PENDING", "COMPLETED", "DENIED", "DECLINED")),
        *(
            f"PAYMENT.CAPTURE.{end}--{shape}"
            for end in ("REFUNDED", "REVERSED")
            for shape in SHAPES
        ),
        "PAYMENT.CAPTURE.COMPLETED--v1",
    ],
)
def test_an_amount_of_a_wrong_type_is_refused(name: str, wrong: Any) -> None:
    key, currency = ("total", "currency") if name.endswith("v1") else ("value", "currency_code")
    with pytest.raises(PayloadError, match="amount"):
        read(paypal(name, amount={key: wrong, currency: "EUR"}))


@pytest.mark.parametrize("wrong", [*WRONG, "-48.40"])
@pytest.mark.parametrize("end", ["CREATED", "UPDATED", "RESOLVED"])
def test_an_amount_of_a_case_of_a_wrong_type_is_refused(end: str, wrong: Any) -> None:
    amount = {"currency_code": "EUR", "value": wrong}
    with pytest.raises(PayloadError, match="amount"):
        read(paypal(f"CUSTOMER.DISPUTE.{end}--v1", dispute_amount=amount))
