"""System checks: what is configured such that posts would be refused, or believed too easily."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks

from webhooks.gateways.paypal import SIMULATOR_WEBHOOK_ID
from webhooks.gateways.paypal_certificates import load_certificates
from webhooks.registry import gateways

# https://docs.stripe.com/keys: secret and restricted keys name their mode.
LIVE_KEYS, TEST_KEYS = ("sk_live_", "rk_live_"), ("sk_test_", "rk_test_")


@checks.register
def check_gateways(**_: Any) -> list[checks.CheckMessage]:
    return [*_check_any(), *_check_stripe(), *_check_paypal(), *_check_paypal_certificates()]


def _check_any() -> Iterator[checks.CheckMessage]:
    if not any(gateway.configured for gateway in gateways().values()):
        yield checks.Warning(
            "No gateway is configured: every webhook is answered 503.",
            hint="Set STRIPE_WEBHOOK_SECRETS or PAYPAL_WEBHOOK_IDS.",
            id="webhooks.W001",
        )


def _check_stripe() -> Iterator[checks.CheckMessage]:
    for number, secret in enumerate(settings.STRIPE_WEBHOOK_SECRETS, start=1):
        if not secret.strip().startswith("whsec_"):
            yield checks.Warning(
                f"Number {number} of STRIPE_WEBHOOK_SECRETS does not look like a signing secret.",
                hint="It starts with whsec_; Stripe shows it on the page of the webhook endpoint.",
                id="webhooks.W003",
            )
    wrong_keys = TEST_KEYS if _live() else LIVE_KEYS
    if settings.STRIPE_API_KEY.startswith(wrong_keys):
        yield checks.Error(
            f"STRIPE_API_KEY is not a key of the mode {settings.PAYMENTS_MODE}.",
            hint="Set PAYMENTS_MODE to the key's mode, or take the other key.",
            id="webhooks.E001",
        )


def _check_paypal() -> Iterator[checks.CheckMessage]:
    if _live() and SIMULATOR_WEBHOOK_ID in map(str.strip, settings.PAYPAL_WEBHOOK_IDS):
        yield checks.Error(
            f"PAYPAL_WEBHOOK_IDS holds {SIMULATOR_WEBHOOK_ID} in live mode.",
            hint="PayPal's public simulator signs with it for anybody. Remove it.",
            id="webhooks.E002",
        )
    if _live() and settings.PAYPAL_CERT_ORIGINS:
        yield checks.Error(
            "PAYPAL_CERT_ORIGINS is set in live mode.",
            hint="It is for tests: whoever serves a certificate there could sign payments.",
            id="webhooks.E003",
        )


def _check_paypal_certificates() -> Iterator[checks.CheckMessage]:
    if not settings.PAYPAL_CA_BUNDLE:
        return
    if _live():
        yield checks.Warning(
            "PAYPAL_CA_BUNDLE is set in live mode.",
            hint="Needed only when PayPal changes its authority: whoever holds one of these "
            "certificates' keys could sign payments.",
            id="webhooks.W002",
        )
    try:
        found = load_certificates(Path(settings.PAYPAL_CA_BUNDLE).read_bytes())
    except OSError:
        found = []
    if not found:
        yield checks.Error(
            "PAYPAL_CA_BUNDLE does not name a file of certificates that can be read.",
            hint="Name a file in PEM format.",
            id="webhooks.E004",
        )


def _live() -> bool:
    return bool(settings.PAYMENTS_MODE == "live")
