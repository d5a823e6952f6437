"""Invoices of PayPal's invoicing: facts, rows and totals."""

from datetime import UTC, datetime
from typing import Any

import pytest

from billing.facts import (
    InvoiceFact,
    InvoiceStatus,
    PaymentFact,
    Reading,
    Refs,
    RefundFact,
    RefundStatus,
)
from tests.orders import every_order
from tests.payloads import Payload, load, paypal, thing
from tests.webhooks.gateways.said import after, eur, every, one, row, statuses, totals
from webhooks.gateways.base import PayloadError
from webhooks.gateways.paypal_events import STEPS, read

INVOICE, CANCELLED = "INV2-BRAE-CYCL-ES00-0001", "INV2-BRAE-CYCL-ES00-0002"
PAYMENT, SECOND, REFUND = "1BR12345AE678909P", "1BR12345AE678911P", "0BR12345AE678910F"


def changed(name: str, **changes: Any) -> Payload:
    event = load("paypal", f"INVOICING.INVOICE.{name}")
    thing("paypal", event)["invoice"] |= changes
    return event


def said(end: str, status: InvoiceStatus, word: str, ref: str = INVOICE) -> InvoiceFact:
    return InvoiceFact(
        ref=ref,
        step=STEPS[f"INVOICING.INVOICE.{end}"],
        money=eur(3630),
        tax_minor=630,
        status=status,
        gateway_status=word,
        number="BRAE-PP-9",
        created_at=datetime(2025, 5, 27, 8, tzinfo=UTC),
        due_at=datetime(2025, 6, 11, tzinfo=UTC),
    )


INVOICES = [
    ("CREATED--v2", InvoiceStatus.DRAFT, "draft", INVOICE, [], {}),
    ("SCHEDULED--v2", InvoiceStatus.DRAFT, "scheduled", INVOICE, [], {}),
    ("UPDATED--v2", InvoiceStatus.PENDING, "sent", INVOICE, [], {"pending": 3630}),
    ("PAID--v2", InvoiceStatus.PAID, "paid", INVOICE, [PAYMENT], {"paid": 3630}),
    (
        *("PAID--v2-partly", InvoiceStatus.PENDING, "partially_paid", INVOICE),
        *([PAYMENT], {"pending": 3630}),
    ),
    ("PAID--v2-in-two", InvoiceStatus.PAID, "paid", INVOICE, [PAYMENT, SECOND], {"paid": 3630}),
    ("CANCELLED--v2", InvoiceStatus.VOID, "cancelled", CANCELLED, [], {"void": 3630}),
]


@pytest.mark.parametrize(("name", "status", "word", "ref", "paid_by", "_"), INVOICES)
def test_an_invoice_is_read_completely(
    *, name: str, status: InvoiceStatus, word: str, ref: str, paid_by: list[str], _: Any
) -> None:
    end = name.split("--")[0]
    step = STEPS[f"INVOICING.INVOICE.{end}"]
    links = [PaymentFact(ref=one, step=step, invoice_ref=ref) for one in paid_by]
    assert read(load("paypal", f"INVOICING.INVOICE.{name}")) == Reading(
        refs=Refs(invoice=ref, payment=PAYMENT if paid_by == [PAYMENT] else None),
        facts=(said(end, status, word, ref), *links),
    )


def test_a_refunded_invoice_says_the_sum_and_names_the_refund_in_passing() -> None:
    reading = read(load("paypal", "INVOICING.INVOICE.REFUNDED--v2"))
    step = STEPS["INVOICING.INVOICE.REFUNDED"]
    assert reading.facts == (
        said("REFUNDED", InvoiceStatus.PAID, "partially_refunded"),
        PaymentFact(ref=PAYMENT, step=step, invoice_ref=INVOICE),
        PaymentFact(
            ref=INVOICE, step=1210, money=eur(3630), invoice_ref=INVOICE, refunded=eur(1210)
        ),
        RefundFact(
            ref=REFUND,
            step=step,
            hint=True,
            money=eur(1210),
            status=RefundStatus.SUCCEEDED,
            payment_ref=PAYMENT,
            invoice_ref=INVOICE,
            created_at=datetime(2025, 5, 30, tzinfo=UTC),
        ),
    )
    assert reading.refs == Refs(invoice=INVOICE, payment=PAYMENT)


def test_a_refund_that_has_no_id_is_in_the_sum() -> None:
    reading = read(load("paypal", "INVOICING.INVOICE.REFUNDED--v2-unnamed"))
    assert not every(reading, RefundFact)
    assert [fact.refunded for fact in every(reading, PaymentFact)] == [None, eur(3630)]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("DRAFT", InvoiceStatus.DRAFT),
        ("SCHEDULED", InvoiceStatus.DRAFT),
        ("SENT", InvoiceStatus.PENDING),
        ("UNPAID", InvoiceStatus.PENDING),
        ("PAYMENT_PENDING", InvoiceStatus.PENDING),
        ("PARTIALLY_PAID", InvoiceStatus.PENDING),
        ("PAID", InvoiceStatus.PAID),
        ("MARKED_AS_PAID", InvoiceStatus.PAID),
        ("PARTIALLY_REFUNDED", InvoiceStatus.PAID),
        ("REFUNDED", InvoiceStatus.PAID),
        ("MARKED_AS_REFUNDED", InvoiceStatus.PAID),
        ("CANCELLED", InvoiceStatus.VOID),
    ],
)
def test_an_invoices_status_is_its_own_whatever_the_type_says(
    word: str, status: InvoiceStatus
) -> None:
    for name in ("CREATED--v2", "PAID--v2", "CANCELLED--v2", "REFUNDED--v2"):
        fact = one(read(changed(name, status=word)), InvoiceFact)
        assert (fact.status, fact.gateway_status) == (status, word.lower())


