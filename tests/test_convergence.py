"""C5-C7 and B12: whole lives end in the same books whatever the order, and in the true ones.

Hypothesis makes up lives (see ``tests/scenarios/lives.py``). Each is played in the order in which
it happened and in random orders, with repetitions, in random batches. ``make test`` plays a few
lives, the same each time. ``CONVERGENCE_EXAMPLES=2000 pytest tests/test_convergence.py`` plays two
thousand new ones.

The last test lets real workers apply one backlog at the same time, each on its own connection.
"""

import json
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.ledger import forget
from billing.models import Notification, PaymentEvent
from billing.queries.totals import totals
from billing.totals import discrepancies
from tests import inbox
from tests.ledger_state import State, difference, snapshot
from tests.scenarios import paypal_lives, stripe_lives
from tests.scenarios.builder import payloads
from tests.scenarios.lives import Life
from tests.scenarios.reading import event_line, files, load
from webhooks.processing import process_batch
from webhooks.rebuilding import rebuild

EXAMPLES = os.environ.get("CONVERGENCE_EXAMPLES")
ORDERS = 3

lives_settings = settings(
    max_examples=int(EXAMPLES or 30),
    # The same lives each time, unless a number is asked for.
    derandomize=EXAMPLES is None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def lives(draw: Any) -> Life:
    life = Life(draw)
    for _ in range(draw(st.sampled_from((2, 1, 3)))):
        life.pick((stripe_lives.customer, stripe_lives.customer, paypal_lives.buyer))(life)
    return life


# Each life is a transaction of its own. In one around them all, nothing could be vacuumed, and each
# life would be slower than the one before.
@pytest.mark.django_db(transaction=True)
@given(life=lives(), seed=st.integers(0, 2**16))
@lives_settings
def test_a_life_ends_the_same_in_any_order_and_truly(life: Life, seed: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
    with transaction.atomic():
        lines = [event_line(line) for line in life.lines]
        events = inbox.record(*(payload for _, payload in payloads(lines, "basil")))
        told = "\n".join(life.lines)
        with transaction.atomic():
            for event in events:
                inbox.apply([event])
            first = snapshot()
            assert figures() == (life.truth(), life.counts()), told
            assert not any(rebuild(keep=False).values()), told
            transaction.set_rollback(True)
        random = Random(seed)
        for _ in range(ORDERS):
            batches = arrivals(events, random)
            state = play(batches)
            way = "\n".join(" + ".join(event.event_id for event in batch) for batch in batches)
            assert state == first, f"{told}\n\narrives as\n{way}\n\n{difference(first, state)}"
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("workers", [2, 4])
def test_workers_at_the_same_time_end_as_one_alone(workers: int) -> None:
    backlog = [
        payload
        for copy in range(1, 4)
        for path in files()
        if path.parent.name in ("refunds", "disputes", "subscriptions", "paypal")
        and not load(path).open
        for payload in _copied(path, copy)
    ]
    inbox.record(*backlog)
    _work()
    alone = snapshot()
    for seed in range(2):
        for model in (Notification, PaymentEvent):
            model.objects.all().delete()
        forget()
        Random(seed).shuffle(backlog)
        inbox.record(*backlog)
        with ThreadPoolExecutor(workers) as pool:
            for finished in [pool.submit(_work) for _ in range(workers)]:
                finished.result()
        together = snapshot()
        assert together == alone, difference(alone, together)
        assert discrepancies() == []
    assert not any(rebuild(keep=False).values())


# Ids of scenarios. Customers are not copied, so that all that is theirs is fought over.
IDS = re.compile(r"\b(?:(?:in|pi|ch|re|sub|cn|dp|cs|inpay|evt)_\w+|[A-Z]+\d+|[A-Z0-9-]+-\d+)\b")


def _copied(path: Path, copy: int) -> list[dict[str, Any]]:
    """The events of a scenario, with ids of their own."""
    own = f"{files().index(path):02}{copy}"
    texts = (json.dumps(payload) for _, payload in payloads(load(path).events, "basil"))
    copied = (IDS.sub(lambda found: found[0] + own, text) for text in texts)
    return [json.loads(text) for text in copied]


def _work() -> None:
    """A worker, until nothing is left; small batches, so that many meet."""
    try:
        while process_batch(limit=3):
            pass
    finally:
        connection.close()


def play(batches: Sequence[Sequence[PaymentEvent]]) -> State:
    """What stands after events arrived in these batches; nothing of it stays."""
    with transaction.atomic():
        for batch in batches:
            inbox.apply(batch)
        state = snapshot()
        assert discrepancies() == []
        transaction.set_rollback(True)
    return state


def arrivals(events: Sequence[PaymentEvent], random: Random) -> list[list[PaymentEvent]]:
    """All events in a random order, some once more, cut into batches of any size."""
    arriving = [*events, *random.sample(list(events), k=len(events) // 4)]
    random.shuffle(arriving)
    size = random.choice((1, 2, 5, len(arriving)))
    batches: list[list[PaymentEvent]] = [[]]
    for event in arriving:
        if event in batches[-1] or len(batches[-1]) >= size:
            batches.append([])
        batches[-1].append(event)
    return batches


def figures() -> tuple[dict[str, dict[str, Decimal]], dict[str, int]]:
    """The cards: each currency's figures, and how many invoices there are of each status."""
    shown = totals().value
    by_currency = {
        one.currency: {
            "revenue": one.revenue.major,
            "refunded": one.refunded.major,
            "pending": one.pending.major,
            "disputed": one.disputed.major,
        }
        for one in shown.currencies
    }
    return {c: row for c, row in by_currency.items() if any(row.values())}, shown.by_status
