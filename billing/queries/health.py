"""Whether the machinery runs, for load balancers and for whoever is on call."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max

from billing.models import Gateway, Heartbeat, PaymentEvent
from billing.queries.lists import COUNT_LIMIT, Rows, bounded_count

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
    events = PaymentEvent.objects.order_by("-received_at", "-id")
    waiting = Rows(
        PaymentEvent.objects.filter(state=State.WAITING),
        ways={"state": [State.WAITING], "gateway": Gateway.values},
    )
    oldest = next(
        iter(waiting.first(1, ("received_at", "id")).values_list("received_at", flat=True)), None
    )
    return Health(
        worker_heartbeat_at=Heartbeat.objects.aggregate(last=Max("beat_at"))["last"],
        counts={
            str(state): min(
                bounded_count(Rows(PaymentEvent.objects.filter(state=state))), COUNT_LIMIT
            )
            for state in COUNTED
        },
        last_event_at={
            gateway: events.filter(gateway=gateway).values_list("received_at", flat=True).first()
            for gateway in Gateway.values
        },
        stuck=oldest is not None and now - oldest > WAITING_TOO_LONG,
    )


@dataclass(frozen=True, slots=True)
class Worker:
    """``beat_at``: the last sign of life of any worker that was not stopped in good order.

    ``missed``: none runs, and an event is due, or none was ever there to do what comes.
    """

    beat_at: datetime | None
    running: bool
    missed: bool


def worker(now: datetime) -> Worker:
    """One statement, with one step into the index of the queue."""
    with connection.cursor() as cursor:
        cursor.execute(WORKER, [now])
        beat_at, due = cursor.fetchone()
    running = beat_at is not None and now - beat_at <= SILENT_TOO_LONG
    return Worker(beat_at, running, missed=not running and (due or beat_at is None))
