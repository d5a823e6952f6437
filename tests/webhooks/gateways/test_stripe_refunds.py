"""Stripe's refunds, credit notes and disputes: facts, rows and totals."""

import dataclasses
from typing import Any

import pytest

from billing.facts import (
    CreditNoteFact,
    CreditNoteStatus,
    DisputeFact,
    DisputeStatus,
    PaymentFact,
    Reading,
    Refs,
    RefundFact,
    RefundStatus,
)
from tests.orders import every_order, some_orders
from tests.payloads import load, stripe
from tests.webhooks.gateways.said import (
    CHARGE,
    CUSTOMER,
    DAY,
    INTENT,
    INVOICE,
    REFUND,
    T0,
    after,
    eur,
    every,
    one,
    row,
    totals,
    when,
)
from webhooks.gateways.base import PayloadError
from webhooks.gateways.stripe_events import STEPS, read

SHAPES = ["2022", "basil"]

# --- Credit notes ---------------------------------------------------------------------------

AFTER_PAYMENT = CreditNoteFact(
    ref="cn_1RBraeNote000002",
    money=eur(2500),
    pre_payment_minor=0,
    status=CreditNoteStatus.ISSUED,
    number="BRAE0001-0001-CN-02",
    invoice_ref=INVOICE,
    customer_ref=CUSTOMER,
    created_at=when(T0 + 3 * DAY),
)
BEFORE_PAYMENT = dataclasses.replace(
    AFTER_PAYMENT,
    ref="cn_1RBraeNote000001",
    money=eur(1210),
    pre_payment_minor=1210,
    number="BRAE0001-0001-CN-01",
    created_at=when(T0 + 7200),
)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("event_type", ["credit_note.created", "credit_note.updated"])
def test_a_credit_note_after_payment_names_its_refund_in_passing(
    event_type: str, shape: str
) -> None:
    step = STEPS[event_type]
    refund = RefundFact(
        ref=REFUND,
        step=step,
        hint=True,
        money=eur(2500),
        status=RefundStatus.SUCCEEDED,
        invoice_ref=INVOICE,
        created_at=when(T0 + 3 * DAY),
    )
    assert read(load("stripe", f"{event_type}--{shape}")) == Reading(
        refs=Refs(customer=CUSTOMER, invoice=INVOICE),
        facts=(dataclasses.replace(AFTER_PAYMENT, step=step), refund),
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("event_type", "case", "status"),
    [
        ("credit_note.created", "-pre-payment", CreditNoteStatus.ISSUED),
        ("credit_note.voided", "", CreditNoteStatus.VOID),
    ],
)
def test_a_credit_note_before_payment_is_no_refund(
    event_type: str, case: str, status: CreditNoteStatus, shape: str
) -> None:
    note = dataclasses.replace(BEFORE_PAYMENT, step=STEPS[event_type], status=status)
    assert read(load("stripe", f"{event_type}--{shape}{case}")) == Reading(
        refs=Refs(customer=CUSTOMER, invoice=INVOICE), facts=(note,)
    )


def test_a_credit_note_in_parts_says_each() -> None:
    reading = read(load("stripe", "credit_note.created--basil-mixed"))
    assert one(reading, CreditNoteFact).pre_payment_minor == 500
    assert one(reading, RefundFact).money == eur(1500)


def test_before_basil_what_was_given_outside_is_no_refund() -> None:
    event = stripe("credit_note.created--2022", out_of_band_amount=700)
    assert one(read(event), RefundFact).money == eur(1800)


def test_a_voided_credit_note_is_void_though_samples_still_say_issued() -> None:
    event = stripe("credit_note.voided--basil", status="issued")
    assert one(read(event), CreditNoteFact).status == CreditNoteStatus.VOID


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_credit_note_created_before_payment_lowers_what_is_pending(shape: str) -> None:
    note = stripe(f"credit_note.created--{shape}-pre-payment")
    state = every_order(stripe(f"invoice.finalized--{shape}"), note)
    assert totals(state) == {"pending": 12100 - 1210}
    assert row(state, "invoice")["credited_minor"] == 1210


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_credit_note_voided_gives_back_what_it_took(shape: str) -> None:
    state = every_order(
        stripe(f"invoice.finalized--{shape}"),
        stripe(f"credit_note.created--{shape}-pre-payment"),
        stripe(f"credit_note.voided--{shape}"),
    )
    assert totals(state) == {"pending": 12100}


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_credit_note_voided_is_final_though_an_update_comes_late(shape: str) -> None:
    note = f"credit_note.created--{shape}-pre-payment"
    state = every_order(
        stripe(f"invoice.finalized--{shape}"),
        stripe(f"credit_note.voided--{shape}"),
        stripe(note, event_id="evt_late", at=T0 + 90 * DAY),
    )
    assert row(state, "creditnote")["status"] == "void"
    assert totals(state) == {"pending": 12100}


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_credit_note_created_and_updated_count_their_refund_once(shape: str) -> None:
    notes = [stripe(f"credit_note.{end}--{shape}") for end in ("created", "updated")]
    assert totals(every_order(*notes)) == {"refunded": 2500}
    # Since basil it takes this event to tie the charge to the invoice.
    link = [stripe("invoice_payment.paid--basil")] if shape == "basil" else []
    state = every_order(
        stripe(f"invoice.paid--{shape}", event_id="evt_paid"),
        notes[0] | {"id": "evt_note"},
        stripe(f"charge.refunded--{shape}"),
        stripe(f"refund.created--{shape}"),
        *link,
    )
    assert totals(state) == {"paid": 12100, "refunded": 2500}
    assert row(state, "refund")["invoice_ref"] == INVOICE


