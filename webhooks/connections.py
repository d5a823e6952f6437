"""How each gateway is connected: what is configured, what is missing, and what came."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.checks import CheckMessage
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from billing import models
from billing.queries.reads import Read
from billing.queries.receiving import Received, Refused, received, refused
from billing.queries.types import Seen, seen
from webhooks import checks, trials
from webhooks.gateways.base import Gateway
from webhooks.gateways.bodies import fingerprint
from webhooks.registry import SECRETS, gateways


@dataclass(frozen=True, slots=True)
class Connection:
    """What the configuration says of a gateway. ``setting`` holds what proves its posts."""

    gateway: Gateway
    endpoint: str

    @property
    def name(self) -> str:
        return self.gateway.name

    @property
    def label(self) -> str:
        return models.Gateway(self.name).label

    @property
    def setting(self) -> str:
        return SECRETS[self.name]

    @property
    def fingerprints(self) -> list[str]:
        """Of the secrets, as each event names the one that proved it."""
        secrets = map(str.strip, getattr(settings, self.setting))
        return [fingerprint(secret) for secret in secrets if secret]

    @property
    def problems(self) -> list[CheckMessage]:
        return checks.problems(self.name)

    @property
    def steps(self) -> str:
        """The template that says how to connect it."""
        return f"webhooks/_connect_{self.name}.html"

    @property
    def trial_possible(self) -> bool:
        return trials.possible(self.gateway)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What came from a gateway: ``unseen`` are the types that are acted on and never came."""

    last_at: datetime | None
    versions: list[str]
    types: list[str]
    unseen: list[str]
    refused: list[Refused]

    @property
    def seen_count(self) -> int:
        return len(self.types) - len(self.unseen)

    @property
    def refused_count(self) -> int:
        return sum(reason.count for reason in self.refused)


@dataclass(frozen=True, slots=True)
class Deployment:
    """``mail`` is the server, or empty where e-mails are written to ``mail_folder``."""

    live: bool
    mail: str
    mail_folder: str
    alert_emails: list[str]


def deployment() -> Deployment:
    to_files = settings.EMAIL_BACKEND == "django.core.mail.backends.filebased.EmailBackend"
    return Deployment(
        live=settings.PAYMENTS_MODE == "live",
        mail="" if to_files else f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
        mail_folder=settings.EMAIL_FILE_PATH if to_files else "",
        alert_emails=settings.BILLING_ALERT_EMAILS,
    )


def connections(request: HttpRequest) -> list[Connection]:
    return [
        Connection(
            gateway, request.build_absolute_uri(reverse("webhooks:receive", args=[gateway.name]))
        )
        for gateway in gateways().values()
    ]


def traffic(now: datetime) -> Read[dict[str, Traffic]]:
    """By gateway."""
    known = gateways().values()
    tracked = [event_type for gateway in known for event_type in gateway.tracked]
    return Read(
        lambda came, turned_away, by_type: {
            gateway.name: _traffic(gateway, came[gateway.name], turned_away[gateway.name], by_type)
            for gateway in known
        },
        received(),
        refused(now),
        seen(tracked, limit=0),
    )


def _traffic(
    gateway: Gateway, came: Received, turned_away: list[Refused], by_type: Mapping[str, Seen]
) -> Traffic:
    types = sorted(gateway.tracked)
    return Traffic(
        last_at=came.last_at,
        versions=came.versions,
        types=types,
        unseen=[event_type for event_type in types if not by_type[event_type].count],
        refused=[Refused(gettext(one.reason), one.count) for one in turned_away],
    )
