"""What came since a list was shown, for the bar that offers to show it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from billing import formats
from billing.addresses import changed
from billing.filters import EventFilter, InvoiceFilter, PageFilter
from billing.pagination import Cursor, newer
from billing.queries.reads import read_together
from billing.queries.totals import totals
from billing.views.access import SEE_EVENTS, SEE_INVOICES, staff_with

#: Counting stops here: this is asked for every few seconds.
LIMIT = 99


@staff_with(SEE_EVENTS)
def events(request: HttpRequest) -> HttpResponse:
    return _bar(request, "events", EventFilter(request.GET))


@staff_with(SEE_INVOICES)
def invoices(request: HttpRequest) -> HttpResponse:
    return _bar(request, "invoices", InvoiceFilter(request.GET, totals()))


def _bar(request: HttpRequest, name: str, filters: PageFilter) -> HttpResponse:
    read_together(*filters.reads)
    since = Cursor.parse(request.GET.get("since", ""))
    new = newer(filters.rows, filters.date_field, since, LIMIT + 1)
    address = reverse(f"billing:{name}") + changed(request.GET, without=("since",))
    return render(
        request,
        "billing/_fresh.html",
        {"name": name, "new": new, "shown": formats.count(new, LIMIT), "address": address},
    )
