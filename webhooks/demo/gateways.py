"""The two gateways of demo mode: they sign, serve their certificate, and post."""

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from billing.models import PaymentEvent, Tenant
from webhooks.demo.post import Post
from webhooks.demo.story import COMPANIES, story
from webhooks.simulator import CertificateServer, PayPalSigner, stripe_headers

PAYPAL_WEBHOOK_ID = "DEMO-PAYPAL-WEBHOOK"


class DemoRefused(Exception):
    """An endpoint did not answer 200 to a demo webhook."""


class Gateways:
    """A Stripe and a PayPal of our own, until closed.

    PayPal's keys are kept in ``folder``. ``environment`` is the configuration under which the
    product believes these two.
    """

    def __init__(self, folder: Path, stripe_secret: str) -> None:
        self._stripe_secret = stripe_secret
        self._signer = PayPalSigner(folder)
        self._server = CertificateServer(self._signer)
        self.environment = {
            "STRIPE_WEBHOOK_SECRETS": stripe_secret,
            "PAYPAL_WEBHOOK_IDS": PAYPAL_WEBHOOK_ID,
            "PAYPAL_CERT_ORIGINS": self._server.origin,
            "PAYPAL_CA_BUNDLE": str(self._signer.authority_path),
        }

    def post_story(self, url: str) -> int:
        """Post what the inbox does not know yet, to the server at ``url``; returns how many.

        Raises `DemoRefused`.
        """
        for company in COMPANIES:
            Tenant.objects.get_or_create(
                key=company.key,
                defaults={"name": company.name, "billing_email": company.billing_email},
            )
        posts = story(datetime.now(UTC))
        known = set(
            PaymentEvent.objects.filter(event_id__in=[post.event_id for post in posts]).values_list(
                "event_id", flat=True
            )
        )
        new = [post for post in posts if post.event_id not in known]
        with requests.Session() as session:
            session.trust_env = False  # no proxy between this machine and itself
            for post in new:
                self._post(session, url, post)
        return len(new)

    def _post(self, session: requests.Session, url: str, post: Post) -> None:
        now = datetime.now(UTC)
        if post.gateway == "stripe":
            headers = stripe_headers(post.body, self._stripe_secret, now)
        else:
            headers = self._signer.headers(
                post.body, PAYPAL_WEBHOOK_ID, self._server.certificate_url, now
            )
        try:
            answer = session.post(
                f"{url}/webhooks/{post.gateway}/", data=post.body, headers=headers, timeout=15
            )
        except requests.RequestException as error:
            raise DemoRefused(f"{post.gateway}: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise DemoRefused(f"{post.gateway}: {answer.status_code} {answer.text[:200]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
