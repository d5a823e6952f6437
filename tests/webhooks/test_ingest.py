"""Recording, under concurrency and with a database that fails: see also the conformance suite."""

import select
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2.extensions
import pytest
import requests
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from billing.models import PaymentEvent, Refusal, Transmission
from tests.servers import wait_for, web_server
from tests.webhooks.senders import PayPalSender, Sender, StripeSender, post
from tests.webhooks.test_processing import waiting_for_a_lock
from webhooks import inbox

PARALLEL = 16


def post_in_parallel(name: str, posts: list[tuple[bytes, dict[str, str]]]) -> Counter[str]:
    """The results of posts that all start at once, each on a connection of its own."""
    barrier = threading.Barrier(len(posts))
    results: list[str] = []

    def run(body: bytes, headers: dict[str, str]) -> None:
        try:
            barrier.wait()
            results.append("{} {}".format(*post(name, body, headers)))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=arguments) for arguments in posts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(results)


@pytest.mark.django_db(transaction=True)
def test_c2_concurrent_duplicates_make_one_row(sender: Sender) -> None:
    body = sender.event()
    posts = [(body, sender.headers(body)) for _ in range(PARALLEL)]
    assert post_in_parallel(sender.name, posts) == {"200 recorded": 1, "200 known": PARALLEL - 1}
    assert PaymentEvent.objects.get().deliveries == PARALLEL


@pytest.mark.django_db(transaction=True)
def test_a12_concurrent_bodies_of_one_transmission(paypal: PayPalSender) -> None:
    """One of them is the first; no other is stored."""
    bodies = [paypal.event(f"WH-{number}") for number in range(PARALLEL)]
    posts = [(body, paypal.headers(body, transmission_id="same")) for body in bodies]
    assert post_in_parallel("paypal", posts) == {
        "200 recorded": 1,
        "400 transmission id used before": PARALLEL - 1,
    }
    assert PaymentEvent.objects.count() == Transmission.objects.count() == 1


def forged_twin(body: bytes, wanted: bytes) -> bytes:
    """``wanted`` with four bytes added, so that its CRC32 is that of ``body``.

    A CRC is linear: each of the 32 bits added flips its own set of bits of the result.
    """
    target = zlib.crc32(body)
    empty = zlib.crc32(wanted + b"\0\0\0\0")
    columns = [zlib.crc32(wanted + (1 << bit).to_bytes(4, "little")) ^ empty for bit in range(32)]
    rest, solution = target ^ empty, 0
    basis: list[tuple[int, int]] = []
    for bit, column in enumerate(columns):
        mask = 1 << bit
        for value, value_mask in basis:
            if column ^ value < column:
                column, mask = column ^ value, mask ^ value_mask
        basis.append((column, mask))
        basis.sort(reverse=True)
    for value, value_mask in basis:
        if rest ^ value < rest:
            rest, solution = rest ^ value, solution ^ value_mask
    return wanted + solution.to_bytes(4, "little")


@pytest.mark.django_db
def test_a12_body_forged_to_the_same_checksum(
    paypal: PayPalSender, caplog: pytest.LogCaptureFixture
) -> None:
    """PayPal's signature alone would let it through: it covers a CRC32, not the body."""
    genuine = paypal.event("WH-GENUINE")
    headers = paypal.headers(genuine)
    assert post("paypal", genuine, headers) == (200, "recorded")
    forged = forged_twin(genuine, paypal.event("WH-FORGED"))
    assert zlib.crc32(forged) == zlib.crc32(genuine)
    assert post("paypal", forged, headers) == (400, "transmission id used before")
    assert PaymentEvent.objects.get().event_id == "WH-GENUINE"
    assert "ALERT" in caplog.text
    assert Refusal.objects.get().reason == "transmission id used before"
    # The genuine one may still come again.
    assert post("paypal", genuine, headers) == (200, "known")


@pytest.mark.django_db
def test_event_resent_under_a_new_transmission_id(paypal: PayPalSender) -> None:
    body = paypal.event()
    for number in range(3):
        post("paypal", body, paypal.headers(body, transmission_id=f"transmission-{number}"))
    assert PaymentEvent.objects.get().deliveries == 3
    assert Transmission.objects.count() == 3


@pytest.mark.django_db
def test_refusals_are_counted_by_hour_and_reason(stripe: StripeSender) -> None:
    body = stripe.event()
    for _ in range(3):
        post("stripe", body, stripe.headers(body, secret="whsec_other"))
    post("stripe", body, {})
    counts = dict(Refusal.objects.values_list("reason", "count"))
    assert counts == {"signature wrong": 3, "signature missing": 1}
    hours = Refusal.objects.values_list("hour", flat=True)
    assert {(hour.minute, hour.second, hour.microsecond) for hour in hours} == {(0, 0, 0)}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["adyen", "Stripe", "stripe-", "paypal_"])
def test_unknown_gateway(name: str) -> None:
    assert post(name, b"{}", {}) == (404, "unknown gateway")
    assert not Refusal.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/webhooks/", "/webhooks/a/b", "/webhooks/a.b", "/webhooks"])
def test_never_a_redirect(path: str) -> None:
    assert Client().generic("POST", path, b"{}").status_code == 404


def second_connection() -> psycopg2.extensions.connection:
    """A connection of the test's own, which commits every statement."""
    parameters = connection.get_connection_params()
    keys = ("dbname", "user", "password", "host", "port")
    other = psycopg2.connect(**{key: parameters.get(key) for key in keys})
    other.autocommit = True
    return other


