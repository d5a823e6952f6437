"""The rows of the tables, how many there are, and what the filter menus offer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db.models import Model, Q, QuerySet
from django.db.models.expressions import RawSQL

from billing.models import Dispute, Invoice, PaymentEvent, Refund
from billing.queries.reads import Read, Sql

Row = TypeVar("Row", bound=Model)
#: Columns that an index begins with, each with the values to look for; ``None`` for any.
Ways = Mapping[str, Sequence[Any] | None]

#: Counting stops here: an exact count of millions would take longer than the page.
COUNT_LIMIT = 10_000
EVENT_TYPES_IN_MENU = 300


def events() -> QuerySet[PaymentEvent]:
    """All events, without their bodies, which may have a megabyte each."""
    return PaymentEvent.objects.select_related("tenant").defer("body", "body_sha256", "changes")


def invoices() -> QuerySet[Invoice]:
    """Every invoice that was issued."""
    return (
        Invoice.objects.select_related("tenant").filter(status__in=Invoice.ISSUED).defer("stamps")
    )


def refunds() -> QuerySet[Refund]:
    return Refund.objects.select_related("tenant").defer("stamps")


def disputes() -> QuerySet[Dispute]:
    return Dispute.objects.select_related("tenant").defer("stamps")


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row]):
    """The rows of a list: all, or those that ``named`` is true for and those that ``ways`` lead to.

    ``named`` is met by few rows. ``ways`` says how an index leads to rows that the queryset
    filters, or to those of tenants: by the columns that it begins with, before it goes on in the
    order of the list, each with the values that are let through, or ``None`` for any. ``along`` is
    the column of an index that has all rows, where the queryset lets through a range of it.
    """

    queryset: QuerySet[Row]
    named: Q | None = None
    ways: Ways = field(default_factory=dict)
    along: str | None = None

    def first(self, limit: int, order: Sequence[str], *within: Q) -> QuerySet[Row]:
        """The first ``limit`` rows in an order, of those ``within`` some limits."""
        ordered = self.queryset.order_by(*order)
        if keys := self._merged(limit, order, *within):
            return ordered.filter(pk__in=RawSQL(*keys))[:limit]  # noqa: S611
        return ordered.filter(*within, *self._conditions)[:limit]

    def count(self, limit: int) -> Read[int]:
        """How many rows there are; it stops at ``limit``."""
        try:
            sql, params = self._keys(limit)
        except EmptyResultSet:
            return Read(int)
        counted = f"SELECT least(count(*), %s) FROM ({sql}) AS counted"
        return Read(lambda rows: next(iter(rows))[0], Sql(counted, [limit, *params], columns=1))

    @property
    def _conditions(self) -> list[Q]:
        return [] if self.named is None else [self.named]

    def _keys(self, limit: int) -> tuple[str, Sequence[Any]]:
        """SQL for the keys of ``limit`` rows at least, if there are so many."""
        if keys := self._merged(limit):
            return keys
        # In order, for otherwise the table might be read until there are enough.
        order = [self.along] if self.along and self.named is None else []
        rows = self.queryset.filter(*self._conditions).order_by(*order).values("pk")
        return rows[:limit].query.sql_with_params()

    def _merged(
        self, limit: int, order: Sequence[str] = (), *within: Q
    ) -> tuple[str, Sequence[Any]] | None:
        """SQL for the keys of the first rows, where the planner has to be told how to find them."""
        if not self.ways:
            return None
        of_ways, params = self._first_of_ways(limit, order, *within)
        if self.named is None:
            return of_ways, params
        # Each is read along the index that serves it, and no further. With an OR the planner has to
        # guess how soon rows turn up, and a wrong guess reads the whole table.
        named = self.queryset.filter(*within, self.named).order_by(*order).values("pk")[:limit]
        sql, more = named.query.sql_with_params()
        return f"({of_ways}) UNION ({sql})", [*params, *more]

    def _first_of_ways(
        self, limit: int, order: Sequence[str] = (), *within: Q
    ) -> tuple[str, list[Any]]:
        """The first rows of each way into the index, merged: SQL that gives their keys.

        So a page costs as much whatever is filtered. Along an index that has only some of the
        filtered columns, or none, a filter that few rows pass is looked for to the end.
        """
        table = self.queryset.model._meta.db_table
        ways, values = [], []
        for column, given in self.ways.items():
            source = _each_value(table, column) if given is None else "SELECT unnest(%s)"
            ways.append(f"({source}) AS {column}_way (value)")
            values += [] if given is None else [list(given)]
        here = {name: RawSQL(f"{name}_way.value", ()) for name in self.ways}  # noqa: S611
        rows = (
            self.queryset.filter(*within, **here)
            .order_by(*order)
            .values(*(name.lstrip("-") for name in order or ("id",)))
        )
        sql, params = rows[:limit].query.sql_with_params()
        by = [f"{name.lstrip('-')} {'DESC' if name[0] == '-' else 'ASC'}" for name in order]
        sort = f"ORDER BY {', '.join(by)}" if by else ""
        return (
            f"SELECT found.id FROM {', '.join(ways)}, LATERAL ({sql}) AS found {sort} LIMIT %s",
            [*values, *params, limit],
        )


def bounded_count(rows: Rows[Any]) -> Read[int]:
    """How many rows there are; ``COUNT_LIMIT + 1`` stands for more than ``COUNT_LIMIT``."""
    return rows.count(COUNT_LIMIT + 1)


def event_types() -> Read[list[str]]:
    """Every event type that was ever received."""
    each = _each_value(PaymentEvent._meta.db_table, "event_type")
    sql = f"SELECT value FROM ({each}) AS types (value) WHERE value <> '' LIMIT %s"
    found = Sql(sql, [EVENT_TYPES_IN_MENU], columns=1)
    return Read(lambda rows: [event_type for (event_type,) in rows], found)


def _each_value(table: str, column: str) -> str:
    """SQL for every value of a column that an index begins with.

    PostgreSQL has no skip scan for DISTINCT: this goes from each value to the next one in the
    index, so that it costs as many look-ups as there are values, however many rows there are.
    """
    first = f"SELECT {column} FROM {table}"
    return f"""
        WITH RECURSIVE known (value) AS (
            ({first} ORDER BY {column} LIMIT 1)
            UNION ALL
            SELECT ({first} WHERE {column} > known.value ORDER BY {column} LIMIT 1)
            FROM known WHERE known.value IS NOT NULL
        )
        SELECT value FROM known WHERE value IS NOT NULL
    """
