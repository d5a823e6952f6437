"""What every gateway's endpoint does: over HTTP, with real signatures, on the real database.

The numbers are those of the fault catalogue.
"""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from billing.models import PaymentEvent, Refusal, Transmission
from tests.webhooks.senders import Sender, post

pytestmark = pytest.mark.django_db


def assert_refused(sender: Sender, body: bytes, headers: dict[str, str], reason: str) -> None:
    """400, nothing stored, counted under the reason."""
    assert post(sender.name, body, headers) == (400, reason)
    assert not PaymentEvent.objects.exists()
    assert not Transmission.objects.exists()
    refusal = Refusal.objects.get()
    assert (refusal.gateway, refusal.reason, refusal.count) == (sender.name, reason, 1)


def test_authentic_post_is_recorded_exactly_as_signed(sender: Sender) -> None:
    body = sender.event()
    before = timezone.now()
    assert post(sender.name, body, sender.headers(body)) == (200, "recorded")
    event = PaymentEvent.objects.get()
    assert bytes(event.body) == body
    assert (event.gateway, event.state, event.deliveries) == (sender.name, "waiting", 1)
    assert event.event_id == json.loads(body)["id"]
    assert before <= event.received_at == event.last_received_at <= timezone.now()
    assert event.next_attempt_at == event.received_at
    assert event.occurred_at is not None
    assert not Refusal.objects.exists()


def test_a1_signature_missing(sender: Sender) -> None:
    body = sender.event()
    headers = sender.headers(body)
    del headers[sender.signature_header]
    assert_refused(sender, body, headers, "signature missing")


def test_a1_signature_truncated(sender: Sender) -> None:
    body = sender.event()
    headers = sender.headers(body)
    headers[sender.signature_header] = headers[sender.signature_header][:-4]
    assert_refused(sender, body, headers, "signature wrong")


def test_a1_signature_of_another_secret(sender: Sender) -> None:
    body = sender.event()
    headers = sender.headers(body, secret=sender.secrets[1])
    assert_refused(sender, body, headers, "signature wrong")


def test_a1_signature_of_another_body(sender: Sender) -> None:
    headers = sender.headers(sender.event("evt_other"))
    assert_refused(sender, sender.event(), headers, "signature wrong")


@pytest.mark.parametrize(
    "value", ["\xe9", "x" * 100_000, "\x00", "t=1,v1=\u0660", "=" * 400, "A" * 345, ","]
)
def test_a2_signature_of_odd_characters(sender: Sender, value: str) -> None:
    body = sender.event()
    headers = {**sender.headers(body), sender.signature_header: value}
    assert_refused(sender, body, headers, "signature malformed")


def test_a2_header_sent_twice(sender: Sender) -> None:
    """Servers join the two by a comma."""
    body = sender.event()
    headers = sender.headers(body)
    headers[sender.signature_header] = ",".join([headers[sender.signature_header]] * 2)
    assert_refused(sender, body, headers, "signature malformed")


def test_a3_replay_of_an_old_post(sender: Sender) -> None:
    body = sender.event()
    at = timezone.now() - timedelta(seconds=sender.max_age_seconds + 5)
    assert_refused(sender, body, sender.headers(body, at), "signature too old or in the future")


def test_a3_post_of_the_allowed_age(sender: Sender) -> None:
    body = sender.event()
    at = timezone.now() - timedelta(seconds=sender.max_age_seconds - 5)
    assert post(sender.name, body, sender.headers(body, at)) == (200, "recorded")


def test_a4_signature_in_the_future(sender: Sender) -> None:
    body = sender.event()
    at = timezone.now() + timedelta(seconds=305)
    assert_refused(sender, body, sender.headers(body, at), "signature too old or in the future")


def test_a4_clock_a_little_ahead(sender: Sender) -> None:
    body = sender.event()
    at = timezone.now() + timedelta(seconds=290)
    assert post(sender.name, body, sender.headers(body, at)) == (200, "recorded")


def test_a5_body_changed_by_any_one_byte(sender: Sender) -> None:
    body = sender.event()
    headers = sender.headers(body)
    for position in range(0, len(body), 37):
        changed = body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
        assert post(sender.name, changed, headers) == (400, "signature wrong")
    assert not PaymentEvent.objects.exists()


