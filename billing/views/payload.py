"""The whole payload of one event, for the few who may see it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from billing.ledger.showing import payload_for
from billing.payloads import whole_payload
from billing.views.access import SEE_EVENTS, SEE_PAYLOADS, staff_with


# By POST only, so that no link, prefetch or reload shows it, or writes the log, unasked.
@staff_with(SEE_EVENTS, SEE_PAYLOADS, methods=("POST",))
def payload(request: HttpRequest, pk: int) -> HttpResponse:
    event = payload_for(request.user, pk)
    if event is None:
        raise Http404
    context = {"event": event, "payload": whole_payload(bytes(event.body))}
    return render(request, "billing/payload.html", context)
