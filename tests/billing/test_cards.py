"""The cards: each figure leads to the rows that make it up, and each trend says what it draws."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from billing.cards import cards
from billing.models import Dispute, Invoice, Refund, Tenant
from billing.queries.totals import totals
from tests.factories import make_dispute, make_invoice, make_refund, make_tenant
from tests.linked import Links, figure, rows, total

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Tenant:
    return make_tenant("Acme & Söhne", key="acme & söhne/1?")


@pytest.fixture(autouse=True)
def _rows(acme: Tenant) -> None:
    """Every status, in several currencies, of a tenant, another, and none."""
    amounts = iter(range(1_001, 100_000, 17))
    for tenant in (acme, make_tenant(), None):
        for currency, exponent in (("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("USD", 2)):
            unit = {"currency": currency, "exponent": exponent, "tenant": tenant}
            for invoice_status in Invoice.Status.values:
                make_invoice(amount_minor=next(amounts), status=invoice_status, **unit)
            for refund_status in Refund.Status.values:
                make_refund(amount_minor=next(amounts), status=refund_status, **unit)
            for dispute_status in Dispute.Status.values:
                counted = next(amounts) if dispute_status in ("open", "lost") else 0
                make_dispute(
                    amount_minor=10**6, counted_minor=counted, status=dispute_status, **unit
                )
        # Counted in other units, credited in part, and negative.
        make_invoice(currency="HUF", exponent=2, amount_minor=100_50, tenant=tenant)
        make_invoice(currency="HUF", exponent=0, amount_minor=7, tax_minor=1, tenant=tenant)
        make_invoice(amount_minor=5_000, credited_minor=1_234, status="pending", tenant=tenant)
        make_invoice(currency="JPY", exponent=0, amount_minor=-300, tax_minor=None, tenant=tenant)


def check(client: Client, html: str) -> int:
    """Follow every link; returns how many there are."""
    links = Links(html).found
    for url, text in links:
        found = rows(client, url)
        assert found, url
        if "currency=" in url:
            assert figure(text) == total(found), (url, text)
        else:
            assert figure(text) == len(found), (url, text)
    return len(links)


def test_every_figure_is_the_sum_of_the_rows_it_leads_to(staff: Client) -> None:
    html = staff.get("/admin/payments/invoices/").text
    section = html[html.index('<section class="cards"') : html.index("</section>")]
    # Main, second and a menu of all: revenue has 5 currencies, refunds 4 and 4 disputed.
    assert check(staff, section) == (2 + 5) + (2 + 4 + 4) + (2 + 4) + 4


def test_every_figure_of_a_tenant_too(staff: Client, acme: Tenant) -> None:
    context = {"cards": cards(totals(acme).value, tenant=acme)}
    html = render_to_string("billing/_cards.html", context)
    assert check(staff, html) == (2 + 5) + (2 + 4 + 4) + (2 + 4) + 4
    assert "Totals of Acme &amp; Söhne" in html
    assert "polyline" not in html


def test_the_words_of_the_split_agree_with_their_number() -> None:
    tenant = make_tenant("Initech")
    for status in ("paid", "pending", "pending"):
        make_invoice(status=status, tenant=tenant)
    with translation.override("es"):
        split = cards(totals(tenant).value, tenant=tenant).split
    assert [f"{part.count} {part.label}" for part in split] == [
        "1 pagada",
        "2 pendientes",
        "0 anuladas",
    ]


def test_the_last_thirty_days_are_drawn_and_told(staff: Client) -> None:
    now = timezone.now()
    for days in (0, 0, 29, 30):
        make_invoice(amount_minor=1_000, tax_minor=None, created_at=now - timedelta(days=days))

    html = staff.get("/admin/payments/invoices/").text

    assert "The last 30 days: $30.00 USD in all, at most $20.00 in a day" in html
    assert html.count("Nothing in the last 30 days") == 2  # refunds and pending
    assert html.count("<polyline") == 3


def test_where_there_is_nothing_the_line_is_flat(staff: Client) -> None:
    for model in (Invoice, Refund, Dispute):
        model.objects.all().delete()
    html = staff.get("/admin/payments/invoices/").text
    assert html.count("Nothing in the last 30 days") == 3
    assert '<p class="v">—</p>' in html
