"""The rows of each list as a table of texts, chunk by chunk, to be written to a file.

PostgreSQL joins and formats them: with objects for rows and cells it took four times as long.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from billing.models import Dispute, Invoice, PaymentEvent, Refund
from billing.pagination import cursor_of, walk
from billing.queries.links import REFUNDED, invoice_of
from billing.queries.lists import Rows
from billing.zone import operator_zone

Row = Sequence[str]


class Kind(Enum):
    TEXT = auto()
    #: In major units, with exactly the decimals of the currency.
    AMOUNT = auto()
    #: ISO 8601 in the operators' zone, with its offset.
    TIME = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """``sql`` gives its text, from the tables that are joined. Nothing (NULL) is an empty text."""

    name: str
    sql: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Export:
    """``chunks`` gives some thousand rows at a time, read when it is their turn."""

    name: str
    columns: Sequence[Column]
    chunks: Iterator[Sequence[Row]]


def _text(name: str, of: str = "listed") -> Column:
    return Column(name, f"{of}.{name}")


def _time(name: str) -> Column:
    return Column(name, f"""to_char(listed.{name}, 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM')""", Kind.TIME)


def _amount(name: str, minor: str, of: str = "listed") -> Column:
    # Exact: a product of numerics has the decimals of both factors together.
    unit = f"('{{1,0.1,0.01,0.001,0.0001}}'::numeric[])[{of}.exponent + 1]"
    return Column(name, f"(({minor}) * {unit})::text", Kind.AMOUNT)


_TENANT = Column("tenant", "tenant.name")
_GATEWAY = _text("gateway")
_CURRENCY = _text("currency")
_STATUS = _text("status")
_GATEWAY_STATUS = _text("gateway_status")
_CREATED = _time("created_at")


def _number(of: str) -> Column:
    return Column("invoice_number", f"COALESCE(NULLIF({of}.number, ''), {of}.ref)")


def _invoice_amount(name: str, of: str) -> Column:
    return _amount(name, f"{of}.amount_minor - {of}.credited_minor", of)


EVENTS = (
    _GATEWAY,
    _text("event_type"),
    _TENANT,
    _text("event_id"),
    _text("state"),
    _time("received_at"),
    _time("occurred_at"),
    _number("invoice"),
    _invoice_amount("invoice_amount", "invoice"),
    Column("invoice_status", "invoice.status"),
    _text("currency", "invoice"),
    Column("error", "listed.reason"),
)
INVOICES = (
    _number("listed"),
    _TENANT,
    _GATEWAY,
    Column("gateway_invoice_id", "listed.ref"),
    _CURRENCY,
    _invoice_amount("amount", "listed"),
    _amount("tax", "listed.tax_minor"),
    _amount("amount_refunded", "refunded.minor"),
    _STATUS,
    _GATEWAY_STATUS,
    _CREATED,
)
_RETURNED = (
    _number("invoice"),
    Column("gateway_invoice_id", "invoice.ref"),
    _TENANT,
    _GATEWAY,
    Column("payment", "listed.payment_ref"),
    _CURRENCY,
    _amount("amount", "listed.amount_minor"),
)
REFUNDS = (Column("refund_id", "listed.ref"), *_RETURNED, _STATUS, _CREATED)
DISPUTES = (
    Column("dispute_id", "listed.ref"),
    *_RETURNED,
    _amount("counted", "listed.counted_minor"),
    _STATUS,
    _GATEWAY_STATUS,
    _CREATED,
)


def events(source: Rows[PaymentEvent], *, newest_first: bool, with_invoices: bool) -> Export:
    """``with_invoices``: the reader may see invoices; otherwise their columns are empty."""
    joined = invoice_of("listed.invoice_ref") if with_invoices else _NO_INVOICE
    chunks = _read(source, EVENTS, joined, "received_at", newest_first)
    return Export("payment-events", EVENTS, chunks)


def invoices(source: Rows[Invoice], *, newest_first: bool) -> Export:
    return Export(
        "invoices", INVOICES, _read(source, INVOICES, REFUNDED, "created_at", newest_first)
    )


def refunds(source: Rows[Refund], *, newest_first: bool) -> Export:
    joined = invoice_of("listed.invoice_ref")
    chunks = _read(source, REFUNDS, joined, "created_at", newest_first)
    return Export("refunds", REFUNDS, chunks)


def disputes(source: Rows[Dispute], *, newest_first: bool) -> Export:
    # No gateway says which invoice a dispute is about, but which payment.
    chunks = _read(source, DISPUTES, invoice_of("NULL"), "created_at", newest_first)
    return Export("disputes", DISPUTES, chunks)


# For the statement that follows. What one row is about is no other's: nothing is remembered.
_SET = "SET LOCAL TIME ZONE %s; SET LOCAL enable_memoize = off;"

# No row of it is joined: every column of it is empty.
_NO_INVOICE = "LEFT JOIN billing_invoice AS invoice ON false"


def _read(
    source: Rows[Any], columns: Sequence[Column], joined: str, date_field: str, newest_first: bool
) -> Iterator[list[Row]]:
    direction = "DESC" if newest_first else "ASC"
    cells = ", ".join(f"COALESCE({column.sql}, '')" for column in columns)

    def read(listed: QuerySet[Any]) -> Future[list[tuple[Any, ...]]]:
        try:
            keys, params = listed.values("pk").query.sql_with_params()
        except EmptyResultSet:
            # Django knows without asking that no row meets the filters.
            return reader.submit(list)
        # In the order of the keys, which is that of the disk: the system reads ahead then. Newest
        # first, each page was waited for where rows, or what belongs to them, were not in memory.
        # One transaction, that ends before anything is sent: a reader who goes away leaves none.
        sql = f"""
            {_SET}
            SELECT {cells}, {cursor_of("listed", date_field)}
            FROM (
                SELECT * FROM {listed.model._meta.db_table}
                WHERE id = ANY(ARRAY({keys})) ORDER BY id
            ) AS listed
            LEFT JOIN billing_tenant AS tenant ON tenant.id = listed.tenant_id
            {joined}
            ORDER BY listed.{date_field} {direction}, listed.id {direction}
        """
        return reader.submit(_fetch, connection.cursor(), sql, [operator_zone().key, *params])

    # PostgreSQL works on a chunk while this thread writes the one before: each takes half the time.
    with ThreadPoolExecutor(1) as reader:
        for chunk in walk(source, date_field, newest_first=newest_first, read=read):
            yield [row[:-1] for row in chunk]


def _fetch(cursor: CursorWrapper, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
