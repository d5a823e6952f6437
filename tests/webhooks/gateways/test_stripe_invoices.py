"""Stripe's invoices: facts, rows and totals of the types beside their plain life.

The plain life (created, finalized, paid, voided …) is in test_stripe_events and in
tests.billing.ledger.test_orders.
"""

import dataclasses
from typing import Any

import pytest

from billing.facts import (
    Attention,
    Failure,
    FailureFact,
    InvoiceFact,
    InvoiceStatus,
    Reading,
    Refs,
    SubscriptionFact,
)
from tests.orders import every_order
from tests.payloads import load, stripe
from tests.webhooks.gateways.said import (
    CUSTOMER,
    DAY,
    INTENT,
    INVOICE,
    SECOND_INVOICE,
    SUBSCRIPTION,
    T0,
    TENANT,
    about,
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
ISSUED = T0 + 30 * DAY

BY_TRANSFER = InvoiceFact(
    ref=SECOND_INVOICE,
    money=eur(6050),
    tax_minor=1050,
    status=InvoiceStatus.PENDING,
    gateway_status="open",
    number="BRAE0001-0002",
    customer_ref=CUSTOMER,
    subscription_ref=SUBSCRIPTION,
    attempt_count=0,
    cleared=frozenset({"next_attempt_at"}),
    created_at=when(ISSUED),
    due_at=when(ISSUED + 14 * DAY),
)
BY_CARD = InvoiceFact(
    ref=INVOICE,
    money=eur(12100),
    tax_minor=2100,
    status=InvoiceStatus.PENDING,
    gateway_status="open",
    number="BRAE0001-0001",
    customer_ref=CUSTOMER,
    subscription_ref=SUBSCRIPTION,
    attempt_count=1,
    next_attempt_at=when(T0 + 3660 + 3 * DAY - 0),
    created_at=when(T0),
)
SAID: dict[str, InvoiceFact] = {
    "invoice.sent": BY_TRANSFER,
    "invoice.will_be_due": BY_TRANSFER,
    "invoice.overdue": dataclasses.replace(BY_TRANSFER, attention=Attention.OVERDUE),
    "invoice.payment_attempt_required": dataclasses.replace(
        BY_TRANSFER, attention=Attention.ACTION_REQUIRED
    ),
    "invoice.overpaid": dataclasses.replace(
        BY_TRANSFER,
        status=InvoiceStatus.PAID,
        gateway_status="paid",
        paid_at=when(ISSUED + 16 * DAY),
        cleared=frozenset({"next_attempt_at", "attention"}),
    ),
    "invoice.payment_action_required": dataclasses.replace(
        BY_CARD, attention=Attention.ACTION_REQUIRED
    ),
    "invoice.finalization_failed": dataclasses.replace(
        BY_CARD,
        status=InvoiceStatus.DRAFT,
        gateway_status="draft",
        number=None,
        attempt_count=0,
        next_attempt_at=when(T0 + 3600),
        attention=Attention.FINALIZATION_FAILED,
    ),
}
TOTALS = {
    "invoice.sent": {"pending": 6050},
    "invoice.will_be_due": {"pending": 6050},
    "invoice.overdue": {"pending": 6050},
    "invoice.payment_attempt_required": {"pending": 6050},
    # The 50 cents paid too much are the customer's credit.
    "invoice.overpaid": {"paid": 6050},
    "invoice.payment_action_required": {"pending": 12100},
    "invoice.finalization_failed": {},
}


@pytest.mark.parametrize("event_type", sorted(SAID))
def test_an_invoice_is_read_completely(event_type: str) -> None:
    invoice = dataclasses.replace(SAID[event_type], step=STEPS[event_type])
    subscriber = SubscriptionFact(ref=SUBSCRIPTION, hint=True, status=None, customer_ref=CUSTOMER)
    failed = FailureFact(kind=Failure.FINALIZATION, invoice_ref=INVOICE, attempt="finalization")
    assert read(load("stripe", f"{event_type}--basil")) == Reading(
        refs=Refs(customer=CUSTOMER, subscription=SUBSCRIPTION, invoice=invoice.ref),
        facts=(
            *(invoice, subscriber, TENANT),
            *([failed] if event_type == "invoice.finalization_failed" else []),
        ),
    )


@pytest.mark.parametrize("event_type", sorted(SAID))
def test_before_basil_an_invoice_also_names_its_payments(event_type: str) -> None:
    reading = read(load("stripe", f"{event_type}--2022"))
    invoice = dataclasses.replace(SAID[event_type], step=STEPS[event_type])
    assert one(reading, InvoiceFact) == invoice
    named = event_type == "invoice.payment_action_required"
    assert reading.refs.payment == ("ch_3RBraeCharge0001" if named else None)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_invoice_to_come_has_no_id_and_is_none(shape: str) -> None:
    reading = read(load("stripe", f"invoice.upcoming--{shape}"))
    assert reading == Reading(ignored="a preview of an invoice, which does not exist yet")


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_invoice_upcoming_makes_no_row(shape: str) -> None:
    state = after(stripe(f"invoice.upcoming--{shape}"), state="ignored")
    assert [state[table] for table in ("invoice", "total", "customer")] == [[], [], []]


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("event_type", sorted(SAID))
def test_each_type_alone_on_the_cards(event_type: str, shape: str) -> None:
    state = after(stripe(f"{event_type}--{shape}"))
    assert totals(state) == TOTALS[event_type]
    invoice, attention = row(state, "invoice"), SAID[event_type].attention
    assert invoice["attention"] == (attention.value if attention else None)
    assert invoice["tenant"] == "brae-cycles"
    told = ["finalization_failed"] if event_type == "invoice.finalization_failed" else []
    assert [row["kind"] for row in state["notification"]] == told


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_an_invoice_sent_by_mail_overdue_and_overpaid_at_last(shape: str) -> None:
    ends = ["sent", "payment_attempt_required", "will_be_due", "overdue"]
    state = every_order(*(stripe(f"invoice.{end}--{shape}") for end in ends))
    assert row(state, "invoice")["attention"] == "overdue"
    assert totals(state) == {"pending": 6050}


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_paid_needs_nobodys_attention(shape: str) -> None:
    state = every_order(
        stripe(f"invoice.overdue--{shape}"),
        stripe(f"invoice.overpaid--{shape}"),
        stripe(f"invoice.overdue--{shape}", event_id="evt_late", at=ISSUED + 20 * DAY),
    )
    invoice = row(state, "invoice")
    assert (invoice["status"], invoice["attention"]) == ("paid", None)
    assert invoice["due_at"] == "2025-06-28T09:06:40+00:00"


@pytest.mark.django_db
@pytest.mark.parametrize("shape", SHAPES)
def test_invoice_finalization_failed_stays_a_draft_until_it_is_mended(shape: str) -> None:
    failed = stripe(f"invoice.finalization_failed--{shape}")
    again = failed | {"id": "evt_again", "created": failed["created"] + 600}
    state = every_order(stripe(f"invoice.created--{shape}"), failed, again)
    assert totals(state) == {}
    assert len(state["notification"]) == 1
    mended = after(
        stripe(f"invoice.paid--{shape}"),
        stripe(f"invoice.finalization_failed--{shape}", event_id="evt_late"),
    )
    assert row(mended, "invoice")["attention"] is None


@pytest.mark.parametrize("wrong", [60.5, "6050", True, 2**63, [], {}, None])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("event_type", sorted(SAID))
def test_a_total_of_a_wrong_type_is_refused_by_name(
    event_type: str, shape: str, wrong: Any
) -> None:
    with pytest.raises(PayloadError, match=r"\btotal\b"):
        read(stripe(f"{event_type}--{shape}", total=wrong))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("payment", "named"),
    [
        ({"type": "payment_intent", "payment_intent": INTENT}, INTENT),
        ({"type": "charge", "charge": "ch_3RBraeCharge0001"}, "ch_3RBraeCharge0001"),
        ({"type": "payment_record", "payment_record": "pr_1RBrae"}, "pr_1RBrae"),
    ],
)
def test_invoice_payment_paid_links_whatever_paid_it(payment: dict[str, str], named: str) -> None:
    link = stripe("invoice_payment.paid--basil", payment=payment)
    state = every_order(link, stripe("invoice.paid--basil"))
    assert row(state, "payment", ref=named)["invoice_ref"] == INVOICE
    assert totals(state) == {"paid": 12100}
    assert {event["tenant"] for event in state["paymentevent"]} == {"brae-cycles"}
    assert about(read(link), InvoiceFact, INVOICE) == every(read(link), InvoiceFact) == []
