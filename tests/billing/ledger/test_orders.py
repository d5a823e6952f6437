"""Any order, any repetition and any later arrival of the same events gives the same tables (C5-C7).

Each life below is applied in every order; what it ends in is asserted once.
"""

from typing import Any

import pytest

from tests import payloads
from tests.ledger_state import State
from tests.orders import every_order, some_orders
from tests.payloads import Payload, paypal, stripe

pytestmark = pytest.mark.django_db

T0 = 1747300000
DAY = 86400
SHAPES = ["2022", "basil"]


def row(state: State, table: str, **which: Any) -> dict[str, Any]:
    (found,) = [
        row for row in state[table] if all(row[name] == value for name, value in which.items())
    ]
    return found


def totals(state: State) -> dict[str, int]:
    return {row["figure"]: row["amount_minor"] for row in state["total"]}


def event_states(state: State) -> set[str]:
    return {row["state"] for row in state["paymentevent"]}


# --- Invoices -------------------------------------------------------------------------------


def test_an_invoice_from_draft_to_paid_whatever_comes_first() -> None:
    same_second: dict[str, Any] = {
        "event_id": "evt_same_second",
        "at": T0 + 1,
        "status": "draft",
        "number": None,
    }
    state = every_order(
        stripe("invoice.created--basil"),
        stripe("invoice.updated--basil", **same_second),
        stripe("invoice.finalized--basil"),
        stripe("invoice.payment_failed--basil"),
        stripe("invoice.payment_succeeded--basil"),
        stripe("invoice.paid--basil"),
    )
    invoice = row(state, "invoice")
    assert (invoice["status"], invoice["number"]) == ("paid", "BRAE0001-0001")
    assert (invoice["attempt_count"], invoice["next_attempt_at"]) == (2, None)
    assert invoice["paid_at"] == "2025-05-16T09:06:40+00:00"
    assert totals(state) == {"paid": 12100}
    assert len(state["notification"]) == 1
    assert event_states(state) == {"processed"}


def test_all_is_said_in_one_second_and_still_there_is_one_end() -> None:
    state = every_order(
        stripe("invoice.created--basil", at=T0, event_id="evt_z", status="open"),
        stripe("invoice.updated--basil", at=T0, event_id="evt_y", total=9000, total_taxes=[]),
        stripe("invoice.updated--basil", at=T0, event_id="evt_x", total=8000, total_taxes=[]),
        stripe("invoice.finalized--basil", at=T0, event_id="evt_w", total=7000, total_taxes=[]),
    )
    # The later step of an invoice's life wins; of one step, the greater id.
    assert row(state, "invoice")["amount_minor"] == 7000


def test_of_two_updates_the_later_amount_stands() -> None:
    state = every_order(
        stripe("invoice.updated--basil", at=T0 + 10, event_id="evt_b", total=12200),
        stripe("invoice.updated--basil", at=T0 + 20, event_id="evt_a", total=12300),
        stripe("invoice.finalized--basil", at=T0 + 5),
    )
    assert row(state, "invoice")["amount_minor"] == 12300
    assert totals(state) == {"pending": 12300}


@pytest.mark.parametrize("late", ["invoice.payment_failed", "invoice.updated", "invoice.finalized"])
@pytest.mark.parametrize("after", [-60, 0, 3600])
def test_nothing_takes_an_invoice_out_of_paid(late: str, after: int) -> None:
    state = every_order(
        stripe("invoice.paid--basil"),
        stripe(f"{late}--basil", event_id="evt_late", at=T0 + DAY + after),
        stripe("invoice.created--basil"),
    )
    assert row(state, "invoice")["status"] == "paid"
    assert totals(state) == {"paid": 12100}


@pytest.mark.parametrize("late", ["invoice.payment_failed", "invoice.updated"])
def test_nothing_takes_an_invoice_out_of_void(late: str) -> None:
    state = every_order(
        stripe("invoice.finalized--2022"),
        stripe("invoice.voided--2022"),
        stripe(f"{late}--2022", event_id="evt_late", at=T0 + 20 * DAY),
    )
    assert row(state, "invoice")["status"] == "void"
    assert totals(state) == {"void": 12100}


def test_an_uncollectible_invoice_is_void_until_it_is_paid_after_all() -> None:
    written_off = [
        stripe("invoice.finalized--basil"),
        stripe("invoice.payment_failed--basil"),
        stripe("invoice.marked_uncollectible--basil"),
    ]
    state = every_order(*written_off)
    invoice = row(state, "invoice")
    assert (invoice["status"], invoice["gateway_status"]) == ("void", "uncollectible")
    assert totals(state) == {"void": 12100}


