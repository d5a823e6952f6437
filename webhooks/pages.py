"""The page that says what is done with which events."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from billing.models import Gateway
from billing.queries.types import seen
from billing.views.access import SEE_EVENTS, staff_with
from webhooks.registry import gateways


@staff_with(SEE_EVENTS)
def tracked_events(request: HttpRequest) -> HttpResponse:
    known = gateways().values()
    by_type = seen([event_type for gateway in known for event_type in gateway.tracked])
    tables = [
        (
            Gateway(gateway.name).label,
            [
                (event_type, gettext(tracked.effect), by_type[event_type])
                for event_type, tracked in sorted(gateway.tracked.items())
            ],
        )
        for gateway in known
    ]
    return render(request, "webhooks/tracked_events.html", {"tables": tables})
