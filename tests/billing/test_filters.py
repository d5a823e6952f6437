import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from billing.filters import EventFilter, InvoiceFilter, TenantMenu
from billing.queries import lists, tenants
from billing.queries.totals import totals
from billing.zone import start_of_day
from tests.factories import make_event, make_invoice, make_staff, make_tenant

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
            assert lists.event_types().value == ["a", "b"]


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
                *("currency", "tenant_q"),
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

    def test_the_count_is_shown_while_something_filters(self, staff: Client) -> None:
        for _ in range(30):
            make_event(gateway="paypal")
        make_event()

        def matches(query: str) -> str | None:
            found = re.search(r'class="matches">([^<]+)<', staff.get(f"{URLS[0]}?{query}").text)
            return found and found[1]

        assert matches("gateway=paypal") == "30 matches"
        assert matches("gateway=stripe") == "1 match"
        assert matches("q=nobody") == "0 matches"
        assert matches("") is None
        # Neither what is not valid nor the tenant that is looked for filters anything.
        assert matches("gateway=x&tenant_q=acme") is None

    def test_the_search_alone_is_cleared(self, staff: Client) -> None:
        text = staff.get(f"{URLS[0]}?q=abc&gateway=stripe&per_page=50&after=1_1").text

        assert '<a href="?gateway=stripe&amp;per_page=50" aria-label="Clear search">' in text

    def test_each_state_says_what_it_means(self, staff: Client) -> None:
        text = staff.get(URLS[0]).text

        for label, hint in (("Waiting", "will be applied soon"), ("Ignored", "changes nothing")):
            assert f"{label} <small>{hint}" in text


class TestPresets:
    @pytest.mark.parametrize(
        ("now", "zone", "expected"),
        [
            (
                "2026-03-01T12:00Z",
                "UTC",
                {
                    "Today": ("2026-03-01", "2026-03-01"),
                    "Last 7 days": ("2026-02-23", "2026-03-01"),
                    "This month": ("2026-03-01", "2026-03-31"),
                    "Last month": ("2026-02-01", "2026-02-28"),
                },
            ),
            (
                # It is still last year there.
                "2027-01-01T04:59Z",
                "America/New_York",
                {
                    "Today": ("2026-12-31", "2026-12-31"),
                    "Last 7 days": ("2026-12-25", "2026-12-31"),
                    "This month": ("2026-12-01", "2026-12-31"),
                    "Last month": ("2026-11-01", "2026-11-30"),
                },
            ),
            (
                "2028-03-31T12:00Z",
                "Pacific/Auckland",
                {
                    "Today": ("2028-04-01", "2028-04-01"),
                    "Last 7 days": ("2028-03-26", "2028-04-01"),
                    "This month": ("2028-04-01", "2028-04-30"),
                    "Last month": ("2028-03-01", "2028-03-31"),
                },
            ),
        ],
    )
    def test_days_of_the_operators(
        self, settings: Settings, now: str, zone: str, expected: dict[str, tuple[str, str]]
    ) -> None:
        settings.PAYMENTS_TIME_ZONE = zone
        query = QueryDict("gateway=paypal&date_from=2020-01-01&after=1_1")

        with time_machine.travel(now):
            (chip,) = [chip for chip in EventFilter(query).chips if chip.name == "date"]

        assert {preset.label: preset.url for preset in chip.presets} == {
            label: f"?gateway=paypal&date_from={first}&date_to={last}"
            for label, (first, last) in expected.items()
        }
        assert not any(preset.chosen for preset in chip.presets)

    def test_the_one_that_filters_is_marked_and_the_chip_says_the_days(self) -> None:
        with time_machine.travel("2026-11-22T12:00Z"):
            (chip,) = EventFilter(QueryDict("date_from=2026-11-16&date_to=2026-11-22")).active_chips

        assert chip.value == "Nov 16\u2009–\u200922, 2026"
        assert [preset.label for preset in chip.presets if preset.chosen] == ["Last 7 days"]


