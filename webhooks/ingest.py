"""A gateway's post becomes a row of the inbox: cap, verify, record, answer.

Nothing else may fail it. What is recorded is ours to apply; what is not authentic leaves nothing
but a count.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from billing.models import PaymentEvent
from webhooks.gateways.base import (
    Envelope,
    Gateway,
    Unauthentic,
    Unavailable,
    Unreadable,
    Verified,
    _,
)
from webhooks.inbox import Recorded, Row, inbox, store

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway is told. It tries again later unless the status is 200."""

    status: HTTPStatus
    result: str


class Refused(Exception):
    """A post that is not stored. ``reason`` has nothing of it, for it is counted and logged."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def receive(gateway: Gateway, headers: Mapping[str, str], body: bytes) -> Answer:
    """Record an authentic post, whatever is in it; count any other."""
    try:
        row = _read(gateway, headers, body)
        return _answer(row, store(row))
    except Refused as refused:
        return refuse(gateway.name, refused)
    except DatabaseError as error:
        return _not_stored(gateway.name, error)


async def receive_in_company(gateway: Gateway, headers: Mapping[str, str], body: bytes) -> Answer:
    """As `receive`, in the event loop of a web server: with the posts that arrive meanwhile."""
    try:
        if gateway.verify_waits:
            row = await asyncio.to_thread(_read, gateway, headers, body)
        else:
            row = _read(gateway, headers, body)
        return _answer(row, await inbox.record(row))
    except Refused as refused:
        return await asyncio.to_thread(refuse, gateway.name, refused)
    except DatabaseError as error:
        return _not_stored(gateway.name, error)


def refuse(gateway_name: str, refused: Refused) -> Answer:
    """Count a post that is not stored, and log one line that has nothing of its body."""
    logger.warning("%s post refused with %d: %s", gateway_name, refused.status, refused.reason)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    try:
        with connection.cursor() as cursor:
            cursor.execute(COUNT_REFUSAL, [gateway_name, hour, refused.reason])
    except DatabaseError:
        connection.close()
    return Answer(refused.status, refused.reason)


def _read(gateway: Gateway, headers: Mapping[str, str], body: bytes) -> Row:
    """Verify a post, and make the row that is to be stored. Raises `Refused`."""
    if not gateway.configured:
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, _("not configured"))
    now = timezone.now()
    try:
        verified = gateway.verify(headers, body, now)
    except Unauthentic as error:
        raise Refused(HTTPStatus.BAD_REQUEST, error.reason) from None
    except Unavailable as error:
        logger.error("%s post cannot be verified: %s", gateway.name, error)
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, _("cannot be verified now")) from None
    return _row(gateway, verified, body, now)


def _row(gateway: Gateway, verified: Verified, body: bytes, now: datetime) -> Row:
    digest = hashlib.sha256(body)
    state, reason = PaymentEvent.State.WAITING, ""
    try:
        envelope = gateway.envelope(body)
    except Unreadable as error:
        # Trying again would not help the gateway: a person has to look.
        state, reason = PaymentEvent.State.UNREADABLE, str(error)
        envelope = Envelope(event_id=f"sha256:{digest.hexdigest()}", event_type="")
        logger.error("%s post is authentic and no event: %s", gateway.name, reason)
    return Row(
        gateway=gateway.name,
        event_id=envelope.event_id,
        event_type=envelope.event_type,
        api_version=envelope.api_version,
        livemode=envelope.livemode,
        occurred_at=envelope.occurred_at,
        received_at=now,
        verified_with=verified.verified_with,
        body=body,
        body_sha256=digest.digest(),
        state=state.value,
        reason=reason,
        next_attempt_at=now if state == PaymentEvent.State.WAITING else None,
        transmission_id=verified.transmission_id,
    )


def _answer(row: Row, recorded: Recorded | None) -> Answer:
    if recorded is None:
        logger.error("ALERT: %s transmission id was used with two bodies", row.gateway)
        raise Refused(HTTPStatus.BAD_REQUEST, _("transmission id used before"))
    if not recorded.same_body:
        logger.warning("%s event came again with another body: the first is kept", row.gateway)
    if row.state == PaymentEvent.State.UNREADABLE:
        return Answer(HTTPStatus.OK, "unreadable")
    return Answer(HTTPStatus.OK, "recorded" if recorded.deliveries == 1 else "known")


def _not_stored(gateway_name: str, error: DatabaseError) -> Answer:
    logger.error("%s post cannot be stored: %s", gateway_name, type(error).__name__)
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "cannot be stored now")


COUNT_REFUSAL = """
    INSERT INTO billing_refusal AS refusal (gateway, hour, reason, count) VALUES (%s, %s, %s, 1)
    ON CONFLICT (gateway, hour, reason) DO UPDATE SET count = refusal.count + 1
"""