def test_a5_body_serialised_again(sender: Sender) -> None:
    body = sender.event()
    again = json.dumps(json.loads(body)).encode()
    assert_refused(sender, again, sender.headers(body), "signature wrong")


def test_a5_byte_order_mark_added(sender: Sender) -> None:
    body = sender.event()
    assert_refused(sender, b"\xef\xbb\xbf" + body, sender.headers(body), "signature wrong")


def test_a5_body_cut_short(sender: Sender) -> None:
    body = sender.event()
    assert_refused(sender, body[:-1], sender.headers(body), "signature wrong")


def test_a6_both_secrets_verify_while_one_is_replaced(sender: Sender, settings: Settings) -> None:
    setattr(settings, sender.secrets_setting, list(sender.secrets))
    for number, secret in enumerate(sender.secrets):
        body = sender.event(f"evt_{number}")
        assert post(sender.name, body, sender.headers(body, secret=secret)) == (200, "recorded")
    used = set(PaymentEvent.objects.values_list("verified_with", flat=True))
    assert len(used) == 2
    assert not any(secret in name for secret in sender.secrets for name in used)


def test_a6_removed_secret_verifies_nothing(sender: Sender, settings: Settings) -> None:
    setattr(settings, sender.secrets_setting, [sender.secrets[1]])
    body = sender.event()
    assert_refused(sender, body, sender.headers(body), "signature wrong")


@pytest.mark.parametrize("secrets", [[], [""], ["  \n"]])
def test_a7_not_configured(sender: Sender, settings: Settings, secrets: list[str]) -> None:
    """The gateway shall try again, until somebody has set the secret."""
    setattr(settings, sender.secrets_setting, secrets)
    body = sender.event()
    response = Client().generic(
        "POST", f"/webhooks/{sender.name}/", body, headers=sender.headers(body)
    )
    assert (response.status_code, response.json()["result"]) == (503, "not configured")
    assert int(response["Retry-After"]) > 0
    assert not PaymentEvent.objects.exists()
    assert Refusal.objects.get().reason == "not configured"


def test_a7_secret_with_a_line_end(sender: Sender, settings: Settings) -> None:
    setattr(settings, sender.secrets_setting, [f" {sender.secrets[0]}\n"])
    body = sender.event()
    assert post(sender.name, body, sender.headers(body)) == (200, "recorded")


