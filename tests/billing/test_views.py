from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries, Settings

from billing.cards import Line
from billing.models import Dispute, Heartbeat, Notification
from tests.factories import (
    NOON,
    make_event,
    make_invoice,
    make_payment,
    make_refund,
    make_staff,
    make_tenant,
)

pytestmark = pytest.mark.django_db

EVENTS = "/admin/payments/events/"
INVOICES = "/admin/payments/invoices/"

# The session, the user, two for the user's permissions, and whether the worker runs.


class TestCards:
    def test_each_currency_has_its_line_and_none_is_added_up(self, staff: Client) -> None:
        for _ in range(3):
            make_invoice(currency="EUR", amount_minor=100_000)
        make_invoice(currency="USD", amount_minor=5_000_000)
        make_invoice(currency="USD", status="pending", amount_minor=4200, tax_minor=None)
        make_invoice(currency="KWD", exponent=3, amount_minor=1_000, status="void")
        make_refund(currency="USD", amount_minor=150)

        revenue, refunded, pending = staff.get(INVOICES).context["cards"].amounts

        def amounts(lines: list[Line]) -> list[str]:
            return [f"{line.money} {line.money.currency}" for line in lines]

        # The currency with most invoices leads on every card, even where it has nothing.
        assert amounts(revenue.lines) == ["3000.00 EUR", "50000.00 USD"]
        assert amounts(refunded.lines) == ["0.00 EUR", "1.50 USD"]
        assert amounts(pending.lines) == ["0.00 EUR", "42.00 USD"]

    def test_as_people_read_them(self, staff: Client) -> None:
        for currency, exponent in (("USD", 2), ("USD", 2), ("JPY", 0), ("KWD", 3)):
            make_invoice(currency=currency, exponent=exponent, amount_minor=1_234_500)

        text = staff.get(EVENTS).text

        assert ">$24,690.00<small>USD</small></a></p>" in text
        assert "<b>¥1,234,500</b> JPY" in text
        assert "1,234.500" in text
        assert "+1 more" in text

    def test_disputes_are_counted_apart(self, staff: Client) -> None:
        Dispute.objects.create(
            gateway="stripe",
            ref="dp_1",
            currency="USD",
            exponent=2,
            amount_minor=700,
            counted_minor=700,
            status="open",
            created_at=NOON,
        )

        text = staff.get(INVOICES).text

        assert "Disputed, counted apart" in text
        assert "$7.00" in text

    def test_split_of_the_count_fills_the_bar(self, staff: Client) -> None:
        for status in ["paid"] * 18 + ["pending"]:
            make_invoice(status=status)

        paid, pending, void = staff.get(INVOICES).context["cards"].split

        assert (paid.count, pending.count, void.count) == ("18", "1", "0")
        assert paid.x == 0
        assert pending.x + pending.width == pytest.approx(100, abs=0.1)
        assert void.width == 0

    def test_nothing_yet(self, staff: Client) -> None:
        text = staff.get(INVOICES).text

        assert '<p class="v">—</p>' in text
        assert "No invoices yet" in text


class TestEventRows:
    def test_a_row(self, staff: Client, settings: Settings) -> None:
        settings.PAYMENTS_TIME_ZONE = "Asia/Kolkata"
        make_event(
            gateway="paypal",
            event_id="WH-1",
            event_type="BILLING.SUBSCRIPTION.CREATED",
            tenant=make_tenant("Globex GmbH"),
            received_at=NOON + timedelta(seconds=7),
        )

        text = staff.get(EVENTS).text

        assert "PayPal</span>" in text
        assert "BILLING.SUBSCRIPTION.CREATED" in text
        assert "Globex GmbH" in text
        assert 'title="WH-1"' in text
        assert "Date (Asia/Kolkata)" in text
        assert '<time datetime="2026-03-01T12:00:07+00:00"' in text
        assert "17:30:07</time>" in text

    def test_the_id_can_be_copied(self, staff: Client) -> None:
        make_event(event_id='evt_"1"')

        row = staff.get(EVENTS).text.split('class="c-id id"')[1].split("</td>")[0]

        assert 'data-copy="evt_&quot;1&quot;" aria-label="Copy evt_&quot;1&quot;"' in row
        assert "icons.svg#copy" in row

    @pytest.mark.parametrize(
        "state", ["processed", "waiting", "failed", "ignored", "unmatched", "unreadable"]
    )
    def test_every_state_has_a_badge_of_a_word_and_an_icon(self, staff: Client, state: str) -> None:
        make_event(state=state)

        row = staff.get(EVENTS).text.split('class="c-stat"')[1].split("</td>")[0]

        assert state.capitalize() in row
        assert "<use href=" in row

    def test_nothing_yet_says_how_to_connect(self, staff: Client) -> None:
        text = staff.get(EVENTS).text

        assert "No events yet" in text
        assert "http://testserver/webhooks/stripe/" in text
        assert "http://testserver/webhooks/paypal/" in text

    def test_no_match_names_the_filters_and_offers_to_clear_them(self, staff: Client) -> None:
        make_event()

        text = staff.get(f"{EVENTS}?gateway=paypal&q=xyz&per_page=50").text

        assert "No events match these filters" in text
        assert "Gateway: <b>PayPal</b>" in text
        assert "Search: <b>xyz</b>" in text
        assert 'href="?per_page=50">Clear filters' in text
        assert "No events yet" not in text