@pytest.mark.django_db
def test_credit_note_in_parts_on_the_cards() -> None:
    state = every_order(
        stripe("credit_note.created--basil-mixed"),
        stripe("invoice.paid--basil"),
        stripe("refund.created--basil", amount=1500),
    )
    assert totals(state) == {"paid": 12100 - 500, "refunded": 1500}


@pytest.mark.django_db
def test_a_refund_of_a_credit_note_that_failed_is_taken_out_again() -> None:
    state = every_order(stripe("credit_note.created--basil"), stripe("refund.failed--basil"))
    assert totals(state) == {}


# --- Disputes -------------------------------------------------------------------------------

OPEN = DisputeFact(
    ref="du_1RBraeDispute001",
    money=eur(9600),
    status=DisputeStatus.OPEN,
    gateway_status="needs_response",
    payment_ref=CHARGE,
    created_at=when(T0 + 10 * DAY),
)
DISPUTES = [
    ("created", "", DisputeStatus.OPEN, "needs_response", None),
    ("created", "-inquiry", DisputeStatus.INQUIRY, "warning_needs_response", None),
    ("updated", "", DisputeStatus.OPEN, "under_review", None),
    ("funds_withdrawn", "", DisputeStatus.OPEN, "needs_response", False),
    ("funds_reinstated", "", DisputeStatus.WON, "won", True),
    ("closed", "", DisputeStatus.WON, "won", None),
    ("closed", "-lost", DisputeStatus.LOST, "lost", None),
    ("closed", "-inquiry", DisputeStatus.WON, "warning_closed", None),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("end", "case", "status", "word", "returned"), DISPUTES)
def test_a_dispute_is_read_completely(
    *, end: str, case: str, status: DisputeStatus, word: str, returned: bool | None, shape: str
) -> None:
    step = STEPS[f"charge.dispute.{end}"]
    dispute = dataclasses.replace(
        OPEN, step=step, status=status, gateway_status=word, returned=returned
    )
    assert read(load("stripe", f"charge.dispute.{end}--{shape}{case}")) == Reading(
        refs=Refs(payment=CHARGE),
        facts=(dispute, PaymentFact(ref=CHARGE, step=step, intent_ref=INTENT)),
    )


@pytest.mark.parametrize(
    "end", ["created", "updated", "funds_withdrawn", "funds_reinstated", "closed"]
)
def test_a_dispute_of_2017_names_the_charge_only(end: str) -> None:
    reading = read(load("stripe", f"charge.dispute.{end}--2017"))
    assert reading.facts == (one(reading, DisputeFact),)
    today = one(read(load("stripe", f"charge.dispute.{end}--basil")), DisputeFact)
    assert one(reading, DisputeFact) == today


def test_a_dispute_of_2013_is_known_by_its_charge() -> None:
    reading = read(load("stripe", "charge.dispute.created--2013"))
    old = dataclasses.replace(OPEN, ref=CHARGE, step=STEPS["charge.dispute.created"])
    assert reading == Reading(refs=Refs(payment=CHARGE), facts=(old,))


def test_a_dispute_that_was_prevented_took_nothing() -> None:
    fact = one(read(load("stripe", "charge.dispute.closed--basil-prevented")), DisputeFact)
    assert (fact.status, fact.gateway_status) == (DisputeStatus.WON, "prevented")


@pytest.mark.parametrize("word", ["settled", "", None])
def test_a_disputes_status_that_stripe_does_not_document_is_refused(word: str | None) -> None:
    with pytest.raises(PayloadError, match="dispute status"):
        read(stripe("charge.dispute.updated--basil", status=word))


