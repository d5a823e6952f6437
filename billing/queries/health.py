"""Whether the machinery runs, for load balancers and for whoever is on call."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.models import Gateway, PaymentEvent
from billing.queries.lists import COUNT_LIMIT, Rows, bounded_count
from billing.queries.reads import Read, Row, Sql, first_of, read_together

#: Events that wait longer than this mean that no worker does its work.
WAITING_TOO_LONG = timedelta(minutes=5)
#: A worker gives a sign of life every two seconds, and after each batch.
SILENT_TOO_LONG = timedelta(minutes=1)

WORKER = """
    SELECT (SELECT max(beat_at) FROM billing_heartbeat),
        EXISTS (SELECT FROM billing_paymentevent WHERE next_attempt_at <= %s)
"""

State = PaymentEvent.State
COUNTED = (State.WAITING, State.FAILED, State.UNMATCHED, State.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Health:
    """``counts`` stop at ``COUNT_LIMIT``; ``stuck``: an event waits for too long."""

    worker_heartbeat_at: datetime | None
    counts: dict[str, int]
    last_event_at: dict[str, datetime | None]
    stuck: bool


def health(now: datetime) -> Health:
    waiting = Rows(
        PaymentEvent.objects.filter(state=State.WAITING),
        ways={"state": [State.WAITING], "gateway": Gateway.values},
    )
    oldest = first_of(waiting.first(1, ("received_at", "id")).values_list("received_at", flat=True))
    newest = {
        gateway: first_of(
            PaymentEvent.objects.filter(gateway=gateway)
            .order_by("-received_at", "-id")
            .values_list("received_at", flat=True)
        )
        for gateway in Gateway.values
    }
    counts = {
        str(state): bounded_count(Rows(PaymentEvent.objects.filter(state=state)))
        for state in COUNTED
    }
    working = worker(now)
    read_together(working, oldest, *newest.values(), *counts.values())
    return Health(
        worker_heartbeat_at=working.value.beat_at,
        counts={state: min(count.value, COUNT_LIMIT) for state, count in counts.items()},
        last_event_at={gateway: at.value for gateway, at in newest.items()},
        stuck=oldest.value is not None and now - oldest.value > WAITING_TOO_LONG,
    )


@dataclass(frozen=True, slots=True)
class Worker:
    """``beat_at``: the last sign of life of any worker that was not stopped in good order.

    ``missed``: none runs, and an event is due, or none was ever there to do what comes.
    """

    beat_at: datetime | None
    running: bool
    missed: bool


def worker(now: datetime) -> Read[Worker]:
    """With one step into the index of the queue."""

    def of(rows: Iterable[Row]) -> Worker:
        ((beat_at, due),) = rows
        running = beat_at is not None and now - beat_at <= SILENT_TOO_LONG
        return Worker(beat_at, running, missed=not running and (due or beat_at is None))

    return Read(of, Sql(WORKER, [now], columns=2))
