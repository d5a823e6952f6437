"""PayPal's events that move money are read back before they are applied (A12, A14, D6)."""

import copy
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from billing.models import Invoice, PaymentEvent, Subscription
from tests.inbox import again, record
from tests.payloads import load
from tests.webhooks.paypal_fake import FakePayPal
from webhooks.gateways import paypal_api
from webhooks.processing import MAX_ATTEMPTS, process_batch
from webhooks.rebuilding import rebuild

pytestmark = pytest.mark.django_db

SECRET = "canary-client-secret"


@pytest.fixture
def paypal(settings: Settings) -> Iterator[FakePayPal]:
    with FakePayPal() as fake:
        settings.PAYPAL_CLIENT_ID, settings.PAYPAL_CLIENT_SECRET = "canary-client-id", SECRET
        settings.PAYPAL_API_BASE = fake.base
        settings.PAYPAL_CONFIRM = "money"
        yield fake


@pytest.fixture
def sale() -> dict[str, Any]:
    return load("paypal", "PAYMENT.SALE.COMPLETED--v1")


def work(*events: PaymentEvent) -> list[PaymentEvent]:
    """Let the worker have all that is due, twice: to ask, and to apply."""
    process_batch()
    process_batch()
    return again(events)


def make_due(event: PaymentEvent) -> None:
    PaymentEvent.objects.filter(pk=event.pk).update(next_attempt_at=timezone.now())


def test_a_confirmed_sale_is_applied(paypal: FakePayPal, sale: dict[str, Any]) -> None:
    # What PayPal answers has more around the resource than what it delivered.
    paypal.events[sale["id"]] = sale | {"status": "SUCCESS", "transmissions": []}
    [event] = work(*record(sale))
    assert event.state in ("processed", "unmatched")
    assert event.confirmed_at is not None
    assert Invoice.objects.get().status == "paid"
    assert paypal.calls[0] == "POST /v1/oauth2/token"


def test_one_token_serves_many_events(paypal: FakePayPal, sale: dict[str, Any]) -> None:
    payloads = []
    for number in range(20):
        payload = copy.deepcopy(sale) | {"id": f"WH-{number}"}
        payload["resource"]["id"] = f"SALE{number}"
        payloads.append(payload)
        paypal.events[payload["id"]] = payload
    work(*record(*payloads))
    assert Invoice.objects.count() == 20
    assert paypal.calls.count("POST /v1/oauth2/token") == 1


def test_another_amount_fails_with_both_values(paypal: FakePayPal, sale: dict[str, Any]) -> None:
    genuine = copy.deepcopy(sale)
    genuine["resource"]["amount"]["total"] = "1.00"
    genuine["resource"]["amount"].pop("details", None)
    paypal.events[sale["id"]] = genuine
    [event] = work(*record(sale))
    assert event.state == "failed"
    assert event.next_attempt_at is None
    delivered = sale["resource"]["amount"]["total"].replace(".", "")
    assert f"money.minor: delivered {delivered}, the gateway has 100" in event.reason
    assert not Invoice.objects.exists()


def test_an_event_that_paypal_does_not_know_is_tried_again_and_then_waits_for_a_person(
    paypal: FakePayPal, sale: dict[str, Any]
) -> None:
    [event] = work(*record(sale))
    assert (event.state, event.attempts) == ("failed", 1)
    assert event.reason == "PayPal does not know this event"
    assert event.next_attempt_at is not None
    assert event.next_attempt_at > timezone.now()
    for _ in range(MAX_ATTEMPTS - 1):
        make_due(event)
        [event] = work(event)
    assert (event.state, event.attempts) == ("failed", MAX_ATTEMPTS)
    assert event.next_attempt_at is None


