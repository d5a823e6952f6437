"""The nine tracked events of the product: posted with a signature, applied by a worker, and seen.

What came before each of them (an invoice, a sale) is posted the same way.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import requests
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from billing.models import Notification, PaymentEvent, Subscription
from tests import payloads, servers
from tests.browser.conftest import OpenPage
from tests.inbox import gateway_of
from tests.payloads import Payload
from webhooks.simulator import CertificateServer, PayPalSigner, stripe_headers

STRIPE_SECRET, PAYPAL_WEBHOOK_ID = "whsec_end_to_end", "8PT597110X687430L"
INVOICE, SALE = "BRAE0001-0001", "4BR12345AE678901C"


@dataclass(frozen=True, kw_only=True)
class Case:
    event: str
    before: list[str]
    # The linked invoice, as the expanded row shows it.
    invoice: tuple[str, str, str]
    # The subscription's status and quantity afterwards.
    subscription: tuple[str, int | None]
    # The cards that are not zero, and the split of the count.
    cards: dict[str, str]
    split: str
    timeline: list[str] = field(default_factory=list)


STRIPE_PAID = {"Total revenue": "€121.00"}
CASES = [
    Case(
        event="checkout.session.completed--basil",
        before=["invoice.paid--basil"],
        invoice=(INVOICE, "€121.00", "Paid"),
        subscription=("active", None),
        cards=STRIPE_PAID,
        split="1 paid",
    ),
    Case(
        event="customer.subscription.created--basil",
        before=["invoice.finalized--basil"],
        invoice=(INVOICE, "€121.00", "Pending"),
        subscription=("active", 2),
        cards={"Pending amount": "€121.00"},
        split="1 pending",
    ),
    Case(
        event="customer.subscription.updated--basil",
        before=["customer.subscription.created--basil", "invoice.paid--basil"],
        invoice=(INVOICE, "€121.00", "Paid"),
        subscription=("active", 3),
        cards=STRIPE_PAID,
        split="1 paid",
    ),
    Case(
        event="customer.subscription.deleted--basil",
        before=["invoice.finalized--basil", "invoice.voided--basil"],
        invoice=(INVOICE, "€121.00", "Void"),
        subscription=("cancelled", 3),
        cards={},
        split="1 void",
    ),
    Case(
        event="invoice.payment_failed--basil",
        before=["customer.subscription.created--basil"],
        invoice=(INVOICE, "€121.00", "Pending"),
        subscription=("active", 2),
        cards={"Pending amount": "€121.00"},
        split="1 pending",
        timeline=["e-mail sent to 1 person", "attempt 1"],
    ),
    Case(
        event="BILLING.SUBSCRIPTION.CREATED--v2",
        before=["PAYMENT.SALE.PENDING--v1"],
        invoice=(SALE, "€60.50", "Pending"),
        subscription=("incomplete", 2),
        cards={"Pending amount": "€60.50"},
        split="1 pending",
    ),
    Case(
        event="BILLING.SUBSCRIPTION.ACTIVATED--v2",
        before=["PAYMENT.SALE.COMPLETED--v1", "BILLING.SUBSCRIPTION.CREATED--v2"],
        invoice=(SALE, "€60.50", "Paid"),
        subscription=("active", 2),
        cards={"Total revenue": "€60.50"},
        split="1 paid",
    ),
    Case(
        event="BILLING.SUBSCRIPTION.CANCELLED--v2",
        before=["PAYMENT.SALE.COMPLETED--v1", "PAYMENT.SALE.REFUNDED--v1"],
        invoice=(SALE, "€60.50", "Paid"),
        subscription=("cancelled", 2),
        cards={"Total revenue": "€60.50", "Total refunded": "€12.10"},
        split="1 paid",
    ),
    Case(
        event="BILLING.SUBSCRIPTION.SUSPENDED--v1",
        before=["PAYMENT.SALE.DENIED--v1"],
        invoice=(SALE, "€60.50", "Void"),
        subscription=("suspended", None),
        cards={},
        split="1 void",
    ),
]


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> PayPalSigner:
    return PayPalSigner(tmp_path_factory.mktemp("paypal"))


@pytest.fixture(scope="module")
def certificate_server(signer: PayPalSigner) -> Iterator[CertificateServer]:
    with CertificateServer(signer) as server:
        yield server


@pytest.fixture(scope="module")
def worker_folder(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A worker that runs beside all of these tests, and where it keeps its e-mails."""
    folder = tmp_path_factory.mktemp("worker")
    mails = {
        "EMAIL_URL": f"filemail:///{folder}/mail",
        "BILLING_ALERT_EMAILS": "billing-alerts@operator.example",
    }
    with servers.worker(folder, **mails):
        yield folder