def test_an_uncollectible_invoice_may_still_be_paid() -> None:
    state = every_order(
        stripe("invoice.finalized--basil"),
        stripe("invoice.payment_failed--basil"),
        stripe("invoice.marked_uncollectible--basil"),
        stripe("invoice.paid--basil", at=T0 + 20 * DAY),
        # Said before it was paid, and by an older clock after it.
        stripe(
            "invoice.updated--basil", event_id="evt_u", at=T0 + 21 * DAY, status="uncollectible"
        ),
    )
    assert row(state, "invoice")["status"] == "paid"
    assert totals(state) == {"paid": 12100}


def test_an_uncollectible_invoice_may_still_be_voided() -> None:
    state = every_order(
        stripe("invoice.marked_uncollectible--basil", at=T0 + 9 * DAY),
        stripe("invoice.voided--basil", at=T0 + 10 * DAY),
        stripe("invoice.finalized--basil"),
    )
    assert row(state, "invoice")["gateway_status"] == "void"


def test_a_deleted_draft_was_never_issued_and_a_late_update_does_not_bring_it_back() -> None:
    state = every_order(
        stripe("invoice.created--basil"),
        stripe("invoice.deleted--basil"),
        stripe("invoice.updated--basil", event_id="evt_late", at=T0 + DAY, status="draft"),
    )
    assert row(state, "invoice")["status"] == "deleted"
    assert totals(state) == {}


def test_an_invoice_of_2017_ends_as_one_of_today() -> None:
    life = ["invoice.created", "invoice.updated", "invoice.payment_failed"]
    old = every_order(*(stripe(f"{t}--2017") for t in [*life, "invoice.payment_succeeded"]))
    columns = ["status", "amount_minor", "tax_minor", "number", "created_at", "gateway_status"]
    columns += ["attempt_count", "next_attempt_at", "customer_ref", "subscription_ref"]
    was = row(old, "invoice")
    assert [was[name] for name in columns] == [
        *("paid", 12100, 2100, "BRAE0001-0001", "2025-05-15T09:06:40+00:00", "paid"),
        *(2, None, "cus_SBraeCycles001", "sub_1RBraeWorkshop01"),
    ]
    assert totals(old) == {"paid": 12100}


# --- Subscriptions --------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["2017", *SHAPES])
def test_a_subscription_stays_cancelled_though_an_update_comes_late(shape: str) -> None:
    late: dict[str, Any] = {"event_id": "evt_late", "at": T0 + 41 * DAY}
    state = every_order(
        stripe(f"customer.subscription.created--{shape}"),
        stripe(f"customer.subscription.updated--{shape}"),
        stripe(f"customer.subscription.deleted--{shape}"),
        stripe(f"customer.subscription.updated--{shape}", **late),
    )
    subscription = row(state, "subscription")
    assert (subscription["status"], subscription["quantity"]) == ("cancelled", 3)
    assert subscription["ended_at"] == "2025-06-24T09:06:40+00:00"


def test_a_subscription_may_go_to_and_fro_until_it_ends() -> None:
    name = "customer.subscription.updated--basil"
    state = every_order(
        stripe("customer.subscription.created--basil", status="incomplete"),
        stripe(name, event_id="evt_1", at=T0 + 10, status="active"),
        stripe(name, event_id="evt_2", at=T0 + 20, status="past_due"),
        stripe(name, event_id="evt_3", at=T0 + 30, status="active"),
        # Less than active, so that it never overtakes, whatever its clock says.
        stripe(name, event_id="evt_4", at=T0 + 40, status="incomplete"),
    )
    assert row(state, "subscription")["status"] == "active"


def test_a_cancellation_that_was_taken_back_is_gone() -> None:
    name = "customer.subscription.updated--basil"
    state = every_order(
        stripe("customer.subscription.created--basil"),
        stripe(name, event_id="evt_1", at=T0 + 10, cancel_at=T0 + 90 * DAY),
        stripe(name, event_id="evt_2", at=T0 + 20, cancel_at=None),
    )
    assert row(state, "subscription")["cancel_at"] is None


def test_what_a_checkout_says_of_a_subscription_never_wins_over_its_own_word() -> None:
    state = every_order(
        stripe("customer.subscription.created--basil", at=T0, status="past_due"),
        stripe("checkout.session.completed--basil", at=T0 + DAY),
    )
    assert row(state, "subscription")["status"] == "past_due"
    alone = every_order(
        stripe("checkout.session.completed--basil", event_id="evt_alone", subscription="sub_other")
    )
    assert row(alone, "subscription", ref="sub_other")["status"] == "active"


