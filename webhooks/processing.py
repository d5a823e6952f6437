"""The worker's story: claim events, read them, apply what they say, mark them.

All of it in one transaction, so that a worker that is killed has done nothing, and the rows it held
are another's at once. An event that cannot be applied fails alone. Where a gateway must be asked
first whether an event is so, that is done after the transaction, and the event comes back.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from random import uniform

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from billing import ledger
from billing.facts import Reading
from billing.ledger import ReadEvent
from billing.models import PaymentEvent
from webhooks import confirming
from webhooks.gateways.base import NotKnownYet, PayloadError, Unavailable, _
from webhooks.gateways.bodies import parse
from webhooks.registry import gateways

logger = logging.getLogger(__name__)

#: Many, so that the work of a statement is shared: a thousand take half a second, one alone 0.03 s.
BATCH_SIZE = 1000
#: After so many attempts an event waits for a person: about four hours after the first.
MAX_ATTEMPTS = 10
FIRST_DELAY = timedelta(seconds=15)
LONGEST_DELAY = timedelta(hours=1)
#: Deadlocks and the like are tried again at once, so often.
MAX_CONFLICTS = 3
# What a worker holds, shared, while it applies; `rebuild` holds it alone.
APPLYING_LOCK = 0x7061796D656E7473
SHARD_LOCK = (
    "SELECT pg_advisory_xact_lock(hashtextextended('billing_total', pg_backend_pid() % 16))"
)
# What is needed of an event to apply it: a third of its columns.
_READ = (
    *("gateway", "event_id", "livemode", "occurred_at", "body"),
    *("state", "attempts", "confirmed_at"),
)
# deadlock_detected, serialization_failure
_CONFLICTS = {"40P01", "40001"}
# program_limit_exceeded and its kind, such as a value too long for an index
_LIMITS_CLASS = "54"
_OF_LIVE_MODE = _("an event of live mode; PAYMENTS_MODE is the other")
_OF_TEST_MODE = _("an event of test mode; PAYMENTS_MODE is the other")


def process_batch(limit: int = BATCH_SIZE) -> int:
    """Apply up to ``limit`` events whose time has come; returns how many were claimed."""
    for attempt in range(1, MAX_CONFLICTS + 1):
        try:
            return _process_batch(limit)
        except OperationalError as error:
            if attempt == MAX_CONFLICTS or not _is_conflict(error):
                raise
            logger.info("conflict with another writer, trying again: %s", type(error).__name__)
    raise AssertionError("unreachable")


def _process_batch(limit: int) -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [APPLYING_LOCK])
            # Of the kept sums each connection has a shard, and two may have the same (migration
            # 0007): they take turns, for each writes its rows many times and in no common order.
            cursor.execute(SHARD_LOCK)
            # PostgreSQL would read through tables that were small when it last counted, also for
            # each check of a foreign key; and such a plan stays as long as the connection.
            cursor.execute("SET LOCAL enable_seqscan = off")
        events = list(
            PaymentEvent.objects.select_for_update(skip_locked=True)
            .only(*_READ)
            .filter(next_attempt_at__lte=timezone.now())
            .order_by("next_attempt_at", "pk")[:limit]
        )
        unconfirmed = apply(events)
        confirming.lease([event for event, _, _ in unconfirmed])
    for event, problem in confirming.ask(unconfirmed):
        _answer(event, problem)
    return len(events)


def apply(events: Sequence[PaymentEvent], *, once_more: bool = False) -> list[confirming.Question]:
    """Read ``events``, which must be locked, and apply them, in the caller's transaction.

    Returns those that were not, because their gateway must be asked about them first. Those of a
    customer whom another worker is at work on are left as they are. ``once_more`` is for when no
    worker is at work: one that failed before and fails again stays as it is.
    """
    unconfirmed: list[confirming.Question] = []
    readable: list[tuple[PaymentEvent, ReadEvent]] = []
    ignored: dict[str, list[int]] = defaultdict(list)
    for event in events:
        try:
            reading = read(event)
        except PayloadError as error:
            # The same body says the same tomorrow: a person has to look.
            _fail(event, str(error), final=True, once_more=once_more)
        except Exception as error:  # a fault of ours must not stop the other events
            logger.exception("event %s cannot be read", event.event_id)
            _fail(event, f"{type(error).__name__}: {error}", once_more=once_more)
        else:
            if reading.ignored:
                ignored[reading.ignored].append(event.pk)
            elif (read_back := confirming.read_back_of(event, reading)) is not None:
                unconfirmed.append((event, reading, read_back))
            else:
                read_event = ReadEvent(
                    event.pk, event.gateway, event.event_id, event.occurred_at, reading
                )
                readable.append((event, read_event))
    for reason, pks in ignored.items():
        PaymentEvent.objects.filter(pk__in=pks).update(
            state=PaymentEvent.State.IGNORED,
            reason=reason,
            next_attempt_at=None,
            processed_at=Coalesce("processed_at", timezone.now()),
        )
    if not once_more:
        held = ledger.hold([read_event for _, read_event in readable])
        readable = [one for one in readable if one[0].pk in held]
    _apply(readable, once_more)
    return unconfirmed


def read(event: PaymentEvent) -> Reading:
    """What an event of the inbox says. Raises `PayloadError` if that cannot be."""
    live = settings.PAYMENTS_MODE == "live"
    if event.livemode is not None and event.livemode != live:
        return Reading(ignored=_OF_LIVE_MODE if event.livemode else _OF_TEST_MODE)
    return gateways()[event.gateway].read(parse(bytes(event.body)))


def _apply(readable: Sequence[tuple[PaymentEvent, ReadEvent]], once_more: bool) -> None:
    """Apply events together; where that fails, each half by itself, until the one fails alone."""
    if not readable:
        return
    try:
        with transaction.atomic():
            ledger.apply([read_event for _, read_event in readable], alone=once_more)
    except Exception as error:
        if isinstance(error, OperationalError) and not _is_events_fault(error):
            raise
        if half := len(readable) // 2:
            _apply(readable[:half], once_more)
            _apply(readable[half:], once_more)
            return
        event = readable[0][0]
        logger.exception("event %s cannot be applied", event.event_id)
        _fail(event, f"{type(error).__name__}: {error}", once_more=once_more)


def _fail(
    event: PaymentEvent, reason: str, *, final: bool = False, once_more: bool = False
) -> None:
    """Keep what went wrong, and when to try again: later each time, and not for ever."""
    if once_more and event.state == PaymentEvent.State.FAILED:
        return
    event.state = PaymentEvent.State.FAILED
    event.reason = reason.replace("\0", "\ufffd")[:2000]
    event.attempts += 1
    if final or event.attempts >= MAX_ATTEMPTS:
        event.next_attempt_at = None
    else:
        delay = min(FIRST_DELAY * 2 ** (event.attempts - 1), LONGEST_DELAY)
        # Spread, so that what failed together is not tried together.
        event.next_attempt_at = timezone.now() + delay * uniform(0.8, 1.2)  # noqa: S311
    event.save(update_fields=["state", "reason", "attempts", "next_attempt_at"])


def _answer(event: PaymentEvent, problem: Exception | None) -> None:
    """Note what an event's gateway said of it: it is so, wrong, not known yet, or no answer."""
    match problem:
        case None:
            event.confirmed_at = event.next_attempt_at = timezone.now()
            event.reason = ""
            event.save(update_fields=["confirmed_at", "next_attempt_at", "reason"])
        case Unavailable():
            event.reason = str(problem)
            event.next_attempt_at = timezone.now() + confirming.UNAVAILABLE_DELAY
            event.save(update_fields=["next_attempt_at", "reason"])
        case _:
            _fail(event, str(problem), final=not isinstance(problem, NotKnownYet))


def _is_conflict(error: OperationalError) -> bool:
    return getattr(error.__cause__, "pgcode", None) in _CONFLICTS


def _is_events_fault(error: OperationalError) -> bool:
    """Whether the database works, and a limit of it was passed by what the event says."""
    return str(getattr(error.__cause__, "pgcode", None)).startswith(_LIMITS_CLASS)
