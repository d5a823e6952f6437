"""How often each type of event was seen."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from billing.models import Gateway, PaymentEvent
from billing.queries.lists import COUNT_LIMIT
from billing.queries.reads import Read, Sql

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
            SELECT FROM billing_paymentevent WHERE event_type = type LIMIT %s
        ) AS counted)
    FROM unnest(%s::text[]) AS types (type)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """``count`` is exact up to the limit of the question, and one more for any number above."""

    last_at: datetime | None
    count: int


def seen(types: Collection[str], limit: int = COUNT_LIMIT) -> Read[dict[str, Seen]]:
    params = (PaymentEvent.State.values, Gateway.values, limit + 1, list(types))
    return Read(
        lambda rows: {name: Seen(last_at, count) for name, last_at, count in rows},
        Sql(SEEN, params, columns=3),
    )