@pytest.fixture
def post(
    live_server: LiveServer,
    settings: Settings,
    signer: PayPalSigner,
    certificate_server: CertificateServer,
) -> "Post":
    settings.STRIPE_WEBHOOK_SECRETS = [STRIPE_SECRET]
    settings.PAYPAL_WEBHOOK_IDS = [PAYPAL_WEBHOOK_ID]
    settings.PAYPAL_CERT_ORIGINS = [certificate_server.origin]
    settings.PAYPAL_CA_BUNDLE = str(signer.authority_path)
    return Post(live_server.url, signer, certificate_server.certificate_url)


@dataclass
class Post:
    url: str
    signer: PayPalSigner
    certificate_url: str

    def __call__(self, event: Payload) -> None:
        gateway, body, now = gateway_of(event), json.dumps(event).encode(), timezone.now()
        if gateway == "stripe":
            headers = stripe_headers(body, STRIPE_SECRET, now)
        else:
            headers = self.signer.headers(body, PAYPAL_WEBHOOK_ID, self.certificate_url, now)
        answer = requests.post(f"{self.url}/webhooks/{gateway}/", body, headers=headers, timeout=10)
        assert (answer.status_code, answer.json()) == (200, {"result": "recorded"})


def load(name: str) -> Payload:
    return payloads.load("paypal" if name[0].isupper() else "stripe", name)


@pytest.mark.browser
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.event.split("--")[0])
def test_a_tracked_event_is_posted_applied_and_seen(
    case: Case, post: Post, worker_folder: Path, open_page: OpenPage
) -> None:
    for name in [*case.before, case.event]:
        post(load(name))
    waiting = PaymentEvent.objects.filter(state=PaymentEvent.State.WAITING)
    servers.wait_for(lambda: not waiting.exists(), seconds=10)
    payload = load(case.event)
    event = PaymentEvent.objects.get(event_id=payload["id"])
    to_send = Notification.objects.filter(state=Notification.State.WAITING)
    servers.wait_for(lambda: not to_send.exists(), seconds=10, message="no e-mail was sent")

    page = open_page(f"/admin/payments/events/?open={event.pk}")

    row = page.locator(f"#event-{event.pk}")
    expect(row).to_contain_text(case.event.split("--")[0])
    expect(row).to_contain_text("Stripe" if event.gateway == "stripe" else "PayPal")
    expect(row).to_contain_text("brae-cycles")
    expect(row).to_contain_text(event.event_id)
    expect(row).to_contain_text("Processed")
    detail = page.locator("tr.detail")
    for text in [*case.invoice, *case.timeline]:
        expect(detail).to_contain_text(text)
    cards = page.locator(".card")
    for title in ("Total revenue", "Total refunded", "Pending amount"):
        figure = cards.filter(has_text=title).locator(".v")
        expect(figure).to_have_text(f"{case.cards.get(title, '€0.00')}EUR")
    count = cards.filter(has_text="Invoice count")
    expect(count.locator(".v")).to_have_text("1")
    expect(count.locator(".o")).to_contain_text(case.split)
    subscription = Subscription.objects.get()
    assert (subscription.status, subscription.quantity) == case.subscription


def test_the_e_mail_of_a_failed_payment_says_what_failed(post: Post, worker_folder: Path) -> None:
    before = len(sent_mails(worker_folder))
    post(load("invoice.payment_failed--basil"))
    servers.wait_for(lambda: len(sent_mails(worker_folder)) > before, seconds=10)
    mail = message_from_bytes(sent_mails(worker_folder)[-1], policy=policy.default)
    assert mail["To"] == "billing-alerts@operator.example"
    assert mail["Subject"] == f"Payment failed: {INVOICE}"


def sent_mails(folder: Path) -> list[bytes]:
    """What the worker wrote; each e-mail ends with a line of dashes."""
    text = b"".join(path.read_bytes() for path in sorted((folder / "mail").glob("*.log")))
    return [mail.lstrip() for mail in text.split(b"-" * 79 + b"\n") if mail.strip()]
