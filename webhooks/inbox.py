"""Writes posts into the inbox, those that arrive together in one statement and one commit.

A commit waits for the disk, and a statement for the database's answer, whether for one row or for
thirty. So there is one writer in a web process: rows that come while it writes wait, and go with
its next statement, together. While rows come in company, it also waits a moment where there are
few; a row that comes alone is written at once. Everyone is answered after the commit that holds the
own row.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakSet

import orjson
from django.db import Error as DatabaseError
from django.db import connection

logger = logging.getLogger(__name__)

# The worker listens here.
CHANNEL = "payment_events"
#: Enough to share the cost of a commit; a larger group would only make its first row wait longer.
GROUP_SIZE = 64
#: How many are worth a statement while rows come in company, and how long to wait for them, in
#: seconds. Fewer statements leave more of the processor to the worker.
FEW, MOMENT = 4, 0.005


@dataclass(frozen=True, slots=True)
class Row:
    """One authentic post. ``transmission_id`` is bound to the first body that comes with it."""

    gateway: str
    event_id: str
    event_type: str
    api_version: str
    livemode: bool | None
    occurred_at: datetime | None
    received_at: datetime
    verified_with: str
    body: bytes
    body_sha256: bytes
    state: str
    reason: str
    next_attempt_at: datetime | None
    transmission_id: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What stands: how often the event was delivered, and whether always with this body."""

    deliveries: int
    same_body: bool


#: What became of a row. None: its transmission id has another body.
Outcome = Recorded | Exception | None


@dataclass(slots=True, eq=False)
class _Post:
    """A row on its way, and who waits for it."""

    row: Row
    outcome: asyncio.Future[Outcome]


