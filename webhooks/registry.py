"""The gateways, made from the settings once."""

from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from webhooks.gateways.base import Gateway
from webhooks.gateways.paypal import PayPalGateway
from webhooks.gateways.paypal_api import Confirm, PayPalApi, PayPalReadBack
from webhooks.gateways.paypal_certificates import LIVE_NAMES, TEST_NAMES, Certificates
from webhooks.gateways.stripe import StripeGateway

#: The setting that holds what proves each gateway's posts: without it, it is not configured.
SECRETS = {"stripe": "STRIPE_WEBHOOK_SECRETS", "paypal": "PAYPAL_WEBHOOK_IDS"}


@cache
def gateways() -> dict[str, Gateway]:
    """Every gateway by name, configured or not: events received earlier can always be read."""
    known: list[Gateway] = [
        StripeGateway(settings.STRIPE_WEBHOOK_SECRETS, settings.STRIPE_ACCOUNTS),
        PayPalGateway(
            settings.PAYPAL_WEBHOOK_IDS, _paypal_certificates(), _paypal_read_back(), live=_live()
        ),
    ]
    return {gateway.name: gateway for gateway in known}


def _paypal_certificates() -> Certificates:
    return Certificates(
        live=_live(),
        names=settings.PAYPAL_CERT_NAMES or (LIVE_NAMES if _live() else TEST_NAMES),
        extra_origins=settings.PAYPAL_CERT_ORIGINS,
        ca_bundle=settings.PAYPAL_CA_BUNDLE,
    )


def _paypal_read_back() -> PayPalReadBack | None:
    client_id, client_secret = settings.PAYPAL_CLIENT_ID, settings.PAYPAL_CLIENT_SECRET
    confirm = Confirm(settings.PAYPAL_CONFIRM)
    if not (client_id and client_secret) or confirm == Confirm.NEVER:
        return None
    return PayPalReadBack(PayPalApi(client_id, client_secret, settings.PAYPAL_API_BASE), confirm)


def _live() -> bool:
    return bool(settings.PAYMENTS_MODE == "live")


@receiver(setting_changed)
def _forget(**_: Any) -> None:
    """Tests change settings."""
    gateways.cache_clear()
