"""Answers of the database that pages ask for one by one, or many in one statement.

A page needs a dozen that know nothing of one another: sums, counts, menus, what belongs to a row.
Each by itself is a way to the database and back.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

Answer = TypeVar("Answer")
Row = tuple[Any, ...]


class Sql:
    """The rows of a query of ours: asked for when they are looked at, as those of a queryset are.

    ``columns``: how many the query has.
    """

    def __init__(self, text: str, params: Sequence[Any], columns: int) -> None:
        self.text, self.params, self.columns = text, params, columns

    @cached_property
    def rows(self) -> list[Row]:
        with connection.cursor() as cursor:
            cursor.execute(self.text, self.params)
            rows: list[Row] = cursor.fetchall()
            return rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


#: What PostgreSQL calls text and varchar in its catalog: values that are read as they are.
_TEXTS = (25, 1043)


class Read(Generic[Answer]):
    """What ``answer`` makes of its sources: of the rows of queries, and of the values of reads.

    They are asked for when the value is first looked at, unless they were before.
    """

    def __init__(self, answer: Callable[..., Answer], *sources: "Source") -> None:
        self._answer = answer
        self._sources = sources

    @cached_property
    def value(self) -> Answer:
        read_together(self)
        return self._answer(
            *(source.value if isinstance(source, Read) else source for source in self._sources)
        )

    def unread(self) -> "Iterator[Query]":
        """What is still to be asked for."""
        for source in self._sources:
            if isinstance(source, Read):
                yield from source.unread()
            elif not _is_known(source):
                yield source


Query = QuerySet[Any, Any] | Sql
Source = Query | Read[Any]


def all_of(queryset: QuerySet[Any, Answer]) -> Read[list[Answer]]:
    """Its rows."""
    return Read(list, queryset)


def first_of(queryset: QuerySet[Any, Answer]) -> Read[Answer | None]:
    """Its first row."""
    return Read(lambda rows: next(iter(rows), None), queryset[:1])


def read_together(*reads: Read[Any] | None) -> None:
    """Ask for all that ``reads`` need in one statement; None stands for one that is not needed.

    Each query becomes an array in the one row of the statement, of texts and of what types they
    have: the driver reads them as it reads those of a query by itself.
    """
    unread = dict.fromkeys(query for read in reads if read for query in read.unread())
    if len(unread) < 2:
        return  # it is asked for as usual
    parts = [part for query in unread if (part := _part(query))]
    if not parts:
        return
    arrays = ", ".join(part.array for part in parts)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {arrays}", [param for part in parts for param in part.params])
        for part, rows in zip(parts, cursor.fetchone(), strict=True):
            part.give(_typed(cursor, rows))


@dataclass(frozen=True, slots=True)
class _Part:
    """``give`` takes the rows to where they are looked at."""

    sql: str
    params: Sequence[Any]
    columns: int
    give: Callable[[list[Row]], None]

    @property
    def array(self) -> str:
        names = [f"c{number}" for number in range(self.columns)]
        values = ", ".join(f"pg_typeof({name})::oid::text, {name}::text" for name in names)
        return f"ARRAY(SELECT ARRAY[{values}] FROM ({self.sql}) AS asked ({', '.join(names)}))"


def _is_known(query: Query) -> bool:
    """Whether its rows were read."""
    if isinstance(query, Sql):
        return "rows" in vars(query)
    return query._result_cache is not None


def _part(query: Query) -> _Part | None:
    """What to ask for a query, unless Django knows without asking that it has no rows."""
    if isinstance(query, Sql):

        def keep(rows: list[Row]) -> None:
            query.rows = rows

        return _Part(query.text, query.params, query.columns, keep)
    compiler = query.query.get_compiler(query.db)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return None

    def evaluate(rows: list[Row]) -> None:
        # All that Django does with rows, it does with these.
        compiler.execute_sql = lambda *_args, **_options: [rows]
        query.query.get_compiler = lambda *_args, **_options: compiler  # type: ignore[method-assign]
        len(query)

    return _Part(sql, params, len(compiler.select), evaluate)


def _typed(cursor: Any, rows: list[list[Any]]) -> list[Row]:
    if not rows:
        return []
    # A type is before each value, and the same for all of a column.
    kinds = [int(kind) for kind in rows[0][::2]]
    columns = list(zip(*rows, strict=True))[1::2]
    return list(
        zip(
            *(
                values if kind in _TEXTS else [cursor.cast(kind, value) for value in values]
                for kind, values in zip(kinds, columns, strict=True)
            ),
            strict=True,
        )
    )
