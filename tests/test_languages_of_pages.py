"""Every text of every page comes out of the catalogs, and dates and numbers follow the language."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import trans_real
from pytest_django import Settings

from billing import formats
from billing.models import Invoice, PaymentEvent, Subscription, Tenant
from tests.factories import (
    NOON,
    make_credit_note,
    make_dispute,
    make_event,
    make_invoice,
    make_payment,
    make_refund,
    make_staff,
    make_tenant,
)
from tests.inbox import apply, record
from webhooks.demo.story import COMPANIES, story

pytestmark = pytest.mark.django_db

# Ids, addresses, types of events, versions and names of settings; codes of currencies and zones.
DATA = re.compile(r"\S*(?:\d|\w[._@:/]\w|[A-Z]_[A-Z])\S*|\b[A-Z]{3}\b")
NAMES = ["Stripe", "PayPal", "Excel (XLSX)", "Tenant of the test", "admin", "clerk"]
SPOKEN = ("title", "aria-label", "placeholder", "alt", "data-copied", "data-not-copied")
VOID = {"meta", "link", "input", "br", "img", "hr"}


class Texts(HTMLParser):
    """What a page says, in sight or read out, except where its markup says that it is data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[bool] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") in ("submit", "button"):
            self.said.append(given["value"] or "")
        self.said += [value for name in SPOKEN if (value := given.get(name))]
        if tag not in VOID:
            is_data = tag in ("bdi", "code", "pre", "script", "style")
            # Each language is called by its own name.
            self._open.append(is_data or ("lang" in given and tag != "html"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self.said.append(data)


def hard_coded(html: str, names: list[str]) -> list[str]:
    """Texts that have words outside of the marks, data aside."""
    found = []
    for text in Texts(html).said:
        rest = text
        while (inner := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)) != rest:
            rest = inner
        rest = DATA.sub("", rest)
        for name in names:
            rest = rest.replace(name, "")
        if re.search(r"[A-Za-z]{2}", rest):
            found.append(text.strip())
    return found


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the catalogs know is put between ⟦ and ⟧; what they do not know stays bare."""
    catalog = trans_real.translation("zh-hans")

    def known(context: str, message: str) -> bool:
        key = f"{context}\x04{message}" if context else message
        held = catalog._catalog  # type: ignore[attr-defined]
        return key in held or (key, 0) in held

    def mark(name: str, context: Callable[..., str], message: Callable[..., str]) -> None:
        original = getattr(trans_real, name)

        def marking(*args: Any) -> str:
            said: str = original(*args)
            return f"⟦{said}⟧" if known(context(*args), message(*args)) else said

        monkeypatch.setattr(f"django.utils.translation._trans.{name}", marking)

    mark("gettext", lambda *args: "", lambda *args: args[0])
    mark("ngettext", lambda *args: "", lambda *args: args[0])
    mark("pgettext", lambda *args: args[0], lambda *args: args[1])
    mark("npgettext", lambda *args: args[0], lambda *args: args[1])


@pytest.fixture
def reader(admin_user: User) -> Client:
    """An administrator whose browser asks for Chinese."""
    client = Client(headers={"accept-language": "zh-hans"}, raise_request_exception=False)
    client.force_login(admin_user)
    return client


@pytest.fixture
def lives(settings: Settings) -> None:
    """What the demo plays, and what goes wrong."""
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_first"]
    for company in COMPANIES:
        make_tenant(company.name, key=company.key, billing_email=company.billing_email)
    apply(record(*(json.loads(post.body) for post in story(timezone.now()))))
    tenant = make_tenant("Tenant of the test", key="test", billing_email="")
    common = {"tenant": tenant, "invoice_ref": "in_t1", "customer_ref": "cus_t1"}
    for state, reason in (
        ("failed", "not JSON"),
        ("unreadable", "not a JSON object"),
        ("ignored", "this type changes nothing"),
        ("unmatched", ""),
        ("waiting", ""),
    ):
        attempts = {"attempts": 3, "deliveries": 3, "conflicting_deliveries": 1}
        waiting = {"next_attempt_at": NOON} if state in ("failed", "waiting") else {}
        make_event(state=state, reason=reason, **common | attempts | waiting)
    invoice = make_invoice(
        ref="in_t1",
        tenant=tenant,
        customer_ref="cus_t1",
        subscription_ref="sub_t1",
        status="void",
        attention="overdue",
        attempt_count=3,
        next_attempt_at=NOON,
        due_at=NOON,
        paid_at=NOON,
        credited_minor=100,
    )
    Subscription.objects.create(
        gateway="stripe",
        ref="sub_t1",
        tenant=tenant,
        plan="plan_1",
        status="active",
        quantity=2,
        period_end_at=NOON,
        cancel_at=NOON,
    )
    make_payment(ref="ch_t1", invoice_ref=invoice.ref, amount_minor=12_000, currency="USD")
    make_refund(payment_ref="ch_t1")
    make_dispute(payment_ref="ch_t1", counted_minor=2_000)
    make_credit_note(invoice_ref=invoice.ref, pre_payment_minor=100)


EVENTS = "/admin/payments/events/"
INVOICES = "/admin/payments/invoices/"
ADDRESSES = [
    EVENTS,
    INVOICES,
    "/admin/payments/refunds/",
    "/admin/payments/disputes/",
    "/admin/payments/tenants/",
    "/admin/payments/trends/",
    "/admin/payments/setup/",
    "/admin/payments/tracked-events/",
]


def test_every_text_of_every_page_is_translated(
    reader: Client, lives: None, marked: None, settings: Settings
) -> None:
    tenants = Tenant.objects.all()
    some = {
        state: PaymentEvent.objects.filter(state=state).latest("pk").pk
        for state in PaymentEvent.State.values
    }
    addresses = [
        *ADDRESSES,
        *(f"{address}?q=nobody_1" for address in ADDRESSES),
        *(f"{EVENTS}?state={state}&open={pk}" for state, pk in some.items()),
        *(
            f"{EVENTS}?open={event.pk}"
            for event in PaymentEvent.objects.filter(event_type="invoice.payment_failed")[:1]
        ),
        f"{EVENTS}?gateway=stripe&state=failed&date_from=2026-01-01&tenant=test",
        f"{EVENTS}?gateway=nobody&date_from=nonsense&after=nowhere",
        f"{EVENTS}?date_from=2026-02-01&date_to=2026-01-01",
        f"{EVENTS}?sort=received",
        *(
            reverse("billing:invoice", args=[invoice.gateway, invoice.ref])
            for invoice in Invoice.objects.all()
        ),
        *(reverse("billing:tenant", args=[tenant.pk]) for tenant in tenants),
        *(reverse("billing:tenant_subscriptions", args=[tenant.pk]) for tenant in tenants[:1]),
        *(reverse("billing:tenant_customers", args=[tenant.pk]) for tenant in tenants[:1]),
        reverse("billing:assign", args=[some["unmatched"]]),
        "/admin/payments/nowhere/",
        f"{EVENTS}?{'q=&' * 1100}",
    ]
    names = [*NAMES, *(name for tenant in tenants for name in (tenant.name, tenant.key))]
    names += filter(None, Subscription.objects.values_list("plan", flat=True))
    names.sort(key=len, reverse=True)
    bare: dict[str, list[str]] = {}

    def look(address: str, html: str) -> None:
        if found := hard_coded(html, names):
            bare[address] = found

    for address in addresses:
        look(address, reader.get(address).text)
    look("payload", reader.post(reverse("billing:payload", args=[some["processed"]])).text)
    look("test event", reader.post(reverse("send_test_event", args=["stripe"]), follow=True).text)
    settings.STRIPE_WEBHOOK_SECRETS = []
    look("nothing configured", reader.get("/admin/payments/setup/").text)
    look("log out", reader.post("/admin/logout/").text)
    look("log in", reader.get("/admin/login/").text)
    look("log in refused", reader.post("/admin/login/", {"username": "x", "password": "y"}).text)
    reader.force_login(make_staff())
    look("no access", reader.get(EVENTS).text)

    assert not bare, bare


def test_every_text_of_a_new_deployment_is_translated(reader: Client, marked: None) -> None:
    bare = {
        address: found
        for address in ADDRESSES
        if (found := hard_coded(reader.get(address).text, NAMES))
    }
    assert not bare, bare


def test_a_text_outside_of_the_catalogs_would_be_found() -> None:
    html = '<p title="⟦a⟧">⟦one ⟦two⟧⟧ evt_1 USD</p><p title="Three"><bdi>Acme</bdi>four</p>'
    assert hard_coded(html, []) == ["Three", "four"]


@pytest.mark.parametrize(
    ("language", "count", "day", "plural"),
    [
        ("zh-hans", "12,345", "2025年3月1日 12:00:00", "2 个新事件"),
        ("de", "12.345", "1. März 2025, 12:00:00", "2 neue Ereignisse"),
    ],
)
def test_numbers_dates_and_plurals_are_those_of_the_language(
    language: str, count: str, day: str, plural: str
) -> None:
    with translation.override(language):
        assert formats.number(12_345) == count
        assert formats.moment(NOON.replace(year=2025)) == day
        new = translation.ngettext("%(shown)s new event", "%(shown)s new events", 2)
        assert new % {"shown": 2} == plural
