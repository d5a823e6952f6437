"""Somebody is told of a failed payment: once an attempt, at the right address, whatever happens."""

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMessage
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from billing.models import Invoice, Notification, PaymentEvent, Tenant
from tests import inbox, payloads
from tests.payloads import Payload, paypal, stripe
from webhooks.notifications import FIRST_DELAY, MAX_ATTEMPTS, compose, send_due

pytestmark = pytest.mark.django_db

OPERATORS = "billing-alerts@operator.example"
State = Notification.State


@pytest.fixture(autouse=True)
def operators(settings: Settings) -> None:
    settings.BILLING_ALERT_EMAILS = [OPERATORS]


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.create(
        key="brae-cycles", name="Brae Cycles", billing_email="accounts@brae-cycles.example"
    )


def failed(**changes: Any) -> Payload:
    return stripe("invoice.payment_failed--basil", **changes)


def sent() -> list[ParsedMessage]:
    """The e-mails as they went out, read back from their bytes."""
    return [
        message_from_bytes(one.message().as_bytes(), policy=policy.default) for one in mail.outbox
    ]


# --- Once an attempt ------------------------------------------------------------------------


def test_one_attempt_is_told_once_however_many_events_report_it(tenant: Tenant) -> None:
    inbox.arrive(failed(), failed(event_id="evt_again"), failed(event_id="evt_third"))
    inbox.apply(PaymentEvent.objects.all())
    while send_due():
        pass
    assert len(mail.outbox) == 1
    assert Notification.objects.count() == 1


def test_each_attempt_is_told(tenant: Tenant) -> None:
    inbox.arrive(failed(), failed(event_id="evt_2", attempt_count=2))
    send_due()
    assert len(mail.outbox) == 2


def test_two_invoices_are_told_apart(tenant: Tenant) -> None:
    inbox.arrive(failed(), failed(event_id="evt_2", id="in_other", number="OTHER-1"))
    send_due()
    assert {one["Subject"] for one in sent()} == {
        "Payment failed: BRAE0001-0001",
        "Payment failed: OTHER-1",
    }


def test_a_denied_sale_of_paypal_is_told(tenant: Tenant) -> None:
    inbox.arrive(paypal("PAYMENT.SALE.DENIED--v1"))
    send_due()
    (one,) = sent()
    assert "PayPal" in one.get_content()
    assert "60.50" in one.get_content()


# --- To whom, and what ----------------------------------------------------------------------


def test_the_tenant_and_the_operators_are_told_what_failed(tenant: Tenant) -> None:
    inbox.arrive(failed())
    before = timezone.now()
    assert send_due() == 1
    (one,) = sent()
    assert one["To"] == f"accounts@brae-cycles.example, {OPERATORS}"
    assert one["Subject"] == "Payment failed: BRAE0001-0001"
    for said in ("Brae Cycles", "BRAE0001-0001", "Stripe", "121.00", "EUR", "2025-05-15 10:07:40"):
        assert said in one.get_content()
    row = Notification.objects.get()
    assert (row.state, row.attempts, row.error, row.next_attempt_at) == (State.SENT, 1, "", None)
    assert row.recipients == ["accounts@brae-cycles.example", OPERATORS]
    assert before <= (row.sent_at or before - timedelta(1)) <= timezone.now()


def test_the_operators_alone_are_told_of_an_invoice_that_cannot_be_issued(tenant: Tenant) -> None:
    event = stripe(
        "invoice.created--basil",
        last_finalization_error={"code": "customer_tax_location_invalid", "message": "No address."},
    )
    inbox.arrive(event | {"type": "invoice.finalization_failed"})
    assert send_due() == 1
    (one,) = sent()
    assert one["To"] == OPERATORS
    assert one["Subject"] == "Invoice cannot be finalized: in_1RBraeInvoice001"
    assert "payment of" not in one.get_content()


def test_an_address_that_is_both_is_told_once(tenant: Tenant) -> None:
    tenant.billing_email = OPERATORS
    tenant.save()
    inbox.arrive(failed())
    send_due()
    assert mail.outbox[0].to == [OPERATORS]


def test_without_a_tenant_the_operators_are_told(settings: Settings) -> None:
    event = failed(parent=None)
    inbox.arrive(event)
    send_due()
    (one,) = sent()
    assert one["To"] == OPERATORS
    assert "unknown tenant" in one.get_content()


def test_without_any_address_it_fails_and_says_what_to_set(settings: Settings) -> None:
    settings.BILLING_ALERT_EMAILS = []
    inbox.arrive(failed())
    assert send_due() == 1
    row = Notification.objects.get()
    assert row.state == State.FAILED
    assert "set BILLING_ALERT_EMAILS or the tenant's billing address" in row.error
    assert row.next_attempt_at is None
    assert mail.outbox == []


def test_the_same_notification_keeps_its_message_id(tenant: Tenant) -> None:
    inbox.arrive(failed())
    row = Notification.objects.get()
    ids = {compose(row).message()["Message-ID"] for _ in range(2)}
    assert len(ids) == 1


# --- E15: nobody writes headers or lines ----------------------------------------------------

