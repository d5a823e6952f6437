"""Pages below an event loop, as a web server asks for them."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

from payments_admin.threads import in_threads

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/page/",
    "query_string": b"q=1",
    "http_version": "1.1",
    "headers": [(b"host", b"localhost"), (b"content-length", b"2")],
}


class Django:
    """Streams for ever, and says when it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.body = b""

    def __call__(self, environ: Any, start_response: Any) -> "Django":
        self.body = environ["wsgi.input"].read(2)
        start_response("200 OK", [("X-Query", environ["QUERY_STRING"])])
        return self

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b"row\n"

    def close(self) -> None:
        self.closed.set()


class Client:
    """Posts, reads some rows, and goes away."""

    def __init__(self, rows: int) -> None:
        self.sent: list[Any] = []
        self._rows = rows
        self._received = 0
        self._gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        self._received += 1
        if self._received == 1:
            return {"type": "http.request", "body": b"{}", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        if len(self.sent) > self._rows:
            self._gone.set()


def test_what_is_streamed_ends_when_the_client_goes_away() -> None:
    django = Django()

    async def run() -> list[Any]:
        client = Client(rows=3)
        await asyncio.wait_for(in_threads(django, 1)(SCOPE, client.receive, client.send), 10)
        return client.sent

    start, first, *_ = asyncio.run(run())
    assert (start["status"], start["headers"]) == (200, [(b"x-query", b"q=1")])
    assert first["body"] == b"row\n"
    assert django.body == b"{}"
    assert django.closed.is_set()
