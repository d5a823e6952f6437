"""Stripe's checkout sessions, payment intents, charges and warnings: facts, rows and totals."""

from typing import Any

import pytest

from billing.facts import (
    CustomerFact,
    FailureFact,
    InvoiceFact,
    InvoiceStatus,
    PaymentFact,
    Reading,
    Refs,
)
from tests.orders import every_order
from tests.payloads import load, stripe
from tests.webhooks.gateways.said import (
    BROWSER_TENANT,
    CHARGE,
    CUSTOMER,
    DAY,
    INTENT,
    INVOICE,
    ONE_OFF,
    ONE_OFF_CHARGE,
    T0,
    TENANT,
    about,
    after,
    eur,
    every,
    one,
    row,
    statuses,
    totals,
    when,
)
from webhooks.gateways.base import PayloadError
from webhooks.gateways.stripe_events import STEPS, read

SHAPES = ["2022", "basil"]
BEGUN = T0 + 6 * DAY
DECLINED_CHARGE = "ch_3RBraeOneOff0000"

# --- Facts ----------------------------------------------------------------------------------


def intent_reading(
    event_type: str, status: InvoiceStatus, word: str, charge: str | None, ref: str = ONE_OFF
) -> Reading:
    step = STEPS[event_type]
    link = PaymentFact(
        ref=ref, step=step, hint=True, money=eur(4840), invoice_ref=ref, customer_ref=CUSTOMER
    )
    of_charge = (
        [PaymentFact(ref=charge, step=step, intent_ref=ref, customer_ref=CUSTOMER)]
        if charge
        else []
    )
    invoice = InvoiceFact(
        ref=ref,
        step=step,
        money=eur(4840),
        status=status,
        gateway_status=word,
        customer_ref=CUSTOMER,
        created_at=when(BEGUN + 90 * (ref != ONE_OFF)),
    )
    said = PaymentFact(ref=ref, step=step, money=eur(4840), customer_ref=CUSTOMER)
    return Reading(
        refs=Refs(customer=CUSTOMER, payment=ref),
        facts=(said, *of_charge, TENANT, invoice, link),
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("event_type", "status", "word", "charge", "ref"),
    [
        (
            "payment_intent.processing",
            InvoiceStatus.PENDING,
            "processing",
            ONE_OFF_CHARGE,
            ONE_OFF,
        ),
        ("payment_intent.succeeded", InvoiceStatus.PAID, "succeeded", ONE_OFF_CHARGE, ONE_OFF),
        ("payment_intent.canceled", InvoiceStatus.VOID, "canceled", None, "pi_3RBraeGivenUp0001"),
    ],
)
def test_a_payment_intent_without_an_invoice_is_one(
    event_type: str, status: InvoiceStatus, word: str, charge: str | None, ref: str, shape: str
) -> None:
    expected = intent_reading(event_type, status, word, charge, ref)
    assert read(load("stripe", f"{event_type}--{shape}")) == expected


def test_before_2022_a_payment_intent_had_its_charges_in_it() -> None:
    old = read(load("stripe", "payment_intent.succeeded--2020"))
    assert old == read(load("stripe", "payment_intent.succeeded--basil"))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_payment_intent_that_failed_waits_and_tells_somebody(shape: str) -> None:
    reading = read(load("stripe", f"payment_intent.payment_failed--{shape}"))
    waiting = intent_reading(
        "payment_intent.payment_failed",
        InvoiceStatus.PENDING,
        "requires_payment_method",
        DECLINED_CHARGE,
    )
    failed = FailureFact(invoice_ref=ONE_OFF, attempt=DECLINED_CHARGE, money=eur(4840))
    assert reading == Reading(refs=waiting.refs, facts=(*waiting.facts, failed))


@pytest.mark.parametrize(
    ("name", "invoice"),
    [
        ("payment_intent.succeeded--2022-invoice", INVOICE),
        ("payment_intent.succeeded--basil-invoice", None),
        ("payment_intent.succeeded--clover-invoice", INVOICE),
        ("payment_intent.payment_failed--basil-invoice", None),
    ],
)
def test_a_payment_intent_of_an_invoice_is_none_itself(name: str, invoice: str | None) -> None:
    reading = read(load("stripe", name))
    assert not every(reading, InvoiceFact)
    # invoice.payment_failed tells of it.
    assert not every(reading, FailureFact)
    assert reading.refs == Refs(customer=CUSTOMER, invoice=invoice, payment=INTENT)
    assert [fact.invoice_ref for fact in about(reading, PaymentFact, INTENT)] == [invoice]


