"""The pages about the gateways: what is done with which events, and how to connect each."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext

from billing.models import Gateway, PaymentEvent
from billing.queries.health import worker
from billing.queries.reads import read_together
from billing.queries.receiving import NEWEST, event_of
from billing.queries.types import seen
from billing.views.access import DECIDE, SEE_EVENTS, staff_with
from webhooks import trials
from webhooks.connections import connections, deployment, traffic
from webhooks.registry import gateways

#: Of a search; the longest type has 42 characters.
LONGEST_TERM = 100


@staff_with(SEE_EVENTS)
def tracked_events(request: HttpRequest) -> HttpResponse:
    term = request.GET.get("q", "").strip()[:LONGEST_TERM]
    found = {
        gateway: [
            (event_type, effect)
            for event_type, tracked in sorted(gateway.tracked.items())
            for effect in [gettext(tracked.effect)]
            if term.casefold() in f"{event_type} {effect}".casefold()
        ]
        for gateway in gateways().values()
    }
    by_type = seen([event_type for types in found.values() for event_type, _ in types]).value
    tables = [
        (
            Gateway(gateway.name),
            [(event_type, effect, by_type[event_type]) for event_type, effect in types],
        )
        for gateway, types in found.items()
        if types
    ]
    return render(request, "webhooks/tracked_events.html", {"tables": tables, "term": term})


@staff_with(SEE_EVENTS)
def setup(request: HttpRequest) -> HttpResponse:
    return _setup(request)


@staff_with(SEE_EVENTS, DECIDE, methods=("POST",))
def send_test_event(request: HttpRequest, gateway_name: str) -> HttpResponse:
    gateway = gateways().get(gateway_name)
    if gateway is None or not trials.possible(gateway):
        raise Http404
    trial = trials.send(gateway)
    if not trial.recorded:
        return _setup(request, refused=trial)
    sent = urlencode({"gateway": gateway_name, "sent": trial.event_id})
    return redirect(f"{reverse('setup')}?{sent}#{gateway_name}")


def _setup(request: HttpRequest, refused: trials.Trial | None = None) -> HttpResponse:
    """``refused`` is the test event that was just sent, and not recorded."""
    now = timezone.now()
    came, working = traffic(now), worker(now)
    read_together(came, working)
    return render(
        request,
        "webhooks/setup.html",
        {
            "connections": [(one, came.value[one.name]) for one in connections(request)],
            "worker": working.value,
            "newest": NEWEST,
            "deployment": deployment(),
            "sent": _sent(request),
            "refused": refused,
            "may_send": request.user.has_perm(DECIDE),
        },
    )


def _sent(request: HttpRequest) -> PaymentEvent | None:
    """The test event that this page was opened to tell of."""
    gateway, event_id = request.GET.get("gateway"), request.GET.get("sent", "")
    if gateway not in gateways() or not trials.EVENT_ID.fullmatch(event_id):
        return None
    return event_of(gateway, event_id)
