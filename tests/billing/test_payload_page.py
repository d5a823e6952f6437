"""E11: the payload in the expanded row, and the page that shows it whole."""

import html
import json
import logging
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from pytest_django import Settings

from billing.masking import MASK
from billing.models import PaymentEvent
from tests.factories import make_event, make_staff

pytestmark = pytest.mark.django_db

EVENTS = "/admin/payments/events/"
PAYLOAD: dict[str, Any] = {
    "id": "evt_7",
    "livemode": False,
    "data": {"object": {"amount": 1250, "customer_email": "ada@example.com", "name": "Ada & Co"}},
}


def make_event_with(body: bytes = json.dumps(PAYLOAD).encode(), **values: Any) -> PaymentEvent:
    return make_event(body=body, **values)


def reader(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_staff("view_paymentevent", *permissions, username="reader"))
    return client


def opened(client: Client, event: PaymentEvent) -> str:
    return client.get(EVENTS, {"open": event.pk}).text.split('class="detail"')[1]


def address(event: PaymentEvent) -> str:
    return f"{EVENTS}{event.pk}/payload/"


def json_of(text: str) -> str:
    """The text of the region with the payload."""
    inside = re.split(r"<pre[^>]*>", text)[1].split("</pre>")[0]
    return html.unescape(re.sub(r"<[^>]*>", "", inside))


class TestMasked:
    def test_readable_masked_and_counted(self, staff: Client) -> None:
        shown = opened(staff, make_event_with())

        assert json.loads(json_of(shown)) == {
            **PAYLOAD,
            "data": {"object": {"amount": 1250, "customer_email": MASK, "name": MASK}},
        }
        assert '<span class="key">&quot;amount&quot;</span>: <span class="number">1250' in shown
        assert "2 values are masked" in shown
        assert 'tabindex="0" role="region" aria-label="Event payload"' in shown
        assert re.search(r'data-copy-from="(payload-\d+)".*<pre class="json" id="\1"', shown, re.S)

    def test_what_is_cut_says_so(self, staff: Client) -> None:
        event = make_event_with(b"[" + b'"a",' * 90_000 + b"0]")

        assert "It is longer than what is shown here." in opened(staff, event)

    def test_what_is_no_json_says_so(self, staff: Client) -> None:
        shown = opened(staff, make_event_with(b"ada@example.com \xff", state="unreadable"))

        assert "The body is not JSON" in shown
        assert "ada@example.com" not in shown
        assert "data-copy-from" not in shown

    def test_e10_what_a_payload_says_is_text(self, staff: Client) -> None:
        body = json.dumps({"<script>alert(1)</script>": "</pre><img src=x onerror=alert(1)>"})

        shown = opened(staff, make_event_with(body.encode()))

        assert json_of(shown) == json.dumps(json.loads(body), indent=2)
        assert "<script>alert" not in shown
        assert "<img" not in shown


