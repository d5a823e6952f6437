"""A backlog for the worker: the demo's story again and again, each time of other people.

Ids and tenants of each copy have names of their own. All happens in one order of time, as gateways
would post it. For `manage.py shell`, for it needs Django.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from billing.models import PaymentEvent
from webhooks.demo.post import Post
from webhooks.demo.story import COMPANIES, story
from webhooks.registry import gateways

#: Always the same bodies. The story ends here.
NOW = datetime(2026, 6, 1, tzinfo=UTC)
#: Each copy is told so much later than the one before, but all within a week.
LATER, WEEK = timedelta(hours=61, seconds=7), timedelta(days=7)
# The digits of an id of the demo, and the names of its tenants.
_NAMES = re.compile(
    "|".join(["[0-9a-f]{17}", "[0-9A-F]{13}(?:[0-9A-F]{4})?", *(one.key for one in COMPANIES)])
)


def posts(events: int) -> Iterator[tuple[str, bytes]]:
    """Gateways and bodies of whole lives, at least as many as ``events``."""
    lives = story(NOW)
    told = [(copy, post) for copy in range(-(-events // len(lives))) for post in lives]
    for copy, post in sorted(told, key=lambda it: it[1].occurred_at + it[0] * LATER % WEEK):
        yield post.gateway, _of_copy(post, copy)


def _of_copy(post: Post, copy: int) -> bytes:
    return _NAMES.sub(lambda name: f"{name[0]}-{copy}", post.body.decode()).encode()


def fill(events: int) -> None:
    """Write it into the inbox, waiting."""
    known = gateways()
    rows = []
    for gateway, body in posts(events):
        envelope = known[gateway].envelope(body)
        rows.append(
            PaymentEvent(
                gateway=gateway,
                event_id=envelope.event_id,
                event_type=envelope.event_type,
                api_version=envelope.api_version,
                livemode=envelope.livemode,
                occurred_at=envelope.occurred_at,
                body=body,
                body_sha256=hashlib.sha256(body).digest(),
            )
        )
    PaymentEvent.objects.bulk_create(rows, batch_size=1000)
