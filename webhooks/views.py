"""HTTP only: raw body and headers in, status code out."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from webhooks import ingest, registry
from webhooks.gateways.base import Gateway, _
from webhooks.ingest import Answer, Refused

# The largest genuine event seen has 60 KB.
MAX_BODY_BYTES = 1024 * 1024
RETRY_AFTER_SECONDS = 60

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


def webhooks_first(application: Application, path: str) -> Application:
    """``application``, except for requests below ``path``: those are answered here.

    They use none of Django's requests, middleware and URLs, nor a thread each, which cost several
    times what receiving an event does.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(path):
            await application(scope, receive, send)
            return
        gateway_name = scope["path"][len(path) :].removesuffix("/")
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        found = await _answer_in_company(scope["method"], gateway_name, headers, receive)
        given, content = _headers(found), _content(found)
        await send(
            {
                "type": "http.response.start",
                "status": found.status,
                "headers": [
                    (name.lower().encode(), value.encode()) for name, value in given.items()
                ],
            }
        )
        await send({"type": "http.response.body", "body": content})

    return answer


# 200 may be said only after the row is committed, which no outer transaction may put off.
@transaction.non_atomic_requests
@csrf_exempt
def receive(request: HttpRequest, gateway_name: str) -> HttpResponse:
    """The same by Django's URLs, one post at a time: for tests, and for servers without ASGI."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    answer = _answer(request, gateway_name, headers)
    return HttpResponse(_content(answer), status=answer.status, headers=_headers(answer))


async def _answer_in_company(
    method: str, gateway_name: str, headers: Mapping[str, str], receive: Receive
) -> Answer:
    try:
        gateway = _gateway(method, gateway_name, headers)
        if isinstance(gateway, Answer):
            return gateway
        body = await _received(receive, headers)
    except Refused as refused:
        return await asyncio.to_thread(ingest.refuse, gateway_name, refused)
    return await ingest.receive_in_company(gateway, headers, body)


def _answer(request: HttpRequest, gateway_name: str, headers: Mapping[str, str]) -> Answer:
    try:
        gateway = _gateway(str(request.method), gateway_name, headers)
        if isinstance(gateway, Answer):
            return gateway
        body = _body(request.META)
    except Refused as refused:
        return ingest.refuse(gateway_name, refused)
    return ingest.receive(gateway, headers, body)


def _gateway(method: str, name: str, headers: Mapping[str, str]) -> Gateway | Answer:
    """The gateway whose post may be read, or what to answer otherwise. Raises `Refused`."""
    if method != "POST":
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, "only POST")
    gateway = registry.gateways().get(name)
    if gateway is None:
        return Answer(HTTPStatus.NOT_FOUND, "unknown gateway")
    if headers.get("content-encoding", "identity") != "identity":
        # What is signed is what is sent: unpacking it would only give strangers a bomb.
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _("body is encoded"))
    return gateway


async def _received(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The raw body. Never holds more than the limit. Raises `Refused`."""
    _declared(headers.get("content-length"))
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _incomplete()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(body)


def _body(environ: Mapping[str, Any]) -> bytes:
    """As `_received`, from a server of WSGI."""
    declared = _declared(environ.get("CONTENT_LENGTH"))
    stream = environ["wsgi.input"]
    # A chunked body has no length; the server says where it ends, if it does.
    if not declared and not environ.get("wsgi.input_terminated"):
        return b""
    try:
        body: bytes = stream.read(declared or MAX_BODY_BYTES + 1)
    except OSError:  # the client went away
        raise _incomplete() from None
    if len(body) < declared:
        raise _incomplete()
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    return body


def _declared(length: str | None) -> int:
    """How long the body is said to be; 0 if that is not said."""
    try:
        declared = max(int(length or 0), 0)
    except ValueError:
        return 0
    if declared > MAX_BODY_BYTES:
        raise _too_large()
    return declared


def _incomplete() -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, _("body is not complete"))


def _too_large() -> Refused:
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("body is too large"))


def _content(answer: Answer) -> bytes:
    return json.dumps({"result": answer.result}).encode()


def _headers(answer: Answer) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(_content(answer))),
        "X-Content-Type-Options": "nosniff",
    }
    if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = "POST"
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return headers
