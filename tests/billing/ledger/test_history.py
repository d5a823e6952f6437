"""Each event keeps what it changed: object, field, before, after."""

import pytest

from tests.inbox import apply, arrive, record
from tests.payloads import load

pytestmark = pytest.mark.django_db


def test_an_event_keeps_what_it_changed_in_major_units() -> None:
    finalized, paid = arrive(
        load("stripe", "invoice.finalized--basil"), load("stripe", "invoice.paid--basil")
    )
    assert finalized.changes is not None
    made = {field: after for kind, _, field, _, after in finalized.changes if kind == "invoice"}
    total = load("stripe", "invoice.finalized--basil")["data"]["object"]["total"]
    assert made["amount"] == f"{total // 100}.{total % 100:02} EUR"
    assert made["status"] == "pending"
    assert paid.changes is not None
    ref = load("stripe", "invoice.paid--basil")["data"]["object"]["id"]
    assert ["invoice", ref, "status", "pending", "paid"] in paid.changes


def test_an_event_that_changed_nothing_says_so() -> None:
    payload = load("stripe", "invoice.paid--basil")
    _, late = arrive(payload, {**payload, "id": "evt_late", "created": payload["created"] - 9})
    assert late.changes == []


def test_in_a_batch_each_event_has_its_own() -> None:
    events = record(
        load("stripe", "invoice.finalized--basil"), load("stripe", "invoice.paid--basil")
    )
    apply(events)
    alone = arrive({**load("stripe", "invoice.paid--basil"), "id": "evt_again"})
    for event in events:
        event.refresh_from_db()
        assert event.changes
    assert not [change for change in alone[0].changes or [] if change[2] != "attempt_count"]


def test_history_is_not_rewritten() -> None:
    [event] = arrive(load("stripe", "invoice.paid--basil"))
    apply([event])
    before = event.changes
    event.refresh_from_db()
    assert event.changes == before
    assert before
