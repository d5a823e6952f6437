"""How often each type of event was seen."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from billing.queries.lists import COUNT_LIMIT

# One step into the index of types for each, however many events there are.
SEEN = """
    SELECT type,
        (SELECT received_at FROM billing_paymentevent WHERE event_type = type
            ORDER BY received_at DESC, id DESC LIMIT 1),
        (SELECT count(*) FROM (
            SELECT FROM billing_paymentevent WHERE event_type = type LIMIT %s
        ) AS counted)
    FROM unnest(%s::text[]) AS types (type)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """``count`` is exact up to `COUNT_LIMIT`, and one more for any number above."""

    last_at: datetime | None
    count: int


def seen(types: Collection[str]) -> dict[str, Seen]:
    with connection.cursor() as cursor:
        cursor.execute(SEEN, [COUNT_LIMIT + 1, list(types)])
        return {name: Seen(last_at, count) for name, last_at, count in cursor.fetchall()}
