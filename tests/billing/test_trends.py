"""The Trends page: every bar and every number of its tables leads to the rows it is the sum of."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from time_machine import travel

from billing.models import Invoice, Notification, Refund
from billing.totals import follow_zone
from billing.trends import Period, months, weeks
from tests.factories import make_invoice
from tests.linked import Links, figure, rows, total

pytestmark = pytest.mark.django_db

TRENDS = "/admin/payments/trends/"
# A Thursday. In Auckland it is Friday already, and in half an hour April.
NOW = datetime(2022, 3, 31, 10, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with travel(NOW, tick=False):
        yield


def section(html: str) -> str:
    return html[html.index('<main class="main"') :]


def bars(html: str) -> list[tuple[str, str]]:
    """The links of bars, which alone have a period in their label."""
    return [(url, text) for url, text in Links(section(html)).found if ": " in text]


# --- Periods --------------------------------------------------------------------------------


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 1, 1), date(2026, 12, 31)])
def test_periods_follow_each_other_up_to_today(today: date) -> None:
    for periods, count in ((months(today), 12), (weeks(today), 13)):
        assert len(periods) == count
        assert periods[-1].first <= today <= periods[-1].last
        for before, after in pairwise(periods):
            assert before.last + timedelta(days=1) == after.first
        assert [period for period in periods if period.text.endswith(", so far")] == periods[-1:]
    assert {period.first.day for period in months(today)} == {1}
    assert {period.first.weekday() for period in weeks(today)} == {0}


def test_how_periods_are_named() -> None:
    january = months(date(2026, 2, 3))[-2]
    assert january == Period(date(2026, 1, 1), date(2026, 1, 31), "Jan", "2026", "January 2026")
    week = weeks(date(2026, 2, 3))[-2]
    assert (week.label, week.text) == ("Jan 26", "Jan 26\u2009–\u2009Feb 1, 2026")


# --- The page -------------------------------------------------------------------------------


def make_rows() -> None:
    """Around the beginnings and ends of months, in several currencies and units."""
    invoices: list[Invoice] = []
    refunds: list[Refund] = []
    for days in (0, 1, 29, 30, 31, 58, 59, 60, 333, 334, 335, 364, 365, 366, 400):
        for hours in (-11, 0, 11):
            at = NOW - timedelta(days=days, hours=hours)
            for currency, exponent in (("USD", 2), ("USD", 2), ("EUR", 2), ("HUF", 0), ("HUF", 2)):
                n = len(invoices)
                unit = {"gateway": "stripe", "currency": currency, "exponent": exponent}
                unit |= {"amount_minor": 1_001 + 17 * n, "created_at": at}
                invoices += [
                    Invoice(ref=f"in_{n}_{status}", status=status, **unit)
                    for status in ("paid", "pending", "void", "draft")
                ]
                refunds += [
                    Refund(ref=f"re_{n}_{status}", status=status, **unit)
                    for status in ("succeeded", "failed", "pending")
                ]
    credit = {"currency": "EUR", "exponent": 2, "amount_minor": -(10**6), "created_at": NOW}
    invoices.append(Invoice(gateway="stripe", ref="in_credit", status="paid", **credit))
    Invoice.objects.bulk_create(invoices)
    Refund.objects.bulk_create(refunds)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
@pytest.mark.parametrize("currency", ["USD", "EUR", "HUF"])
def test_every_bar_is_the_sum_of_the_rows_it_leads_to(
    staff: Client, settings: Settings, zone: str, currency: str
) -> None:
    settings.PAYMENTS_TIME_ZONE = zone
    follow_zone()
    make_rows()

    html = staff.get(f"{TRENDS}?currency={currency}").text

    drawn = bars(html)
    for url, text in drawn:
        assert figure(text.removesuffix(f" {currency}")) == total(rows(staff, url)), text
    # Three charts; months that have rows: those of today and before, and of a year ago.
    assert len(drawn) % 3 == 0
    assert len(drawn) >= 3 * 4
    # The table leads to the same rows, by the same numbers.
    cells = [link for link in Links(section(html)).found if "date_from" in link[0]]
    tabled = {(url, figure(text)) for url, text in cells if ": " not in text}
    assert tabled == {(url, figure(text)) for url, text in drawn}


def test_what_is_left_out_of_a_month_is_in_the_next(staff: Client) -> None:
    make_rows()
    found = [row for url, text in bars(staff.get(TRENDS).text) for row in rows(staff, url)]
    refs = [row.get("gateway_invoice_id") or row["refund_id"] for row in found]
    assert len(refs) == len(set(refs))


def test_failed_payments_lead_to_their_rows(admin_client: Client, settings: Settings) -> None:
    settings.PAYMENTS_TIME_ZONE = "Pacific/Auckland"
    follow_zone()
    for days in (0, 0, 4, 5, 6, 12, 84, 90, 91, 200):
        for hours in (-1, 1):
            Notification.objects.create(
                gateway="stripe",
                attempt=f"{Notification.objects.count()}",
                occurred_at=NOW - timedelta(days=days, hours=hours),
            )
    Notification.objects.create(
        gateway="stripe", attempt="x", kind="finalization_failed", occurred_at=NOW
    )

    drawn = bars(admin_client.get(TRENDS).text)

    assert len(drawn) >= 3
    for url, text in drawn:
        changelist = admin_client.get(url).context["cl"]
        assert f": {changelist.result_count} failed payment" in text


def test_failed_payments_lead_nowhere_for_who_may_not_see_them(staff: Client) -> None:
    Notification.objects.create(gateway="stripe", attempt="1", occurred_at=NOW)
    html = staff.get(TRENDS).text
    assert ">1</text>" in html
    assert bars(html) == []


def test_one_currency_at_a_time_the_main_one_unless_asked(staff: Client) -> None:
    for currency in ("EUR", "USD", "USD"):
        make_invoice(currency=currency, created_at=NOW)

    def shown(query: str) -> tuple[list[str], str]:
        html = section(staff.get(TRENDS + query).text)
        tabs = [text for url, text in Links(html).found if url.startswith("?currency=")]
        return tabs, html.split('aria-current="page">')[1][:3]

    assert shown("") == (["USD", "EUR"], "USD")
    assert shown("?currency=EUR") == (["USD", "EUR"], "EUR")
    assert shown("?currency=%00") == (["USD", "EUR"], "USD")


@pytest.mark.parametrize("asked", ["CHF", "usd", "%3Cb%3E", "x" * 3000])
def test_a_currency_that_is_none_says_so_and_shows_the_main_one(staff: Client, asked: str) -> None:
    make_invoice(created_at=NOW)
    html = staff.get(f"{TRENDS}?currency={asked}").text
    assert "There is nothing in the currency" in html
    assert "This is USD." in html
    assert "<b>" + "$123.45" in html
    assert len(html) < 60_000


def test_nothing_yet(staff: Client) -> None:
    html = staff.get(TRENDS).text
    assert "No invoices yet" in html
    assert html.count("<figure") == 1  # failed payments
    assert bars(html) == []


def test_how_many_statements(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_rows()
    # Session, user, permissions; totals; days and failures.
    with django_assert_num_queries(5):
        staff.get(TRENDS)


@pytest.mark.parametrize("page", ["invoices", "trends"])
def test_coordinates_have_a_point_in_every_language(staff: Client, page: str) -> None:
    make_rows()
    make_invoice(status="pending")
    shown = staff.get(f"/admin/payments/{page}/", headers={"accept-language": "fr"}).text
    coordinates = re.findall(r' (?:x|y|width|height|y1|y2)="([^"]*[.,][^"]*)"', shown)
    assert coordinates
    assert [each for each in coordinates if "," in each] == []
