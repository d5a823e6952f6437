"""Reads the envelope out of an authentic body, whatever the body may be."""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson

from webhooks.gateways import values
from webhooks.gateways.base import PayloadError, Unreadable, _

# What ids, types and versions of both gateways are made of. Printable ASCII also keeps NUL, half
# surrogates and line breaks out of the database and of the logs. Longer ones are never cut.
LABEL = re.compile(r"[\x21-\x7e]{1,255}")
# Times outside are mistakes, and some would overflow in another time zone.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``. Raises `Unreadable` if there is none.

    ``NaN`` and ``Infinity`` are not JSON; numbers too long and nesting too deep are not read.
    """
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        # It may only be stricter than the standard, which allows half surrogates.
        event = _parse_slowly(body)
    if not isinstance(event, dict):
        raise Unreadable(_("not a JSON object"))
    return event


def _parse_slowly(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise Unreadable(_("JSON nested too deep")) from None
    except ValueError:
        raise Unreadable(_("not JSON")) from None


def identifier(event: dict[str, Any], key: str) -> str:
    """The event's id or type. Raises `Unreadable` if it cannot be one."""
    value = event.get(key)
    if not isinstance(value, str) or not LABEL.fullmatch(value):
        raise Unreadable(f"{key} is missing or not 1 to 255 printable ASCII characters")
    return value


def label(event: dict[str, Any], key: str) -> str:
    """An optional word of the envelope; empty where there is none that can be kept."""
    value = event.get(key)
    return value if isinstance(value, str) and LABEL.fullmatch(value) else ""


def moment(event: dict[str, Any], key: str) -> datetime | None:
    """The gateway's own time, in seconds since 1970 or ISO 8601; ``None`` if it cannot be read."""
    read = values.iso_time if isinstance(event.get(key), str) else values.epoch
    try:
        at = read(event, key)
    except PayloadError:
        return None
    return at if at is not None and EARLIEST <= at < LATEST else None


def fingerprint(secret: str) -> str:
    """Names a secret without giving it away."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
