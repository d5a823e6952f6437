"""A gateway's post becomes a row of the inbox: cap, verify, record, answer.

Nothing else may fail it. What is recorded is ours to apply; what is not authentic leaves nothing
but a count.
"""

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

logger = logging.getLogger(__name__)

# The worker listens here.
CHANNEL = "payment_events"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway is told. It tries again later unless the status is 200."""

    status: HTTPStatus
    result: str


def receive(gateway: Gateway, headers: Mapping[str, str], body: bytes) -> Answer:
    """Record an authentic post, whatever is in it; count any other."""
    if not gateway.configured:
        return refuse(gateway.name, HTTPStatus.SERVICE_UNAVAILABLE, _("not configured"))
    now = timezone.now()
    try:
        verified = gateway.verify(headers, body, now)
    except Unauthentic as error:
        return refuse(gateway.name, HTTPStatus.BAD_REQUEST, error.reason)
    except Unavailable as error:
        logger.error("%s post cannot be verified: %s", gateway.name, error)
        return refuse(gateway.name, HTTPStatus.SERVICE_UNAVAILABLE, _("cannot be verified now"))
    try:
        return _record(gateway, verified, body, now)
    except DatabaseError as error:
        # The next request shall have a connection that works.
        connection.close()
        logger.error("%s post cannot be stored: %s", gateway.name, type(error).__name__)
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "cannot be stored now")


def refuse(gateway_name: str, status: HTTPStatus, reason: str) -> Answer:
    """Count a post that is not stored, and log one line that has nothing of its body."""
    logger.warning("%s post refused with %d: %s", gateway_name, status, reason)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    try:
        with connection.cursor() as cursor:
            cursor.execute(COUNT_REFUSAL, [gateway_name, hour, reason])
    except DatabaseError:
        connection.close()
    return Answer(status, reason)


def _record(gateway: Gateway, verified: Verified, body: bytes, now: datetime) -> Answer:
    """One statement: the row, its delivery count, the transmission's body and the worker's call."""
    digest = hashlib.sha256(body)
    state, reason = PaymentEvent.State.WAITING, ""
    try:
        envelope = gateway.envelope(body)
    except Unreadable as error:
        # Trying again would not help the gateway: a person has to look.
        state, reason = PaymentEvent.State.UNREADABLE, str(error)
        envelope = Envelope(event_id=f"sha256:{digest.hexdigest()}", event_type="")
        logger.error("%s post is authentic and no event: %s", gateway.name, reason)
    parameters = {
        "gateway": gateway.name,
        "event_id": envelope.event_id,
        "event_type": envelope.event_type,
        "api_version": envelope.api_version,
        "livemode": envelope.livemode,
        "occurred_at": envelope.occurred_at,
        "now": now,
        "verified_with": verified.verified_with,
        "body": body,
        "body_sha256": digest.digest(),
        "state": state.value,
        "reason": reason,
        "next_attempt_at": now if state == PaymentEvent.State.WAITING else None,
        "transmission_id": verified.transmission_id,
        "channel": CHANNEL,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECORD if verified.transmission_id is None else RECORD_BOUND, parameters)
        row = cursor.fetchone()
    if row is None:
        logger.error("ALERT: %s transmission id was used with two bodies", gateway.name)
        return refuse(gateway.name, HTTPStatus.BAD_REQUEST, _("transmission id used before"))
    deliveries, same_body, _state = row
    if not same_body:
        logger.warning("%s event came again with another body: the first is kept", gateway.name)
    if state == PaymentEvent.State.UNREADABLE:
        return Answer(HTTPStatus.OK, "unreadable")
    return Answer(HTTPStatus.OK, "recorded" if deliveries == 1 else "known")


_INSERT = """
    INSERT INTO billing_paymentevent AS event (
        gateway, event_id, event_type, api_version, livemode, occurred_at,
        received_at, last_received_at, deliveries, conflicting_deliveries,
        verified_with, body, body_sha256, state, reason, attempts, next_attempt_at
    )
    SELECT
        %(gateway)s, %(event_id)s, %(event_type)s, %(api_version)s, %(livemode)s::boolean,
        %(occurred_at)s::timestamptz, %(now)s, %(now)s, 1, 0, %(verified_with)s,
        %(body)s::bytea, %(body_sha256)s::bytea, %(state)s, %(reason)s, 0,
        %(next_attempt_at)s::timestamptz
    {condition}
    ON CONFLICT (gateway, event_id) DO UPDATE SET
        deliveries = event.deliveries + 1,
        last_received_at = excluded.last_received_at,
        conflicting_deliveries = event.conflicting_deliveries
            + (event.body_sha256 <> excluded.body_sha256)::int
    RETURNING deliveries, body_sha256 = %(body_sha256)s AS same_body, state
"""

# A new event calls the worker when this commits, unless others are due: then it is awake, and works
# until none is left. Calls make commits queue up: one each was measured to cost half the speed.
_CALL_WORKER = """
    SELECT deliveries, same_body, CASE
        WHEN state = 'waiting' AND NOT EXISTS (
            SELECT FROM billing_paymentevent WHERE next_attempt_at <= %(now)s
        )
        THEN pg_notify(%(channel)s, '')
    END
    FROM recorded
"""

RECORD = f"WITH recorded AS ({_INSERT.format(condition='')}) {_CALL_WORKER}"

# The first body of a transmission id is the only one. The update that changes nothing makes
# a concurrent post wait for the first, and returns what the first left.
RECORD_BOUND = f"""
    WITH transmission AS (
        INSERT INTO billing_transmission AS known (
            gateway, transmission_id, body_sha256, received_at
        )
        VALUES (%(gateway)s, %(transmission_id)s, %(body_sha256)s, %(now)s)
        ON CONFLICT (gateway, transmission_id) DO UPDATE SET body_sha256 = known.body_sha256
        RETURNING body_sha256 = %(body_sha256)s AS same_body
    ),
    recorded AS ({_INSERT.format(condition="FROM transmission WHERE same_body")})
    {_CALL_WORKER}
"""

COUNT_REFUSAL = """
    INSERT INTO billing_refusal AS refusal (gateway, hour, reason, count) VALUES (%s, %s, %s, 1)
    ON CONFLICT (gateway, hour, reason) DO UPDATE SET count = refusal.count + 1
"""
