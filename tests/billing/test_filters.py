from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from billing.filters import EventFilter, InvoiceFilter
from billing.queries import lists
from billing.queries.totals import totals
from billing.zone import start_of_day
from tests.factories import make_event, make_invoice, make_tenant

pytestmark = pytest.mark.django_db

URLS = [f"/admin/payments/{name}/" for name in ("events", "invoices", "refunds", "disputes")]


def found_events(query: str) -> set[str]:
    return {event.event_id for event in EventFilter(QueryDict(query)).rows.first(100, ["-id"])}


def found_invoices(query: str) -> set[str]:
    return {
        invoice.ref
        for invoice in InvoiceFilter(QueryDict(query), totals()).rows.first(100, ["-id"])
    }


class TestEvents:
    def test_each_filter_alone_and_repeated(self) -> None:
        acme, globex = make_tenant("Acme", key="acme"), make_tenant("Globex", key="globex")
        make_event(event_id="a", tenant=acme, state="failed")
        make_event(event_id="b", tenant=globex, gateway="paypal", event_type="PAYMENT.SALE")
        make_event(event_id="c", state="unmatched", event_type="charge.refunded")

        assert found_events("") == {"a", "b", "c"}
        assert found_events("gateway=paypal") == {"b"}
        assert found_events("gateway=paypal&gateway=stripe") == {"a", "b", "c"}
        assert found_events("event_type=charge.refunded&event_type=PAYMENT.SALE") == {"b", "c"}
        assert found_events("tenant=acme") == {"a"}
        assert found_events("tenant=acme&tenant=globex") == {"a", "b"}
        assert found_events("state=failed&state=unmatched") == {"a", "c"}
        assert found_events("tenant=acme&state=unmatched") == set()
        assert found_events("event_type=not.received.yet") == set()

    def test_choices_are_the_types_that_were_received(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for event_type in ("b", "a", "b", ""):
            make_event(event_type=event_type)

        with django_assert_num_queries(1):
            assert lists.event_types() == ["a", "b"]


class TestInvoices:
    def test_each_filter_alone_and_repeated(self) -> None:
        acme = make_tenant("Acme", key="acme")
        make_invoice(ref="a", status="paid", tenant=acme)
        make_invoice(ref="b", status="pending", gateway="paypal")
        make_invoice(ref="c", status="void")
        make_invoice(ref="draft", status="draft")
        make_invoice(ref="deleted", status="deleted")

        assert found_invoices("") == {"a", "b", "c"}
        make_invoice(ref="euro", status="pending", currency="EUR")

        assert found_invoices("currency=EUR") == {"euro"}
        assert found_invoices("currency=EUR&currency=USD") == {"a", "b", "c", "euro"}
        assert found_invoices("currency=EUR&status=paid") == set()
        assert found_invoices("status=paid&status=void") == {"a", "c"}
        assert found_invoices("gateway=paypal") == {"b"}
        assert found_invoices("tenant=acme") == {"a"}


ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland"]


class TestDays:
    @pytest.mark.parametrize("zone", ZONES)
    @pytest.mark.parametrize("day", ["2026-03-29", "2026-11-01", "2026-07-15", "2026-04-05"])
    def test_a_day_is_the_operators_own(self, settings: Settings, zone: str, day: str) -> None:
        """E7."""
        settings.PAYMENTS_TIME_ZONE = zone
        first = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        last = datetime.fromisoformat(f"{day}T23:59:59.999999").replace(tzinfo=ZoneInfo(zone))
        microsecond = timedelta(microseconds=1)
        make_event(event_id="before", received_at=first - microsecond)
        make_event(event_id="first", received_at=first)
        make_event(event_id="last", received_at=last.astimezone(UTC))
        make_event(event_id="after", received_at=last.astimezone(UTC) + microsecond)

        assert found_events(f"date_from={day}&date_to={day}") == {"first", "last"}
        assert found_events(f"date_from={day}") == {"first", "last", "after"}
        assert found_events(f"date_to={day}") == {"before", "first", "last"}

    @pytest.mark.parametrize(
        ("zone", "day", "hours"),
        [
            ("Europe/Berlin", date(2026, 3, 29), 23),
            ("Europe/Berlin", date(2026, 10, 25), 25),
            ("America/New_York", date(2026, 11, 1), 25),
            ("Pacific/Auckland", date(2026, 9, 27), 23),
            ("Asia/Kolkata", date(2026, 3, 29), 24),
            # Midnight itself is skipped there: the day begins at one.
            ("Africa/Cairo", date(2026, 4, 24), 23),
        ],
    )
    def test_days_with_a_change_of_clocks(
        self, settings: Settings, zone: str, day: date, hours: int
    ) -> None:
        """E7."""
        settings.PAYMENTS_TIME_ZONE = zone

        length = start_of_day(day + timedelta(days=1)) - start_of_day(day)

        assert length == timedelta(hours=hours)


class TestBadInput:
    @pytest.mark.parametrize(
        ("query", "label", "message"),
        [
            ("gateway=strip", "Gateway", "“strip” is not one of the choices."),
            ("gateway=stripe&gateway=%00", "Gateway", "is not one of the choices."),
            ("tenant=nobody", "Tenant", "“nobody” is not one of the choices."),
            ("tenant=%00", "Tenant", "not one of the choices."),
            ("state=done", "Processed", "“done” is not one of the choices."),
            ("date_from=tomorrow", "First day", "Enter a day as YYYY-MM-DD."),
            ("date_to=2026-02-30", "Last day", "Enter a day as YYYY-MM-DD."),
            ("date_from=0001-01-01", "First day", "Enter a day from 1990-01-01 on."),
            ("date_to=9999-12-31", "Last day", "Enter a day until 2199-12-31."),
            ("date_from=2026-03-02&date_to=2026-03-01", "Last day", "It is before the first day."),
            ("q=a%00b", "Search", "Null characters are not allowed."),
            ("q=" + "x" * 300, "Search", "at most 255 characters"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_the_rest(
        self, staff: Client, query: str, label: str, message: str
    ) -> None:
        """E6, E7."""
        make_event(event_id="kept", event_type="wanted.type")
        make_event(event_id="left-out", event_type="other.type")

        response = staff.get(f"/admin/payments/events/?{query}&event_type=wanted.type")

        assert response.status_code == 200
        assert f"<b>{label}:</b>" in response.text
        assert message in response.text
        assert "kept" in response.text
        assert "left-out" not in response.text

    def test_a_currency_without_invoices(self, staff: Client) -> None:
        make_invoice(number="KEPT")

        text = staff.get("/admin/payments/invoices/?currency=XXX&status=paid").text

        assert "<b>Currency:</b> “XXX” is not one of the choices." in text
        assert "KEPT" in text

    @pytest.mark.parametrize("url", URLS)
    def test_long_values_are_not_repeated(self, staff: Client, url: str) -> None:
        make_event()
        make_invoice()

        response = staff.get(url, {"q": "z" * 5000, "gateway": "z" * 5000, "per_page": "9" * 5000})

        assert response.status_code == 200
        assert len(response.content) < 60_000

    @pytest.mark.parametrize("url", URLS)
    def test_too_many_parameters_are_refused(self, staff: Client, url: str) -> None:
        """E6."""
        assert staff.get(url + "?" + "&".join(f"a{n}=1" for n in range(1200))).status_code == 400

    @pytest.mark.parametrize("url", URLS)
    @hypothesis_settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(data=st.data())
    def test_no_query_breaks_a_page(self, staff: Client, url: str, data: st.DataObject) -> None:
        """E5, E6."""
        names = st.sampled_from(
            [
                *("q", "gateway", "event_type", "tenant", "state", "status", "date_from"),
                *("date_to", "after", "before", "per_page", "sort", "open", "page"),
                "currency",
            ]
        )
        values = st.one_of(
            st.text(max_size=40),
            st.sampled_from(
                ["stripe", "-1", "1e9", "\0", "٣", "0_0", "9" * 40, "-date", "2026-1-1"]
            ),
            st.integers().map(str),
            st.dates().map(str),
            st.tuples(st.integers(), st.integers()).map(lambda pair: f"{pair[0]}_{pair[1]}"),
        )
        query = data.draw(st.dictionaries(names, st.lists(values, min_size=1, max_size=3)))

        assert staff.get(url, query).status_code == 200
        assert staff.get(f"{url}export.csv", query).status_code in (200, 400)


class TestChips:
    def test_active_ones_come_first_and_clear_only_themselves(self) -> None:
        query = QueryDict("gateway=paypal&date_from=2026-03-01&date_to=2026-03-02&after=1_1&q=x")

        chips = EventFilter(query).chips

        assert [(chip.name, chip.value) for chip in chips[:2]] == [
            ("gateway", "PayPal"),
            ("date", "Mar 1\u2009–\u20092, 2026"),
        ]
        assert [chip.value for chip in chips[2:]] == ["", "", ""]
        assert chips[0].clear == "?date_from=2026-03-01&date_to=2026-03-02&q=x"
        assert chips[1].clear == "?gateway=paypal&q=x"

    def test_menus_count_their_choices_while_nothing_else_filters(self) -> None:
        for currency, status in (("USD", "paid"), ("USD", "pending"), ("EUR", "paid")):
            make_invoice(currency=currency, status=status)

        def counts(query: str) -> dict[str, dict[str, str]]:
            chips = InvoiceFilter(QueryDict(query), totals()).chips
            return {
                chip.name: {option.value: option.count for option in chip.options}
                for chip in chips
                if chip.name in ("status", "currency")
            }

        statuses = {"pending": "1", "paid": "2", "void": "0"}
        none = {"pending": "", "paid": "", "void": ""}
        assert counts("") == {"status": statuses, "currency": {"USD": "2", "EUR": "1"}}
        assert counts("status=paid") == {"status": statuses, "currency": {"USD": "", "EUR": ""}}
        assert counts("currency=EUR") == {"status": none, "currency": {"USD": "2", "EUR": "1"}}
        assert counts("q=x") == {"status": none, "currency": {"USD": "", "EUR": ""}}

    def test_many_values_are_shortened(self) -> None:
        query = QueryDict("state=processed&state=failed&state=ignored&state=waiting")

        (chip,) = EventFilter(query).active_chips

        assert chip.value == "Processed, Failed +2"

    def test_a_selected_tenant_is_offered_wherever_it_is_in_the_alphabet(self) -> None:
        for n in range(lists.TENANTS_IN_MENU):
            make_tenant(f"A{n}")
        make_tenant("Zebra", key="zebra")

        def offered(query: str) -> set[str]:
            return set(dict(EventFilter(QueryDict(query)).form.fields["tenant"].choices).values())

        assert "Zebra" not in offered("")
        assert "Zebra" in offered("tenant=zebra")
