"""Runs statements on many rows at once; lists among their parameters become arrays."""

from typing import Any

from django.db import connection


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [*map(_written, parameters)])


def fetch(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [*map(_written, parameters)])
        return list(cursor.fetchall())


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
