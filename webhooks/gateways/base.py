"""What every gateway does, and how it says that it cannot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from billing.facts import Reading


def _(text: str) -> str:
    """Marks a text that people read, and gives it back: it is translated where it is shown.

    What is stored stays in English. Its name is one that gettext's extraction knows.
    """
    return text


class Unauthentic(Exception):
    """The post was not made by the gateway.

    ``reason`` is a short fixed phrase marked by `_`, safe to count and to log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(Exception):
    """Whether the post is authentic cannot be known now; the gateway should try again.

    Its text is for the operator.
    """


class NotKnownYet(Exception):
    """The gateway does not know the event that it is asked about; it may a little later."""


class Unreadable(Exception):
    """The body is authentic and no event."""


class PayloadError(Exception):
    """The event carries a value that cannot be what it should be; trying again would not help."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Proof that the gateway made a post.

    ``verified_with`` names the secret that matched without giving it away. ``transmission_id`` is
    set where the signature does not cover the whole body, so that one id must keep one body.
    """

    verified_with: str
    transmission_id: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is common to all events of a gateway.

    ``occurred_at`` is the gateway's own time, ``None`` where it gave none that can be read.
    ``livemode`` is ``None`` where the event does not say. ``account`` is the connected account
    that the event belongs to, if not our own.
    """

    event_id: str
    event_type: str
    occurred_at: datetime | None = None
    livemode: bool | None = None
    api_version: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What happens when an event of a type arrives: in words marked by `_`, and in code.

    Each gateway has one table of these, by type.
    """

    effect: str
    read: Callable[..., Reading]


class ReadBack(Protocol):
    """Asks a gateway what an event says, where its signature alone is not proof enough."""

    def needed(self, reading: Reading) -> bool:
        """Whether an event that says this must be asked about before it is applied."""

    def fetch(self, event_id: str) -> dict[str, Any]:
        """The event as the gateway has it. Raises `NotKnownYet` or `Unavailable`."""


class Gateway(Protocol):
    """One payment gateway, as the webhooks app sees it.

    ``read_back`` is None where the signature is proof enough. ``tracked`` has the types of events
    that are acted on; all others are recorded and ignored.
    """

    name: str
    #: Whether `verify` may wait for somebody else, so that it must not be called in an event loop.
    verify_waits: bool
    read_back: ReadBack | None
    tracked: Mapping[str, Tracked]

    @property
    def configured(self) -> bool:
        """Whether there is anything to verify with."""

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Verified:
        """Prove that ``body`` was posted by the gateway.

        ``headers`` has lower-case names. Raises `Unauthentic` if it was not, and `Unavailable` if
        that cannot be known now.
        """

    def envelope(self, body: bytes) -> Envelope:
        """The envelope of an authentic body. Raises `Unreadable` if it is no event."""

    def read(self, payload: dict[str, Any]) -> Reading:
        """What the event says. Raises `PayloadError` where a value cannot be what it should be."""