class TestWorker:
    SAID = "The worker is not running."

    def test_one_that_runs_is_not_worth_a_word(self, staff: Client) -> None:
        make_event(state="waiting", next_attempt_at=NOON)
        Heartbeat.objects.create(worker="a", beat_at=timezone.now() - timedelta(seconds=50))

        assert self.SAID not in staff.get(EVENTS).text

    @pytest.mark.parametrize("path", [EVENTS, INVOICES])
    def test_one_that_fell_silent_while_events_wait(self, staff: Client, path: str) -> None:
        make_event(state="waiting", next_attempt_at=NOON)
        silent_since = timezone.now() - timedelta(seconds=70)
        Heartbeat.objects.create(worker="a", beat_at=silent_since)

        text = staff.get(path).text

        assert self.SAID in text
        assert f'datetime="{silent_since.isoformat(timespec="seconds")}"' in text

    def test_one_that_fell_silent_while_nothing_waits(self, staff: Client) -> None:
        make_event(next_attempt_at=timezone.now() + timedelta(hours=1))
        Heartbeat.objects.create(worker="a", beat_at=NOON)

        assert self.SAID not in staff.get(EVENTS).text

    def test_none_was_ever_started(self, staff: Client) -> None:
        assert self.SAID in staff.get(EVENTS).text


class TestExpandedRow:
    def test_link_keeps_the_other_parameters(self, staff: Client) -> None:
        event = make_event()
        query = "gateway=stripe&per_page=50"
        escaped = escape(query)

        closed = staff.get(f"{EVENTS}?{query}").text
        opened = staff.get(f"{EVENTS}?{query}&open={event.pk}").text

        assert f'href="?{escaped}&amp;open={event.pk}#event-{event.pk}"' in closed
        assert 'aria-expanded="false"' in closed
        assert "tr.detail" not in closed
        assert f'href="?{escaped}#event-{event.pk}"' in opened
        assert 'aria-expanded="true"' in opened
        assert opened.index(event.event_id) < opened.index('class="detail"')

    def test_invoice_refunds_and_timeline(self, staff: Client) -> None:
        invoice = make_invoice(
            number="INV-9",
            amount_minor=124_831,
            tax_minor=19_931,
            currency="EUR",
            status="void",
            gateway_status="uncollectible",
            tenant=make_tenant("Globex GmbH"),
        )
        make_refund(ref="re_9", invoice_ref=invoice.ref, currency="EUR", amount_minor=5_000)
        Notification.objects.create(
            gateway="stripe",
            invoice_ref=invoice.ref,
            attempt="1",
            state="sent",
            sent_at=NOON,
            recipients=["a@example.com", "b@example.com"],
        )
        event = make_event(
            invoice_ref=invoice.ref,
            deliveries=3,
            attempts=2,
            processed_at=NOON + timedelta(seconds=1.9),
        )

        detail = staff.get(f"{EVENTS}?open={event.pk}").text.split('class="detail"')[1]

        for shown in (
            *("INV-9", "€1,248.31", "€199.31", "Globex GmbH", "Void", "uncollectible"),
            *("re_9", "€50.00", "Succeeded"),
            *("Received from Stripe, signature verified", "Delivered 2 more times"),
            *("1.9 s after receipt · 2 attempts", "e-mail sent to 2 people"),
        ):
            assert shown in detail, shown

    @pytest.mark.parametrize("state", ["failed", "ignored", "unreadable"])
    def test_reason_comes_first(self, staff: Client, state: str) -> None:
        event = make_event(state=state, reason="amount is missing", attempts=8)

        detail = staff.get(f"{EVENTS}?open={event.pk}").text.split('class="detail"')[1]

        assert detail.index("amount is missing") < detail.index("Linked invoice")

    def test_a_known_reason_is_said_in_the_readers_language(self, staff: Client) -> None:
        event = make_event(state="ignored", reason="Yes")

        with translation.override("de"):
            text = staff.get(f"{EVENTS}?open={event.pk}", headers={"Accept-Language": "de"}).text

        assert "</b> Ja</span>" in text

    def test_failed_event_says_when_it_is_tried_again(self, staff: Client) -> None:
        again = make_event(state="failed", attempts=2, next_attempt_at=NOON)
        given_up = make_event(state="failed", attempts=9)

        assert "2 attempts · next try" in staff.get(f"{EVENTS}?open={again.pk}").text
        assert "9 attempts · waits for a person" in staff.get(f"{EVENTS}?open={given_up.pk}").text

    @pytest.mark.parametrize("pk", ["0", "x", "-1", "9" * 50, "٣", "\0"])
    def test_an_event_that_is_not_on_the_page_is_not_opened(self, staff: Client, pk: str) -> None:
        make_event()

        response = staff.get(EVENTS, {"open": pk})

        assert response.status_code == 200
        assert 'class="detail"' not in response.text


