"""The bar that says what came since a list was shown."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import NOON, make_event, make_invoice, make_staff

pytestmark = pytest.mark.django_db

EVENTS = "/admin/payments/events/"
INVOICES = "/admin/payments/invoices/"


def asked(staff: Client, address: str) -> str:
    """Where the page asks what is new."""
    [found] = re.findall(r'data-hx-get="([^"]+/fresh/[^"]*)"', staff.get(address).text) or [""]
    return unescape(found)


def bar(staff: Client, address: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", staff.get(address).text).split())


def test_says_how_many_events_came_since(staff: Client) -> None:
    make_event(received_at=NOON)
    address = asked(staff, EVENTS)
    nothing = staff.get(address).text.strip()
    # At the same moment, too: the rows' order decides then.
    make_event(received_at=NOON)
    one = bar(staff, address)
    make_event(received_at=NOON + timedelta(hours=1))
    # It stands further down the list.
    make_event(received_at=NOON - timedelta(hours=1))

    assert nothing == ""
    assert one == "1 new event"
    assert bar(staff, address) == "2 new events"


def test_says_how_many_invoices_came_since(staff: Client) -> None:
    make_invoice(created_at=NOON)
    address = asked(staff, INVOICES)
    make_invoice(created_at=NOON + timedelta(hours=1))

    assert bar(staff, address) == "1 new invoice"


def test_counts_those_that_the_filters_let_through(staff: Client) -> None:
    make_event(gateway="paypal")
    address = asked(staff, f"{EVENTS}?gateway=paypal&per_page=50")
    make_event(gateway="stripe", received_at=NOON + timedelta(hours=1))
    make_event(gateway="paypal", received_at=NOON + timedelta(hours=1))

    text = staff.get(address).text

    assert "1 new event" in text
    assert f'href="{EVENTS}?gateway=paypal&amp;per_page=50"' in text


def test_first_rows_of_an_empty_list_are_new(staff: Client) -> None:
    address = asked(staff, EVENTS)
    make_event()

    assert bar(staff, address) == "1 new event"


def test_stops_counting(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.views.fresh.LIMIT", 2)
    address = asked(staff, EVENTS)
    for _ in range(4):
        make_event()

    assert bar(staff, address) == "2+ new events"


@pytest.mark.parametrize("query", ["?sort=date", "?after={}"])
def test_is_not_asked_where_new_rows_would_not_come_first(staff: Client, query: str) -> None:
    rows = [make_event(received_at=NOON - timedelta(minutes=n)) for n in range(26)]
    cursor = f"{int(rows[0].received_at.timestamp() * 1_000_000)}_{rows[0].pk}"

    assert asked(staff, EVENTS) != ""
    assert asked(staff, EVENTS + query.format(cursor)) == ""


@pytest.mark.parametrize("since", ["nonsense", "9" * 18 + "_1", "\0"])
def test_place_that_is_none_counts_all(staff: Client, since: str) -> None:
    make_event()

    assert staff.get(f"{EVENTS}fresh/", {"since": since}).status_code == 200


def test_costs_few_queries(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_event()
    address = asked(staff, EVENTS)

    # Three to know who asks, one for what the filters may say, one to count.
    with django_assert_max_num_queries(5):
        staff.get(address)


@pytest.mark.parametrize("address", [f"{EVENTS}fresh/", f"{INVOICES}fresh/"])
def test_tells_nothing_to_others(address: str) -> None:
    make_event()
    client = Client()
    client.force_login(make_staff())

    assert client.get(address).status_code == 403
    assert Client().get(address).status_code == 302
