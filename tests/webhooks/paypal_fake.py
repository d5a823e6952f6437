"""A small PayPal API over real HTTP, that fails in the ways a real one does."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote

EVENTS_PATH = "/v1/notifications/webhooks-events/"


class FakePayPal:
    """Knows the events that it is given; ``status``, ``body`` and ``delay`` make it misbehave.

    ``refused_tokens`` is how many of the next calls are answered 401, though the token is right.
    """

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}
        self.calls: list[str] = []
        self.status, self.body = 200, ""
        self.refused_tokens = 0
        self.silent = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        serve = threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True)
        serve.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.silent.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, authorization: str) -> tuple[int, str]:
        self.calls.append(f"{method} {path}")
        if self.status != 200 or self.body:
            return self.status, self.body
        if path == "/v1/oauth2/token":
            return 200, json.dumps(
                {"access_token": "T0KEN", "token_type": "Bearer", "expires_in": 3600}
            )
        if authorization != "Bearer T0KEN" or self.refused_tokens:
            self.refused_tokens = max(self.refused_tokens - 1, 0)
            return 401, json.dumps({"error": "invalid_token"})
        event = self.events.get(unquote(path.removeprefix(EVENTS_PATH)))
        return (200, json.dumps(event)) if event else (404, json.dumps({"name": "NOT_FOUND"}))


def _handler(fake: FakePayPal) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do("GET")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._do("POST")

        def _do(self, method: str) -> None:
            if fake.status == 0:
                fake.calls.append(f"{method} {self.path}")
                fake.silent.wait(30)
                return
            status, body = fake.answer(method, self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
