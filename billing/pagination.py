"""Pages by keyset: a cursor names the row where a page begins, so every page costs the same.

With page numbers, the database counts off all rows before the page, and a row that arrives
meanwhile moves every page on by one.
"""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic

from django.db.models import Q, QuerySet
from django.http import QueryDict

from billing.queries.lists import Row, Rows

PAGE_SIZES = (25, 50, 100)
NEWEST_FIRST, OLDEST_FIRST = "-date", "date"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Ids up to 2^63 - 1 and times up to the year 9999 have no more digits.
_CURSOR = re.compile(r"(-?[0-9]{1,18})_([0-9]{1,18})", re.ASCII)
_PK = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of one row in an order by time."""

    at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}_{self.pk}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        match = _CURSOR.fullmatch(text)
        if match is None:
            return None
        try:
            at = _EPOCH + int(match[1]) * _MICROSECOND
        except OverflowError:
            return None
        return cls(at, int(match[2]))


@dataclass(frozen=True, slots=True)
class RowCursor:
    """The place of one row in any other order. Only the row is written down: a name may be long."""

    at: str | int
    pk: int

    def __str__(self) -> str:
        return str(self.pk)


@dataclass(frozen=True, slots=True)
class Place:
    """Which page is asked for. ``problem`` says that the address named none."""

    per_page: int = PAGE_SIZES[0]
    newest_first: bool = True
    after: Cursor | RowCursor | None = None
    before: Cursor | RowCursor | None = None
    problem: bool = False

    @classmethod
    def read(cls, query: QueryDict) -> "Place":
        return cls._read(query, Cursor.parse, newest_first=query.get("sort") != OLDEST_FIRST)

    @classmethod
    def read_rows(
        cls, query: QueryDict, at: Callable[[int], str | int | None], *, newest_first: bool
    ) -> "Place":
        """For a list that has one order. ``at``: what it orders by, of the row of a primary key."""

        def parse(text: str) -> RowCursor | None:
            pk = int(text) if _PK.fullmatch(text) else None
            value = at(pk) if pk is not None else None
            return None if pk is None or value is None else RowCursor(value, pk)

        return cls._read(query, parse, newest_first=newest_first)

    @classmethod
    def _read(
        cls,
        query: QueryDict,
        parse: Callable[[str], Cursor | RowCursor | None],
        *,
        newest_first: bool,
    ) -> "Place":
        after = parse(query.get("after", ""))
        before = None if after else parse(query.get("before", ""))
        return cls(
            per_page=_page_size(query.get("per_page", "")),
            newest_first=newest_first,
            after=after,
            before=before,
            problem=bool(query.get("after") or query.get("before")) and not (after or before),
        )

    @property
    def sort(self) -> str:
        return NEWEST_FIRST if self.newest_first else OLDEST_FIRST


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """``before`` and ``after`` are the cursors of the neighbours, if there are any."""

    rows: list[Row]
    place: Place
    #: The cursor of the first row, if there is one.
    first: Cursor | RowCursor | None = None
    before: Cursor | RowCursor | None = None
    after: Cursor | RowCursor | None = None

    @property
    def is_everything(self) -> bool:
        return self.before is None and self.after is None


def paginate(source: Rows[Row], order_field: str, place: Place) -> Page[Row]:
    """The page at ``place``. A place that no row is at any more gives the first page."""
    cursor = place.after or place.before
    back = place.before is not None
    # Going back reads the rows before the cursor in the opposite order.
    descending = place.newest_first != back
    rows = list(_from(source, order_field, cursor, descending, place.per_page + 1))
    more = len(rows) > place.per_page
    rows = rows[: place.per_page]
    if cursor and (not rows or (back and len(rows) < place.per_page)):
        # Beyond the end; or fewer rows than a page before this one: those begin the first page.
        return paginate(source, order_field, Place(place.per_page, place.newest_first))
    if back:
        rows.reverse()

    def at(row: Row) -> Cursor | RowCursor:
        value = getattr(row, order_field)
        return (Cursor if isinstance(value, datetime) else RowCursor)(value, row.pk)

    return Page(
        rows=rows,
        place=place,
        first=at(rows[0]) if rows else None,
        before=at(rows[0]) if (more if back else cursor) else None,
        after=at(rows[-1]) if (back or more) else None,
    )


def newer(source: Rows[Row], date_field: str, than: Cursor | None, limit: int) -> int:
    """How many rows there are after the cursor ``than``; it stops at ``limit``."""
    return _from(source, date_field, than, False, limit).count()


def cursor_of(table: str, date_field: str) -> str:
    """SQL that writes the cursor of a row."""
    return f"(extract(epoch FROM {table}.{date_field}) * 1000000)::bigint || '_' || {table}.id"


def walk(
    source: Rows[Row],
    date_field: str,
    *,
    newest_first: bool,
    read: Callable[[QuerySet[Row]], Future[list[tuple[Any, ...]]]],
    chunk: int = 5000,
) -> Iterator[list[tuple[Any, ...]]]:
    """All rows in chunks, in constant memory and with no transaction held open.

    ``read`` begins to read the rows of a chunk, while the chunk before is made use of; the last
    value of each is `cursor_of` it.
    """
    coming = read(_from(source, date_field, None, newest_first, chunk))
    while rows := coming.result():
        cursor = Cursor.parse(rows[-1][-1])
        coming = read(_from(source, date_field, cursor, newest_first, chunk))
        yield rows


def _from(
    source: Rows[Row],
    order_field: str,
    cursor: Cursor | RowCursor | None,
    descending: bool,
    limit: int,
) -> QuerySet[Row]:
    sign = "-" if descending else ""
    order = (f"{sign}{order_field}", f"{sign}id")
    if cursor is None:
        return source.first(limit, order)
    beyond = "lt" if descending else "gt"
    # The first condition is where the index scan begins; the second leaves out the cursor's own
    # row, and those of the same second or name that precede it.
    within = Q(**{f"{order_field}__{beyond}e": cursor.at}) & (
        Q(**{f"{order_field}__{beyond}": cursor.at}) | Q(**{f"id__{beyond}": cursor.pk})
    )
    return source.first(limit, order, within)


def _page_size(text: str) -> int:
    """The offered size that is nearest to the one asked for."""
    if not re.fullmatch(r"-?[0-9]+", text, re.ASCII):
        return PAGE_SIZES[0]
    wanted = int(text[:6])
    return min(PAGE_SIZES, key=lambda size: abs(size - wanted))