# --- Refunds --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_a_refund_counts_while_it_stands_and_not_after_it_failed(shape: str) -> None:
    pending = stripe(f"refund.created--{shape}", status="pending")
    succeeded = stripe(f"refund.updated--{shape}")
    again = stripe(f"charge.refund.updated--{shape}")
    failed = stripe(f"refund.failed--{shape}")
    assert totals(every_order(pending, succeeded, again)) == {"refunded": 2500}
    late = stripe(f"refund.updated--{shape}", event_id="evt_late", at=T0 + 9 * DAY)
    failed["id"], pending["id"] = "evt_failed", "evt_pending"
    succeeded["id"], again["id"] = "evt_succeeded", "evt_again"
    for event in (pending, succeeded, again, failed, late):
        payloads.thing("stripe", event)["id"] = "re_second"
    state = every_order(pending, succeeded, failed, late)
    assert row(state, "refund", ref="re_second")["status"] == "failed"


def test_a_pending_refund_is_no_refund_yet() -> None:
    state = every_order(stripe("refund.created--basil", status="pending"))
    assert totals(state) == {"refund_pending": 2500}


@pytest.mark.parametrize("shape", ["2017", *SHAPES])
def test_a_charge_alone_says_how_much_was_refunded(shape: str) -> None:
    paid = "invoice.payment_succeeded"
    state = every_order(stripe(f"{paid}--{shape}"), stripe(f"charge.refunded--{shape}"))
    assert totals(state) == {"paid": 12100, "refunded": 2500}


def test_one_refund_that_five_events_report_counts_once() -> None:
    state = every_order(
        stripe("invoice.paid--basil"),
        stripe("charge.refunded--basil"),
        stripe("refund.created--basil"),
        stripe("refund.updated--basil"),
        stripe("charge.refund.updated--basil"),
    )
    assert totals(state) == {"paid": 12100, "refunded": 2500}
    assert [refund["ref"] for refund in state["refund"]] == ["re_3RBraeRefund0001"]


def test_one_refund_inside_a_charge_and_on_its_own_counts_once() -> None:
    state = every_order(
        stripe("invoice.payment_succeeded--2017"),
        stripe("charge.refunded--2017"),
        stripe("charge.refund.updated--2017"),
    )
    assert totals(state) == {"paid": 12100, "refunded": 2500}


def second_refund(event: Payload) -> Payload:
    """The same charge, refunded by 1000 more a day later."""
    thing = payloads.thing("stripe", event)
    event["id"] += "_2"
    event["created"] += DAY
    if thing["object"] == "charge":
        thing["amount_refunded"] += 1000
    else:
        thing |= {"id": "re_second", "amount": 1000, "created": thing["created"] + DAY}
    return event


def test_a_charge_refunded_in_two_parts_says_the_sum() -> None:
    alone = every_order(
        stripe("charge.refunded--basil"), second_refund(stripe("charge.refunded--basil"))
    )
    assert totals(alone) == {"refunded": 3500}


def test_two_parts_of_a_refund_reported_one_by_one_and_as_a_sum_count_once() -> None:
    state = every_order(
        stripe("charge.refunded--basil"),
        second_refund(stripe("charge.refunded--basil")),
        stripe("refund.created--basil"),
        second_refund(stripe("refund.created--basil")),
        stripe("invoice_payment.paid--basil"),
    )
    assert totals(state) == {"refunded": 3500}
    assert {refund["amount_minor"] for refund in state["refund"]} == {2500, 1000}


def test_two_parts_in_one_second_are_the_larger_sum() -> None:
    second = second_refund(stripe("charge.refunded--basil"))
    second["id"], second["created"] = "evt_0", T0 + 3 * DAY
    assert totals(every_order(stripe("charge.refunded--basil"), second)) == {"refunded": 3500}


def test_one_part_named_the_other_only_in_the_sum() -> None:
    state = every_order(
        stripe("refund.created--basil"), second_refund(stripe("charge.refunded--basil"))
    )
    assert totals(state) == {"refunded": 3500}
    assert row(state, "refund", remainder=True)["amount_minor"] == 1000


