"""Reads events back from their gateway before they are applied, where the gateway calls for it.

Done between transactions: asking takes long, and must not hold rows. An event is leased meanwhile,
so that another worker leaves it alone, and takes it up again should this one die.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from billing.facts import Reading
from billing.models import PaymentEvent
from webhooks.gateways.base import NotKnownYet, PayloadError, ReadBack, Unavailable
from webhooks.registry import gateways

#: An event, what it says, and whom to ask.
Question = tuple[PaymentEvent, Reading, ReadBack]

LEASE = timedelta(minutes=5)
#: After the gateway's API did not answer. It is not the event's fault: no attempt is counted.
UNAVAILABLE_DELAY = timedelta(seconds=30)
PARALLEL_REQUESTS = 8


def read_back_of(event: PaymentEvent, reading: Reading) -> ReadBack | None:
    """Who to ask about an event before it is applied; nobody if it needs no confirmation."""
    read_back = gateways()[event.gateway].read_back
    if read_back is None or event.confirmed_at is not None or not read_back.needed(reading):
        return None
    return read_back


def lease(events: Sequence[PaymentEvent]) -> None:
    """Keep events, which must be locked, from other workers while their gateway is asked."""
    PaymentEvent.objects.filter(pk__in=[event.pk for event in events]).update(
        next_attempt_at=timezone.now() + LEASE
    )


def ask(questions: Sequence[Question]) -> Iterator[tuple[PaymentEvent, Exception | None]]:
    """Ask about leased events, several at a time: each with what is wrong, or None if it is so.

    Once the API does not answer, the rest are not asked.
    """
    if not questions:
        return
    down: list[Unavailable] = []

    def one(event: PaymentEvent, reading: Reading, read_back: ReadBack) -> Exception | None:
        if down:
            return down[0]
        try:
            fetched = gateways()[event.gateway].read(read_back.fetch(event.event_id))
        except Unavailable as error:
            down.append(error)
            return error
        except (NotKnownYet, PayloadError) as error:
            return error
        if fetched == reading:
            return None
        return PayloadError("; ".join(differences(reading, fetched))[:1000])

    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        answers = pool.map(lambda question: one(*question), questions)
        for (event, _, _), answer in zip(questions, answers, strict=True):
            yield event, answer


def differences(delivered: Any, fetched: Any, path: str = "") -> Iterator[str]:
    """What differs between two readings, with both values, in the words of the facts."""
    if is_dataclass(delivered) and type(delivered) is type(fetched):
        for field in fields(delivered):
            name = f"{path}.{field.name}" if path else field.name
            yield from differences(
                getattr(delivered, field.name), getattr(fetched, field.name), name
            )
    elif isinstance(delivered, tuple) and isinstance(fetched, tuple):
        if len(delivered) != len(fetched):
            yield f"delivered {len(delivered)} facts, the gateway has {len(fetched)}"
        for one, other in zip(delivered, fetched, strict=False):
            yield from differences(one, other, type(one).__name__)
    elif delivered != fetched:
        yield f"{path}: delivered {delivered}, the gateway has {fetched}"