class Inbox:
    """Groups the rows that come in the event loop of this process."""

    def __init__(self) -> None:
        self._waiting: list[_Post] = []
        self._in_company = False
        self._writing: asyncio.Task[None] | None = None
        # A thread, for it waits for the database; one, for it has a connection.
        self._writer = ThreadPoolExecutor(1, "inbox")

    async def record(self, row: Row) -> Recorded | None:
        """Store a row and return what stands, or None if its transmission id has another body.

        Raises the database's error if the row is not stored.
        """
        post = _Post(row, asyncio.get_running_loop().create_future())
        self._waiting.append(post)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return _result(await post.outcome)

    async def _write(self) -> None:
        """Write group after group, until nobody waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            if self._in_company and len(self._waiting) < FEW:
                await asyncio.sleep(MOMENT)
            group = self._take()
            self._in_company = len(group) > 1
            rows = [post.row for post in group]
            try:
                outcomes = await loop.run_in_executor(self._writer, _store, rows)
            except Exception as error:
                # Not a fault of the database: nobody may wait for ever.
                outcomes = [error] * len(group)
            for post, outcome in zip(group, outcomes, strict=True):
                # Whoever waited may have been cancelled.
                if not post.outcome.done():
                    post.outcome.set_result(outcome)
        self._writing = None

    def _take(self) -> list[_Post]:
        """The first rows that wait. One statement can meet an event or a transmission only once."""
        taken: list[_Post] = []
        left: list[_Post] = []
        met: set[tuple[str, str, str]] = set()
        for post in self._waiting:
            row = post.row
            keys = {(row.gateway, "event", row.event_id)}
            if row.transmission_id is not None:
                keys.add((row.gateway, "transmission", row.transmission_id))
            if len(taken) == GROUP_SIZE or keys & met:
                left.append(post)
            else:
                taken.append(post)
                met |= keys
        self._waiting = left
        return taken


inbox = Inbox()


def store(row: Row) -> Recorded | None:
    """As `Inbox.record`, alone and in this thread."""
    [outcome] = _store([row])
    return _result(outcome)


def _result(outcome: Outcome) -> Recorded | None:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


# The connections that have the statement.
_prepared: WeakSet[Any] = WeakSet()


def _store(rows: Sequence[Row]) -> list[Outcome]:
    """Store rows; what the database refuses is tried row by row: a bad row fails alone."""
    kept = connection.connection is not None
    try:
        found = _insert(rows)
    except DatabaseError as error:
        # The next statement shall have a connection that works.
        connection.close()
        answered = getattr(error.__cause__, "pgcode", None) is not None
        if not answered and kept:
            # The connection was dead, or died: the database may be there all the same.
            return _store(rows)
        if answered and len(rows) > 1:
            logger.warning("%d posts are stored one by one: %s", len(rows), error)
            return [outcome for row in rows for outcome in _store([row])]
        return [error] * len(rows)
    return [found.get((row.gateway, row.event_id)) for row in rows]


def _insert(rows: Sequence[Row]) -> dict[tuple[str, str], Recorded]:
    # In the order of their keys, so that groups of two processes that share rows cannot deadlock.
    rows = sorted(rows, key=lambda row: (row.gateway, row.event_id))
    given = [{name: getattr(row, name) for name in GIVEN} for row in rows]
    described = orjson.dumps(given, default=_hex).decode()
    contents = [_literal(row.body) for row in rows]
    with connection.cursor() as cursor:
        if connection.connection not in _prepared:
            cursor.execute(PREPARE)
            _prepared.add(connection.connection)
        cursor.execute(EXECUTE, [described, contents, rows[0].received_at, CHANNEL])
        bodies = {(row.gateway, row.event_id): row.body_sha256 for row in rows}
        return {
            (gateway, event_id): Recorded(
                deliveries, bytes(body_sha256) == bodies[gateway, event_id]
            )
            for gateway, event_id, deliveries, body_sha256, _ in cursor.fetchall()
        }


def _literal(body: bytes) -> str | bytes:
    """``body`` as PostgreSQL reads it fastest: as it is if it is ASCII, else as hexadecimal.

    Other text would be converted to the encoding of the database.
    """
    if body.isascii() and b"\0" not in body:
        return body.decode().replace("\\", "\\\\")
    return body


def _hex(value: bytes) -> str:
    return rf"\x{value.hex()}"


# What of a row goes as JSON: one literal is read faster than one for each value.
GIVEN = [name for name in Row.__slots__ if name != "body"]
# Prepared, for planning it took a third of the time that the database needs for a post.
#
# The first body of a transmission id is the only one. The update that changes nothing makes a
# concurrent post wait for the first, and returns what the first left.
#
# A new event calls the worker when this commits, unless others came due just before: then it is
# awake, and works until none is left. Calls make commits queue up: one each was measured to cost
# half the speed. With two bounds PostgreSQL looks into the index, right there: with one it read the
# table, or all that the index still had of what was applied since the last VACUUM.
PREPARE = """
    PREPARE record_posts (json, bytea[], timestamptz, text) AS
    WITH given AS MATERIALIZED (
        SELECT row.*, row.unnest AS body FROM ROWS FROM (
            json_to_recordset($1) AS (
                gateway text, event_id text, event_type text, api_version text, livemode boolean,
                occurred_at timestamptz, received_at timestamptz, verified_with text,
                body_sha256 bytea, state text, reason text, next_attempt_at timestamptz,
                transmission_id text
            ),
            unnest($2)
        ) AS row
    ),
    bound AS (
        INSERT INTO billing_transmission AS known (
            gateway, transmission_id, body_sha256, received_at
        )
        SELECT gateway, transmission_id, body_sha256, received_at FROM given
        WHERE transmission_id IS NOT NULL ORDER BY gateway, transmission_id
        ON CONFLICT (gateway, transmission_id) DO UPDATE SET body_sha256 = known.body_sha256
        RETURNING gateway, transmission_id, body_sha256
    ),
    recorded AS (
        INSERT INTO billing_paymentevent AS event (
            gateway, event_id, event_type, api_version, livemode, occurred_at,
            received_at, last_received_at, deliveries, conflicting_deliveries,
            verified_with, body, body_sha256, state, reason, attempts, next_attempt_at
        )
        SELECT
            gateway, event_id, event_type, api_version, livemode, occurred_at,
            received_at, received_at, 1, 0,
            verified_with, body, body_sha256, state, reason, 0, next_attempt_at
        FROM given
        WHERE transmission_id IS NULL
            OR (gateway, transmission_id, body_sha256) IN (SELECT * FROM bound)
        ON CONFLICT (gateway, event_id) DO UPDATE SET
            deliveries = event.deliveries + 1,
            last_received_at = excluded.last_received_at,
            conflicting_deliveries = event.conflicting_deliveries
                + (event.body_sha256 <> excluded.body_sha256)::int
        RETURNING gateway, event_id, deliveries, body_sha256, state
    ),
    call AS MATERIALIZED (
        SELECT NOT EXISTS (
            SELECT FROM billing_paymentevent
            WHERE next_attempt_at BETWEEN $3 - interval '1 second' AND $3
        ) AS needed
    )
    SELECT gateway, event_id, deliveries, body_sha256, CASE
        WHEN state = 'waiting' AND (SELECT needed FROM call) THEN pg_notify($4, '')
    END
    FROM recorded
"""
EXECUTE = "EXECUTE record_posts (%s, %s::bytea[], %s, %s)"
