"""HTTP only: raw body and headers in, status code out."""

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from webhooks import ingest, registry
from webhooks.gateways.base import _
from webhooks.ingest import Answer

# The largest genuine event seen has 60 KB.
MAX_BODY_BYTES = 1024 * 1024
RETRY_AFTER_SECONDS = 60

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


# 200 may be said only after the row is committed, which no outer transaction may put off.
@transaction.non_atomic_requests
@csrf_exempt
def receive(request: HttpRequest, gateway_name: str) -> HttpResponse:
    """What gateways post to."""
    status, headers, content = respond(request.META, gateway_name)
    return HttpResponse(content, status=status, headers=headers)


def webhooks_first(application: Application, path: str) -> Application:
    """``application``, except for posts to a gateway below ``path``: those are answered here.

    They use none of Django's requests, middleware and URLs, which cost several times what
    receiving an event does.
    """

    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(path):
            return application(environ, start_response)
        gateway_name = environ["PATH_INFO"][len(path) :].removesuffix("/")
        status, headers, content = respond(environ, gateway_name)
        start_response(f"{status.value} {status.phrase}", list(headers.items()))
        return [content]

    return answer


def respond(environ: Environ, gateway_name: str) -> tuple[HTTPStatus, dict[str, str], bytes]:
    """200 for what is stored, 4xx for what never will be, 503 for "try again"."""
    answer = _answer(environ, gateway_name)
    content = json.dumps({"result": answer.result}).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        "X-Content-Type-Options": "nosniff",
    }
    if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = "POST"
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer.status, headers, content


def _answer(environ: Environ, gateway_name: str) -> Answer:
    if environ["REQUEST_METHOD"] != "POST":
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, "only POST")
    gateway = registry.gateways().get(gateway_name)
    if gateway is None:
        return Answer(HTTPStatus.NOT_FOUND, "unknown gateway")
    if environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        # What is signed is what is sent: unpacking it would only give strangers a bomb.
        return ingest.refuse(gateway_name, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _("body is encoded"))
    try:
        body = _body(environ)
    except OSError:  # the client went away
        return ingest.refuse(gateway_name, HTTPStatus.BAD_REQUEST, _("body is not complete"))
    if body is None:
        return ingest.refuse(
            gateway_name, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("body is too large")
        )
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return ingest.receive(gateway, headers, body)


def _body(environ: Environ) -> bytes | None:
    """The raw body, or ``None`` if it is too large. Never holds more than the limit."""
    try:
        declared = max(int(environ["CONTENT_LENGTH"]), 0)
    except (KeyError, ValueError):
        declared = 0
    if declared > MAX_BODY_BYTES:
        return None
    stream = environ["wsgi.input"]
    if declared:
        body: bytes = stream.read(declared)
        if len(body) < declared:
            raise OSError("shorter than its length says")
        return body
    # A chunked body has no length; the server says where it ends, if it does.
    if not environ.get("wsgi.input_terminated"):
        return b""
    body = stream.read(MAX_BODY_BYTES + 1)
    return body if len(body) <= MAX_BODY_BYTES else None
