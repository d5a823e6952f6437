"""Every scenario of ``tests/scenarios`` ends as it says, in whatever order its events arrive.

Each is played in the order given, reversed, and in seeded shuffles with repetitions and random
batches, in each of Stripe's shapes. ``SCENARIO_SHUFFLES=50 pytest tests/test_scenarios.py`` plays
fifty shuffles; fewer are the default, for time.
"""

import os
from collections.abc import Iterator, Sequence
from random import Random

import pytest
from django.db import transaction

from billing.models import PaymentEvent
from billing.totals import discrepancies
from tests import inbox
from tests.ledger_state import State, difference, snapshot
from tests.orders import every_order, random_batches
from tests.scenarios.builder import payloads
from tests.scenarios.reading import Scenario, files, load
from tests.scenarios.standing import differences, standing
from webhooks.rebuilding import rebuild

SHUFFLES = int(os.environ.get("SCENARIO_SHUFFLES", "4"))
#: A scenario of no more events is played in every order there is, as is one that says so.
EVERY_ORDER = 4 if SHUFFLES < 50 else 6
PLAYS = [
    pytest.param(
        scenario,
        shape,
        id=f"{scenario.name}-{shape}",
        marks=[pytest.mark.xfail(reason=scenario.open, strict=True)] if scenario.open else [],
    )
    for scenario in map(load, files())
    for shape in scenario.shapes
]


def ways(events: Sequence[PaymentEvent], seed: str) -> Iterator[list[list[PaymentEvent]]]:
    """The orders and batches in which a scenario's events arrive."""
    yield [[event] for event in events]
    yield [[event] for event in reversed(events)]
    random = Random(seed)  # the same each time, for each scenario
    for _ in range(SHUFFLES):
        yield random_batches(events, random)


@pytest.mark.django_db
@pytest.mark.parametrize(("scenario", "shape"), PLAYS)
def test_scenario(scenario: Scenario, shape: str) -> None:
    named = payloads(scenario.events, shape)
    if len(named) <= EVERY_ORDER or scenario.every_order:
        with transaction.atomic():
            every_order(*(payload for _, payload in named))
            transaction.set_rollback(True)
    events = inbox.record(*(payload for _, payload in named))
    keys = {name: event.pk for (name, _), event in zip(named, events, strict=True)}
    first: State | None = None
    for way in ways(events, scenario.name):
        arrived = " | ".join("+".join(event.event_type for event in batch) for batch in way)
        with transaction.atomic():
            for batch in way:
                inbox.apply(batch)
            state = snapshot()
            assert discrepancies() == [], arrived
            if first is None:
                first = state
                wrong = differences(standing(keys), scenario.expected)
                assert not wrong, f"{scenario.title}: {arrived}\n" + "\n".join(wrong)
                assert not any(rebuild(keep=False).values())
            assert state == first, (
                f"{scenario.title} ends otherwise by {arrived}\n{difference(first, state)}"
            )
            transaction.set_rollback(True)


def test_there_are_at_least_forty_scenarios() -> None:
    assert len(files()) >= 40
