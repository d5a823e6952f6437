"""Whatever filters are set together: the rows are right, and an index leads to them in order."""

from collections.abc import Callable
from datetime import timedelta
from itertools import combinations, product
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict

from billing.filters import EventFilter, InvoiceFilter, PageFilter, RefundFilter
from billing.models import Gateway, Tenant
from billing.pagination import Place, paginate
from billing.queries.totals import totals
from tests.factories import NOON, make_event, make_invoice, make_refund, make_tenant

pytestmark = pytest.mark.django_db

Make = Callable[[str], PageFilter]


def events(query: str) -> PageFilter:
    return EventFilter(QueryDict(query))


def invoices(query: str) -> PageFilter:
    return InvoiceFilter(QueryDict(query), totals())


def refunds(query: str) -> PageFilter:
    return RefundFilter(QueryDict(query), totals())


#: What each list can be filtered by, and what is the table.
LISTS: list[tuple[Make, str, dict[str, list[str]]]] = [
    (
        events,
        "paymentevent",
        {
            "tenant": ["acme", "globex"],
            "state": ["processed", "failed", "unreadable"],
            "gateway": ["paypal"],
            "event_type": ["invoice.paid", "PAYMENT.SALE.COMPLETED"],
            "date_from": ["2026-03-02"],
        },
    ),
    (
        invoices,
        "invoice",
        {
            "tenant": ["acme", "globex"],
            "status": ["paid", "void"],
            "gateway": ["paypal"],
            "currency": ["EUR", "JPY"],
            "date_from": ["2026-03-02"],
        },
    ),
    (
        refunds,
        "refund",
        {
            "tenant": ["acme", "globex"],
            "status": ["succeeded", "failed"],
            "gateway": ["paypal"],
            "currency": ["EUR", "CHF"],
            "date_from": ["2026-03-02"],
        },
    ),
]


def make_rows() -> None:
    """Each with each, some at the same second; CHF has only refunds that failed."""
    tenants: list[Tenant | None] = [make_tenant(key="acme"), make_tenant(key="globex"), None]
    hours = 0
    for tenant, gateway in product(tenants, Gateway.values):
        for state, event_type in product(
            ["processed", "failed", "waiting"], ["invoice.paid", "PAYMENT.SALE.COMPLETED", ""]
        ):
            hours += 1
            at = NOON + timedelta(hours=hours // 2)
            make_event(
                tenant=tenant, gateway=gateway, state=state, event_type=event_type, received_at=at
            )
        for number, currency in enumerate(["EUR", "USD", "JPY"]):
            hours += 1
            at = NOON + timedelta(hours=hours // 2)
            both = {"tenant": tenant, "gateway": gateway, "created_at": at}
            for status in ("paid", "void", "draft"):
                make_invoice(status=status, currency=currency, **both)
            make_refund(
                status=["succeeded", "pending", "failed"][number], currency=currency, **both
            )
        make_refund(status="failed", currency="CHF", **both)


def together(parts: dict[str, list[str]]) -> list[str]:
    """Addresses with one filter and with two, each with one value and with all."""
    ones = [
        (name, f"{name}={f'&{name}='.join(values)}")
        for name, all_ in parts.items()
        for values in (all_[:1], all_)
    ]
    pairs = [f"{one}&{two}" for (a, one), (b, two) in combinations(ones, 2) if a != b]
    return [one for _name, one in ones] + pairs


def plan_of(filters: PageFilter, *others: str) -> str:
    """How PostgreSQL would read the first page of a large table, if it did not use ``others``."""
    sql, params = filters.rows._first_of_ways(26, (f"-{filters.date_field}", "-id"))
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort", *others):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN {sql}", params)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("sort", ["", "&sort=date"])
@pytest.mark.parametrize(("make", "_table", "parts"), LISTS)
def test_the_rows_are_those_that_the_filters_let_through(
    make: Make, _table: str, parts: dict[str, list[str]], sort: str
) -> None:
    make_rows()
    for query in together(parts):
        filters = make(query)
        field, sign = filters.date_field, "" if sort else "-"
        wanted = list(filters.qs.order_by(f"{sign}{field}", f"{sign}id"))

        assert filters.rows.count(1000).value == len(wanted), query
        assert filters.rows.count(3).value == min(3, len(wanted)), query
        found: list[Any] = []
        position = ""
        while True:
            place = Place.read(QueryDict(f"{sort}{position}"))
            page = paginate(filters.rows, field, place)
            found += page.rows
            if not page.after:
                break
            position = f"&after={page.after}"
        assert found == wanted, query


@pytest.mark.parametrize(("make", "table", "parts"), LISTS)
def test_an_index_leads_to_them_in_order(
    make: Make, table: str, parts: dict[str, list[str]]
) -> None:
    make_rows()
    for query in together(parts):
        filters = make(query)
        if not filters.rows.ways:
            assert query.startswith("date_from")
            continue
        plan = plan_of(filters)
        reads = [line for line in plan.splitlines() if f"on billing_{table}" in line]
        assert all(f"using {table.removeprefix('payment')}_page" in line for line in reads), plan
        # Only the merged rows are sorted: once, and not below the join.
        assert plan.count("Sort") <= 2, plan


@pytest.mark.parametrize(("make", "table", "_parts"), LISTS)
def test_an_index_in_order_has_all_that_rows_of_a_tenant_are_chosen_by(
    make: Make, table: str, _parts: dict[str, list[str]]
) -> None:
    # Otherwise PostgreSQL may find it cheaper to sort all that the tenant has.
    make_rows()
    plan = plan_of(make("tenant=acme"), "indexscan")
    assert f"Index Only Scan using {table.removeprefix('payment')}_page_tenant " in plan, plan


@pytest.mark.parametrize(("make", "table", "_parts"), LISTS)
def test_days_are_counted_along_an_index(
    make: Make, table: str, _parts: dict[str, list[str]]
) -> None:
    sql, params = make("date_from=2026-01-01").rows._keys(3)
    with connection.cursor() as cursor:
        # An order alone keeps PostgreSQL from reading a table until there are enough rows.
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f"using {table.removeprefix('payment')}_page" in plan, plan
    assert "Seq Scan" not in plan, plan