INJECTIONS = [
    "Brae\r\nBcc: thief@evil.example",
    "Brae\nBcc: thief@evil.example\n\nPay here: https://evil.example",
    "Brae\r\n\r\n<b>Pay here</b>",
    "Brae\u2028Bcc: thief@evil.example",
    "Brae\u0085Bcc: thief@evil.example",
    "Brae\x0bBcc: thief@evil.example\x0c",
    "Brae\x1c\x1d\x1eBcc: thief@evil.example",
]


@pytest.mark.parametrize("injection", INJECTIONS)
def test_a_tenants_name_adds_no_header_and_no_line(tenant: Tenant, injection: str) -> None:
    inbox.arrive(failed())
    send_due()
    plain = sent()[0]
    Tenant.objects.update(name=injection)
    inbox.arrive(failed(event_id="evt_2", attempt_count=2))
    send_due()
    _, injected = sent()
    assert set(injected.keys()) == set(plain.keys())
    assert injected["To"] == plain["To"]
    assert len(injected.get_content().splitlines()) == len(plain.get_content().splitlines())


@pytest.mark.parametrize("injection", INJECTIONS)
def test_an_invoice_number_adds_no_header_and_no_line(tenant: Tenant, injection: str) -> None:
    inbox.arrive(failed(number=injection))
    assert send_due() == 1
    (one,) = sent()
    assert one["Bcc"] is None
    assert one["To"] == f"accounts@brae-cycles.example, {OPERATORS}"
    assert one["Subject"].startswith("Payment failed: Brae ")
    assert len([line for line in one.get_content().splitlines() if line.startswith("For: ")]) == 1
    assert not [line for line in one.get_content().splitlines() if line.startswith("Bcc")]
    assert Notification.objects.get().state == State.SENT


def test_an_e_mail_is_plain_text(tenant: Tenant) -> None:
    inbox.arrive(failed(number="<img src=https://evil.example>"))
    send_due()
    assert sent()[0].get_content_type() == "text/plain"


# --- D5: the mail server is away ------------------------------------------------------------


class SilentServer:
    """Takes connections and never says a word."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._taken: list[socket.socket] = []
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def _take(self) -> None:
        while True:
            try:
                self._taken.append(self._listener.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for one in self._taken:
            one.close()


@pytest.fixture
def smtp(settings: Settings) -> Settings:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_TIMEOUT = 0.3
    return settings


@pytest.fixture
def silent(smtp: Settings) -> Iterator[None]:
    server = SilentServer()
    smtp.EMAIL_PORT = server.port
    yield
    server.close()


@pytest.fixture
def refusing(smtp: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_at_once:
        smtp.EMAIL_PORT = closed_at_once.getsockname()[1]


@pytest.mark.parametrize(
    ("trouble", "error"), [("silent", "timed out"), ("refusing", "ConnectionRefusedError")]
)
def test_a_mail_server_that_is_away_is_tried_again_and_the_event_stands(
    tenant: Tenant, trouble: str, error: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(trouble)
    (event,) = inbox.arrive(failed())
    began = timezone.now()
    assert send_due() == 1
    assert timezone.now() - began < timedelta(seconds=3)
    row = Notification.objects.get()
    assert (row.state, row.attempts, row.sent_at) == (State.WAITING, 1, None)
    assert error in row.error
    assert event.state == PaymentEvent.State.PROCESSED
    assert Invoice.objects.get().status == "pending"
    assert send_due() == 0, "it is tried again before its time"


def test_an_e_mail_goes_out_once_the_server_is_back(
    tenant: Tenant, settings: Settings, request: pytest.FixtureRequest
) -> None:
    working = settings.EMAIL_BACKEND
    request.getfixturevalue("refusing")
    inbox.arrive(failed())
    send_due()
    settings.EMAIL_BACKEND = working
    with time_machine.travel(timezone.now() + FIRST_DELAY + timedelta(seconds=5)):
        assert send_due() == 1
    row = Notification.objects.get()
    assert (row.state, row.attempts, row.error) == (State.SENT, 2, "")
    assert len(mail.outbox) == 1


def test_retries_come_later_each_time_and_end(tenant: Tenant, refusing: None) -> None:
    inbox.arrive(failed())
    now = timezone.now()
    waits = []
    while True:
        with time_machine.travel(now, tick=False):
            assert send_due() == 1
        row = Notification.objects.get()
        if row.next_attempt_at is None:
            break
        waits.append(row.next_attempt_at - now)
        now = row.next_attempt_at
    assert waits == [FIRST_DELAY * 2**n for n in range(MAX_ATTEMPTS - 1)]
    assert (row.state, row.attempts) == (State.FAILED, MAX_ATTEMPTS)


def test_one_that_cannot_be_sent_does_not_hold_up_the_others(tenant: Tenant) -> None:
    Tenant.objects.create(key="broken", name="Broken", billing_email="no-address-at-all\n")
    other = failed(event_id="evt_2", id="in_2", customer="cus_2", number="OTHER-1")
    details = payloads.thing("stripe", other)["parent"]["subscription_details"]
    details["metadata"] = {"tenant_id": "broken"}
    inbox.arrive(other, failed())
    assert send_due() == 2
    assert sorted(Notification.objects.values_list("state", flat=True)) == [
        State.SENT,
        State.WAITING,
    ]
