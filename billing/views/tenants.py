"""The list of tenants, and the pages of one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from billing import cards
from billing.addresses import MAX_VALUE_LENGTH, POSITION, changed
from billing.models import Tenant
from billing.pagination import Place, paginate
from billing.queries import lists
from billing.queries import tenants as queries
from billing.queries.reads import read_together
from billing.queries.totals import CurrencyTotals, Totals, totals, totals_by_tenant
from billing.views.access import SEE_EVENTS, SEE_INVOICES, SEE_TENANTS, staff_with
from billing.views.paging import matching, pages


class TenantSearch(forms.Form):
    q = forms.CharField(label=_("Search"), required=False, max_length=MAX_VALUE_LENGTH)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list. ``totals`` only for who may see invoices."""

    tenant: Tenant
    active_subscriptions: int
    totals: Totals | None

    @property
    def main(self) -> CurrencyTotals | None:
        """In the currency that the tenant has most invoices of."""
        return self.totals.currencies[0] if self.totals and self.totals.currencies else None

    @property
    def more(self) -> int:
        return len(self.totals.currencies) - 1 if self.main and self.totals else 0


@staff_with(SEE_TENANTS)
def tenants(request: HttpRequest) -> HttpResponse:
    search = TenantSearch(request.GET)
    term = search.cleaned_data["q"] if search.is_valid() else ""
    found = queries.search(queries.tenants(), term) if term else queries.tenants()
    rows = lists.Rows(found)
    place = Place.read_rows(request.GET, queries.name_of, newest_first=False)
    page = paginate(rows, "by_name", place)
    ids = [tenant.pk for tenant in page.rows]
    active = queries.active_subscriptions(ids)
    figures = totals_by_tenant(ids) if request.user.has_perm(SEE_INVOICES) else None
    unmatched = queries.unmatched() if request.user.has_perm(SEE_EVENTS) else None
    count = matching(page, rows)
    read_together(active, figures, unmatched, count)
    return render(
        request,
        "billing/tenants.html",
        {
            "search": search,
            "term": term,
            "rows": [
                Row(tenant, active.value[tenant.pk], figures.value[tenant.pk] if figures else None)
                for tenant in page.rows
            ],
            "unmatched": unmatched.value if unmatched else 0,
            "clear": changed(request.GET, without=(*POSITION, "q")),
            **pages(request.GET, page, count.value),
        },
    )


@staff_with(SEE_TENANTS)
def tenant(request: HttpRequest, pk: int) -> HttpResponse:
    tenant = _tenant(pk)
    with_invoices = request.user.has_perm(SEE_INVOICES)
    figures = totals(tenant) if with_invoices else None
    detail = queries.tenant_detail(
        tenant, with_invoices=with_invoices, with_events=request.user.has_perm(SEE_EVENTS)
    )
    read_together(figures, detail)
    return render(
        request,
        "billing/tenant.html",
        {
            "tenant": tenant,
            "cards": cards.cards(figures.value, tenant=tenant) if figures else None,
            "detail": detail.value,
        },
    )


@staff_with(SEE_TENANTS)
def subscriptions(request: HttpRequest, pk: int) -> HttpResponse:
    return _all(request, pk, queries.subscriptions, "billing/tenant_subscriptions.html")


@staff_with(SEE_TENANTS)
def customers(request: HttpRequest, pk: int) -> HttpResponse:
    return _all(request, pk, queries.customers, "billing/tenant_customers.html")


def _all(
    request: HttpRequest, pk: int, of: Callable[[Tenant], QuerySet[Any]], template: str
) -> HttpResponse:
    """All that a tenant has of one kind, newest first."""
    tenant = _tenant(pk)
    rows = lists.Rows(of(tenant))
    page = paginate(rows, "id", Place.read_rows(request.GET, lambda pk: pk, newest_first=True))
    return render(
        request,
        template,
        {"tenant": tenant, **pages(request.GET, page, matching(page, rows).value)},
    )


def _tenant(pk: int) -> Tenant:
    tenant = queries.tenant(pk)
    if tenant is None:
        raise Http404
    return tenant
