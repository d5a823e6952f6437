"""How often each type of event was seen."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from billing.models import Gateway, PaymentEvent
from billing.queries.lists import COUNT_LIMIT
from billing.queries.reads import Read, Row, Sql

# A few steps into the index of types for each, however many events there are.
SEEN = """
    SELECT type,
        (SELECT max(received_at) FROM unnest(%s::text[]) AS states (one),
            unnest(%s::text[]) AS gateways (name), LATERAL (
                SELECT received_at FROM billing_paymentevent
                WHERE event_type = type AND state = one AND gateway = name
                ORDER BY received_at DESC, id DESC LIMIT 1
            ) AS newest),
        (SELECT count(*) FROM (
            SELECT FROM billing_paymentevent WHERE event_type = type LIMIT most
        ) AS counted)
    FROM unnest(%s::text[], %s::int[]) AS types (type, most)
"""

# Types of which there are more than are counted: no event is ever deleted, so that it stays so.
# To count ten thousand of each again would take longer than all else on the page.
_many: set[str] = set()


@dataclass(frozen=True, slots=True)
class Seen:
    """``count`` is exact up to the limit of the question, and one more for any number above."""

    last_at: datetime | None
    count: int


def seen(types: Collection[str], limit: int = COUNT_LIMIT) -> Read[dict[str, Seen]]:
    """``limit``: where counting stops."""
    limits = [0 if name in _many else limit + 1 for name in types]
    params = (PaymentEvent.State.values, Gateway.values, list(types), limits)

    def of_each(rows: Iterable[Row]) -> dict[str, Seen]:
        counts = {name: (last_at, count) for name, last_at, count in rows}
        _many.update(name for name, (_at, count) in counts.items() if count > COUNT_LIMIT)
        return {
            name: Seen(last_at, limit + 1 if name in _many else count)
            for name, (last_at, count) in counts.items()
        }

    return Read(of_each, Sql(SEEN, params, columns=3))