def test_an_event_that_paypal_comes_to_know_is_applied(
    paypal: FakePayPal, sale: dict[str, Any]
) -> None:
    [event] = work(*record(sale))
    paypal.events[sale["id"]] = sale
    make_due(event)
    [event] = work(event)
    assert event.state in ("processed", "unmatched")
    assert event.reason == ""


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(429, "{}", id="429"),
        pytest.param(500, "{}", id="500"),
        pytest.param(503, "<html>", id="503"),
        pytest.param(403, "{}", id="403"),
        pytest.param(302, "", id="redirect"),
        pytest.param(200, "<html>Maintenance</html>", id="html"),
        pytest.param(200, "[]", id="not an object"),
        pytest.param(200, '{"error": "no token in here"}', id="no token"),
    ],
)
def test_while_the_api_is_down_the_event_waits(
    paypal: FakePayPal, sale: dict[str, Any], status: int, body: str
) -> None:
    paypal.status, paypal.body = status, body
    [event] = work(*record(sale))
    assert (event.state, event.attempts) == ("waiting", 0)
    assert event.reason.startswith("PayPal's API")
    assert event.next_attempt_at is not None
    assert event.next_attempt_at > timezone.now()
    assert len(paypal.calls) <= 3


def test_a_silent_api_does_not_hold_the_worker(
    paypal: FakePayPal, sale: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paypal_api, "READ_SECONDS", 0.2)
    paypal.status = 0
    [event] = work(*record(sale))
    assert event.state == "waiting"
    assert "Timeout" in event.reason


def test_once_the_api_does_not_answer_the_rest_are_not_asked(
    paypal: FakePayPal, sale: dict[str, Any]
) -> None:
    paypal.status, paypal.body = 503, "{}"
    events = record(*({**sale, "id": f"WH-{number}"} for number in range(100)))
    process_batch()
    assert len(paypal.calls) < 50
    assert {event.state for event in again(events)} == {"waiting"}


def test_a_token_that_ended_early_is_replaced_once(
    paypal: FakePayPal, sale: dict[str, Any]
) -> None:
    paypal.events[sale["id"]] = sale
    paypal.refused_tokens = 1
    [event] = work(*record(sale))
    assert event.confirmed_at is not None


def test_a_401_for_ever_ends(paypal: FakePayPal, sale: dict[str, Any]) -> None:
    paypal.refused_tokens = 1000
    [event] = work(*record(sale))
    assert event.state == "waiting"
    assert event.reason == "PayPal's API answered 401"
    # Token, event; token, event.
    assert len(paypal.calls) == 4


def test_ids_are_quoted(paypal: FakePayPal, sale: dict[str, Any]) -> None:
    sale["id"] = "WH-1/../../oauth2?x=#y"
    paypal.events[sale["id"]] = sale
    [event] = work(*record(sale))
    assert event.confirmed_at is not None


def test_an_event_without_money_is_not_asked_about(paypal: FakePayPal) -> None:
    [event] = work(*record(load("paypal", "BILLING.SUBSCRIPTION.ACTIVATED--v2")))
    assert Subscription.objects.get().status == "active"
    assert event.confirmed_at is None
    assert paypal.calls == []


def test_always_asks_about_it_too(paypal: FakePayPal, settings: Settings) -> None:
    settings.PAYPAL_CONFIRM = "always"
    work(*record(load("paypal", "BILLING.SUBSCRIPTION.ACTIVATED--v2")))
    assert len(paypal.calls) == 2
    assert not Subscription.objects.exists()


def test_never_asks_about_nothing(
    paypal: FakePayPal, settings: Settings, sale: dict[str, Any]
) -> None:
    settings.PAYPAL_CONFIRM = "never"
    work(*record(sale))
    assert paypal.calls == []
    assert Invoice.objects.get().status == "paid"


def test_an_event_that_is_being_asked_about_is_left_alone(
    paypal: FakePayPal, sale: dict[str, Any]
) -> None:
    """The lease: another worker does not take it, and takes it up should this one have died."""
    [event] = record(sale)
    PaymentEvent.objects.filter(pk=event.pk).update(
        next_attempt_at=timezone.now() + timedelta(minutes=4)
    )
    assert process_batch() == 0


def test_rebuild_applies_nothing_that_is_not_confirmed(
    paypal: FakePayPal, sale: dict[str, Any]
) -> None:
    work(*record(sale))
    rebuild()
    assert not Invoice.objects.exists()


def test_credentials_are_not_logged(
    paypal: FakePayPal, sale: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="paypalrestsdk")
    paypal.events[sale["id"]] = sale
    work(*record(sale))
    paypal.status, paypal.body = 500, "canary-answer"
    work(*record({**sale, "id": "WH-2"}))
    for canary in ("canary", "T0KEN"):
        assert canary not in caplog.text
