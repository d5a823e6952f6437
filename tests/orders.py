"""Proves that events end the same in every order, by far fewer steps than there are orders."""

from collections.abc import Sequence
from random import Random
from typing import Any

from django.db import transaction

from billing.models import PaymentEvent
from billing.totals import discrepancies
from tests import inbox
from tests.ledger_state import State, difference, snapshot

Payload = dict[str, Any]


def every_order(*payloads: Payload) -> State:
    """Apply events one by one in every order; returns the one state in which all of them end.

    After each set of events there must be one state, whichever of them came last. As what stands
    decides what comes next, no order then ends differently: n·2ⁿ⁻¹ steps prove n! orders. On the
    way the totals must agree with the rows, and an event that comes again must change nothing.
    """
    events = inbox.record(*payloads)
    everything = frozenset(range(len(events)))
    after: dict[frozenset[int], State] = {}
    way: dict[frozenset[int], list[str]] = {frozenset(): []}

    def visit(applied: frozenset[int]) -> None:
        for index in sorted(everything - applied):
            now = applied | {index}
            names = [*way[applied], events[index].event_type]
            with transaction.atomic():
                inbox.apply([events[index]])
                state = snapshot()
                if now in after:
                    _must_be_same(after[now], state, way[now], names)
                else:
                    after[now], way[now] = state, names
                    assert discrepancies() == [], names
                    visit(now)
                transaction.set_rollback(True)

    visit(frozenset())
    with transaction.atomic():
        inbox.apply(events)
        _must_be_same(after[everything], snapshot(), way[everything], ["all in one batch"])
        for event in events:
            inbox.apply([event])
            _must_be_same(
                after[everything], snapshot(), way[everything], [f"{event.event_type} again"]
            )
        transaction.set_rollback(True)
    return after[everything]


def some_orders(*payloads: Payload, count: int = 20, seed: int = 1) -> State:
    """Apply events in random orders, split into random batches, some of them twice."""
    random = Random(seed)
    events = inbox.record(*payloads)
    first: State | None = None
    for _ in range(count):
        batches = random_batches(events, random)
        names = [" + ".join(event.event_type for event in batch) for batch in batches]
        with transaction.atomic():
            for batch in batches:
                inbox.apply(batch)
            state = snapshot()
            assert discrepancies() == [], names
            if first is None:
                first, first_names = state, names
            _must_be_same(first, state, first_names, names)
            transaction.set_rollback(True)
    assert first is not None
    return first


def random_batches(events: Sequence[PaymentEvent], random: Random) -> list[list[PaymentEvent]]:
    """The events in a random order, a few of them once more, cut at random into batches."""
    arriving = [*events, *random.sample(list(events), k=len(events) // 4)]
    random.shuffle(arriving)
    batches: list[list[PaymentEvent]] = []
    for event in arriving:
        # A batch is of different rows of the inbox.
        if batches and event not in batches[-1] and random.random() < 0.6:
            batches[-1].append(event)
        else:
            batches.append([event])
    return batches


def _must_be_same(one: State, other: State, way_to_one: list[str], way_to_other: list[str]) -> None:
    if one != other:
        raise AssertionError(
            f"{' → '.join(way_to_one)}\n  and {' → '.join(way_to_other)}\n  end differently:\n"
            + difference(one, other)
        )
