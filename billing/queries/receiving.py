"""What came from each gateway lately, and what was refused."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Sum

from billing.models import Gateway, PaymentEvent, Refusal
from billing.queries.reads import Read, Row, Sql

#: API versions are those of so many of a gateway's newest events: an index of all of them would
#: cost every insert, to say what was in use years ago.
NEWEST = 1_000
REFUSED_WITHIN = timedelta(hours=24)

RECEIVED = """
    SELECT gateway, api_version, max(received_at) AS last_at
    FROM unnest(%s::text[]) AS gateways (name), LATERAL (
        SELECT gateway, api_version, received_at FROM billing_paymentevent
        WHERE gateway = name ORDER BY received_at DESC, id DESC LIMIT %s
    ) AS newest
    GROUP BY gateway, api_version
    ORDER BY last_at DESC, api_version DESC
"""


@dataclass(slots=True)
class Received:
    """Of one gateway. ``versions``: what its newest events were written in, the latest first."""

    last_at: datetime | None = None
    versions: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Refused:
    """Posts that were not stored, for one ``reason``."""

    reason: str
    count: int


def received() -> Read[dict[str, Received]]:
    """By gateway."""

    def of_each(rows: Iterable[Row]) -> dict[str, Received]:
        by_gateway: dict[str, Received] = defaultdict(Received)
        for gateway, version, last_at in rows:
            of = by_gateway[gateway]
            of.last_at = of.last_at or last_at
            if version:
                of.versions.append(version)
        return by_gateway

    return Read(of_each, Sql(RECEIVED, [Gateway.values, NEWEST], columns=3))


def refused(now: datetime) -> Read[dict[str, list[Refused]]]:
    """By gateway, in the hours that began within the last 24."""

    def of_each(rows: Iterable[Row]) -> dict[str, list[Refused]]:
        by_gateway: dict[str, list[Refused]] = defaultdict(list)
        for gateway, reason, total in rows:
            by_gateway[gateway].append(Refused(reason, total))
        return by_gateway

    return Read(
        of_each,
        Refusal.objects.filter(gateway__in=Gateway.values, hour__gt=now - REFUSED_WITHIN)
        .values_list("gateway", "reason")
        .annotate(total=Sum("count"))
        .order_by("-total", "reason"),
    )


def event_of(gateway: str, event_id: str) -> PaymentEvent | None:
    return (
        PaymentEvent.objects.filter(gateway=gateway, event_id=event_id)
        .only("gateway", "event_id", "state")
        .first()
    )
