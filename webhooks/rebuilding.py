"""Recomputes what the events say, from nothing, and compares it with what stands."""

from django.db import connection, models, transaction

from billing.ledger import forget
from billing.models import (
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    Payment,
    PaymentEvent,
    Refund,
    Subscription,
    TenantClaim,
)
from billing.totals import follow_zone
from webhooks import processing

# The tables that follow from the inbox, and the columns that are not merely of this database.
DERIVED = (Customer, Subscription, Invoice, CreditNote, Payment, Refund, Dispute, TenantClaim)
EVENT_COLUMNS = (
    "gateway, event_id, state, reason, tenant_id, customer_ref, subscription_ref, invoice_ref,"
    " payment_ref"
)


def rebuild(*, keep: bool = True) -> dict[str, int]:
    """Recompute every billing row; returns how many rows of each table differed.

    One transaction: pages see what stood before until it ends, webhooks are still received, and
    workers wait. With ``keep`` false nothing is changed. An event that failed or was ignored is
    read again, so that what today's code understands counts.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [processing.APPLYING_LOCK])
            views = {model._meta.db_table: _columns(model) for model in DERIVED}
            views[PaymentEvent._meta.db_table] = EVENT_COLUMNS
            for table, columns in views.items():
                cursor.execute(
                    f"CREATE TEMP TABLE before_{table} ON COMMIT DROP AS"
                    f" SELECT {columns} FROM {table}"
                )
            forget()
            follow_zone()
            _replay()
            differences = {}
            for table, columns in views.items():
                now, before = f"SELECT {columns} FROM {table}", f"SELECT * FROM before_{table}"
                cursor.execute(
                    f"SELECT count(*) FROM (({now} EXCEPT ALL {before})"
                    f" UNION ALL ({before} EXCEPT ALL {now})) AS different"
                )
                differences[table.removeprefix("billing_")] = cursor.fetchone()[0]
                cursor.execute(f"DROP TABLE before_{table}")
        if not keep:
            transaction.set_rollback(True)
    return differences


def _replay() -> None:
    """Apply every event that was applied before, and try those that failed, in order of arrival."""
    after = 0
    while events := list(
        PaymentEvent.objects.filter(pk__gt=after)
        .exclude(state__in=[PaymentEvent.State.WAITING, PaymentEvent.State.UNREADABLE])
        .order_by("pk")[: processing.BATCH_SIZE]
    ):
        after = events[-1].pk
        processing.apply(events, once_more=True)


def _columns(model: type[models.Model]) -> str:
    """All but the primary key, which a row that is made anew does not keep."""
    return ", ".join(
        f"{field.column}::text" if isinstance(field, models.JSONField) else str(field.column)
        for field in model._meta.concrete_fields
        if not field.primary_key
    )
