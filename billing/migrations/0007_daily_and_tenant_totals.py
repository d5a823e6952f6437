"""Totals per day and per tenant, kept exact by the triggers of 0002, whose functions are replaced."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

before = import_module("billing.migrations.0002_totals")

# Per table: which figure a row adds to (null: none), and how much, as in 0002.
FIGURES = {
    **before.FIGURES,
    "billing_notification": (
        "CASE WHEN kind = 'payment_failed' THEN 'payment_failed' END",
        "COALESCE(amount_minor, 0)",
    ),
}
# Per table: what its rows also say. Rows for which a column is null are not in the sums that need it.
SAYS = dict.fromkeys(before.FIGURES, "currency, exponent, created_at AS at, tenant_id") | {
    "billing_notification": "COALESCE(currency, 'XXX') AS currency,"
    " COALESCE(exponent, 0) AS exponent, occurred_at AS at, NULL::bigint AS tenant_id",
}
ROWS = """
    SELECT {figure} AS figure, {amount} AS amount_minor, {says}, {sign} AS sign FROM {source}
"""

# Per sum: what it is by besides figure and unit, and from which rows.
SUMS = {
    "billing_total": ("", "", "true"),
    "billing_dailytotal": (
        "day,",
        "(at AT TIME ZONE (SELECT name FROM billing_totalzone))::date AS day,",
        "at IS NOT NULL",
    ),
    "billing_tenanttotal": ("tenant_id,", "tenant_id,", "tenant_id IS NOT NULL"),
}

# As in 0002: each connection has a shard, and the rows of one statement are added in key order.
ADD = """
    INSERT INTO {sum} AS t ({by} figure, currency, exponent, shard, count, amount_minor)
    SELECT {value} figure, currency, exponent, pg_backend_pid() % 16,
        sum(sign), sum(sign * amount_minor)
    FROM ({rows}) AS changed
    WHERE figure IS NOT NULL AND {counts}
    GROUP BY {by} figure, currency, exponent
    HAVING sum(sign) <> 0 OR sum(sign * amount_minor) <> 0
    ORDER BY {by} figure, currency, exponent
    ON CONFLICT ({by} figure, currency, exponent, shard) DO UPDATE
    SET count = t.count + excluded.count, amount_minor = t.amount_minor + excluded.amount_minor;
"""

# Shared by all who write, so that whoever sets another zone, and so moves all days, does it alone.
KEEP = """
CREATE OR REPLACE FUNCTION {table}_keep_totals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('billing_totalzone', 0));
    IF TG_OP = 'INSERT' THEN {inserted}
    ELSIF TG_OP = 'DELETE' THEN {deleted}
    ELSE {updated}
    END IF;
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER {table}_totals_{operation} AFTER {operation} ON {table}
REFERENCING {transition} FOR EACH STATEMENT EXECUTE FUNCTION {table}_keep_totals();
"""
TRANSITIONS = {
    "insert": "NEW TABLE AS new_rows",
    "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "OLD TABLE AS old_rows",
}


def rows(table: str, source: str, sign: str = "1") -> str:
    figure, amount = FIGURES[table]
    return ROWS.format(figure=figure, amount=amount, says=SAYS[table], sign=sign, source=source)


def add(sums: tuple[str, ...], rows: str) -> str:
    return "".join(
        ADD.format(sum=name, by=by, value=value, counts=counts, rows=rows)
        for name in sums
        for by, value, counts in [SUMS[name]]
    )


def keep(table: str, *sums: str) -> str:
    added, removed = rows(table, "new_rows"), rows(table, "old_rows", "-1")
    return KEEP.format(
        table=table,
        inserted=add(sums, added),
        deleted=add(sums, removed),
        updated=add(sums, f"{added} UNION ALL {removed}"),
    )


def triggers(table: str) -> str:
    return "".join(
        TRIGGER.format(table=table, operation=operation, transition=transition)
        for operation, transition in TRANSITIONS.items()
    )


def as_before(table: str) -> str:
    return before.drop(table) + before.create(table, *before.FIGURES[table])


# The rows that stand are added once; whoever writes meanwhile waits.
LOCK = f"LOCK TABLE {', '.join(FIGURES)} IN SHARE ROW EXCLUSIVE MODE;"
ZONE = "INSERT INTO billing_totalzone (id, name) VALUES (1, 'UTC');"


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0006_event_links'),
    ]

    operations = [
        migrations.AlterField(
            model_name='total',
            name='figure',
            field=models.TextField(choices=[('paid', 'Paid'), ('pending', 'Pending'), ('void', 'Void'), ('refunded', 'Refunded'), ('refund_pending', 'Refund Pending'), ('disputed', 'Disputed'), ('payment_failed', 'Payment Failed')]),
        ),
        migrations.CreateModel(
            name='DailyTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figure', models.TextField(choices=[('paid', 'Paid'), ('pending', 'Pending'), ('void', 'Void'), ('refunded', 'Refunded'), ('refund_pending', 'Refund Pending'), ('disputed', 'Disputed'), ('payment_failed', 'Payment Failed')])),
                ('currency', models.CharField(max_length=3)),
                ('exponent', models.SmallIntegerField()),
                ('shard', models.SmallIntegerField()),
                ('count', models.BigIntegerField()),
                ('amount_minor', models.DecimalField(decimal_places=0, max_digits=40)),
                ('day', models.DateField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('figure', 'currency', 'day', 'exponent', 'shard'), name='dailytotal_once')],
            },
        ),
        migrations.CreateModel(
            name='TotalZone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.TextField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='totalzone_one_row')],
            },
        ),
        migrations.CreateModel(
            name='TenantTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figure', models.TextField(choices=[('paid', 'Paid'), ('pending', 'Pending'), ('void', 'Void'), ('refunded', 'Refunded'), ('refund_pending', 'Refund Pending'), ('disputed', 'Disputed'), ('payment_failed', 'Payment Failed')])),
                ('currency', models.CharField(max_length=3)),
                ('exponent', models.SmallIntegerField()),
                ('shard', models.SmallIntegerField()),
                ('count', models.BigIntegerField()),
                ('amount_minor', models.DecimalField(decimal_places=0, max_digits=40)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='billing.tenant')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('tenant', 'figure', 'currency', 'exponent', 'shard'), name='tenanttotal_once')],
            },
        ),
        migrations.RunSQL(LOCK + ZONE, migrations.RunSQL.noop),
        *(migrations.RunSQL(keep(table, *SUMS), as_before(table)) for table in before.FIGURES),
        migrations.RunSQL(
            keep("billing_notification", "billing_dailytotal") + triggers("billing_notification"),
            before.drop("billing_notification"),
        ),
        *(
            migrations.RunSQL(
                add(("billing_dailytotal", "billing_tenanttotal"), rows(table, table)),
                migrations.RunSQL.noop,
            )
            for table in FIGURES
        ),
    ]
