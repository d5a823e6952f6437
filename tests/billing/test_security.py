"""Who may see what, and what every response carries."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.http import HttpResponseBase
from django.template.loader import render_to_string
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from billing.models import Customer, Subscription, TenantClaim
from tests.factories import make_event, make_invoice, make_refund, make_staff, make_tenant

pytestmark = pytest.mark.django_db

EVENTS = [
    "/admin/payments/events/",
    "/admin/payments/events/export.csv",
    "/admin/payments/events/export.xlsx",
    "/admin/payments/tracked-events/",
    "/admin/payments/setup/",
]
INVOICE = "/admin/payments/invoices/stripe/in_known/"
INVOICES = [
    "/admin/payments/invoices/",
    "/admin/payments/invoices/export.csv",
    "/admin/payments/invoices/export.xlsx",
    "/admin/payments/refunds/",
    "/admin/payments/refunds/export.csv",
    "/admin/payments/refunds/export.xlsx",
    "/admin/payments/disputes/",
    "/admin/payments/disputes/export.csv",
    "/admin/payments/disputes/export.xlsx",
    "/admin/payments/trends/",
    "/admin/payments/totals.json",
    INVOICE,
]
SECRET = "Unmistakable GmbH"


def logged_in(*permissions: str, is_staff: bool = True) -> Client:
    user = make_staff(*permissions)
    user.is_staff = is_staff
    user.save()
    client = Client()
    client.force_login(user)
    return client


def status(response: HttpResponseBase) -> int:
    response.close()  # a file that is not sent to its end
    return response.status_code


@pytest.fixture(autouse=True)
def rows(db: None) -> None:
    tenant = make_tenant(SECRET)
    make_event(tenant=tenant, invoice_ref=make_invoice(tenant=tenant, ref="in_known").ref)


@pytest.mark.parametrize("path", [*EVENTS, *INVOICES])
class TestAccess:
    """E1."""

    def test_anonymous_is_sent_to_login(self, path: str) -> None:
        response = Client().get(f"{path}?q=x")

        assert response.status_code == 302
        assert response["Location"] == f"/admin/login/?next={path}%3Fq%3Dx"

    def test_user_who_is_not_staff_is_refused(self, path: str) -> None:
        client = logged_in("view_paymentevent", "view_invoice", is_staff=False)

        assert client.get(path).status_code == 403

    def test_staff_without_the_permission_learn_nothing(self, path: str) -> None:
        needless = "view_invoice" if path in EVENTS else "view_paymentevent"

        response = logged_in(needless).get(path)

        assert response.status_code == 403
        assert SECRET not in response.text
        assert 'class="count"' not in response.text

    def test_staff_with_the_permission_get_in(self, path: str) -> None:
        needed = "view_paymentevent" if path in EVENTS else "view_invoice"

        assert status(logged_in(needed).get(path)) == 200

    def test_only_reading(self, staff: Client, path: str) -> None:
        assert status(staff.head(path)) == 200
        assert staff.post(path).status_code == 405
        assert staff.delete(path).status_code == 405

    def test_nothing_is_cached(self, staff: Client, path: str) -> None:
        for response in (staff.get(path), Client().get(path)):
            response.close()
            assert "no-store" in response["Cache-Control"]


def test_without_the_right_to_see_invoices_an_event_shows_none() -> None:
    client = logged_in("view_paymentevent")
    invoice = make_invoice(number="INV-HIDDEN", amount_minor=98_765)
    event = make_event(invoice_ref=invoice.ref)

    page = client.get(f"/admin/payments/events/?open={event.pk}")
    export = client.get("/admin/payments/events/export.csv")

    for text in (page.text, b"".join(export).decode()):
        assert event.event_id in text
        assert "INV-HIDDEN" not in text
        assert "987.65" not in text
    assert "Total revenue" not in page.text
    assert "/admin/payments/invoices/" not in page.text


def test_home_leads_to_the_events(staff: Client) -> None:
    response = staff.get("/admin/payments/?q=x")

    assert response.status_code == 302
    assert response["Location"] == "/admin/payments/events/"


def test_login_leads_back_but_to_no_other_site() -> None:
    User.objects.create_user("u", password="secret", is_staff=True)
    credentials = {"username": "u", "password": "secret"}
    login = "/admin/login/"

    back = Client().post(login, credentials | {"next": "/admin/payments/events/"})
    away = Client().post(login, credentials | {"next": "https://example.com/"})

    assert back["Location"] == "/admin/payments/events/"
    assert "example.com" not in away["Location"]


class Inline(HTMLParser):
    """Finds what a strict policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or "style" in names or (tag == "script" and "src" not in names):
            self.found.append(self.get_starttag_text() or tag)
        self.found += [name for name in names if name.startswith("on")]


