"""The gateways as the tests see them: a sender signs for real and configures the product.

A third gateway joins the conformance suite by a class here and a line in `SENDERS`.
"""

import json
from datetime import datetime
from typing import Any, Protocol

from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from webhooks.simulator import CertificateServer, PayPalSigner, stripe_headers


class Sender(Protocol):
    name: str
    # What carries the proof, and the settings' list of what proves it.
    signature_header: str
    secrets_setting: str
    # The secrets of a first and of a second endpoint.
    secrets: tuple[str, str]
    # How much older than now a post may be signed, in seconds.
    max_age_seconds: int

    def configure(self, settings: Settings) -> None: ...

    def event(self, event_id: str = "", **more: Any) -> bytes: ...

    def headers(
        self, body: bytes, at: datetime | None = None, secret: str = ""
    ) -> dict[str, str]: ...


class StripeSender:
    name = "stripe"
    signature_header = "Stripe-Signature"
    secrets_setting = "STRIPE_WEBHOOK_SECRETS"
    secrets = ("whsec_first", "whsec_second")
    max_age_seconds = 300

    def configure(self, settings: Settings) -> None:
        settings.STRIPE_WEBHOOK_SECRETS = [self.secrets[0]]

    def event(self, event_id: str = "evt_1", **more: Any) -> bytes:
        event = {
            "id": event_id,
            "object": "event",
            "type": "customer.created",
            "created": 1_700_000_000,
            "livemode": False,
            "api_version": "2025-11-17.clover",
            "data": {"object": {"id": "cus_1", "object": "customer", "name": "Zoë"}},
        }
        return json.dumps(event | more, indent=2, ensure_ascii=False).encode()

    def headers(self, body: bytes, at: datetime | None = None, secret: str = "") -> dict[str, str]:
        return stripe_headers(body, secret or self.secrets[0], at or timezone.now())


class PayPalSender:
    name = "paypal"
    signature_header = "Paypal-Transmission-Sig"
    secrets_setting = "PAYPAL_WEBHOOK_IDS"
    secrets = ("8PT597110X687430L", "40L71081MK3756722")
    max_age_seconds = 4 * 24 * 3600

    def __init__(self, signer: PayPalSigner, server: CertificateServer) -> None:
        self.signer = signer
        self.server = server

    def configure(self, settings: Settings) -> None:
        settings.PAYPAL_WEBHOOK_IDS = [self.secrets[0]]
        settings.PAYPAL_CERT_ORIGINS = [self.server.origin]
        settings.PAYPAL_CA_BUNDLE = str(self.signer.authority_path)

    def event(self, event_id: str = "WH-1-EVENT", **more: Any) -> bytes:
        event = {
            "id": event_id,
            "event_version": "1.0",
            "create_time": "2026-03-01T10:20:30.456Z",
            "resource_type": "plan",
            "resource_version": "2.0",
            "event_type": "BILLING.PLAN.CREATED",
            "summary": "Zoë's plan",
            "resource": {"id": "P-1"},
        }
        return json.dumps(event | more, indent=2, ensure_ascii=False).encode()

    def headers(
        self,
        body: bytes,
        at: datetime | None = None,
        secret: str = "",
        transmission_id: str | None = None,
    ) -> dict[str, str]:
        return self.signer.headers(
            body,
            secret or self.secrets[0],
            self.server.certificate_url,
            at or timezone.now(),
            transmission_id,
        )


SENDERS = [StripeSender.name, PayPalSender.name]


def post(name: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """Post as a gateway does; the status and the result that it is told."""
    response = Client().generic("POST", f"/webhooks/{name}/", body, headers=headers)
    return response.status_code, response.json()["result"]
