"""Reads, locks and writes many rows of the gateways' objects at once."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection
from orjson import dumps, loads

from billing.ledger import sql, tenancy
from billing.ledger.stamps import Row
from billing.models.gateway import GatewayObject

#: Gateway and the gateway's own id.
Key = tuple[str, str]

Model = type[GatewayObject]
_BOOKKEEPING = {"id", "gateway", "ref", "tenant_id", "stamps"}
# Columns that follow from other rows too: see billing.ledger.derived. A row that changes loses its
# amounts of these until they are worked out anew, for they may be more than its own new amount.
_DERIVED_AMOUNTS = {"credited_minor", "counted_minor"}
_DERIVED = {"remainder"} | _DERIVED_AMOUNTS


def merged_columns(model: Model) -> list[str]:
    """The columns that facts fill."""
    return [
        field.attname
        for field in model._meta.concrete_fields
        if field.attname not in _BOOKKEEPING | _DERIVED
    ]


def lock(model: Model, keys: Collection[Key], alone: bool) -> dict[Key, Row]:
    """The rows of ``keys``, locked in key order until the transaction ends.

    A key that has no row yet is locked too, by an advisory lock on its name: of two transactions
    that are about to make the same row, or to link to it, the second waits and then sees it.
    Such locks take shared memory, so that a transaction which makes all rows, ``alone``, has none.
    """
    rows = _select_for_update(model, sorted(keys))
    missing = sorted(set(keys) - rows.keys())
    if missing and not alone:
        sql.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0))"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS names (name, place) ORDER BY place",
            [f"{model._meta.db_table}:{gateway}:{ref}" for gateway, ref in missing],
        )
        rows |= _select_for_update(model, missing)
    return rows


def _select_for_update(model: Model, keys: Sequence[Key]) -> dict[Key, Row]:
    columns = merged_columns(model)
    found = sql.fetch(
        f"""
        SELECT id, gateway, ref, stamps::text, {", ".join(columns)} FROM {model._meta.db_table}
        WHERE (gateway, ref) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
        ORDER BY gateway, ref FOR UPDATE
        """,
        [gateway for gateway, _ in keys],
        [ref for _, ref in keys],
    )
    return {
        (gateway, ref): Row.loaded(pk, dict(zip(columns, values, strict=True)), loads(stamps))
        for pk, gateway, ref, stamps, *values in found
    }


def insert(model: Model, rows: dict[Key, Row]) -> None:
    """Write rows that are new. Their keys must be locked.

    They get the tenant of what they name at once, if that has one: most keep it when they are
    settled, and need not be written twice.
    """
    if not rows:
        return
    table, columns = model._meta.db_table, merged_columns(model)
    names = ["gateway", "ref", "stamps", *columns]
    _write(
        model,
        names,
        (
            [gateway, ref, dumps(row.stamps()).decode(), *map(row.values.get, columns)]
            for (gateway, ref), row in sorted(rows.items())
        ),
        f"INSERT INTO {table} ({', '.join(names)}, tenant_id)"
        f" SELECT *, {tenancy.FROM_PARENTS[table]}"
        f" FROM unnest({{arrays}}) AS x ({', '.join(names)})",
    )


def update(model: Model, rows: dict[Key, Row]) -> None:
    """Write rows that stand. They must be locked."""
    if not rows:
        return
    columns = merged_columns(model)
    names = ["id", "stamps", *columns]
    derived = [f.attname for f in model._meta.concrete_fields if f.attname in _DERIVED_AMOUNTS]
    assignments = ", ".join(
        [f"{name} = new.{name}" for name in names[1:]] + [f"{name} = 0" for name in derived]
    )
    _write(
        model,
        names,
        (
            [row.pk, dumps(row.stamps()).decode(), *map(row.values.get, columns)]
            for _, row in sorted(rows.items())
        ),
        f"UPDATE {model._meta.db_table} AS old SET {assignments}"
        f" FROM unnest({{arrays}}) AS new ({', '.join(names)}) WHERE old.id = new.id",
    )


def _write(model: Model, names: list[str], rows: Iterable[list[Any]], statement: str) -> None:
    types = {field.attname: str(field.db_type(connection)) for field in model._meta.concrete_fields}
    arrays = ", ".join(f"%s::{types[name]}[]" for name in names)
    sql.execute(statement.format(arrays=arrays), *map(list, zip(*rows, strict=True)))