@pytest.mark.django_db(transaction=True)
def test_worker_is_called_when_it_may_sleep(
    stripe: StripeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for a redelivery, one that cannot be read, or one more beside others that came due."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)

    def calls_after(*bodies: bytes) -> int:
        """Calls arrive a moment after their commit, but in the order of the commits."""
        for body in bodies:
            post("stripe", body, stripe.headers(body))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, 'end')", [inbox.CHANNEL])
        while not any(call.payload == "end" for call in listener.notifies):
            select.select([listener], [], [], 10)
            listener.poll()
        calls = len(listener.notifies) - 1
        listener.notifies.clear()
        return calls

    with closing(second_connection()) as listener:
        listener.cursor().execute(f"LISTEN {inbox.CHANNEL}")
        assert calls_after(b"[]") == 0
        assert calls_after(stripe.event("evt_1")) == 1
        assert calls_after(stripe.event("evt_1"), stripe.event("evt_2")) == 0
        PaymentEvent.objects.update(state="processed", next_attempt_at=None)
        assert calls_after(stripe.event("evt_1")) == 0
        # One that waits to be tried again later does not keep the worker awake.
        PaymentEvent.objects.update(
            state="failed", next_attempt_at=timezone.now() + timedelta(hours=1)
        )
        assert calls_after(stripe.event("evt_3")) == 1
        assert calls_after(stripe.event("evt_4")) == 0
        # Nor does one that has been due for long: a worker would have taken it.
        PaymentEvent.objects.update(next_attempt_at=now - timedelta(seconds=1.1))
        assert calls_after(stripe.event("evt_5")) == 1


@contextmanager
def database_away() -> Iterator[None]:
    """As if the server were stopped: connections cannot be made."""
    connection.close()
    host = connection.settings_dict["HOST"]
    connection.settings_dict["HOST"] = "/nonexistent"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["HOST"] = host


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("atomic_requests", [False, True])
def test_d1_database_away(
    sender: Sender,
    atomic_requests: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A transaction around every request, should anybody want that, is not around these."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic_requests)
    body = sender.event()
    with database_away():
        response = Client().generic(
            "POST", f"/webhooks/{sender.name}/", body, headers=sender.headers(body)
        )
        assert (response.status_code, response.json()["result"]) == (503, "cannot be stored now")
        assert int(response["Retry-After"]) > 0
        # A stranger is told the same as ever, though it cannot be counted.
        headers = sender.headers(body, secret=sender.secrets[1])
        assert post(sender.name, body, headers) == (400, "signature wrong")
    assert "OperationalError" in caplog.text
    # Back again, it works at once.
    assert post(sender.name, body, sender.headers(body)) == (200, "recorded")


@pytest.mark.django_db(transaction=True)
def test_d1_database_read_only(sender: Sender) -> None:
    """As after a failover: the next connection may be to one that writes."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    body = sender.event()
    assert post(sender.name, body, sender.headers(body)) == (503, "cannot be stored now")
    assert post(sender.name, body, sender.headers(body)) == (200, "recorded")


@pytest.mark.django_db(transaction=True)
def test_d3_web_server_killed_before_it_could_answer(tmp_path: Path, stripe: StripeSender) -> None:
    """A row or none: the gateway heard nothing, and what it sends again makes one of it."""
    body = stripe.event()
    with ThreadPoolExecutor(1) as pool, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE billing_paymentevent IN SHARE MODE")
        with web_server(tmp_path, STRIPE_WEBHOOK_SECRETS=stripe.secrets[0]) as url:
            answer = pool.submit(
                requests.post,
                f"{url}/webhooks/stripe/",
                data=body,
                headers=stripe.headers(body),
                timeout=30,
            )
            wait_for(waiting_for_a_lock, message="the web server does not wait")
        # It was killed by now, with its statement begun.
        with pytest.raises(requests.ConnectionError):
            answer.result()
    assert post("stripe", body, stripe.headers(body))[0] == 200
    assert PaymentEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_d2_connection_cut_between_posts(sender: Sender) -> None:
    """The post that meets the dead connection is written on a new one."""
    body = sender.event()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with closing(second_connection()) as other:
        other.cursor().execute("SELECT pg_terminate_backend(%s)", [pid])
    statuses = [post(sender.name, body, sender.headers(body))[0] for _ in range(2)]
    assert statuses == [200, 200]
    assert PaymentEvent.objects.count() == 1


@pytest.mark.django_db
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=200))
def test_b2_any_signed_bytes_are_kept(stripe: StripeSender, body: bytes) -> None:
    PaymentEvent.objects.all().delete()
    assert post("stripe", body, stripe.headers(body)) == (200, "unreadable")
    assert bytes(PaymentEvent.objects.get().body) == body


@pytest.mark.django_db
def test_time_of_the_event_that_cannot_be_read(paypal: PayPalSender) -> None:
    """PayPal's simulator sends a month 19."""
    body = paypal.event(create_time="2018-19-12T22:20:32.000Z")
    assert post("paypal", body, paypal.headers(body)) == (200, "recorded")
    assert PaymentEvent.objects.get().occurred_at is None


@pytest.mark.django_db
def test_envelope_is_kept(stripe: StripeSender, paypal: PayPalSender) -> None:
    for sender in (stripe, paypal):
        body = sender.event()
        post(sender.name, body, sender.headers(body))
    assert list(
        PaymentEvent.objects.order_by("gateway").values_list(
            "event_type", "api_version", "livemode", "occurred_at"
        )
    ) == [
        ("BILLING.PLAN.CREATED", "2.0", None, datetime(2026, 3, 1, 10, 20, 30, 456000, UTC)),
        (
            "customer.created",
            "2025-11-17.clover",
            False,
            datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        ),
    ]
