"""Every event that was ever collected is taken into the inbox, and read as an event."""

import os
from pathlib import Path

import pytest

from billing.models import PaymentEvent
from tests.webhooks.senders import PayPalSender, Sender, StripeSender, post

PROJECT = Path(__file__).resolve().parents[2]
EVENTS = Path(os.environ.get("SHARED_EVENTS", PROJECT.parent / "shared/events"))
MISSING = f"no folder {EVENTS}: SHARED_EVENTS names the one with the recorded events"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not EVENTS.is_dir(), reason=MISSING),
]


def post_all(sender: Sender) -> set[tuple[int, str]]:
    """Some sources use one id for several events, so that a post may be ``known``."""
    bodies = [path.read_bytes() for path in EVENTS.glob(f"{sender.name}/**/*.json")]
    assert len(bodies) > 50
    return {post(sender.name, body, sender.headers(body)) for body in bodies}


def test_stripe(stripe: StripeSender) -> None:
    assert post_all(stripe) <= {(200, "recorded"), (200, "known")}
    first = PaymentEvent.objects.count()
    assert post_all(stripe) == {(200, "known")}
    assert PaymentEvent.objects.count() == first


def test_paypal(paypal: PayPalSender) -> None:
    assert post_all(paypal) <= {(200, "recorded"), (200, "known")}
