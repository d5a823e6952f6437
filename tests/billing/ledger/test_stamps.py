"""The rule of merging: the greatest stamp wins, field by field, in any order."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.facts import (
    DisputeStatus,
    InvoiceFact,
    InvoiceStatus,
    RefundStatus,
    SubscriptionFact,
    SubscriptionStatus,
)
from billing.ledger.stamps import (
    DISPUTE_RANK,
    INVOICE_RANK,
    REFUND_RANK,
    Row,
    Stamp,
    columns,
    milliseconds,
    moment,
    rank,
)
from billing.money import Money

AT = datetime(2025, 5, 15, 9, 6, 40, 508000, tzinfo=UTC)


def invoice(**changes: Any) -> InvoiceFact:
    values: dict[str, Any] = {
        "ref": "in_1",
        "money": Money(12100, "EUR", 2),
        "status": InvoiceStatus.PENDING,
        "created_at": AT,
    }
    return InvoiceFact(**values | changes)


# --- Ranks ----------------------------------------------------------------------------------


def test_an_invoice_goes_up_this_ladder_and_never_down() -> None:
    ladder = ["draft", "pending", "uncollectible", "deleted", "void", "paid"]
    ranks = [rank(invoice(status=InvoiceStatus(status))) for status in ladder]
    assert all(low < high for low, high in pairwise(ranks))
    assert set(INVOICE_RANK) == set(InvoiceStatus)


def test_a_subscription_begins_incomplete_and_ends_once() -> None:
    def of(status: SubscriptionStatus | None) -> int:
        return rank(SubscriptionFact(ref="sub_1", status=status))

    first, last = of(SubscriptionStatus.INCOMPLETE), of(SubscriptionStatus.CANCELLED)
    assert of(SubscriptionStatus.EXPIRED) == last
    between = set(SubscriptionStatus) - {
        SubscriptionStatus.INCOMPLETE,
        SubscriptionStatus.CANCELLED,
        SubscriptionStatus.EXPIRED,
    }
    # Among these the later one wins, and a word that nobody knows is one of them.
    assert {of(status) for status in [*between, None]} == {first + 1}
    assert last == first + 2


def test_a_refund_that_failed_does_not_come_back() -> None:
    assert REFUND_RANK[RefundStatus.PENDING] < REFUND_RANK[RefundStatus.SUCCEEDED]
    assert REFUND_RANK[RefundStatus.SUCCEEDED] < REFUND_RANK[RefundStatus.FAILED]
    assert REFUND_RANK[RefundStatus.FAILED] == REFUND_RANK[RefundStatus.CANCELLED]
    assert set(REFUND_RANK) == set(RefundStatus)


def test_a_dispute_that_is_decided_is_not_open_again() -> None:
    assert DISPUTE_RANK[DisputeStatus.INQUIRY] < DISPUTE_RANK[DisputeStatus.OPEN]
    assert DISPUTE_RANK[DisputeStatus.OPEN] < DISPUTE_RANK[DisputeStatus.WON]
    assert DISPUTE_RANK[DisputeStatus.WON] == DISPUTE_RANK[DisputeStatus.LOST]
    assert set(DISPUTE_RANK) == set(DisputeStatus)


def test_what_is_said_in_passing_ranks_below_everything() -> None:
    assert rank(invoice(status=InvoiceStatus.PAID, hint=True)) < rank(
        invoice(status=InvoiceStatus.DRAFT)
    )


# --- Columns --------------------------------------------------------------------------------


def test_a_field_that_a_fact_leaves_out_is_not_said() -> None:
    said = columns(invoice())
    assert said == {
        "currency": "EUR",
        "exponent": 2,
        "amount_minor": 12100,
        "status": "pending",
        "created_at": AT,
    }


def test_a_field_that_a_fact_clears_is_said_to_be_empty() -> None:
    said = columns(invoice(cleared=frozenset({"next_attempt_at"})))
    assert said["next_attempt_at"] is None


def test_uncollectible_is_void_on_the_page() -> None:
    assert columns(invoice(status=InvoiceStatus.UNCOLLECTIBLE))["status"] == "void"


# --- Times ----------------------------------------------------------------------------------


def test_times_are_ordered_by_the_millisecond() -> None:
    assert milliseconds(AT) == 1747300000508
    assert moment(milliseconds(AT)) == AT


def test_an_event_without_a_time_is_older_than_any_other() -> None:
    assert milliseconds(None) == 0
    assert milliseconds(datetime(2000, 1, 1, tzinfo=UTC)) > 0


# --- Merging --------------------------------------------------------------------------------

# Few values, so that ranks, times and steps often tie. The event's id makes the stamp unique.
FIELDS = ["status", "amount_minor", "number"]
sayings = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(FIELDS), st.none() | st.sampled_from(["a", "b"])),
        st.tuples(st.integers(-1, 2), st.integers(0, 2), st.integers(0, 1)),
    ),
    max_size=6,
)
Saying = tuple[dict[str, Any], Stamp]


def stamped(drawn: list[tuple[dict[str, Any], tuple[int, int, int]]]) -> list[Saying]:
    return [(said, [*stamp, f"evt_{n}"]) for n, (said, stamp) in enumerate(drawn)]


def stored(row: Row) -> tuple[dict[str, Any], dict[str, Stamp]]:
    """What the database keeps of a row: every column, and the stamps."""
    return {name: row.values.get(name) for name in FIELDS}, row.stamps()


def merged(sayings: list[Saying], *, stored_between: bool) -> Row:
    row = Row(None, {}, {})
    for said, stamp in sayings:
        row.merge(said, stamp)
        if stored_between:
            row = Row.loaded(1, *stored(row))
    return row


@given(sayings, st.randoms(use_true_random=False), st.booleans(), st.booleans())
def test_any_order_any_repetition_and_any_batches_give_the_same_row(
    drawn: Any, random: Any, one_batch: bool, other_batch: bool
) -> None:
    in_order = stamped(drawn)
    shuffled = in_order + random.sample(in_order, k=len(in_order) // 2)
    random.shuffle(shuffled)
    assert stored(merged(in_order, stored_between=one_batch)) == stored(
        merged(shuffled, stored_between=other_batch)
    )


@given(sayings)
def test_each_field_has_the_value_of_the_greatest_stamp_that_names_it(drawn: Any) -> None:
    values, _ = stored(merged(stamped(drawn), stored_between=True))
    for name in FIELDS:
        said = [(stamp, said[name]) for said, stamp in stamped(drawn) if name in said]
        assert values[name] == (max(said, key=lambda pair: pair[0])[1] if said else None)


@given(sayings)
def test_stamps_are_read_as_they_were_written(drawn: Any) -> None:
    row = merged(stamped(drawn), stored_between=False)
    assert Row.loaded(1, *stored(row)).stamps() == row.stamps()


def test_a_merge_says_what_it_changed() -> None:
    row = Row(None, {}, {})
    assert row.merge({"status": "pending"}, [1, 5, 0, "evt_a"]) == [("status", None, "pending")]
    assert row.merge({"status": "paid"}, [5, 3, 0, "evt_b"]) == [("status", "pending", "paid")]
    assert row.merge({"status": "pending"}, [1, 9, 0, "evt_c"]) == []


@pytest.mark.parametrize("same", [{"status": "paid"}, {}])
def test_a_merge_that_says_nothing_new_need_not_be_written(same: dict[str, Any]) -> None:
    row = Row.loaded(1, {"status": "paid"}, {"*": [5, 3, 0, "evt_b"]})
    row.merge(same, [5, 3, 0, "evt_b"])
    assert not row.changed
