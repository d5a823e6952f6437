"""Puts events into the inbox and applies them, in this process."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from billing.models import PaymentEvent
from webhooks import processing
from webhooks.registry import gateways


def gateway_of(payload: dict[str, Any]) -> str:
    return "paypal" if "event_type" in payload else "stripe"


def record(*payloads: dict[str, Any]) -> list[PaymentEvent]:
    """Events as `webhooks.ingest` leaves them, waiting, in the order given."""
    return PaymentEvent.objects.bulk_create(_row(payload) for payload in payloads)


def apply(events: Iterable[PaymentEvent]) -> None:
    """Apply events of the inbox as one batch, as they stand in the database now."""
    pks = [event.pk for event in events]
    fresh = PaymentEvent.objects.in_bulk(pks)
    processing.apply([fresh[pk] for pk in pks])


def arrive(*payloads: dict[str, Any]) -> list[PaymentEvent]:
    """Record events and apply each on its own, in the order given; as they stand afterwards."""
    events = record(*payloads)
    for event in events:
        apply([event])
    return again(events)


def again(events: Sequence[PaymentEvent]) -> list[PaymentEvent]:
    """The same events, as they stand in the database now."""
    fresh = PaymentEvent.objects.select_related("tenant").in_bulk([event.pk for event in events])
    return [fresh[event.pk] for event in events]


def _row(payload: dict[str, Any]) -> PaymentEvent:
    gateway = gateway_of(payload)
    body = json.dumps(payload).encode()
    envelope = gateways()[gateway].envelope(body)
    return PaymentEvent(
        gateway=gateway,
        event_id=envelope.event_id,
        event_type=envelope.event_type,
        api_version=envelope.api_version,
        livemode=envelope.livemode,
        occurred_at=envelope.occurred_at,
        body=body,
        body_sha256=hashlib.sha256(body).digest(),
    )
