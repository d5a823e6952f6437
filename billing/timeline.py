"""What happened to an event, step by step, for its expanded row."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, ngettext

from billing import formats
from billing.models import Notification, PaymentEvent
from billing.queries.details import EventDetail

State = PaymentEvent.State


@dataclass(frozen=True, slots=True)
class Step:
    """``tone`` is ok, bad, warn or empty: the colour of the dot, which ``icon`` doubles."""

    text: str
    at: datetime | None
    icon: str
    tone: str = ""
    note: str = ""


def timeline(detail: EventDetail) -> list[Step]:
    """Newest first."""
    return list(_steps(detail))


def told(notifications: Iterable[Notification]) -> list[Step]:
    """The e-mails about an invoice."""
    return [_notification(notification) for notification in notifications]


def _steps(detail: EventDetail) -> Iterator[Step]:
    event = detail.event
    yield from told(detail.notifications)
    yield _outcome(event)
    if event.confirmed_at:
        text = gettext("Confirmed by %(gateway)s, which was asked")
        yield Step(text % {"gateway": event.get_gateway_display()}, event.confirmed_at, "check")
    again = event.deliveries - 1
    if again:
        text = ngettext("Delivered %(n)d more time", "Delivered %(n)d more times", again)
        yield Step(text % {"n": again}, event.last_received_at, "repeat", note=_conflicts(event))
    yield Step(
        gettext("Received from %(gateway)s, signature verified")
        % {"gateway": event.get_gateway_display()},
        event.received_at,
        "check",
    )


def _conflicts(event: PaymentEvent) -> str:
    different = event.conflicting_deliveries
    if not different:
        return ""
    return gettext("with another body: %(n)d; the first is kept") % {"n": different}


def _outcome(event: PaymentEvent) -> Step:
    at, attempts = event.processed_at, _attempts(event)
    match event.state:
        case State.PROCESSED:
            return Step(gettext("Processed"), at, "check", "ok", _delay(event))
        case State.UNMATCHED:
            text = gettext("Applied, but it is not known whose payment it is")
            return Step(text, at, "link-off", "warn", attempts)
        case State.IGNORED:
            return Step(gettext("Ignored"), at, "circle-minus", "", attempts)
        case State.UNREADABLE:
            return Step(gettext("Kept as it came: it could not be read"), at, "x", "bad", attempts)
        case State.FAILED:
            return Step(gettext("Failed"), at, "x", "bad", _retry(event))
        case _:
            return Step(gettext("Waiting to be processed"), None, "clock", "", attempts)


def _attempts(event: PaymentEvent) -> str:
    if event.attempts < 2:
        return ""
    return ngettext("%(n)d attempt", "%(n)d attempts", event.attempts) % {"n": event.attempts}


def _delay(event: PaymentEvent) -> str:
    if event.processed_at is None:
        return _attempts(event)
    seconds = max((event.processed_at - event.received_at).total_seconds(), 0)
    if seconds < 60:
        text = gettext("%(seconds)s s after receipt") % {"seconds": formats.tenths(seconds)}
    else:
        minutes = formats.number(int(seconds // 60))
        text = gettext("%(minutes)s min after receipt") % {"minutes": minutes}
    return _joined(text, _attempts(event))


def _retry(event: PaymentEvent) -> str:
    if event.next_attempt_at is None:
        return _joined(_attempts(event), gettext("waits for a person"))
    at = formats.moment(event.next_attempt_at)
    return _joined(_attempts(event), gettext("next try %(at)s") % {"at": at})


def _notification(notification: Notification) -> Step:
    what = notification.get_kind_display()
    attempt = gettext("attempt %(attempt)s") % {"attempt": notification.attempt}
    match notification.state:
        case Notification.State.SENT:
            people = len(notification.recipients)
            sent = ngettext("e-mail sent to %(n)d person", "e-mail sent to %(n)d people", people)
            text = f"{what}: {sent % {'n': people}}"
            return Step(text, notification.sent_at, "mail", "ok", attempt)
        case Notification.State.FAILED:
            text = gettext("the e-mail could not be sent")
            return Step(f"{what}: {text}", None, "x", "bad", _joined(attempt, notification.error))
        case _:
            text = gettext("the e-mail waits to be sent")
            return Step(f"{what}: {text}", None, "clock", "warn", attempt)


def _joined(*notes: str) -> str:
    return " · ".join(filter(None, notes))