@pytest.mark.django_db
@pytest.mark.parametrize("shape", ["2017", *SHAPES])
@pytest.mark.parametrize(
    ("ends", "disputed"),
    [
        (["created"], 9600),
        (["created", "funds_withdrawn", "updated"], 9600),
        (["created", "funds_withdrawn", "funds_reinstated", "closed"], 0),
        (["closed"], 0),
    ],
)
def test_charge_dispute_is_beside_what_was_refunded(
    ends: list[str], disputed: int, shape: str
) -> None:
    state = some_orders(
        stripe("invoice.paid--2022"),
        stripe("refund.created--2022"),
        *(stripe(f"charge.dispute.{end}--{shape}") for end in ends),
        count=8,
    )
    counted = {"disputed": disputed} if disputed else {}
    assert totals(state) == {"paid": 12100, "refunded": 2500} | counted
    assert row(state, "dispute")["tenant"] == "brae-cycles"


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("cases", "disputed"),
    [
        (["created--{}-inquiry"], 0),
        (["created--{}-inquiry", "closed--{}-inquiry"], 0),
        # An inquiry that became a dispute.
        (["created--{}-inquiry", "updated--{}"], 9600),
        (["created--{}", "funds_withdrawn--{}", "closed--{}-lost"], 9600),
        # Money that came back before the case is closed is not gone.
        (["created--{}", "funds_withdrawn--{}", "returned"], 0),
    ],
)
def test_charge_dispute_counts_while_the_money_is_gone(
    cases: list[str], disputed: int, shape: str
) -> None:
    returned = stripe(f"charge.dispute.funds_reinstated--{shape}", status="under_review")
    state = every_order(
        *(
            returned if case == "returned" else stripe(f"charge.dispute.{case.format(shape)}")
            for case in cases
        )
    )
    assert totals(state) == ({"disputed": disputed} if disputed else {})


@pytest.mark.django_db
def test_charge_dispute_closed_as_prevented_takes_nothing() -> None:
    state = every_order(
        stripe("charge.dispute.created--basil"), stripe("charge.dispute.closed--basil-prevented")
    )
    assert totals(state) == {}


@pytest.mark.django_db
def test_charge_dispute_of_2013_counts() -> None:
    assert totals(after(stripe("charge.dispute.created--2013"), state="unmatched")) == {
        "disputed": 9600
    }


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_a_dispute_takes_no_more_than_a_refund_left(shape: str) -> None:
    state = every_order(
        stripe(f"charge.succeeded--{shape}"),
        stripe(f"refund.created--{shape}"),
        stripe(f"charge.dispute.closed--{shape}-lost", amount=12100),
    )
    assert totals(state) == {"refunded": 2500, "disputed": 9600}


# --- Wrong values ---------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [25.0, "2500", True, -1, 2**63, [], {}, None])
@pytest.mark.parametrize(
    "name",
    [
        *(f"credit_note.{end}--basil" for end in ("created", "updated", "voided")),
        *(f"credit_note.{end}--2022" for end in ("created", "updated", "voided")),
        *(f"charge.dispute.{end}--basil" for end in ("created", "updated", "closed")),
        *(f"charge.dispute.funds_{end}--2017" for end in ("withdrawn", "reinstated")),
        "charge.dispute.created--2013",
    ],
)
def test_an_amount_of_a_wrong_type_is_refused_by_name(name: str, wrong: Any) -> None:
    with pytest.raises(PayloadError, match=r"\bamount\b"):
        read(stripe(name, amount=wrong))


@pytest.mark.parametrize("wrong", [25.0, "2500", True, -1, 2**63, 2501])
def test_a_part_of_a_credit_note_that_cannot_be_is_refused(wrong: Any) -> None:
    with pytest.raises(PayloadError, match="pre_payment_amount"):
        read(stripe("credit_note.created--basil", pre_payment_amount=wrong))


@pytest.mark.parametrize("wrong", [25.0, "2500", True, 2**63])
def test_a_refund_of_a_credit_note_of_a_wrong_type_is_refused(wrong: Any) -> None:
    refunds = [{"refund": REFUND, "amount_refunded": wrong}]
    with pytest.raises(PayloadError, match="amount_refunded"):
        read(stripe("credit_note.created--basil", refunds=refunds))
    with pytest.raises(PayloadError, match="out_of_band_amount"):
        read(stripe("credit_note.created--2022", out_of_band_amount=wrong))


def test_a_note_that_names_no_refund_says_none() -> None:
    assert not every(read(stripe("credit_note.created--basil", refunds=[])), RefundFact)
    assert not every(read(stripe("credit_note.created--2022", refund=None)), RefundFact)
