"""How the raw body is read, as servers hand it over: see also the conformance suite."""

import asyncio
import json
import socket
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.db import connection
from django.test import Client

from billing.models import PaymentEvent, Refusal
from tests.servers import web_server
from tests.webhooks.senders import PayPalSender, StripeSender
from webhooks.inbox import inbox
from webhooks.views import (
    MAX_BODY_BYTES,
    Application,
    Message,
    Receive,
    Scope,
    Send,
    webhooks_first,
)

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)


class Cut(BytesIO):
    """A client that goes away."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


def post(stripe: StripeSender, body: bytes, stream: BytesIO, **environ: Any) -> tuple[int, str]:
    environ["wsgi.input"] = stream
    response = Client().generic(
        "POST", "/webhooks/stripe/", headers=stripe.headers(body), **environ
    )
    return response.status_code, response.json()["result"]


def test_b4_chunked_body(stripe: StripeSender) -> None:
    """It has no length; servers that say so end it themselves."""
    body = stripe.event()
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert post(stripe, body, BytesIO(body), **environ) == (200, "recorded")
    assert bytes(PaymentEvent.objects.get().body) == body


def test_b4_chunked_body_without_end(stripe: StripeSender) -> None:
    stream = BytesIO(b"x" * 10_000_000)
    environ = {"wsgi.input_terminated": True}
    assert post(stripe, b"", stream, **environ) == (413, "body is too large")
    assert stream.tell() == MAX_BODY_BYTES + 1


def test_b4_body_without_length_nor_end_is_not_read(stripe: StripeSender) -> None:
    """Reading it could wait for ever."""
    body = stripe.event()
    stream = BytesIO(body)
    assert post(stripe, body, stream) == (400, "signature wrong")
    assert stream.tell() == 0


def test_b4_large_length_is_refused_before_reading(stripe: StripeSender) -> None:
    stream = BytesIO(b"x")
    assert post(stripe, b"x", stream, CONTENT_LENGTH=str(MAX_BODY_BYTES + 1)) == (
        413,
        "body is too large",
    )
    assert stream.tell() == 0


@pytest.mark.parametrize("length", ["5", "abc", "-5", "9" * 5000, "\u0663"])
def test_b4_length_that_lies(length: str, stripe: StripeSender) -> None:
    body = stripe.event()
    status, _ = post(stripe, body, BytesIO(body), CONTENT_LENGTH=length)
    assert status == 400
    assert not PaymentEvent.objects.exists()


def test_b4_client_gone(stripe: StripeSender) -> None:
    body = stripe.event()
    assert post(stripe, body, Cut(body), CONTENT_LENGTH=str(len(body))) == (
        400,
        "body is not complete",
    )


def test_b4_body_cut_short(stripe: StripeSender) -> None:
    body = stripe.event()
    assert post(stripe, body, BytesIO(body[:-9]), CONTENT_LENGTH=str(len(body))) == (
        400,
        "body is not complete",
    )


class Served:
    """What a server of ASGI does with a request: hands it over, and keeps the answer."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.received = 0

    def __call__(
        self, method: str, path: str, parts: Sequence[bytes | None], headers: dict[str, str]
    ) -> tuple[int, bytes, dict[str, str]]:
        """``None`` as a part: the client goes away."""
        sent: list[Message] = []
        waiting = list(parts)

        async def receive() -> Message:
            self.received += 1
            body = waiting.pop(0)
            if body is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": body, "more_body": bool(waiting)}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        asyncio.run(self._application(scope, receive, send))
        start, *rest = sent
        given = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], b"".join(message["body"] for message in rest), given


async def django_is_asked(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@pytest.fixture
def served() -> Iterator[Served]:
    yield Served(webhooks_first(django_is_asked, "/webhooks/"))
    inbox._writer.submit(lambda: connection.close()).result(10)


@in_threads
@pytest.mark.parametrize("path", ["/webhooks/stripe/", "/webhooks/stripe", "/webhooks/adyen/"])
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_the_short_way_answers_as_django_does(
    stripe: StripeSender, served: Served, path: str, method: str
) -> None:
    """The web server's way in and Django's URLs lead to the same answer."""
    body = stripe.event()
    headers = stripe.headers(body)
    status, content, given = served(method, path, [body[:9], body[9:]], headers)
    PaymentEvent.objects.all().delete()
    django = Client().generic(method, path, body, content_type="application/json", headers=headers)
    assert (status, content) == (django.status_code, django.content)
    assert all(django.headers[name] == value for name, value in given.items())


@in_threads
def test_the_short_way_records_what_paypal_posts(paypal: PayPalSender, served: Served) -> None:
    """Its certificate may have to be fetched, which takes a thread."""
    body = paypal.event()
    status, *_ = served("POST", "/webhooks/paypal/", [body], paypal.headers(body))
    assert (status, bytes(PaymentEvent.objects.get().body)) == (200, body)


TOO_LARGE = [b"x" * (MAX_BODY_BYTES // 2)] * 9


@in_threads
@pytest.mark.parametrize(
    ("parts", "headers", "answer", "received"),
    [
        pytest.param([b"{}"], {}, (400, "signature missing"), 1, id="not signed"),
        pytest.param([b"{", None], {}, (400, "body is not complete"), 2, id="client gone"),
        pytest.param(TOO_LARGE, {}, (413, "body is too large"), 3, id="without end"),
        pytest.param(
            TOO_LARGE,
            {"Content-Length": str(MAX_BODY_BYTES + 1)},
            (413, "body is too large"),
            0,
            id="large length",
        ),
        pytest.param([b"x"], {"Content-Encoding": "gzip"}, (415, "body is encoded"), 0, id="gzip"),
    ],
)
def test_the_short_way_refuses_and_counts(
    stripe: StripeSender,
    served: Served,
    parts: list[bytes | None],
    headers: dict[str, str],
    answer: tuple[int, str],
    received: int,
) -> None:
    status, content, _ = served("POST", "/webhooks/stripe/", parts, headers)
    assert (status, json.loads(content)["result"]) == answer
    assert served.received == received
    assert Refusal.objects.get().reason == answer[1]


def test_the_short_way_leaves_the_rest_to_django(served: Served) -> None:
    for path in ("/", "/admin/webhooks/stripe/", "/webhooks", "/webhook/stripe/"):
        assert served("GET", path, [b""], {}) == (299, path.encode(), {})


@pytest.mark.django_db(transaction=True)
def test_d10_malformed_requests_leave_the_web_server_alive(tmp_path: Path) -> None:
    """By the server itself, or by the view for what a server may let through: always 4xx."""
    start = b"POST /webhooks/stripe/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    malformed = {
        "large header": start + b"X: " + b"x" * 9_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
        "many headers": start + b"X: x\r\n" * 120 + b"Content-Length: 2\r\n\r\n{}",
        "long URL": start.replace(b"stripe/", b"a" * 5_000) + b"Content-Length: 2\r\n\r\n{}",
        "both lengths": start + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "two lengths": start + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "negative length": start + b"Content-Length: -1\r\n\r\n{}",
        "NUL": start + b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
        "no HTTP": b"\x16\x03\x01" * 100,
    }
    with web_server(tmp_path, STRIPE_WEBHOOK_SECRETS="whsec_1") as url:
        for name, request in malformed.items():
            with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), 10) as client:
                client.sendall(request)
                answer = client.recv(100)
            assert answer.startswith(b"HTTP/1.1 4"), (name, answer)
        assert requests.post(f"{url}/webhooks/stripe/", data=b"{}", timeout=10).status_code == 400