def test_an_order_that_is_no_invoice_is_not_taken_for_one() -> None:
    details = {"customer_reference": None, "order_reference": "order-17"}
    event = stripe("payment_intent.succeeded--clover-invoice", payment_details=details)
    assert one(read(event), InvoiceFact).ref == INTENT


@pytest.mark.parametrize("shape", ["2017", *SHAPES])
@pytest.mark.parametrize("event_type", ["charge.failed", "charge.succeeded", "charge.updated"])
def test_a_charge_links_its_payment_and_is_no_revenue(event_type: str, shape: str) -> None:
    reading = read(load("stripe", f"{event_type}--{shape}"))
    ref = "ch_3RBraeCharge0000" if event_type == "charge.failed" else CHARGE
    step = STEPS[event_type]
    invoice, intent = (None if shape == "basil" else INVOICE), (None if shape == "2017" else INTENT)
    said = PaymentFact(
        ref=ref,
        step=step,
        money=eur(12100),
        intent_ref=intent,
        invoice_ref=invoice,
        customer_ref=CUSTOMER,
    )
    of_intent = PaymentFact(ref=INTENT, step=step, invoice_ref=invoice, customer_ref=CUSTOMER)
    assert reading == Reading(
        refs=Refs(customer=CUSTOMER, invoice=invoice, payment=ref),
        facts=(said, of_intent) if intent else (said,),
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fraud_warning_names_its_payment(shape: str) -> None:
    name = "radar.early_fraud_warning.created"
    link = PaymentFact(ref=CHARGE, step=STEPS[name], intent_ref=INTENT)
    expected = Reading(refs=Refs(payment=CHARGE), facts=(link,))
    assert read(load("stripe", f"{name}--{shape}")) == expected


SESSIONS = [
    # name, payment, what the session says of it
    ("completed", "-one-off", ONE_OFF, InvoiceStatus.PAID, "paid", 4840, 840),
    ("completed", "-one-off-unpaid", ONE_OFF, InvoiceStatus.PENDING, "unpaid", 4840, 840),
    (
        *("completed", "-one-off-free", "cs_test_g1BraeForFree00001", InvoiceStatus.PAID),
        *("no_payment_required", 0, 0),
    ),
    ("async_payment_succeeded", "", ONE_OFF, InvoiceStatus.PAID, "paid", 4840, 840),
    (
        *("async_payment_failed", "", "pi_3RBraeRefused0001", InvoiceStatus.PENDING),
        *("unpaid", 4840, 840),
    ),
    ("expired", "", "pi_3RBraeExpired0001", InvoiceStatus.VOID, "unpaid", 4840, 840),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("end", "case", "ref", "status", "word", "minor", "tax"), SESSIONS)
def test_a_checkout_of_a_single_payment_is_an_invoice(
    *,
    end: str,
    case: str,
    ref: str,
    status: InvoiceStatus,
    word: str,
    minor: int,
    tax: int,
    shape: str,
) -> None:
    event = load("stripe", f"checkout.session.{end}--{shape}{case}")
    reading = read(event)
    step = STEPS[f"checkout.session.{end}"]
    assert reading.refs == Refs(customer=CUSTOMER, payment=ref)
    assert one(reading, InvoiceFact) == InvoiceFact(
        ref=ref,
        step=step,
        money=eur(minor),
        tax_minor=tax,
        status=status,
        gateway_status=word,
        customer_ref=CUSTOMER,
        created_at=when(event["data"]["object"]["created"]),
    )
    assert one(reading, PaymentFact).invoice_ref == ref
    assert reading.facts[:2] == (TENANT, BROWSER_TENANT)
    assert one(reading, CustomerFact).hint
    failures = [FailureFact(invoice_ref=ref, attempt="checkout", money=eur(4840))]
    assert every(reading, FailureFact) == (failures if "failed" in end else [])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_checkout_that_nobody_touched_says_nothing(shape: str) -> None:
    reading = read(load("stripe", f"checkout.session.expired--{shape}-untouched"))
    assert reading == Reading(ignored="nothing was asked for before the session expired")


# --- Rows and totals ------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_payment_intent_processing_is_pending_and_succeeded_is_paid(shape: str) -> None:
    processing = stripe(f"payment_intent.processing--{shape}")
    assert totals(after(processing)) == {"pending": 4840}
    state = after(stripe(f"payment_intent.succeeded--{shape}"), processing | {"id": "evt_late"})
    assert totals(state) == {"paid": 4840}
    assert row(state, "invoice")["tenant"] == "brae-cycles"


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_payment_intent_payment_failed_is_pending_and_told_once_a_charge(shape: str) -> None:
    name = f"payment_intent.payment_failed--{shape}"
    again = stripe(name, event_id="evt_again")
    other = stripe(name, event_id="evt_other", latest_charge="ch_3RBraeOneOff000X")
    state = after(stripe(name), again, other)
    assert totals(state) == {"pending": 4840}
    assert {row["attempt"] for row in state["notification"]} == {
        DECLINED_CHARGE,
        "ch_3RBraeOneOff000X",
    }
    assert len(state["notification"]) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_payment_intent_canceled_is_void(shape: str) -> None:
    assert totals(after(stripe(f"payment_intent.canceled--{shape}"))) == {"void": 4840}


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_a_payment_that_turns_out_to_have_an_invoice_is_superseded(shape: str) -> None:
    """No card counts it twice, whichever event comes first."""
    link = stripe("invoice_payment.paid--basil")
    paid = stripe(f"invoice.paid--{shape}")
    # A description of one's own hides that it is for an invoice.
    intent = stripe("payment_intent.succeeded--basil-invoice", description="Thank you")
    state = every_order(intent, link, paid)
    assert statuses(state) == {INVOICE: "paid", INTENT: "superseded"}
    assert totals(state) == {"paid": 12100}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["2022-invoice", "basil-invoice", "clover-invoice"])
