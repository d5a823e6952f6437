"""PayPal: proves who posted, and reads the envelope."""

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from billing.facts import Reading
from webhooks.gateways import paypal_events
from webhooks.gateways.base import Envelope, ReadBack, Tracked, Unauthentic, Verified, _
from webhooks.gateways.bodies import fingerprint, identifier, label, moment, parse
from webhooks.gateways.paypal_certificates import Certificates

ALGORITHM = "SHA256withRSA"
# PayPal tries again for three days, with the time of the first try.
MAX_AGE = timedelta(days=4)
MAX_AHEAD = timedelta(minutes=5)
# PayPal's public simulator signs for anybody, with this word as the webhook's id.
SIMULATOR_WEBHOOK_ID = "WEBHOOK_ID"

# No "|", which joins the parts of what is signed: one part could pass for two.
TRANSMISSION_ID = re.compile(r"[0-9A-Za-z._-]{1,128}")
TRANSMISSION_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z"
)
# The base64 of an RSA signature: 344 characters for 2048 bits.
SIGNATURE = re.compile(r"[0-9A-Za-z+/]{300,1400}={0,2}")


class PayPalGateway:
    """``webhook_ids`` are those of all endpoints in use; ``live`` refuses what tests may use."""

    name = "paypal"
    # A signing certificate may have to be fetched.
    verify_waits = True
    tracked: Mapping[str, Tracked] = paypal_events.EVENTS

    def __init__(
        self,
        webhook_ids: Iterable[str],
        certificates: Certificates,
        read_back: ReadBack | None = None,
        *,
        live: bool,
    ) -> None:
        self.read_back = read_back
        ids = (webhook_id.strip() for webhook_id in webhook_ids)
        self._webhook_ids = [i for i in ids if i and not (live and i == SIMULATOR_WEBHOOK_ID)]
        self._certificates = certificates

    @property
    def configured(self) -> bool:
        return bool(self._webhook_ids)

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Verified:
        """https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod"""
        transmission_id = _header(headers, "paypal-transmission-id", TRANSMISSION_ID)
        transmission_time = _header(headers, "paypal-transmission-time", TRANSMISSION_TIME)
        signature = _decode(_header(headers, "paypal-transmission-sig", SIGNATURE))
        if headers.get("paypal-auth-algo") != ALGORITHM:
            raise Unauthentic(_("algorithm not SHA256withRSA"))
        _check_age(transmission_time, now)
        # Here a stranger may cause a connection, though only to PayPal.
        key = self._certificates.public_key(headers.get("paypal-cert-url", ""), now)
        checksum = zlib.crc32(body)
        for webhook_id in self._webhook_ids:
            message = f"{transmission_id}|{transmission_time}|{webhook_id}|{checksum}"
            if _verifies(key, signature, message.encode()):
                return Verified(fingerprint(webhook_id), transmission_id)
        raise Unauthentic(_("signature wrong"))

    def envelope(self, body: bytes) -> Envelope:
        event = parse(body)
        return Envelope(
            event_id=identifier(event, "id"),
            event_type=identifier(event, "event_type"),
            occurred_at=moment(event, "create_time"),
            api_version=label(event, "resource_version") or label(event, "event_version"),
        )

    def read(self, payload: dict[str, Any]) -> Reading:
        return paypal_events.read(payload)


def _header(headers: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str:
    value = headers.get(name, "")
    if not value:
        raise Unauthentic(_("signature missing"))
    if not shape.fullmatch(value):
        raise Unauthentic(_("signature malformed"))
    return value


def _check_age(transmission_time: str, now: datetime) -> None:
    try:
        sent_at = datetime.fromisoformat(transmission_time)
    except ValueError:
        raise Unauthentic(_("signature malformed")) from None
    if not now - MAX_AGE <= sent_at <= now + MAX_AHEAD:
        raise Unauthentic(_("signature too old or in the future"))


def _decode(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except binascii.Error:
        raise Unauthentic(_("signature malformed")) from None


def _verifies(key: RSAPublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