def test_a_refund_that_failed_leaves_no_remainder_of_the_charges_sum() -> None:
    state = every_order(
        stripe("charge.refunded--basil"),
        stripe("refund.created--basil"),
        stripe("refund.failed--basil"),
        stripe("invoice.paid--basil"),
    )
    assert totals(state) == {"paid": 12100}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_refund_finds_its_tenant_though_charge_and_invoice_come_later(shape: str) -> None:
    # Since basil the invoice knows its payment by this event only.
    link = stripe("invoice_payment.paid--basil", event_id="evt_link")
    state = every_order(
        stripe(f"refund.created--{shape}"),
        stripe(f"invoice.paid--{shape}"),
        *([link] if shape == "basil" else []),
    )
    assert row(state, "refund")["tenant"] == "brae-cycles"
    assert event_states(state) == {"processed"}
    assert totals(state) == {"paid": 12100, "refunded": 2500}


# --- PayPal ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["v1", "v2"])
def test_a_subscription_of_paypal_whatever_comes_first(shape: str) -> None:
    state = every_order(
        *(
            paypal(f"BILLING.SUBSCRIPTION.{word}--{shape}")
            for word in ("CREATED", "ACTIVATED", "SUSPENDED", "CANCELLED")
        ),
        paypal("PAYMENT.SALE.COMPLETED--v1"),
    )
    assert row(state, "subscription")["status"] == "cancelled"
    assert row(state, "subscription")["plan"] == "P-0BRAEPLAN00000000000001"
    assert totals(state) == {"paid": 6050}
    tenants = {row["tenant"] for table in ("customer", "subscription") for row in state[table]}
    assert tenants == {"brae-cycles"}


def test_a_suspended_subscription_of_paypal_may_be_activated_again() -> None:
    again = {"event_id": "WH-AGAIN", "at": "2025-06-21T12:00:00Z"}
    state = every_order(
        paypal("BILLING.SUBSCRIPTION.ACTIVATED--v2"),
        paypal("BILLING.SUBSCRIPTION.SUSPENDED--v2"),
        paypal("BILLING.SUBSCRIPTION.ACTIVATED--v2", **again),
    )
    assert row(state, "subscription")["status"] == "active"


def test_a_sale_pending_paid_refunded_and_reversed() -> None:
    state = every_order(
        paypal("PAYMENT.SALE.PENDING--v1"),
        paypal("PAYMENT.SALE.COMPLETED--v1"),
        paypal("PAYMENT.SALE.REFUNDED--v1"),
    )
    assert row(state, "invoice")["status"] == "paid"
    assert totals(state) == {"paid": 6050, "refunded": 1210}


def test_a_sale_that_is_denied_is_void_and_told_once() -> None:
    state = every_order(
        paypal("PAYMENT.SALE.PENDING--v1"),
        paypal("PAYMENT.SALE.DENIED--v1"),
        paypal("PAYMENT.SALE.DENIED--v1", event_id="WH-DENIED-AGAIN"),
    )
    assert totals(state) == {"void": 6050}
    assert len(state["notification"]) == 1


def test_a_reversed_sale_is_disputed_beside_what_was_refunded() -> None:
    state = every_order(paypal("PAYMENT.SALE.COMPLETED--v1"), paypal("PAYMENT.SALE.REVERSED--v1"))
    assert totals(state) == {"paid": 6050, "disputed": 6050}


# --- All of it at once ----------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_a_whole_life_in_random_orders_and_batches(shape: str) -> None:
    taken = {"invoice.deleted", "invoice.voided", "invoice.marked_uncollectible"}
    life = [
        payloads.load("stripe", name)
        for name in payloads.names("stripe")
        if name.endswith(f"--{shape}") and name.split("--")[0] not in taken
    ]
    paypals = [payloads.load("paypal", name) for name in payloads.names("paypal")]
    state = some_orders(*life, *paypals, count=3)
    # Stripe's two invoices and one single payment; PayPal's sale, its capture and its invoice.
    paid = 12100 + 6050 + 4840 + 6050 + 2420 + 3630
    assert totals(state)["paid"] == paid
    assert (
        sorted(row["status"] for row in state["invoice"])
        == ["paid"] * 6 + ["pending"] + ["void"] * 6
    )
    whose = {row["tenant"] for row in state["invoice"] if not row["ref"].startswith("INV2-")}
    assert whose == {"brae-cycles"}


def test_a_refund_told_once_without_its_sale_leaves_the_books_that_it_was_in() -> None:
    """A reversal of the sale counts less while a refund of the same sale stands beside it."""
    every_order(
        payloads.load("paypal", "PAYMENT.SALE.COMPLETED--v1"),
        payloads.load("paypal", "PAYMENT.SALE.REVERSED--v1"),
        payloads.load("paypal", "PAYMENT.SALE.REFUNDED--v1"),
        payloads.load("paypal", "PAYMENT.SALE.REFUNDED--v1-website") | {"id": "WH-TOLD-AGAIN"},
    )
