"""Stripe: proves who posted, and reads the envelope."""

import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from stripe import SignatureVerificationError, WebhookSignature

from billing.facts import Reading
from webhooks.gateways import stripe_events
from webhooks.gateways.base import (
    Envelope,
    ReadBack,
    Tracked,
    Unauthentic,
    Unreadable,
    Verified,
    _,
)
from webhooks.gateways.bodies import fingerprint, identifier, label, moment, parse

# https://docs.stripe.com/webhooks#replay-attacks; here in both directions.
TOLERANCE_SECONDS = 300
# A genuine one has about 150 characters for each secret in use.
MAX_HEADER_CHARACTERS = 2048
TIMESTAMP = re.compile(r"[0-9]{1,12}")
# A thin event of API v2 carries no object, only where to find it.
EVENT_OBJECTS = {"event", "v2.core.event"}
# Thin events write the boolean as a word.
LIVEMODES: dict[object, bool] = {True: True, False: False, "true": True, "false": False}


class StripeGateway:
    """``secrets`` are the signing secrets of all endpoints, several while one is replaced.

    ``accounts`` are the connected accounts whose payments are ours too.
    """

    name = "stripe"
    verify_waits = False
    tracked: Mapping[str, Tracked] = stripe_events.EVENTS
    # The signature covers the whole body, and needs a secret.
    read_back: ReadBack | None = None

    def __init__(self, secrets: Iterable[str], accounts: Iterable[str] = ()) -> None:
        self._accounts = frozenset(accounts)
        self._secrets = [secret.strip() for secret in secrets if secret.strip()]

    @property
    def configured(self) -> bool:
        return bool(self._secrets)

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Verified:
        header = headers.get("stripe-signature", "")
        timestamp = _timestamp(header)
        secret = next((s for s in self._secrets if _signed_with(s, header, body)), None)
        if secret is None:
            raise Unauthentic(_("signature wrong"))
        # The SDK reads the machine's clock and lets any time ahead pass.
        if abs(now.timestamp() - timestamp) > TOLERANCE_SECONDS:
            raise Unauthentic(_("signature too old or in the future"))
        return Verified(verified_with=fingerprint(secret))

    def envelope(self, body: bytes) -> Envelope:
        event = parse(body)
        event_object = event.get("object")
        if not isinstance(event_object, str) or event_object not in EVENT_OBJECTS:
            raise Unreadable(_("not a Stripe event"))
        livemode = event.get("livemode")
        return Envelope(
            event_id=identifier(event, "id"),
            event_type=identifier(event, "type"),
            occurred_at=moment(event, "created"),
            livemode=LIVEMODES.get(livemode) if isinstance(livemode, bool | str) else None,
            api_version=label(event, "api_version"),
            account=label(event, "account"),
        )

    def read(self, payload: dict[str, Any]) -> Reading:
        account = label(payload, "account")
        if account and account not in self._accounts:
            return Reading(ignored=_("an event of a connected account; see STRIPE_ACCOUNTS"))
        return stripe_events.read(payload)


class _BytesSignature(WebhookSignature):
    """The SDK's check, for a body that need not be UTF-8 to be signed."""

    @staticmethod
    def _compute_signature(payload: str, secret: str) -> str:
        signed = payload.encode("utf-8", "surrogateescape")
        return hmac.digest(secret.encode(), signed, "sha256").hex()


def _timestamp(header: str) -> int:
    """The time of the signature, in seconds since 1970. Raises `Unauthentic` if there is not one.

    A header sent twice is joined by a comma: two times, of which the SDK would take the first.
    """
    if not header:
        raise Unauthentic(_("signature missing"))
    # The SDK fails with TypeError on a signature that is not ASCII.
    if len(header) > MAX_HEADER_CHARACTERS or not header.isascii():
        raise Unauthentic(_("signature malformed"))
    times = [item[2:] for item in header.split(",") if item.startswith("t=")]
    if len(times) != 1 or not TIMESTAMP.fullmatch(times[0]):
        raise Unauthentic(_("signature malformed"))
    return int(times[0])


def _signed_with(secret: str, header: str, body: bytes) -> bool:
    text = body.decode("utf-8", "surrogateescape")
    try:
        # The error is not kept: it carries the body.
        _BytesSignature.verify_header(text, header, secret)
    except SignatureVerificationError:
        return False
    return True
