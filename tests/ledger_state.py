"""All that follows from events, in a form that can be compared.

Primary keys are left out, tenants stand as their keys, and totals as sums over their shards, so
that two databases (or one at two times) that say the same compare as equal.
"""

import json
from typing import Any

from django.apps import apps
from django.db import connection, models

from billing.models import Notification, PaymentEvent, Tenant, TenantClaim
from billing.models.gateway import GatewayObject

State = dict[str, list[dict[str, Any]]]

# Left out: keys of this database, what was received or sent rather than derived, and what tells the
# way instead of the result (when an event was applied, what it changed then, which of several
# reports of one failed attempt came first).
_OF_THIS_DATABASE = {"id", "tenant_id", "assigned_by_id"}
_LEFT_OUT: dict[type[models.Model], set[str]] = {
    PaymentEvent: {
        *("event_type", "api_version", "livemode", "occurred_at"),
        *("received_at", "last_received_at", "deliveries", "conflicting_deliveries"),
        *("verified_with", "body", "body_sha256"),
        *("attempts", "next_attempt_at", "processed_at", "changes"),
    },
    Notification: {
        *("currency", "exponent", "amount_minor", "occurred_at"),
        *("state", "recipients", "attempts", "next_attempt_at", "sent_at", "error"),
    },
    Tenant: {"name", "billing_email", "created_at"},
}
DERIVED: tuple[type[models.Model], ...] = (
    *(m for m in apps.get_app_config("billing").get_models() if issubclass(m, GatewayObject)),
    TenantClaim,
    PaymentEvent,
    Notification,
    Tenant,
)


def snapshot(*tables: type[models.Model]) -> State:
    """Every derived row of ``tables`` (of all, if none is named) and the kept totals."""
    parts = [_table_sql(model) for model in tables or DERIVED]
    if not tables:
        parts.append(_TOTALS)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return {name: _loaded(rows) for name, rows in cursor.fetchall()}


def _table_sql(model: type[models.Model]) -> str:
    left_out = _OF_THIS_DATABASE | _LEFT_OUT.get(model, set())
    columns = [
        field.column for field in model._meta.concrete_fields if field.column not in left_out
    ]
    selected = ", ".join(f"x.{column}" for column in columns)
    joined = ""
    if any(field.column == "tenant_id" for field in model._meta.concrete_fields):
        selected += ", tenant.key AS tenant"
        joined = "LEFT JOIN billing_tenant tenant ON tenant.id = x.tenant_id"
    return _SORTED.format(
        name=model._meta.model_name,
        rows=f"SELECT {selected} FROM {model._meta.db_table} x {joined}",
    )


_SORTED = (
    "SELECT '{name}', COALESCE(jsonb_agg(to_jsonb(said) ORDER BY to_jsonb(said)), '[]')"
    " FROM ({rows}) AS said"
)
_TOTALS = _SORTED.format(
    name="total",
    rows="""
        SELECT figure, currency, exponent, sum(count) AS count, sum(amount_minor) AS amount_minor
        FROM billing_total GROUP BY 1, 2, 3 HAVING sum(count) <> 0 OR sum(amount_minor) <> 0
    """,
)


def _loaded(rows: Any) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(rows) if isinstance(rows, str) else rows
    return loaded


def difference(one: State, other: State) -> str:
    """The rows that only one of two states has, one a line."""
    lines = []
    for table in sorted(one.keys() | other.keys()):
        rows, other_rows = one.get(table, []), other.get(table, [])
        lines += [f"- {table} {row}" for row in rows if row not in other_rows]
        lines += [f"+ {table} {row}" for row in other_rows if row not in rows]
    return "\n".join(lines)
