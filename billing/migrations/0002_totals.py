"""The triggers that keep billing_total exact after every commit, whoever wrote."""

from django.db import migrations

# Per table: which figure a row adds to (null: none), and how much.
FIGURES = {
    "billing_invoice": (
        "CASE WHEN status IN ('paid', 'pending', 'void') THEN status END",
        "amount_minor - credited_minor",
    ),
    "billing_refund": (
        "CASE status WHEN 'succeeded' THEN 'refunded' WHEN 'pending' THEN 'refund_pending' END",
        "amount_minor",
    ),
    "billing_dispute": ("CASE WHEN counted_minor > 0 THEN 'disputed' END", "counted_minor"),
}

# A writer adds to the shard of its connection, so that writers seldom wait for one another; the
# rows of one statement are added in key order, so that two statements cannot deadlock.
KEEP = """
CREATE FUNCTION {table}_keep_totals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {body}
    RETURN NULL;
END $$;
"""
ADD = """
    INSERT INTO billing_total AS t (figure, currency, exponent, shard, count, amount_minor)
    SELECT figure, currency, exponent, pg_backend_pid() % 16, sum(sign), sum(sign * amount_minor)
    FROM ({rows}) AS changed
    WHERE figure IS NOT NULL
    GROUP BY figure, currency, exponent
    HAVING sum(sign) <> 0 OR sum(sign * amount_minor) <> 0
    ORDER BY figure, currency, exponent
    ON CONFLICT (figure, currency, exponent, shard) DO UPDATE
    SET count = t.count + excluded.count, amount_minor = t.amount_minor + excluded.amount_minor;
"""
ROWS = """
    SELECT {figure} AS figure, currency, exponent, {amount} AS amount_minor, {sign} AS sign
    FROM {source}
"""


def create(table: str, figure: str, amount: str) -> str:
    added = ROWS.format(figure=figure, amount=amount, sign="1", source="new_rows")
    removed = ROWS.format(figure=figure, amount=amount, sign="-1", source="old_rows")
    body = f"""
    IF TG_OP = 'INSERT' THEN {ADD.format(rows=added)}
    ELSIF TG_OP = 'DELETE' THEN {ADD.format(rows=removed)}
    ELSE {ADD.format(rows=f"{added} UNION ALL {removed}")}
    END IF;"""
    return KEEP.format(table=table, body=body) + "".join(
        f"""
CREATE TRIGGER {table}_totals_{operation} AFTER {operation} ON {table}
REFERENCING {transition} FOR EACH STATEMENT EXECUTE FUNCTION {table}_keep_totals();
"""
        for operation, transition in [
            ("insert", "NEW TABLE AS new_rows"),
            ("update", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
            ("delete", "OLD TABLE AS old_rows"),
        ]
    )


def drop(table: str) -> str:
    return f"DROP FUNCTION {table}_keep_totals() CASCADE;"


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [
        migrations.RunSQL(create(table, figure, amount), drop(table))
        for table, (figure, amount) in FIGURES.items()
    ]
