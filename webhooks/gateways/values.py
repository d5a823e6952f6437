"""Reads values out of a payload, each of the type that it must have.

A missing value is ``None``. A value of another type raises `PayloadError` that names the field: an
amount that is a float, a bool or a string is never guessed at.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing.money import Money
from webhooks.gateways.base import PayloadError
from webhooks.gateways.currencies import PAYPAL_EXPONENTS, STRIPE_EXPONENTS

Payload = dict[str, Any]

MAX_BIGINT = 2**63 - 1
# Ids are never cut; a longer one is refused.
MAX_REF_LENGTH = 255
# PostgreSQL's text holds neither NUL nor half of a surrogate pair.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# ASCII digits only: Decimal itself also takes "1e3", "1_000", "NaN" and other scripts' digits.
PAYPAL_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,4})?", re.ASCII)


def text(payload: Payload, key: str) -> str | None:
    """A string, made storable; an empty one counts as missing."""
    value = payload.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise PayloadError(f"{key} is not text")
    return UNSTORABLE.sub("\ufffd", value) or None


def label(payload: Payload, key: str) -> str | None:
    """A short string, which an index can hold: a number, a key."""
    found = text(payload, key)
    if found is not None and len(found) > MAX_REF_LENGTH:
        raise PayloadError(f"{key} is longer than {MAX_REF_LENGTH} characters")
    return found


def ref(payload: Payload, key: str) -> str | None:
    """The id of an object; where the gateway expanded the object, the id inside."""
    value = payload.get(key)
    return ref(value, "id") if isinstance(value, dict) else label(payload, key)


def required_ref(payload: Payload, key: str = "id") -> str:
    found = ref(payload, key)
    if found is None:
        raise PayloadError(f"{key} is missing")
    return found


def table(payload: Payload, *path: str) -> Payload:
    """The object at a path of keys; an empty one where any part of it is missing."""
    for key in path:
        value = payload.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise PayloadError(f"{key} is not an object")
        payload = value
    return payload


def rows(payload: Payload, key: str) -> list[Payload]:
    """A list of objects, plain or wrapped as ``{"data": […]}``; an empty one where missing."""
    value = payload.get(key)
    if isinstance(value, dict):
        value = value.get("data")
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise PayloadError(f"{key} is not a list of objects")
    return value


def integer(payload: Payload, key: str) -> int | None:
    """A whole number that a bigint holds. ``True`` is not a number here, nor is ``1.0``."""
    value = payload.get(key)
    if value is None:
        return None
    if type(value) is not int:
        raise PayloadError(f"{key} is not a whole number")
    if abs(value) > MAX_BIGINT:
        raise PayloadError(f"{key} is out of range")
    return value


def total(payloads: Iterable[Payload], key: str) -> int:
    """The sum of a whole number over many objects, of which each may lack it."""
    found = sum(integer(payload, key) or 0 for payload in payloads)
    if abs(found) > MAX_BIGINT:
        raise PayloadError(f"the sum of {key} is out of range")
    return found


def epoch(payload: Payload, key: str) -> datetime | None:
    """Stripe's times: whole seconds since 1970."""
    seconds = integer(payload, key)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise PayloadError(f"{key} is out of range") from None


def required_epoch(payload: Payload, *keys: str) -> datetime:
    """The first of several times that is there; what a thing was called may have changed."""
    for key in keys:
        if (found := epoch(payload, key)) is not None:
            return found
    raise PayloadError(f"{keys[0]} is missing")


def iso_time(payload: Payload, key: str) -> datetime | None:
    """PayPal's times: ISO 8601. One that cannot be read counts as missing.

    PayPal's own simulator sends a month 19, and no money depends on these.
    """
    value = text(payload, key)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def stripe_currency(payload: Payload) -> str:
    currency = (text(payload, "currency") or "").upper()
    if currency not in STRIPE_EXPONENTS:
        raise PayloadError(f"currency {currency[:8]!r} is not one that Stripe documents")
    return currency


def stripe_money(payload: Payload, key: str, *, signed: bool = False) -> Money:
    """An amount in Stripe's minor units, in the payload's currency.

    https://docs.stripe.com/currencies
    """
    minor = integer(payload, key)
    if minor is None:
        raise PayloadError(f"{key} is missing")
    if minor < 0 and not signed:
        raise PayloadError(f"{key} is negative")
    currency = stripe_currency(payload)
    return Money(minor, currency, STRIPE_EXPONENTS[currency])


def paypal_money(payload: Payload, key: str, *, signed: bool = False) -> Money:
    """An amount of PayPal: v1 ``{"total", "currency"}`` or v2 ``{"value", "currency_code"}``.

    PayPal has sent more decimals than the currency has ("822.0160" CZK): they are rounded half up.
    https://developer.paypal.com/api/rest/reference/currency-codes/
    """
    amount = table(payload, key)
    if not amount:
        raise PayloadError(f"{key} is missing")
    currency = text(amount, "currency_code") or text(amount, "currency") or ""
    if currency not in PAYPAL_EXPONENTS:
        raise PayloadError(f"currency {currency[:8]!r} is not one that PayPal documents")
    value = amount.get("value") if "value" in amount else amount.get("total")
    if not isinstance(value, str) or not PAYPAL_AMOUNT.fullmatch(value):
        raise PayloadError(f"{key} is not a decimal number in a string")
    exponent = PAYPAL_EXPONENTS[currency]
    minor = int(Decimal(value).scaleb(exponent).to_integral_value(ROUND_HALF_UP))
    if minor < 0 and not signed:
        raise PayloadError(f"{key} is negative")
    return Money(minor, currency, exponent)
