"""Each system check, proved by a configuration that breaks it."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from webhooks.checks import check_gateways
from webhooks.gateways.paypal_certificates import SHIPPED

GOOD = {
    "PAYMENTS_MODE": "test",
    "STRIPE_WEBHOOK_SECRETS": ["whsec_1"],
    "STRIPE_API_KEY": "sk_test_1",
    "PAYPAL_WEBHOOK_IDS": ["8PT597110X687430L"],
    "PAYPAL_CLIENT_ID": "",
    "PAYPAL_CLIENT_SECRET": "",
    "PAYPAL_CERT_ORIGINS": ["http://127.0.0.1:9000"],
    "PAYPAL_CERT_NAMES": [],
    "PAYPAL_CA_BUNDLE": "",
}
GOOD_LIVE = GOOD | {
    "PAYMENTS_MODE": "live",
    "STRIPE_API_KEY": "sk_live_1",
    "PAYPAL_CERT_ORIGINS": [],
}
NONE: dict[str, Any] = {"STRIPE_WEBHOOK_SECRETS": [], "PAYPAL_WEBHOOK_IDS": []}
BUNDLE = str(SHIPPED / "digicert-ev-rsa-ca-g2.pem")


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        (GOOD, []),
        (GOOD_LIVE, []),
        (GOOD | {"PAYPAL_CA_BUNDLE": BUNDLE}, []),
        (GOOD | {"PAYPAL_WEBHOOK_IDS": ["WEBHOOK_ID"]}, []),
        (GOOD | {"STRIPE_API_KEY": ""}, []),
        (GOOD | {"STRIPE_WEBHOOK_SECRETS": []}, []),
        (GOOD | NONE, ["webhooks.W001"]),
        (GOOD | NONE | {"STRIPE_WEBHOOK_SECRETS": [" \n"]}, ["webhooks.W001", "webhooks.W003"]),
        (GOOD | {"STRIPE_WEBHOOK_SECRETS": ["whsec_1", "sk_test_1"]}, ["webhooks.W003"]),
        (GOOD | {"STRIPE_API_KEY": "sk_live_1"}, ["webhooks.E001"]),
        (GOOD_LIVE | {"STRIPE_API_KEY": "rk_test_1"}, ["webhooks.E001"]),
        (GOOD_LIVE | {"PAYPAL_WEBHOOK_IDS": ["8PT", " WEBHOOK_ID"]}, ["webhooks.E002"]),
        (GOOD_LIVE | {"PAYPAL_CERT_ORIGINS": ["http://127.0.0.1:9"]}, ["webhooks.E003"]),
        (GOOD | {"PAYPAL_CLIENT_ID": "id"}, ["webhooks.W004"]),
        (GOOD | {"PAYPAL_CLIENT_SECRET": "secret"}, ["webhooks.W004"]),
        (GOOD | {"PAYPAL_CLIENT_ID": "id", "PAYPAL_CLIENT_SECRET": "secret"}, []),
        (GOOD_LIVE | {"PAYPAL_CA_BUNDLE": BUNDLE}, ["webhooks.W002"]),
        (GOOD | {"PAYPAL_CA_BUNDLE": "/nonexistent"}, ["webhooks.E004"]),
        (GOOD | {"PAYPAL_CA_BUNDLE": str(Path(__file__))}, ["webhooks.E004"]),
    ],
)
def test_check(configuration: dict[str, Any], expected: list[str], settings: Settings) -> None:
    for name, value in configuration.items():
        setattr(settings, name, value)
    messages = check_gateways()
    assert [message.id for message in messages] == expected
    assert all(message.hint for message in messages)
    # Messages are printed and logged.
    assert not any("sk_" in message.msg for message in messages)
