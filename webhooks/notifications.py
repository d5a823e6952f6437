"""Sends the e-mails of the outbox, after the events that caused them stand."""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from billing.models import Invoice, Notification, Subscription

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
FIRST_DELAY = timedelta(minutes=1)


def send_due(limit: int = 20) -> int:
    """Send up to ``limit`` notifications whose time has come; returns how many were tried.

    Each in a transaction of its own, which holds the row while the mail server answers: two workers
    never send one, and one that cannot be sent does not hold up the others.
    """
    for tried in range(limit):
        with transaction.atomic():
            notification = (
                Notification.objects.select_for_update(skip_locked=True)
                .filter(next_attempt_at__lte=timezone.now())
                .order_by("next_attempt_at")
                .first()
            )
            if notification is None:
                return tried
            _send(notification)
    return limit


def _send(notification: Notification) -> None:
    notification.attempts += 1
    message = compose(notification)
    notification.recipients = message.to
    try:
        if not message.to:
            raise ValueError("no address: set BILLING_ALERT_EMAILS or the tenant's billing address")
        message.send()
    except Exception as error:  # whatever the mail server does, the row says so
        logger.warning("notification %s not sent: %s", notification, type(error).__name__)
        notification.error = f"{type(error).__name__}: {error}"[:500]
        final = notification.attempts >= MAX_ATTEMPTS or not message.to
        notification.state = Notification.State.FAILED if final else Notification.State.WAITING
        delay = FIRST_DELAY * 2 ** (notification.attempts - 1)
        notification.next_attempt_at = None if final else timezone.now() + delay
    else:
        notification.state = Notification.State.SENT
        notification.error = ""
        notification.sent_at, notification.next_attempt_at = timezone.now(), None
    notification.save()


def compose(notification: Notification) -> EmailMessage:
    """The e-mail that says what failed: to our own addresses, and to the tenant's if it is theirs.

    An invoice that cannot be issued is the operators' trouble: the tenant was never asked to pay.
    """
    invoice = Invoice.objects.filter(
        gateway=notification.gateway, ref=notification.invoice_ref
    ).select_related("tenant")
    subscription = Subscription.objects.filter(
        gateway=notification.gateway, ref=notification.subscription_ref
    ).select_related("tenant")
    about = invoice.first() or subscription.first()
    tenant = about.tenant if about else None
    name = about.display_number if isinstance(about, Invoice) else notification.subscription_ref
    whose = tenant.name if tenant else "an unknown tenant"
    payment_failed = notification.kind == Notification.Kind.PAYMENT_FAILED
    lines = [
        f"A payment of {whose} failed."
        if payment_failed
        else f"An invoice to {whose} cannot be finalized, so that nobody is asked to pay it.",
        "",
        f"For: {name or notification.invoice_ref}",
        f"Gateway: {notification.get_gateway_display()}",
        f"Attempt: {notification.attempt}",
    ]
    if notification.money:
        lines.append(f"Amount: {notification.money.format()} {notification.money.currency}")
    if notification.occurred_at:
        lines.append(f"When: {notification.occurred_at:%Y-%m-%d %H:%M:%S} UTC")
    addresses = [tenant.billing_email] if tenant and tenant.billing_email and payment_failed else []
    return EmailMessage(
        subject=_one_line(f"{notification.get_kind_display()}: {name or notification.invoice_ref}"),
        body="\n".join(_one_line(line) for line in lines) + "\n",
        to=[*dict.fromkeys([*addresses, *settings.BILLING_ALERT_EMAILS])],
        # The same attempt keeps the same id, so that a mail sent twice after a crash shows once.
        headers={"Message-ID": f"<notification-{notification.pk}@payments.invalid>"},
    )


def _one_line(text: str) -> str:
    """Nobody's tenant name or invoice number adds a line, or a header, to a mail."""
    return " ".join(text.split())