class TestTenantMenu:
    """A tenant is chosen among thousands by typing a part of its name or id."""

    @pytest.fixture(autouse=True)
    def many(self, db: None) -> None:
        for n in range(tenants.IN_MENU):
            make_tenant(f"Berg {n:02}", key=f"b{n:02}")
        make_tenant("Zebra", key="zebra")
        make_tenant("Acme Zeb", key="a1")

    def menu(self, query: str) -> list[tuple[str, bool]]:
        return [(option.value, option.chosen) for option in TenantMenu(QueryDict(query)).options]

    def test_all_by_name_as_far_as_they_go(self) -> None:
        menu = TenantMenu(QueryDict(""))

        assert [option.label for option in menu.options][:2] == ["Acme Zeb", "Berg 00"]
        assert len(menu.options) == tenants.IN_MENU
        assert menu.more
        assert menu.close == ""

    def test_those_that_match_the_ones_that_begin_so_first(self) -> None:
        assert self.menu("tenant_q=ZEB") == [("zebra", False), ("a1", False)]
        assert self.menu("tenant_q=b07") == [("b07", False)]
        assert self.menu("tenant_q=nobody") == []
        assert not TenantMenu(QueryDict("tenant_q=zeb")).more

    def test_those_chosen_stay_and_stand_first(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            assert self.menu("tenant_q=zeb&tenant=b07&tenant=a1") == [
                *(("a1", True), ("b07", True), ("zebra", False)),
            ]
        assert self.menu("tenant=zebra")[0] == ("zebra", True)
        assert len(self.menu("tenant=zebra")) == tenants.IN_MENU + 1

    def test_it_stands_open_while_one_is_looked_for_and_filters_nothing(
        self, staff: Client
    ) -> None:
        make_event(event_id="evt_kept")
        query = "gateway=stripe&tenant_q=zeb"

        open_ = staff.get(f"{URLS[0]}?{query}").text
        # What "Apply" sends in that menu.
        applied = staff.get(f"{URLS[0]}?{query}&tenant=zebra&tenant_q=").text

        assert '<div class="pop standing" id="menu-tenant"' in open_
        assert 'href="?gateway=stripe" aria-expanded="true"' in open_
        assert "evt_kept" in open_
        assert '<div class="pop" popover id="menu-tenant"' in applied
        assert "evt_kept" not in applied

    def test_links_do_not_keep_what_was_typed(self, staff: Client) -> None:
        for _ in range(30):
            make_event()

        text = staff.get(f"{URLS[0]}?tenant_q=zeb&per_page=25").text

        for link in re.findall(r'href="([^"]*(?:date_from|after)=[^"]*)"', text):
            assert "tenant_q=" not in link
        assert 'rel="next"' in text

    def test_the_part_that_is_loaded_while_typing(
        self, staff: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        url = "/admin/payments/tenant-choices/"
        with django_assert_num_queries(4):
            text = staff.get(f"{url}?tenant_q=zeb&tenant=b07").text

        assert text.count("<label>") == 3
        assert 'value="b07" checked' in text
        assert "<html" not in text
        assert "No tenant has “x&lt;y” in its name or id." in staff.get(f"{url}?tenant_q=x<y").text
        assert "There are more." in staff.get(url).text
        assert staff.get(f"{url}?tenant_q=%00&tenant=%00").status_code == 200

    def test_names_only_for_who_may_see_tenants(self) -> None:
        """E1."""
        client = Client()
        client.force_login(make_staff("view_paymentevent"))

        response = client.get("/admin/payments/tenant-choices/?tenant_q=zeb")

        assert response.status_code == 403
        assert "Zebra" not in response.text
        assert "tenant-choices" not in client.get(URLS[0]).text

    def test_a_name_that_cannot_be_looked_for(self, staff: Client) -> None:
        text = staff.get(f"{URLS[0]}?tenant_q=a%00b&gateway=stripe").text

        assert "<b>Find a tenant:</b> Null characters are not allowed." in text
        assert 'class="chip-on"' in text
