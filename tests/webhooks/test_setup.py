"""The Setup page, the test event that it sends, and the page that has no events yet."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries, Settings

from billing.models import Heartbeat, PaymentEvent, Refusal
from tests.factories import NOON, make_event, make_staff
from tests.webhooks.senders import PayPalSender, StripeSender, post
from webhooks import demo
from webhooks.gateways import paypal_events, stripe_events
from webhooks.gateways.bodies import fingerprint
from webhooks.processing import process_batch

pytestmark = pytest.mark.django_db

SETUP = "/admin/payments/setup/"
BUTTON = "Send a signed test event"
NOTHING: dict[str, Any] = {
    "PAYMENTS_MODE": "test",
    "STRIPE_WEBHOOK_SECRETS": [],
    "STRIPE_API_KEY": "",
    "PAYPAL_WEBHOOK_IDS": [],
    "PAYPAL_CLIENT_ID": "",
    "PAYPAL_CLIENT_SECRET": "",
    "PAYPAL_CERT_ORIGINS": [],
    "PAYPAL_CA_BUNDLE": "",
}


@pytest.fixture(autouse=True)
def nothing_configured(settings: Settings) -> None:
    for name, value in NOTHING.items():
        setattr(settings, name, value)


@pytest.fixture
def operator(nothing_configured: None) -> Client:
    """May see events, and decide about them."""
    client = Client()
    client.force_login(make_staff("view_paymentevent", "change_paymentevent", username="operator"))
    return client


def section(client: Client, gateway: str, path: str = SETUP) -> str:
    """What the page says of one gateway."""
    text = client.get(path).text
    return text.split(f'id="{gateway}"')[1].split("</section>")[0]


def button(gateway: str) -> str:
    return reverse("send_test_event", args=[gateway])


class TestConfiguration:
    def test_what_is_missing_by_name(self, operator: Client) -> None:
        for gateway, missing in (
            ("stripe", "STRIPE_WEBHOOK_SECRETS"),
            ("paypal", "PAYPAL_WEBHOOK_IDS"),
        ):
            said = section(operator, gateway)
            assert "Not configured" in said
            assert f"Missing: set <code>{missing}</code>" in said
            assert f"<code>http://testserver/webhooks/{gateway}/</code>" in said
            assert f'data-copy="http://testserver/webhooks/{gateway}/"' in said
            assert BUTTON not in said

    def test_secrets_are_named_by_their_fingerprints_only(
        self, operator: Client, settings: Settings
    ) -> None:
        """E16."""
        secrets = {
            "STRIPE_WEBHOOK_SECRETS": ["whsec_canary_1", " whsec_canary_2\n"],
            "STRIPE_API_KEY": "sk_test_canary",
            "PAYPAL_WEBHOOK_IDS": ["canary-id"],
            "PAYPAL_CLIENT_ID": "canary-client",
            "PAYPAL_CLIENT_SECRET": "canary-secret",
            "EMAIL_HOST_USER": "canary-user",
            "EMAIL_HOST_PASSWORD": "canary-password",
        }
        for name, value in secrets.items():
            setattr(settings, name, value)

        text = operator.get(SETUP).text

        assert "canary" not in text
        for secret in ("whsec_canary_1", "whsec_canary_2", "canary-id"):
            assert fingerprint(secret) in text
        assert "Missing: set" not in text

    def test_what_the_system_checks_complain_of(self, operator: Client, settings: Settings) -> None:
        settings.STRIPE_WEBHOOK_SECRETS = ["sk_test_1"]
        settings.PAYPAL_CA_BUNDLE = "/nonexistent"

        assert "Number 1 of STRIPE_WEBHOOK_SECRETS" in section(operator, "stripe")
        paypal = section(operator, "paypal")
        assert '<p class="alert">' in paypal
        assert "PAYPAL_CA_BUNDLE does not name a file" in paypal

    @pytest.mark.parametrize(
        ("client_id", "confirm", "said"),
        [
            ("id", "money", "Payments are read back from PayPal before they count."),
            ("id", "never", "Payments count as they are told."),
            ("", "money", "Payments count as they are told."),
        ],
    )
    def test_whether_payments_are_confirmed(
        self, operator: Client, settings: Settings, client_id: str, confirm: str, said: str
    ) -> None:
        settings.PAYPAL_CLIENT_ID, settings.PAYPAL_CLIENT_SECRET = client_id, "secret"
        settings.PAYPAL_CONFIRM = confirm

        assert said in section(operator, "paypal")

    def test_deployment(self, operator: Client, settings: Settings) -> None:
        settings.PAYMENTS_TIME_ZONE = "Asia/Kolkata"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.example.com", 587
        settings.BILLING_ALERT_EMAILS = ["a@example.com", "b@example.com"]
        Heartbeat.objects.create(worker="a", beat_at=timezone.now())

        said = section(operator, "deployment")

        for shown in ("Asia/Kolkata", "mail.example.com:587", "a@example.com, b@example.com"):
            assert shown in said
        assert "Test: events of live mode" in said
        assert "Running" in said
        settings.PAYMENTS_MODE = "live"
        assert "Live: events of test mode" in section(operator, "deployment")

    def test_no_worker_and_no_mail_server(self, operator: Client, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        settings.EMAIL_FILE_PATH = "/var/mail-of-tests"
        settings.BILLING_ALERT_EMAILS = []

        text = operator.get(SETUP).text

        assert "The worker is not running." in text
        assert "written to files in <code>/var/mail-of-tests</code>" in text
        assert "set <code>BILLING_ALERT_EMAILS</code>" in text


class TestTraffic:
    def test_types_seen_of_those_needed(self, operator: Client, stripe: StripeSender) -> None:
        make_event(event_type="invoice.paid")
        make_event(event_type="invoice.paid")
        make_event(event_type="of.no.interest")

        said = section(operator, "stripe")

        assert f"1 of {len(stripe_events.EVENTS)} seen" in said
        unseen, needed = (
            part.split("</code>")[0].split(",") for part in said.split('class="listed"><code>')[1:]
        )
        assert needed == sorted(stripe_events.EVENTS)
        assert unseen == [name for name in needed if name != "invoice.paid"]
        assert f'data-copy="{",".join(unseen)}"' in said
        assert f"0 of {len(paypal_events.EVENTS)} seen" in section(operator, "paypal")

    def test_last_event_and_the_versions_of_the_newest(
        self, operator: Client, stripe: StripeSender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("billing.queries.receiving.NEWEST", 3)
        for age, version in enumerate(["basil", "", "2024-06-20", "2017-01-27"]):
            make_event(api_version=version, received_at=NOON - timedelta(hours=age))
        make_event(gateway="paypal", api_version="2.0", received_at=NOON - timedelta(days=9))

        said = section(operator, "stripe")

        assert 'datetime="2026-03-01T12:00:00+00:00"' in said
        assert "<code>basil</code>, <code>2024-06-20</code> <" in said
        assert "Connected" in said
        paypal = section(operator, "paypal")
        assert 'datetime="2026-02-20T12:00:00+00:00"' in paypal
        assert "<code>2.0</code> <" in paypal

    def test_configured_and_nothing_came(self, operator: Client, stripe: StripeSender) -> None:
        assert "Configured, no event yet" in section(operator, "stripe")

    def test_refused_posts_by_reason(self, operator: Client, stripe: StripeSender) -> None:
        """D12."""
        body = stripe.event()
        for _ in range(2):
            post("stripe", body, stripe.headers(body, secret="whsec_of_another"))
        post("stripe", body, {})
        old = timezone.now() - timedelta(hours=24)
        Refusal.objects.create(gateway="stripe", hour=old, reason="signature malformed", count=9)
        Refusal.objects.create(gateway="paypal", hour=timezone.now(), reason="later", count=7)

        said = section(operator, "stripe")

        assert (
            "<ul><li><b>2</b> signature wrong</li><li><b>1</b> signature missing</li></ul>" in said
        )
        assert "<b>7</b> later" in section(operator, "paypal")

    def test_a_fixed_number_of_statements(
        self, operator: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(30):
            make_event(event_type=f"type.{number}", api_version=str(number))

        # Who asks (three); types seen, versions and last events, refusals, the worker.
        with django_assert_num_queries(3 + 1):
            operator.get(SETUP)


class TestTestEvent:
    def test_stripe(self, operator: Client, stripe: StripeSender) -> None:
        assert BUTTON in section(operator, "stripe")

        response = operator.post(button("stripe"))

        event = PaymentEvent.objects.get()
        assert (event.gateway, event.event_type, event.livemode) == ("stripe", "test.event", False)
        assert event.verified_with == fingerprint(stripe.secrets[0])
        assert response.status_code == 302
        path = response["Location"]
        assert path.startswith(SETUP)
        said = section(operator, "stripe", path)
        assert "The test event was received." in said
        assert "Waiting" in said
        assert escape(f"/admin/payments/events/?q={event.event_id}&open={event.pk}") in said

        process_batch()

        event.refresh_from_db()
        assert (event.state, event.reason) == ("ignored", "this type changes nothing")
        assert "Ignored" in section(operator, "stripe", path)
        assert "The test event" not in section(operator, "paypal", path)

    def test_each_is_an_event_of_its_own(self, operator: Client, stripe: StripeSender) -> None:
        operator.post(button("stripe"))
        operator.post(button("stripe"))

        assert [event.deliveries for event in PaymentEvent.objects.all()] == [1, 1]

    def test_paypal_of_the_demo(
        self, operator: Client, paypal: PayPalSender, settings: Settings
    ) -> None:
        settings.PAYPAL_WEBHOOK_IDS = [demo.PAYPAL_WEBHOOK_ID]
        assert BUTTON in section(operator, "paypal")

        response = operator.post(button("paypal"))

        assert "The test event was received." in section(operator, "paypal", response["Location"])
        event = PaymentEvent.objects.get()
        assert (event.gateway, event.event_type) == ("paypal", "TEST.EVENT")
        process_batch()
        event.refresh_from_db()
        assert event.state == "ignored"

    def test_paypal_itself_cannot_be_signed_for(
        self, operator: Client, paypal: PayPalSender
    ) -> None:
        said = section(operator, "paypal")

        assert BUTTON not in said
        assert "only PayPal has the key" in said
        assert operator.post(button("paypal")).status_code == 404
        assert not PaymentEvent.objects.exists()

    def test_one_that_is_refused_says_why(
        self, operator: Client, paypal: PayPalSender, settings: Settings, tmp_path: Path
    ) -> None:
        settings.PAYPAL_WEBHOOK_IDS = [demo.PAYPAL_WEBHOOK_ID]
        # Its certificate is served nowhere.
        bundle = tmp_path / paypal.signer.authority_path.name
        bundle.write_bytes(paypal.signer.authority_path.read_bytes())
        settings.PAYPAL_CA_BUNDLE = str(bundle)
        settings.PAYPAL_CERT_ORIGINS = ["http://127.0.0.1:1"]

        response = operator.post(button("paypal"))

        assert response.status_code == 200
        assert "The test event was not recorded." in response.text
        assert "It was answered 503:" in response.text
        assert "cannot be verified now" in response.text
        assert not PaymentEvent.objects.exists()

    def test_never_in_live_mode(
        self, operator: Client, stripe: StripeSender, paypal: PayPalSender, settings: Settings
    ) -> None:
        settings.PAYPAL_WEBHOOK_IDS = [demo.PAYPAL_WEBHOOK_ID]
        settings.PAYMENTS_MODE = "live"

        assert BUTTON not in operator.get(SETUP).text
        for gateway in ("stripe", "paypal"):
            assert operator.post(button(gateway)).status_code == 404
        assert not PaymentEvent.objects.exists()

    @pytest.mark.parametrize("gateway", ["stripe", "paypal", "nobody"])
    def test_not_for_what_is_not_configured(self, operator: Client, gateway: str) -> None:
        assert operator.post(button(gateway)).status_code == 404

    def test_only_by_those_who_decide_about_events(
        self, staff: Client, stripe: StripeSender
    ) -> None:
        """E1."""
        assert BUTTON not in staff.get(SETUP).text
        assert staff.post(button("stripe")).status_code == 403
        assert Client().post(button("stripe")).status_code == 302
        assert not PaymentEvent.objects.exists()

    def test_e3_only_by_a_post_with_the_sites_own_token(
        self, operator: Client, stripe: StripeSender
    ) -> None:
        assert operator.get(button("stripe")).status_code == 405
        operator.handler.enforce_csrf_checks = True
        assert operator.post(button("stripe")).status_code == 403
        assert not PaymentEvent.objects.exists()

    @pytest.mark.parametrize(
        "query",
        [
            "gateway=stripe&sent=evt_other",
            "gateway=stripe&sent=%00",
            f"gateway=%00&sent=test-{'0' * 36}",
            f"gateway=stripe&sent=test-{'0' * 36}",
            "sent=x",
            f"gateway=stripe&sent={'9' * 5000}",
        ],
    )
    def test_an_address_that_was_made_up_tells_nothing(
        self, operator: Client, stripe: StripeSender, query: str
    ) -> None:
        make_event(event_id="evt_other")

        response = operator.get(f"{SETUP}?{query}")

        assert response.status_code == 200
        assert "The test event was" not in response.text


class TestNothingYet:
    EVENTS = "/admin/payments/events/"

    def test_says_how_to_connect_what_is_there_and_what_is_missing(
        self, staff: Client, settings: Settings
    ) -> None:
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_canary"]

        text = staff.get(self.EVENTS).text

        assert "No events yet" in text
        stripe, paypal = text.split('aria-labelledby="connect-')[1:]
        assert "http://testserver/webhooks/stripe/" in stripe
        assert "Configured, no event yet" in stripe
        assert "stripe listen --forward-to http://testserver/webhooks/stripe/" in stripe
        assert "http://testserver/webhooks/paypal/" in paypal
        assert "Missing: set <code>PAYPAL_WEBHOOK_IDS</code>" in paypal
        assert "canary" not in text

    def test_live_mode_names_the_live_dashboards(self, staff: Client, settings: Settings) -> None:
        assert "under Sandbox" in staff.get(self.EVENTS).text
        settings.PAYMENTS_MODE = "live"
        text = staff.get(self.EVENTS).text
        assert "under Live" in text
        assert "stripe listen" not in text