PAGES = [
    *EVENTS[:1],
    *INVOICES[:1],
    "/admin/payments/refunds/",
    "/admin/payments/disputes/",
    "/admin/payments/trends/",
    INVOICE,
    "/admin/payments/tracked-events/",
    "/admin/payments/tenant-choices/",
    "/admin/payments/tenants/",
    "/admin/payments/setup/",
    "/admin/payments/events/?q=nothing",
    "/admin/login/",
    "/admin/",
    "/no/such/page",
    "/healthz",
]


@pytest.mark.parametrize("path", PAGES)
def test_strict_policy_and_nothing_inline(staff: Client, path: str) -> None:
    event = make_event(state="failed", reason="why")
    response = staff.get(path if "?" in path else f"{path}?open={event.pk}")

    assert set(response["Content-Security-Policy"].split("; ")) == {
        *("default-src 'self'", "form-action 'self'"),
        *("base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'"),
    }
    parser = Inline()
    parser.feed(response.text)
    assert parser.found == []


def test_error_500_has_the_policy_and_needs_no_context(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("billing.views.lists.totals", broken)
    staff.raise_request_exception = False

    response = staff.get("/admin/payments/events/")

    assert response.status_code == 500
    assert "'self'" in response["Content-Security-Policy"]
    assert "Something went wrong" in response.text
    assert "secret detail" not in response.text


@pytest.mark.parametrize("code", ["400", "404", "500", "503"])
def test_pages_of_errors_need_neither_a_request_nor_the_database(
    code: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        text = render_to_string(f"{code}.html")

    assert f'<p class="code">{code}</p>' in text
    assert 'href="/admin/payments/"' in text


def test_e3_a_form_without_its_token_is_refused_in_our_own_words() -> None:
    client = Client(enforce_csrf_checks=True)

    response = client.post("/admin/login/", {"username": "u", "password": "p"})

    assert response.status_code == 403
    assert "This form was not accepted" in response.text
    assert 'class="sheet"' in response.text


def test_who_has_no_access_is_told_as_whom_and_can_log_out() -> None:
    text = logged_in().get(EVENTS[0]).text

    assert "You are logged in as clerk." in text
    assert 'action="/admin/logout/"' in text


def test_e12_a_database_that_takes_too_long_is_said_kindly(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow() -> None:
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr("billing.views.lists.totals", slow)

    response = staff.get("/admin/payments/events/")

    assert response.status_code == 503
    assert "statement timeout" not in response.text


def test_e4_another_host_name_is_refused(staff: Client) -> None:
    response = staff.get("/admin/payments/events/", headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert SECRET not in response.text


def test_every_shown_field_is_text() -> None:
    """E10."""
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    tenant = make_tenant(evil, key=evil)
    invoice = make_invoice(
        number=evil, ref=f"in_{evil}", gateway_status=evil, tenant=tenant, currency="USD"
    )
    make_refund(invoice_ref=invoice.ref, ref=evil)
    names = ["event_id", "event_type", "api_version", "reason"]
    refs = ["customer_ref", "subscription_ref", "payment_ref"]
    event = make_event(
        **dict.fromkeys([*names, *refs], evil),
        invoice_ref=invoice.ref,
        tenant=tenant,
        state="failed",
    )
    Customer.objects.create(gateway="stripe", ref=evil, tenant=tenant, name=evil, email=evil)
    Subscription.objects.create(gateway="stripe", ref=evil, tenant=tenant, plan=evil)
    for claimant in (tenant, make_tenant(evil)):
        TenantClaim.objects.create(gateway="stripe", kind="customer", ref=evil, tenant=claimant)
    client = logged_in(
        *("view_paymentevent", "view_invoice", "view_tenant"),
        *("view_customer", "change_paymentevent"),
    )
    queries = [
        ("/admin/payments/tenants/", {"q": evil, "after": evil}),
        ("/admin/payments/tenants/", {}),
        ("/admin/payments/tenant-choices/", {"tenant_q": evil, "tenant": evil}),
        ("/admin/payments/events/", {"tenant_q": evil}),
        (f"/admin/payments/tenants/{tenant.pk}/", {}),
        (f"/admin/payments/tenants/{tenant.pk}/subscriptions/", {}),
        (f"/admin/payments/tenants/{tenant.pk}/customers/", {}),
        (f"/admin/payments/events/{event.pk}/assign/", {"q": evil}),
        (f"/admin/payments/events/{event.pk}/assign/", {}),
        ("/admin/payments/events/", {"open": str(event.pk)}),
        ("/admin/payments/events/", {"tenant": evil, "event_type": evil, "q": evil}),
        ("/admin/payments/events/", {"gateway": evil, "date_from": evil, "after": evil}),
        ("/admin/payments/invoices/", {"status": evil, "sort": evil, "per_page": evil, evil: evil}),
        ("/admin/payments/invoices/", {"q": evil}),
    ]
    for path, query in queries:
        text = client.get(path, query).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert not re.search(r"<[^>]* onerror=", re.sub(r'"[^"]*"', '""', text))