def test_payment_intent_succeeded_of_an_invoice_adds_nothing(name: str) -> None:
    state = every_order(
        stripe(f"payment_intent.succeeded--{name}"),
        stripe("invoice.paid--basil"),
        stripe("charge.succeeded--basil"),
    )
    assert totals(state) == {"paid": 12100}
    assert len(state["invoice"]) == 1


@pytest.mark.django_db
def test_a_refund_finds_its_invoice_through_the_order_of_the_intent() -> None:
    state = every_order(
        stripe("payment_intent.succeeded--clover-invoice"),
        stripe("refund.created--basil"),
        stripe("invoice.paid--basil"),
    )
    assert row(state, "refund")["tenant"] == "brae-cycles"
    assert totals(state) == {"paid": 12100, "refunded": 2500}


@pytest.mark.django_db
@pytest.mark.parametrize("shape", ["2017", *SHAPES])
@pytest.mark.parametrize("event_type", ["charge.failed", "charge.succeeded", "charge.updated"])
def test_a_charge_alone_moves_no_total(event_type: str, shape: str) -> None:
    # Nobody has said yet whose customer it is.
    state = after(stripe(f"{event_type}--{shape}"), state="unmatched")
    assert totals(state) == {}
    assert state["invoice"] == state["notification"] == []
    payment = next(row for row in state["payment"] if row["ref"].startswith("ch_"))
    assert (payment["amount_minor"], payment["customer_ref"]) == (12100, CUSTOMER)


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_a_charge_of_a_single_payment_ties_its_refund_to_it(shape: str) -> None:
    refund = stripe(f"refund.created--{shape}", charge=ONE_OFF_CHARGE, payment_intent=None)
    state = every_order(
        stripe(f"charge.succeeded--{shape}-one-off"),
        stripe(f"payment_intent.succeeded--{shape}", latest_charge=None),
        refund,
    )
    assert totals(state) == {"paid": 4840, "refunded": 2500}
    assert row(state, "refund")["tenant"] == "brae-cycles"


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_radar_early_fraud_warning_created_moves_no_money(shape: str) -> None:
    warning = stripe(f"radar.early_fraud_warning.created--{shape}")
    events = [stripe("invoice.paid--2022"), warning]
    state = every_order(*events)
    assert totals(state) == {"paid": 12100}
    assert {event["tenant"] for event in state["paymentevent"]} == {"brae-cycles"}


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_checkout_session_and_its_payment_intent_are_one_invoice(shape: str) -> None:
    state = every_order(
        stripe(f"checkout.session.completed--{shape}-one-off-unpaid"),
        stripe(f"payment_intent.processing--{shape}"),
        stripe(f"payment_intent.succeeded--{shape}"),
        stripe(f"checkout.session.async_payment_succeeded--{shape}"),
    )
    assert totals(state) == {"paid": 4840}
    invoice = row(state, "invoice")
    # Only the session knows the tax.
    assert (invoice["ref"], invoice["tax_minor"]) == (ONE_OFF, 840)


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("completed--{}-one-off", {"paid": 4840}),
        ("completed--{}-one-off-unpaid", {"pending": 4840}),
        ("async_payment_succeeded--{}", {"paid": 4840}),
        ("async_payment_failed--{}", {"pending": 4840}),
        ("expired--{}", {"void": 4840}),
        ("completed--{}-one-off-free", {"paid": 0}),
        # The invoice counts, once it comes.
        ("completed--{}-one-off-invoice", {}),
    ],
)
def test_checkout_session_on_the_cards(name: str, expected: dict[str, int], shape: str) -> None:
    state = after(stripe(f"checkout.session.{name.format(shape)}"))
    assert totals(state) == expected
    assert len(state["notification"]) == ("payment_failed" in name)


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_checkout_session_expired_untouched_is_ignored(shape: str) -> None:
    state = after(stripe(f"checkout.session.expired--{shape}-untouched"), state="ignored")
    assert state["invoice"] == []


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_checkout_session_names_the_invoice_of_its_payment(shape: str) -> None:
    ref, intent = "in_1RBraeInvoice003", "pi_3RBraeInvoiced001"
    state = every_order(
        stripe(f"checkout.session.completed--{shape}-one-off-invoice"),
        stripe("payment_intent.succeeded--basil", id=intent, amount=4840),
        stripe("invoice.paid--basil", id=ref, total=4840, total_taxes=[], parent=None),
    )
    assert totals(state) == {"paid": 4840}
    assert statuses(state) == {ref: "paid", intent: "superseded"}