@pytest.mark.parametrize("word", ["SETTLED", "", None])
def test_a_status_that_paypal_does_not_document_moves_no_money(word: str | None) -> None:
    with pytest.raises(PayloadError, match="is not one that PayPal documents"):
        read(changed("PAID--v2", status=word))


# --- Rows and totals ------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "status", "word", "ref", "_", "expected"), INVOICES)
def test_each_type_alone_on_the_cards(
    *, name: str, status: InvoiceStatus, word: str, ref: str, _: Any, expected: dict[str, int]
) -> None:
    # PayPal's invoices name nobody of ours.
    state = after(paypal(f"INVOICING.INVOICE.{name}"), state="unmatched")
    assert totals(state) == expected
    invoice = row(state, "invoice")
    assert (invoice["ref"], invoice["status"]) == (ref, status.value)
    assert invoice["gateway_status"] == word


@pytest.mark.django_db
@pytest.mark.parametrize(("case", "minor"), [("", 1210), ("-unnamed", 3630)])
def test_invoicing_invoice_refunded_alone_is_the_source(case: str, minor: int) -> None:
    state = after(paypal(f"INVOICING.INVOICE.REFUNDED--v2{case}"), state="unmatched")
    assert totals(state) == {"paid": 3630, "refunded": minor}


@pytest.mark.django_db
def test_an_invoice_from_draft_to_refunded_whatever_comes_first() -> None:
    names = ["CREATED--v2", "SCHEDULED--v2", "UPDATED--v2", "PAID--v2-partly", "PAID--v2"]
    state = every_order(*(paypal(f"INVOICING.INVOICE.{name}") for name in names))
    assert totals(state) == {"paid": 3630}


@pytest.mark.django_db
def test_the_sale_of_an_invoice_is_no_second_one_and_tells_its_tenant() -> None:
    amount = {"total": "36.30", "currency": "EUR"}
    sale = paypal("PAYMENT.SALE.COMPLETED--v1-one-off", id=PAYMENT, amount=amount)
    state = every_order(sale, paypal("INVOICING.INVOICE.PAID--v2"))
    assert statuses(state) == {INVOICE: "paid", PAYMENT: "superseded"}
    assert totals(state) == {"paid": 3630}
    assert row(state, "invoice", ref=INVOICE)["tenant"] == "brae-cycles"


@pytest.mark.django_db
@pytest.mark.parametrize("case", ["", "-unnamed"])
def test_a_refund_that_invoice_and_sale_report_counts_once(case: str) -> None:
    minor, total = (3630, "-36.30") if case else (1210, "-12.10")
    refund = paypal(
        "PAYMENT.SALE.REFUNDED--v1",
        id=REFUND,
        sale_id=PAYMENT,
        links=[],
        amount={"total": total, "currency": "EUR"},
    )
    state = every_order(
        paypal(f"INVOICING.INVOICE.REFUNDED--v2{case}"),
        refund,
        paypal("INVOICING.INVOICE.PAID--v2"),
    )
    assert totals(state) == {"paid": 3630, "refunded": minor}


# --- Wrong values ---------------------------------------------------------------------------

WRONG: list[object] = [
    36.3,
    36,
    True,
    "",
    "1e3",
    "1_000",
    "３６.３０",
    "NaN",
    "1,000.00",
    "-36.30",
    [],
    {},
]


@pytest.mark.parametrize("wrong", [*WRONG, None])
@pytest.mark.parametrize(
    "name", [f"{end}--v2" for end in ("CREATED", "SCHEDULED", "UPDATED", "PAID", "CANCELLED")]
)
def test_an_amount_of_a_wrong_type_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(PayloadError, match="amount"):
        read(changed(name, amount={"currency_code": "EUR", "value": wrong}))


@pytest.mark.parametrize("wrong", [*WRONG, None])
def test_a_refunded_amount_of_a_wrong_type_is_refused(wrong: Any) -> None:
    amount = {"currency_code": "EUR", "value": wrong}
    for refunds in (
        {"refund_amount": amount},
        {"transactions": [{"refund_id": REFUND, "amount": amount}]},
    ):
        with pytest.raises(PayloadError, match="amount"):
            read(changed("REFUNDED--v2", refunds=refunds))


@pytest.mark.parametrize("wrong", [6.3, True, "1e1", "36.31", {}])
def test_a_tax_that_cannot_be_is_refused(wrong: Any) -> None:
    breakdown = {"tax_total": {"currency_code": "EUR", "value": wrong}}
    amount = {"currency_code": "EUR", "value": "36.30", "breakdown": breakdown}
    with pytest.raises(PayloadError, match=r"amount|tax"):
        read(changed("PAID--v2", amount=amount))
