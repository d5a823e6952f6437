"""The pages with a table."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from billing import cards, formats
from billing.addresses import POSITION, changed
from billing.changes import described
from billing.files import FORMATS
from billing.filters import (
    DisputeFilter,
    EventFilter,
    InvoiceFilter,
    PageFilter,
    RefundFilter,
    ReturnedFilter,
    TenantMenu,
)
from billing.models import PaymentEvent
from billing.pagination import Page, Place, paginate
from billing.payloads import masked_payload
from billing.queries import lists
from billing.queries.details import event_detail, invoices_of
from billing.queries.health import worker
from billing.queries.reads import Read, read_together
from billing.queries.totals import Totals, last_days, totals
from billing.tables import (
    DisputeTable,
    EventTable,
    InvoiceTable,
    RefundTable,
    ReturnedTable,
)
from billing.timeline import timeline
from billing.views.access import SEE_EVENTS, SEE_INVOICES, SEE_TENANTS, staff_with
from billing.views.paging import matching, pages
from billing.zone import today


@staff_with(SEE_EVENTS)
def events(request: HttpRequest) -> HttpResponse:
    with_invoices = request.user.has_perm(SEE_INVOICES)
    figures = totals() if with_invoices else None
    filters = EventFilter(request.GET)
    page = _page(request, filters, figures)
    opened = _opened(request, page)
    reading = event_detail(opened, with_invoices=with_invoices) if opened else None
    around = _around(request, "events", filters, page, figures, reading)
    detail = reading.value if reading else None
    context = {
        "table": EventTable(page, request.GET),
        "detail": detail,
        "timeline": timeline(detail) if detail else [],
        "changes": described(detail.event) if detail else [],
        "payload": masked_payload(bytes(detail.event.body)) if detail else None,
    }
    return render(request, "billing/events.html", around | context)


@staff_with(SEE_INVOICES)
def invoices(request: HttpRequest) -> HttpResponse:
    figures = totals()
    filters = InvoiceFilter(request.GET, figures)
    page = _page(request, filters)
    around = _around(request, "invoices", filters, page, figures)
    return render(
        request, "billing/invoices.html", {"table": InvoiceTable(page, request.GET), **around}
    )


@staff_with(SEE_INVOICES)
def refunds(request: HttpRequest) -> HttpResponse:
    return _returned(request, "refunds", RefundFilter, RefundTable)


@staff_with(SEE_INVOICES)
def disputes(request: HttpRequest) -> HttpResponse:
    return _returned(request, "disputes", DisputeFilter, DisputeTable)


def _returned(
    request: HttpRequest, name: str, filter_class: type[ReturnedFilter], table: type[ReturnedTable]
) -> HttpResponse:
    figures = totals()
    filters = filter_class(request.GET, figures)
    page = _page(request, filters)
    invoices = invoices_of(page.rows)
    around = _around(request, name, filters, page, figures, invoices)
    rows = table(page, request.GET, invoices.value)
    return render(request, f"billing/{name}.html", {"table": rows, **around})


@staff_with(SEE_TENANTS)
def tenant_choices(request: HttpRequest) -> HttpResponse:
    """What the menu of tenants offers, while somebody types into it."""
    return render(request, "billing/_tenant_choices.html", {"menu": TenantMenu(request.GET)})


@dataclass(frozen=True, slots=True)
class Tab:
    """``count`` is empty for a list that figures lead to, and that no tab leads to."""

    title: str
    url: str
    count: str
    current: bool


def _page(
    request: HttpRequest, filters: PageFilter, figures: Read[Totals] | None = None
) -> Page[Any]:
    read_together(*filters.reads, figures)
    return paginate(filters.rows, filters.date_field, Place.read(request.GET))


def _around(
    request: HttpRequest,
    name: str,
    filters: PageFilter,
    page: Page[Any],
    figures: Read[Totals] | None,
    own: Read[Any] | None = None,
) -> dict[str, Any]:
    """What stands around a table. Without the right to see invoices there are no cards.

    ``own``: what the rows of the page need besides, to be read with it.
    """
    query, place = request.GET, page.place
    sees_events = request.user.has_perm(SEE_EVENTS)
    all_events = lists.Rows(lists.events(), along=EventFilter.date_field)
    events = lists.bounded_count(all_events) if sees_events else None
    if name == "invoices" and figures and not filters.is_active:
        count = Read(lambda: figures.value.invoice_count)
    elif name == "events" and events and not filters.is_active:
        count = events
    else:
        count = matching(page, filters.rows)
    days = last_days(figures.value, today()) if figures else None
    working = worker(timezone.now())
    read_together(events, count, days, working, own)
    everything = changed(query, without=(*POSITION, "per_page"))
    return {
        "now": timezone.now(),
        "cards": cards.cards(figures.value, days.value) if figures and days else None,
        "worker": working.value,
        "tabs": _tabs(name, events, figures),
        "filters": filters,
        **pages(query, page, count.value),
        "export": {kind: reverse(f"billing:{name}_{kind}") + everything for kind in FORMATS},
        "clear": changed(QueryDict(), **_order(place)),
        "order": _order(place),
        "fresh": _fresh(name, page, query),
    }


def _fresh(name: str, page: Page[Any], query: QueryDict) -> str:
    """Where to ask what came since; empty where new rows would not be the first on the page."""
    if name not in ("events", "invoices") or page.before or not page.place.newest_first:
        return ""
    since = changed(query, without=("after", "before"), since=page.first or "")
    return reverse(f"billing:fresh_{name}") + since


def _tabs(name: str, events: Read[int] | None, figures: Read[Totals] | None) -> list[Tab]:
    """The tabs that the reader may open, with the number of all their rows."""
    tabs = []
    if events:
        count = formats.count(events.value)
        url = reverse("billing:events")
        tabs.append(Tab(gettext("Payment events"), url, count, name == "events"))
    if figures:
        count = formats.number(figures.value.invoice_count)
        url = reverse("billing:invoices")
        tabs.append(Tab(gettext("Invoices"), url, count, name == "invoices"))
    for other, title in (("refunds", gettext("Refunds")), ("disputes", gettext("Disputes"))):
        if name == other:
            tabs.append(Tab(title, reverse(f"billing:{other}"), "", current=True))
    return tabs


def _order(place: Place) -> dict[str, str]:
    """What stays when filters change: how the list is ordered and cut, if not as usual."""
    usual = Place()
    order = {"sort": place.sort, "per_page": str(place.per_page)}
    if place.newest_first == usual.newest_first:
        del order["sort"]
    if place.per_page == usual.per_page:
        del order["per_page"]
    return order


def _opened(request: HttpRequest, page: Page[PaymentEvent]) -> PaymentEvent | None:
    """The event whose details are asked for, if it is on this page."""
    wanted = request.GET.get("open", "")
    return next((event for event in page.rows if str(event.pk) == wanted), None)
