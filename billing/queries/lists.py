"""The rows of the tables, how many there are, and what the filter menus offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, Q, QuerySet

from billing.models import Dispute, Invoice, PaymentEvent, Refund

Row = TypeVar("Row", bound=Model)

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
    """The rows of a list. With ``alternatives``: those for which one of them is true."""

    queryset: QuerySet[Row]
    alternatives: Sequence[Q] = ()

    def first(self, limit: int, order: Sequence[str], *within: Q) -> QuerySet[Row]:
        """The first ``limit`` rows in an order, of those ``within`` some limits."""
        ordered = self.queryset.order_by(*order)
        if len(self.alternatives) < 2:
            return ordered.filter(*within, *self.alternatives)[:limit]
        return ordered.filter(pk__in=self._first_of_each(limit, order, *within))[:limit]

    def count(self, limit: int) -> int:
        """How many rows there are; it stops at ``limit``."""
        if len(self.alternatives) < 2:
            return self.queryset.filter(*self.alternatives).order_by()[:limit].count()
        return self._first_of_each(limit, ())[:limit].count()

    def _first_of_each(self, limit: int, order: Sequence[str], *within: Q) -> QuerySet[Any, Any]:
        """The keys of the first rows of each alternative.

        So each is read along the index that serves it, and no further. With an OR the planner has
        to guess how soon rows turn up, and a wrong guess reads the whole table.
        """
        first, *others = (
            self.queryset.filter(*within, each).order_by(*order).values("pk")[:limit]
            for each in self.alternatives
        )
        return first.union(*others)


def bounded_count(rows: Rows[Any]) -> int:
    """How many rows there are; ``COUNT_LIMIT + 1`` stands for more than ``COUNT_LIMIT``."""
    return rows.count(COUNT_LIMIT + 1)


def event_types() -> list[str]:
    """Every event type that was ever received.

    PostgreSQL has no skip scan for DISTINCT: this goes from each type to the next one in the
    index, so that it costs as many look-ups as there are types, however many events there are.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE types AS (
                (SELECT event_type FROM billing_paymentevent ORDER BY event_type LIMIT 1)
                UNION ALL
                SELECT (
                    SELECT event_type FROM billing_paymentevent
                    WHERE event_type > types.event_type ORDER BY event_type LIMIT 1
                )
                FROM types WHERE types.event_type IS NOT NULL
            )
            SELECT event_type FROM types WHERE event_type <> '' LIMIT %s
            """,
            [EVENT_TYPES_IN_MENU],
        )
        return [event_type for (event_type,) in cursor.fetchall()]
