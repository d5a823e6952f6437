"""PayPal's own deliveries, recorded: signed by PayPal, verified with what is shipped."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from webhooks.gateways import paypal_certificates
from webhooks.gateways.base import Unauthentic
from webhooks.gateways.paypal import PayPalGateway
from webhooks.gateways.paypal_certificates import LIVE_NAMES, Certificates

PROJECT = Path(__file__).resolve().parents[2]
SIGNATURES = Path(os.environ.get("SHARED_EVENTS", PROJECT.parent / "shared/events")) / "signatures"
DELIVERIES = sorted(SIGNATURES.glob("paypal-*.json"))
MISSING = f"no recorded deliveries in {SIGNATURES}: SHARED_EVENTS names the folder above it"

pytestmark = pytest.mark.skipif(not DELIVERIES, reason=MISSING)


class Delivery:
    def __init__(self, path: Path) -> None:
        recorded: dict[str, Any] = json.loads(path.read_text())
        self.headers = {name.lower(): value for name, value in recorded["headers"].items()}
        self.webhook_id: str = recorded["webhook_id"]
        self.body = (SIGNATURES / recorded["body_file"]).read_bytes()
        self.certificate = (SIGNATURES / recorded["cert_file"]).read_bytes()
        self.at = datetime.fromisoformat(self.headers["paypal-transmission-time"])
        self.live = self.webhook_id != "WEBHOOK_ID"


@pytest.fixture(params=DELIVERIES, ids=lambda path: path.stem)
def delivery(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    """A delivery, with the recorded certificate in the place of the network, and nothing else."""
    found = Delivery(request.param)
    monkeypatch.setattr(paypal_certificates, "_download", lambda *_: found.certificate)
    return found


def gateway(delivery: Delivery) -> PayPalGateway:
    certificates = Certificates(live=delivery.live, names=LIVE_NAMES)
    return PayPalGateway([delivery.webhook_id], certificates, live=delivery.live)


def test_verifies_at_the_time_of_delivery(delivery: Delivery) -> None:
    verified = gateway(delivery).verify(delivery.headers, delivery.body, delivery.at)
    assert verified.transmission_id == delivery.headers["paypal-transmission-id"]
    assert gateway(delivery).envelope(delivery.body).event_type


def test_changed_body_does_not_verify(delivery: Delivery) -> None:
    with pytest.raises(Unauthentic, match="signature wrong"):
        gateway(delivery).verify(delivery.headers, delivery.body + b" ", delivery.at)


def test_replayed_later_does_not_verify(delivery: Delivery) -> None:
    with pytest.raises(Unauthentic, match="too old"):
        gateway(delivery).verify(delivery.headers, delivery.body, delivery.at.replace(year=2027))


def test_expired_certificate_does_not_verify(delivery: Delivery) -> None:
    with pytest.raises(Unauthentic, match="certificate not valid"):
        Certificates(live=True, names=LIVE_NAMES).public_key(
            delivery.headers["paypal-cert-url"], delivery.at.replace(year=2027)
        )
