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
from billing.queries.totals import Totals, last_days, totals
from billing.tables import (
    DisputeTable,
    EventTable,
    InvoiceTable,
    PageTable,
    RefundTable,
    ReturnedTable,
)
from billing.timeline import timeline
from billing.views.access import SEE_EVENTS, SEE_INVOICES, SEE_TENANTS, staff_with
from billing.views.paging import pages
from billing.zone import today


@staff_with(SEE_EVENTS)
def events(request: HttpRequest) -> HttpResponse:
    filters = EventFilter(request.GET)
    page = paginate(filters.rows, filters.date_field, Place.read(request.GET))
    opened = _opened(request, page)
    detail = (
        event_detail(opened, with_invoices=request.user.has_perm(SEE_INVOICES)) if opened else None
    )
    return _list(
        request,
        "events",
        filters,
        page,
        EventTable(page, request.GET),
        totals() if request.user.has_perm(SEE_INVOICES) else None,
        {
            "detail": detail,
            "timeline": timeline(detail) if detail else [],
            "changes": described(detail.event) if detail else [],
            "payload": masked_payload(bytes(detail.event.body)) if detail else None,
        },
    )


@staff_with(SEE_INVOICES)
def invoices(request: HttpRequest) -> HttpResponse:
    figures = totals()
    filters = InvoiceFilter(request.GET, figures)
    page = paginate(filters.rows, filters.date_field, Place.read(request.GET))
    return _list(request, "invoices", filters, page, InvoiceTable(page, request.GET), figures)


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
    page = paginate(filters.rows, filters.date_field, Place.read(request.GET))
    rows = table(page, request.GET, invoices_of(page.rows))
    return _list(request, name, filters, page, rows, figures)


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


def _list(
    request: HttpRequest,
    name: str,
    filters: PageFilter,
    page: Page[Any],
    table: PageTable,
    figures: Totals | None,
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """A page of one of the tables. Without the right to see invoices there are no cards."""
    query, place = request.GET, page.place
    issued = figures.invoice_count if figures and name == "invoices" else None
    foot = pages(query, page, filters.rows, None if filters.is_active else issued)
    whole = foot["matching"] if name == "events" and not filters.is_active else None
    everything = changed(query, without=(*POSITION, "per_page"))
    return render(
        request,
        f"billing/{name}.html",
        {
            "now": timezone.now(),
            "cards": cards.cards(figures, last_days(figures, today())) if figures else None,
            "tabs": _tabs(request, name, whole, figures),
            "filters": filters,
            "table": table,
            **foot,
            "export": {kind: reverse(f"billing:{name}_{kind}") + everything for kind in FORMATS},
            "clear": changed(QueryDict(), **_order(place)),
            "order": _order(place),
            "fresh": _fresh(name, page, query),
            **(context or {}),
        },
    )


def _fresh(name: str, page: Page[Any], query: QueryDict) -> str:
    """Where to ask what came since; empty where new rows would not be the first on the page."""
    if name not in ("events", "invoices") or page.before or not page.place.newest_first:
        return ""
    since = changed(query, without=("after", "before"), since=page.first or "")
    return reverse(f"billing:fresh_{name}") + since


def _tabs(
    request: HttpRequest, name: str, events_in_all: int | None, figures: Totals | None
) -> list[Tab]:
    """The tabs that the reader may open, with the number of all their rows."""
    tabs = []
    if request.user.has_perm(SEE_EVENTS):
        if events_in_all is None:
            events_in_all = lists.bounded_count(lists.Rows(lists.events()))
        url = reverse("billing:events")
        tabs.append(
            Tab(gettext("Payment events"), url, formats.count(events_in_all), name == "events")
        )
    if figures:
        count = formats.number(figures.invoice_count)
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
