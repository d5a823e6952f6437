"""Whether the machinery runs, for load balancers and for whoever is on call."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from billing.models import Gateway, Heartbeat, PaymentEvent
from billing.queries.lists import COUNT_LIMIT, bounded_count

#: Events that wait longer than this mean that no worker does its work.
WAITING_TOO_LONG = timedelta(minutes=5)

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
    oldest = (
        PaymentEvent.objects.filter(state=State.WAITING)
        .order_by("received_at", "id")
        .values_list("received_at", flat=True)
        .first()
    )
    return Health(
        worker_heartbeat_at=Heartbeat.objects.aggregate(last=Max("beat_at"))["last"],
        counts={
            str(state): min(bounded_count(PaymentEvent.objects.filter(state=state)), COUNT_LIMIT)
            for state in COUNTED
        },
        last_event_at={
            gateway: events.filter(gateway=gateway).values_list("received_at", flat=True).first()
            for gateway in Gateway.values
        },
        stuck=oldest is not None and now - oldest > WAITING_TOO_LONG,
    )