class TestWhole:
    def test_only_those_with_the_permission_are_offered_it(self, staff: Client) -> None:
        event = make_event_with()

        assert address(event) not in opened(staff, event)
        assert address(event) in opened(reader("view_payload"), event)

    def test_it_is_shown_and_that_is_recorded(
        self, caplog: pytest.LogCaptureFixture, django_assert_num_queries: Any
    ) -> None:
        event = make_event_with(event_id="evt_7", gateway="stripe")
        client = reader("view_payload")
        # It outlives the tests that filled it.
        ContentType.objects.clear_cache()

        with caplog.at_level(logging.INFO), django_assert_num_queries(3 + 5):
            # Session, user and permissions; the event, its content type and the record of it,
            # in a transaction.
            response = client.post(address(event))

        assert json.loads(json_of(response.text)) == PAYLOAD
        assert "no-store" in response["Cache-Control"]
        entry = LogEntry.objects.get()
        assert entry.user.get_username() == "reader"
        assert entry.get_edited_object() == event
        assert entry.get_change_message() == "The whole payload was shown."
        [line] = [record.getMessage() for record in caplog.records if "payload" in record.message]
        assert line == (
            f"The whole payload of stripe event evt_7 was shown to reader (user {entry.user.pk})."
        )
        assert "ada@example.com" not in caplog.text

    def test_the_record_is_in_the_history_in_djangos_admin(self, admin_client: Client) -> None:
        event = make_event_with()
        admin_client.post(address(event))

        history = admin_client.get(f"/admin/billing/paymentevent/{event.pk}/history/")

        assert "The whole payload was shown." in history.text

    def test_nothing_is_shown_that_could_not_be_recorded(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: Any, **named: Any) -> None:
            raise RuntimeError("no record")

        monkeypatch.setattr(LogEntry.objects, "log_actions", broken)
        client = reader("view_payload")
        client.raise_request_exception = False

        response = client.post(address(make_event_with()))

        assert response.status_code == 500
        assert "ada@example.com" not in response.text

    @pytest.mark.parametrize(
        "body", [b"not json \xff\x00 ada", b"[" * 2000, b"[" + b'"ada",' * 90_000 + b"0]"]
    )
    def test_what_has_no_colours_is_shown_as_it_came(self, body: bytes) -> None:
        response = reader("view_payload").post(address(make_event_with(body)))

        expected = body.decode(errors="backslashreplace").replace("\0", r"\u0000")
        assert json_of(response.text) == expected

    def test_others_are_refused_and_nothing_is_recorded(self, staff: Client) -> None:
        event = make_event_with()
        only_payloads = Client()
        only_payloads.force_login(make_staff("view_payload", username="only"))

        for client, status in ((staff, 403), (only_payloads, 403), (Client(), 302)):
            response = client.post(address(event))
            assert response.status_code == status
            assert "ada@example.com" not in response.text
        assert not LogEntry.objects.exists()

    def test_only_a_post_with_the_sites_own_token_shows_it(self) -> None:
        event = make_event_with()
        client = reader("view_payload")
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = client.cookies

        assert client.get(address(event)).status_code == 405
        assert client.head(address(event)).status_code == 405
        assert strict.post(address(event)).status_code == 403
        assert not LogEntry.objects.exists()

    def test_an_unknown_event_is_not_found(self) -> None:
        assert reader("view_payload").post(f"{EVENTS}0/payload/").status_code == 404
        assert not LogEntry.objects.exists()


class TestDashboard:
    @pytest.mark.parametrize(
        ("livemode", "mode", "site"),
        [
            (True, False, "https://dashboard.stripe.com/events"),
            (False, True, "https://dashboard.stripe.com/test/events"),
            (None, True, "https://dashboard.stripe.com/events"),
            (None, False, "https://dashboard.stripe.com/test/events"),
        ],
    )
    def test_live_or_test_as_the_event_says(
        self, staff: Client, settings: Settings, livemode: bool | None, mode: bool, site: str
    ) -> None:
        settings.LIVE = mode

        shown = opened(staff, make_event(event_id="evt_1", livemode=livemode))

        assert f'href="{site}/evt_1" rel="noreferrer noopener">Open at Stripe' in shown

    def test_ids_lead_to_their_events_and_their_pages(self, staff: Client) -> None:
        event = make_event(
            customer_ref="cus_1",
            subscription_ref="sub_1",
            invoice_ref="in_1",
            payment_ref="pi_1",
        )

        shown = opened(staff, event)

        for kind, ref in (
            *(("customers", "cus_1"), ("subscriptions", "sub_1")),
            *(("invoices", "in_1"), ("payments", "pi_1")),
        ):
            assert f'href="/admin/payments/events/?q={ref}"' in shown
            assert f'data-copy="{ref}"' in shown
            assert f'href="https://dashboard.stripe.com/test/{kind}/{ref}"' in shown
            assert f'aria-label="Open {ref} at Stripe"' in shown

    def test_an_object_without_a_page_has_no_link(self, staff: Client) -> None:
        event = make_event(gateway="paypal", event_id="WH-1", customer_ref="PAYER1")

        assert "paypal.com" not in opened(staff, event)
