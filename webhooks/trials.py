"""A signed event of our own, through the code that receives those of the gateways.

Only in test mode. Its type is none of the gateway's, and changes nothing: that it is ignored for
that reason shows that signature, inbox and worker do their part.
"""

import json
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from webhooks import demo, ingest
from webhooks.gateways.base import Gateway
from webhooks.simulator import PayPalSigner, stripe_headers

EVENT_ID = re.compile(r"test-[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Trial:
    """``answer`` is what a gateway would have been told."""

    gateway: str
    event_id: str
    answer: ingest.Answer

    @property
    def recorded(self) -> bool:
        return self.answer.status == HTTPStatus.OK


def possible(gateway: Gateway) -> bool:
    """Whether there is anything here to sign with.

    Both sides hold Stripe's secret. PayPal's key only PayPal has, unless it is the demo's own.
    """
    if settings.PAYMENTS_MODE != "test" or not gateway.configured:
        return False
    if gateway.name == "paypal":
        of_the_demo = demo.PAYPAL_WEBHOOK_ID in settings.PAYPAL_WEBHOOK_IDS
        return bool(of_the_demo and settings.PAYPAL_CA_BUNDLE and settings.PAYPAL_CERT_ORIGINS)
    return gateway.name in _POSTS


def send(gateway: Gateway) -> Trial:
    """Send one where that is `possible`."""
    now = timezone.now()
    event_id = f"test-{uuid.uuid4()}"
    body, headers = _POSTS[gateway.name](event_id, now)
    # As the view passes them on.
    lower = {name.lower(): value for name, value in headers.items()}
    return Trial(gateway.name, event_id, ingest.receive(gateway, lower, body))


def _stripe(event_id: str, now: datetime) -> tuple[bytes, dict[str, str]]:
    event = {
        "id": event_id,
        "object": "event",
        "type": "test.event",
        "created": int(now.timestamp()),
        "livemode": False,
        "data": {"object": {"object": "test"}},
    }
    body = json.dumps(event).encode()
    secret = next(filter(None, map(str.strip, settings.STRIPE_WEBHOOK_SECRETS)))
    return body, stripe_headers(body, secret, now)


def _paypal(event_id: str, now: datetime) -> tuple[bytes, dict[str, str]]:
    event = {
        "id": event_id,
        "event_version": "1.0",
        "create_time": now.isoformat(),
        "event_type": "TEST.EVENT",
        "resource_type": "test",
        "resource": {},
    }
    body = json.dumps(event).encode()
    signer = PayPalSigner(Path(settings.PAYPAL_CA_BUNDLE).parent)
    certificate_url = settings.PAYPAL_CERT_ORIGINS[0] + signer.certificate_path
    return body, signer.headers(body, demo.PAYPAL_WEBHOOK_ID, certificate_url, now)


_POSTS = {"stripe": _stripe, "paypal": _paypal}
