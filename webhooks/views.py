"""HTTP only: raw body and headers in, status code out."""

from http import HTTPStatus

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from webhooks import ingest, registry
from webhooks.gateways.base import _

# The largest genuine event seen has 60 KB.
MAX_BODY_BYTES = 1024 * 1024
RETRY_AFTER_SECONDS = 60


# 200 may be said only after the row is committed, which no outer transaction may put off.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
@method_decorator(csrf_exempt, name="dispatch")
class WebhookView(View):
    """Answers 200 for what is stored, 4xx for what never will be, 503 for "try again"."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, gateway_name: str) -> HttpResponse:
        gateway = registry.gateways().get(gateway_name)
        if gateway is None:
            return _respond(ingest.Answer(HTTPStatus.NOT_FOUND, "unknown gateway"))
        if request.headers.get("Content-Encoding", "identity") != "identity":
            # What is signed is what is sent: unpacking it would only give strangers a bomb.
            return _respond(
                ingest.refuse(gateway_name, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _("body is encoded"))
            )
        try:
            body = _body(request)
        except OSError:  # the client went away
            return _respond(
                ingest.refuse(gateway_name, HTTPStatus.BAD_REQUEST, _("body is not complete"))
            )
        if body is None:
            return _respond(
                ingest.refuse(
                    gateway_name, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("body is too large")
                )
            )
        headers = {name.lower(): value for name, value in request.headers.items()}
        return _respond(ingest.receive(gateway, headers, body))


def _body(request: HttpRequest) -> bytes | None:
    """The raw body, or ``None`` if it is too large. Never holds more than the limit.

    Not ``request.body``, whose own limit is about forms.
    """
    try:
        declared = int(request.META["CONTENT_LENGTH"])
    except (KeyError, ValueError):
        declared = 0
    if declared > MAX_BODY_BYTES:
        return None
    # Django reads nothing of a chunked body, which has no length; the server says where it ends.
    chunked = not declared and request.META.get("wsgi.input_terminated")
    stream = request.META["wsgi.input"] if chunked else request
    body: bytes = stream.read(MAX_BODY_BYTES + 1)
    return body if len(body) <= MAX_BODY_BYTES else None


def _respond(answer: ingest.Answer) -> HttpResponse:
    response = JsonResponse({"result": answer.result}, status=answer.status)
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
