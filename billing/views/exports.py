"""The rows of the lists as files to download, with the filters of the page."""

import re
from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from billing import exports
from billing.exports import Export
from billing.files import FORMATS
from billing.filters import DisputeFilter, EventFilter, InvoiceFilter, PageFilter, RefundFilter
from billing.pagination import Place
from billing.queries.reads import read_together
from billing.queries.totals import totals
from billing.views.access import SEE_EVENTS, SEE_INVOICES, staff_with

_TOKEN = re.compile(r"[0-9a-z]{1,32}", re.ASCII)


@staff_with(SEE_EVENTS)
def events(request: HttpRequest, kind: str) -> HttpResponseBase:
    with_invoices = request.user.has_perm(SEE_INVOICES)
    export = partial(exports.events, with_invoices=with_invoices)
    return _file(request, kind, EventFilter(request.GET), export)


@staff_with(SEE_INVOICES)
def invoices(request: HttpRequest, kind: str) -> HttpResponseBase:
    return _file(request, kind, InvoiceFilter(request.GET, totals()), exports.invoices)


@staff_with(SEE_INVOICES)
def refunds(request: HttpRequest, kind: str) -> HttpResponseBase:
    return _file(request, kind, RefundFilter(request.GET, totals()), exports.refunds)


@staff_with(SEE_INVOICES)
def disputes(request: HttpRequest, kind: str) -> HttpResponseBase:
    return _file(request, kind, DisputeFilter(request.GET, totals()), exports.disputes)


def _file(
    request: HttpRequest, kind: str, filters: PageFilter, export: Callable[..., Export]
) -> HttpResponseBase:
    read_together(*filters.reads)
    if filters.problems:
        # A file that silently had other rows than were asked for would be worse than none.
        lines = "\n".join(f"{label}: {problem}" for label, problem in filters.problems)
        return HttpResponse(lines, status=400, content_type="text/plain; charset=utf-8")
    response = FORMATS[kind](
        export(filters.rows, newest_first=Place.read(request.GET).newest_first)
    )
    token = request.GET.get("download", "")
    if _TOKEN.fullmatch(token):
        # The only sign that a script gets of a download that begins: see static/js/export.js.
        response.set_cookie(
            f"download-{token}", "1", max_age=60, secure=request.is_secure(), samesite="Strict"
        )
    return response