class TestInvoiceRows:
    def test_a_row(self, staff: Client) -> None:
        make_invoice(
            ref="in_1",
            number=None,
            status="void",
            gateway_status="uncollectible",
            currency="KWD",
            exponent=3,
            amount_minor=990_000,
            tax_minor=None,
        )

        text = staff.get(INVOICES).text

        assert ">in_1</a>" in text
        assert '<span class="amt">990.000</span><span class="cur">KWD</span>' in text
        assert '<td class="c-tax num"><span class="sub">—</span>' in text
        assert "Void" in text
        assert '<span class="said"><bdi>uncollectible</bdi></span>' in text

    def test_the_gateways_word_is_shown_only_where_it_says_more(self, staff: Client) -> None:
        make_invoice(status="pending", gateway_status="open")
        make_invoice(status="paid", gateway_status="COMPLETED", gateway="paypal")

        assert 'class="said"' not in staff.get(INVOICES).text

    def test_drafts_are_on_no_page(self, staff: Client) -> None:
        make_invoice(number="DRAFT-1", status="draft")

        assert "DRAFT-1" not in staff.get(INVOICES).text


class TestCounts:
    def test_tabs_count_all_rows_and_the_foot_those_that_match(self, staff: Client) -> None:
        for n in range(30):
            make_event(gateway="paypal" if n % 10 else "stripe")
        make_invoice()

        response = staff.get(f"{EVENTS}?gateway=paypal")

        assert [tab.count for tab in response.context["tabs"]] == ["30", "1"]
        assert "1–25</b> of <b>27" in response.text

    def test_a_count_beyond_the_limit(self, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("billing.queries.lists.COUNT_LIMIT", 26)
        monkeypatch.setattr("billing.formats.COUNT_LIMIT", 26)
        for _ in range(28):
            make_event()

        response = staff.get(EVENTS)

        assert response.context["tabs"][0].count == "26+"
        assert "1–25</b> of <b>26+" in response.text

    def test_test_mode_wears_a_badge(self, staff: Client, settings: Settings) -> None:
        for client, path in (
            *((staff, EVENTS), (staff, INVOICES), (staff, "/admin/")),
            *((Client(), "/admin/login/"), (Client(), "/nowhere")),
        ):
            settings.PAYMENTS_MODE = "test"
            assert "Test mode" in client.get(path).text
            settings.PAYMENTS_MODE = "live"
            assert "Test mode" not in client.get(path).text


class TestStatements:
    """E12. Pinned: a page costs the same number of statements however many rows it shows."""

    @pytest.fixture(autouse=True)
    def rows(self, staff: Client) -> None:
        tenant = make_tenant("Acme", key="acme")
        for n in range(40):
            invoice = make_invoice(tenant=tenant, subscription_ref="sub_1")
            make_payment(ref=f"ch_{n}", invoice_ref=invoice.ref)
            make_event(tenant=tenant, payment_ref=f"ch_{n}", customer_ref="cus_1")

    @pytest.mark.parametrize(
        "path",
        [
            EVENTS,
            f"{EVENTS}?per_page=50",
            f"{EVENTS}?gateway=stripe&tenant=acme&date_from=2026-01-01",
            f"{EVENTS}?q=ch_1",
            INVOICES,
            f"{INVOICES}?status=paid&tenant=acme",
        ],
    )
    def test_page(
        self, staff: Client, path: str, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        # Who asks (three); what the filters offer, the rows, what stands around them.
        with django_assert_num_queries(6):
            staff.get(path)

    def test_expanded_row(
        self, staff: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        event = make_event(payment_ref="ch_1", invoice_ref=None, customer_ref="cus_1")

        with django_assert_num_queries(6):
            staff.get(f"{EVENTS}?q=ch_1&open={event.pk}")

    def test_events_are_not_counted_for_who_may_not_see_them(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client.force_login(make_staff("view_invoice", username="reader"))

        with django_assert_max_num_queries(6) as captured:
            assert "Payment events" not in client.get(INVOICES).text
        assert not any('"billing_paymentevent"' in query["sql"] for query in captured)
