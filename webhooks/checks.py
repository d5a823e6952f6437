"""System checks: what is configured such that posts would be refused, or believed too easily.

The Setup page shows those of each gateway, in the reader's language.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.translation import gettext as _

from webhooks.gateways.paypal import SIMULATOR_WEBHOOK_ID
from webhooks.gateways.paypal_certificates import load_certificates
from webhooks.registry import SECRETS, gateways

# https://docs.stripe.com/keys: secret and restricted keys name their mode.
LIVE_KEYS, TEST_KEYS = ("sk_live_", "rk_live_"), ("sk_test_", "rk_test_")


@checks.register
def check_gateways(**_options: Any) -> list[checks.CheckMessage]:
    return [*_check_any(), *(message for name in gateways() for message in problems(name))]


def problems(gateway_name: str) -> list[checks.CheckMessage]:
    """What is wrong with the configuration of one gateway."""
    return list(_CHECKS[gateway_name]()) if gateway_name in _CHECKS else []


def _check_any() -> Iterator[checks.CheckMessage]:
    if not any(gateway.configured for gateway in gateways().values()):
        yield checks.Warning(
            _("No gateway is configured: every webhook is answered 503."),
            hint=_("Set one of: %(names)s.") % {"names": ", ".join(SECRETS.values())},
            id="webhooks.W001",
        )


def _check_stripe() -> Iterator[checks.CheckMessage]:
    for number, secret in enumerate(settings.STRIPE_WEBHOOK_SECRETS, start=1):
        if not secret.strip().startswith("whsec_"):
            yield checks.Warning(
                _("Number %(n)d of STRIPE_WEBHOOK_SECRETS does not look like a signing secret.")
                % {"n": number},
                hint=_("It starts with whsec_; Stripe shows it on the page of the endpoint."),
                id="webhooks.W003",
            )
    wrong_keys = TEST_KEYS if _live() else LIVE_KEYS
    if settings.STRIPE_API_KEY.startswith(wrong_keys):
        yield checks.Error(
            _("STRIPE_API_KEY is not a key of the mode %(mode)s.")
            % {"mode": settings.PAYMENTS_MODE},
            hint=_("Set PAYMENTS_MODE to the key's mode, or take the other key."),
            id="webhooks.E001",
        )


def _check_paypal() -> Iterator[checks.CheckMessage]:
    if _live() and SIMULATOR_WEBHOOK_ID in map(str.strip, settings.PAYPAL_WEBHOOK_IDS):
        yield checks.Error(
            _("PAYPAL_WEBHOOK_IDS holds %(id)s in live mode.") % {"id": SIMULATOR_WEBHOOK_ID},
            hint=_("PayPal's public simulator signs with it for anybody. Remove it."),
            id="webhooks.E002",
        )
    if _live() and settings.PAYPAL_CERT_ORIGINS:
        yield checks.Error(
            _("PAYPAL_CERT_ORIGINS is set in live mode."),
            hint=_("It is for tests: whoever serves a certificate there could sign payments."),
            id="webhooks.E003",
        )
    if bool(settings.PAYPAL_CLIENT_ID) != bool(settings.PAYPAL_CLIENT_SECRET):
        yield checks.Warning(
            _("Only one of PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET is set."),
            hint=_("Without both, no payment is read back from PayPal. Set both, or neither."),
            id="webhooks.W004",
        )
    yield from _check_paypal_certificates()


def _check_paypal_certificates() -> Iterator[checks.CheckMessage]:
    if not settings.PAYPAL_CA_BUNDLE:
        return
    if _live():
        yield checks.Warning(
            _("PAYPAL_CA_BUNDLE is set in live mode."),
            hint=_(
                "Needed only when PayPal changes its authority: whoever holds one of these "
                "certificates' keys could sign payments."
            ),
            id="webhooks.W002",
        )
    try:
        found = load_certificates(Path(settings.PAYPAL_CA_BUNDLE).read_bytes())
    except OSError:
        found = []
    if not found:
        yield checks.Error(
            _("PAYPAL_CA_BUNDLE does not name a file of certificates that can be read."),
            hint=_("Name a file in PEM format."),
            id="webhooks.E004",
        )


_CHECKS: dict[str, Callable[[], Iterator[checks.CheckMessage]]] = {
    "stripe": _check_stripe,
    "paypal": _check_paypal,
}


def _live() -> bool:
    return bool(settings.PAYMENTS_MODE == "live")
