"""Runs statements on many rows at once; lists among their parameters become arrays."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Lookup, TextField
from django.db.models.sql.compiler import SQLCompiler


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [*map(_written, parameters)])


def fetch(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [*map(_written, parameters)])
        return list(cursor.fetchall())


@TextField.register_lookup
class AnyOf(Lookup):
    """As ``__in``, but one parameter, however many there are: see `_written`."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        if not self.rhs:
            raise EmptyResultSet
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s::text[])", (*parameters, _written(list(self.rhs)))


def _written(parameter: Any) -> Any:
    """A list as one text, of which PostgreSQL makes the array that the statement calls for.

    psycopg2 would write ``ARRAY['…', '…']``, of which each item is parsed and planned by itself:
    four times the work, on both sides.
    """
    return f"{{{','.join(map(_item, parameter))}}}" if isinstance(parameter, list) else parameter


def _item(value: Any) -> str:
    if value is None:
        return "NULL"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