# --- Wrong values ---------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [48.4, "4840", True, -1, 2**63, [], {}])
@pytest.mark.parametrize(
    ("name", "field"),
    [
        *((f"payment_intent.{end}--basil", "amount") for end in ("succeeded", "canceled")),
        *((f"payment_intent.{end}--2022", "amount") for end in ("processing", "payment_failed")),
        *((f"charge.{end}--2017", "amount") for end in ("failed", "succeeded", "updated")),
        ("charge.succeeded--basil", "amount"),
        ("checkout.session.completed--basil-one-off", "amount_total"),
        ("checkout.session.async_payment_succeeded--2022", "amount_total"),
        ("checkout.session.async_payment_failed--basil", "amount_total"),
        ("checkout.session.expired--2022", "amount_total"),
    ],
)
def test_an_amount_of_a_wrong_type_is_refused_by_name(name: str, field: str, wrong: Any) -> None:
    with pytest.raises(PayloadError, match=rf"\b{field}\b"):
        read(stripe(name, **{field: wrong}))


@pytest.mark.parametrize("wrong", [8.4, "840", True, 2**63, 4841])
def test_a_tax_of_a_checkout_that_cannot_be_is_refused(wrong: Any) -> None:
    with pytest.raises(PayloadError, match=r"\b(amount_tax|tax)\b"):
        read(
            stripe("checkout.session.completed--basil-one-off", total_details={"amount_tax": wrong})
        )


@pytest.mark.django_db
def test_an_amount_of_a_wrong_type_fails_the_event_and_touches_nothing() -> None:
    state = after(stripe("payment_intent.succeeded--basil", amount=48.4), state="failed")
    assert row(state, "paymentevent")["reason"].startswith("amount is not a whole number")
    assert [state[table] for table in ("invoice", "payment", "customer", "total")] == [[]] * 4