def test_a16_signed_event_of_another_shape_is_kept_for_a_person(sender: Sender) -> None:
    body = b'{"hello": "world"}'
    assert post(sender.name, body, sender.headers(body)) == (200, "unreadable")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not JSON", "not JSON"),
        (b"", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"id": "a\xff"}', "not JSON"),
        (b'{"amount": NaN}', "not JSON"),
        (b'{"amount": -Infinity}', "not JSON"),
        (b'{"amount": ' + b"1" * 4301 + b"}", "not JSON"),
        (b"[" * 200_000 + b"]" * 200_000, "JSON nested too deep"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"1e200000", "not a JSON object"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_b1_b2_b3_signed_and_no_event(sender: Sender, body: bytes, reason: str) -> None:
    """Kept raw and shown; trying again would not help."""
    for _ in range(2):
        assert post(sender.name, body, sender.headers(body)) == (200, "unreadable")
    event = PaymentEvent.objects.get()
    assert event.event_id.startswith("sha256:")
    assert (event.state, event.reason, event.deliveries) == ("unreadable", reason, 2)
    assert bytes(event.body) == body
    assert event.next_attempt_at is None


@pytest.mark.parametrize(
    "event_id",
    [None, 1, True, [], {"a": 1}, "", "a\x00b", "\ud800", "a b", "a\nb", "x" * 256, "\u202egnp"],
    ids=repr,
)
def test_b1_b2_b6_signed_with_an_odd_id(sender: Sender, event_id: object) -> None:
    body = json.dumps(json.loads(sender.event()) | {"id": event_id}).encode()
    assert post(sender.name, body, sender.headers(body)) == (200, "unreadable")
    assert PaymentEvent.objects.get().reason.startswith("id is missing")


def test_b6_longest_id_is_not_cut(sender: Sender) -> None:
    body = sender.event("x" * 255)
    assert post(sender.name, body, sender.headers(body)) == (200, "recorded")
    assert PaymentEvent.objects.get().event_id == "x" * 255


def test_b2_storable_where_the_envelope_is_fine(sender: Sender) -> None:
    """NUL, half surrogates and depth below the envelope are none of the inbox's business."""
    deep = json.loads("[" * 300 + "]" * 300)
    body = json.dumps(json.loads(sender.event()) | {"x": ["\x00\ud800", deep]}).encode()
    assert post(sender.name, body, sender.headers(body)) == (200, "recorded")
    assert bytes(PaymentEvent.objects.get().body) == body


def test_b3_unsigned_and_not_utf8(sender: Sender) -> None:
    assert_refused(sender, b"\xff\xfe", sender.headers(sender.event()), "signature wrong")


def test_b4_body_at_the_limit_and_above(sender: Sender, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    body = sender.event().ljust(1024 * 1024)
    assert post(sender.name, body, sender.headers(body)) == (200, "recorded")
    body += b" "
    assert post(sender.name, body, sender.headers(body)) == (413, "body is too large")
    assert Refusal.objects.get().reason == "body is too large"


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_b5_content_type_does_not_matter(sender: Sender, content_type: str) -> None:
    body = sender.event()
    headers = {**sender.headers(body), "Content-Type": content_type}
    assert post(sender.name, body, headers) == (200, "recorded")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_b5_encoded_body(sender: Sender, encoding: str) -> None:
    body = sender.event()
    headers = {**sender.headers(body), "Content-Encoding": encoding}
    assert post(sender.name, body, headers) == (415, "body is encoded")
    assert not PaymentEvent.objects.exists()


def test_c1_redelivery_is_counted_on_the_one_row(sender: Sender) -> None:
    body = sender.event()
    results = [post(sender.name, body, sender.headers(body)) for _ in range(5)]
    assert results == [(200, "recorded"), *[(200, "known")] * 4]
    event = PaymentEvent.objects.get()
    assert (event.deliveries, event.conflicting_deliveries) == (5, 0)
    assert event.last_received_at > event.received_at


def test_c1_redelivery_does_not_wake_what_is_done(sender: Sender) -> None:
    body = sender.event()
    post(sender.name, body, sender.headers(body))
    PaymentEvent.objects.update(state="processed", next_attempt_at=None)
    assert post(sender.name, body, sender.headers(body)) == (200, "known")
    event = PaymentEvent.objects.get()
    assert (event.state, event.next_attempt_at) == ("processed", None)


def test_c3_same_id_with_another_body(sender: Sender) -> None:
    """The first is kept, whatever comes after; that it came is shown."""
    first, second = sender.event(), sender.event(pending_webhooks=2)
    assert post(sender.name, first, sender.headers(first)) == (200, "recorded")
    assert post(sender.name, second, sender.headers(second)) == (200, "known")
    event = PaymentEvent.objects.get()
    assert bytes(event.body) == first
    assert (event.deliveries, event.conflicting_deliveries) == (2, 1)


def test_hot_path_is_one_statement(
    sender: Sender, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    body = sender.event()
    headers = sender.headers(body)
    with django_assert_num_queries(1):
        assert post(sender.name, body, headers) == (200, "recorded")
    with django_assert_num_queries(1):
        assert post(sender.name, body, headers) == (200, "known")


def test_answers_nobody_else(sender: Sender) -> None:
    """No cookie, no session, no redirect, and no secret in the answer."""
    body = sender.event()
    for path in (f"/webhooks/{sender.name}", f"/webhooks/{sender.name}/"):
        client = Client(enforce_csrf_checks=True)
        response = client.generic("POST", path, body, headers=sender.headers(body))
        assert response.status_code == 200
        assert not response.cookies
        assert "Cookie" not in response.headers.get("Vary", "")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_post(sender: Sender, method: str) -> None:
    response = Client().generic(method, f"/webhooks/{sender.name}/")
    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_refusals_are_logged_without_the_body(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    body = sender.event(canary="CANARY-IN-BODY")
    headers = sender.headers(body, secret=sender.secrets[1])
    post(sender.name, body, headers)
    assert "signature wrong" in caplog.text
    for secret in ("CANARY", *sender.secrets, headers[sender.signature_header]):
        assert secret not in caplog.text
