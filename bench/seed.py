"""Fills a database with as many events and invoices as asked for.

``python -m bench.seed ROWS`` fills the one of ``DATABASE_URL``.

The same rows each time, but for the clock: the last event came when the filling began, the first
two years before. Everything is made by PostgreSQL, from the number of a row: indexes, triggers and
kept sums afterwards, so that ten million take minutes. What each row looks like is near to life:
a fifth belongs to one tenant, few states, types and currencies have most of the rows, some have
hardly any. Bodies are genuine events, stored as compressed as the inbox stores them.
"""

import argparse
import os
import subprocess
import sys
from typing import Any

import django
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from bench.servers import ROOT

TENANTS = 10_000
BODIES = ROOT / "tests" / "payloads" / "stripe"

# The first has half of all events, the next a quarter, and so on; all others a few in a million.
COMMON = (
    "charge.succeeded", "invoice.paid", "PAYMENT.SALE.COMPLETED", "payment_intent.succeeded",
    "invoice.finalized", "customer.subscription.updated", "invoice.created",
    "BILLING.SUBSCRIPTION.ACTIVATED", "charge.refunded", "invoice.payment_failed",
)  # fmt: skip

# A number of a row as one that has nothing to do with it, the same each time.
HASH = """
    CREATE FUNCTION pg_temp.mixed(n bigint, seed bigint, below bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    'SELECT ((hashint8extended(n, seed) & 9223372036854775807) % below)'
"""

# The tables that are filled, with how many of the rows there are for one of each.
FILLED = (
    "paymentevent", "invoice", "payment", "refund", "dispute", "creditnote", "notification",
    "subscription", "customer", "tenantclaim",
)  # fmt: skip

DROP = """
    CREATE TABLE bench_constraint AS
        SELECT conrelid::regclass::text AS "table", conname AS name,
            pg_get_constraintdef(oid) AS definition
        FROM pg_constraint WHERE contype IN ('u', 'p') AND conrelid = ANY(%(tables)s::regclass[]);
    CREATE TABLE bench_index AS
        SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
        FROM pg_index WHERE indrelid = ANY(%(tables)s::regclass[])
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid);
    DO $$ DECLARE it record; BEGIN
        FOR it IN SELECT * FROM bench_constraint LOOP
            EXECUTE format('ALTER TABLE %%s DROP CONSTRAINT %%I', it."table", it.name);
        END LOOP;
        FOR it IN SELECT * FROM bench_index LOOP EXECUTE 'DROP INDEX ' || it.name; END LOOP;
    END $$;
"""
CREATE = """
    DO $$ DECLARE it record; BEGIN
        FOR it IN SELECT * FROM bench_constraint LOOP
            EXECUTE format(
                'ALTER TABLE %s ADD CONSTRAINT %I %s', it."table", it.name, it.definition
            );
        END LOOP;
        FOR it IN SELECT * FROM bench_index LOOP EXECUTE it.definition; END LOOP;
    END $$;
    DROP TABLE bench_constraint, bench_index;
"""

TENANT_ROWS = """
    INSERT INTO billing_tenant (key, name, billing_email, created_at)
    SELECT 'tenant-' || n, initcap(substr(md5(n::text), 1, 7)) || ' '
            || (ARRAY['GmbH', 'Ltd', 'Trading', 'Health', 'Robotics', 'Air', 'Foods'])[1 + n %% 7],
        'billing' || n || '@example.com', %(now)s
    FROM generate_series(1, %(tenants)s) AS n
"""

# One customer, with one subscription, for fifty invoices. A fifth of them are the first tenant's,
# and each other tenant has as many as the next, one at least: so a list of few tenants shows as
# much of each as one of many.
OWNER = """
    (SELECT min(id) FROM billing_tenant)
        + CASE WHEN {c} %% 5 = 0 THEN 0 ELSE 1 + {c} * 4 / 5 %% (%(tenants)s - 1) END
"""
AT = "%(now)s - (%(rows)s - n) * (interval '730 days' / %(rows)s)"
MONEY = """
    CASE WHEN m < 6000 THEN 'USD' WHEN m < 9000 THEN 'EUR' WHEN m < 9900 THEN 'GBP'
        WHEN m < 9998 THEN 'JPY' ELSE 'KWD' END,
    CASE WHEN m < 9900 THEN 2 WHEN m < 9998 THEN 0 ELSE 3 END
"""
# As many fields as an invoice has, each with the event that its value came from.
STAMPS = (
    '{"status": [1795000000000, 3, "evt_bench000000000001"], "number": [1795000000000, 3,'
    ' "evt_bench000000000001"], "amount_minor": [1795000000000, 3, "evt_bench000000000001"]}'
)

STATEMENTS = (
    """
    INSERT INTO billing_customer (gateway, ref, tenant_id, stamps, email, name)
    SELECT 'stripe', 'cus_' || c, {owner_c}, '{{}}', 'buyer' || c || '@example.com', 'Buyer ' || c
    FROM generate_series(0, %(customers)s - 1) AS c
    """,
    """
    INSERT INTO billing_tenantclaim (
        gateway, kind, ref, tenant_id, by_person, claimed_at_ms, trust, event_id
    )
    SELECT 'stripe', 'customer', 'cus_' || c, {owner_c}, false, 1795000000000, 0, 'evt_' || c
    FROM generate_series(0, %(customers)s - 1) AS c
    """,
    """
    INSERT INTO billing_subscription (
        gateway, ref, tenant_id, stamps, customer_ref, status, gateway_status, plan, quantity,
        period_start_at, period_end_at
    )
    SELECT 'stripe', 'sub_' || c, {owner_c}, %(stamps)s, 'cus_' || c,
        CASE WHEN c %% 10 < 7 THEN 'active' ELSE 'cancelled' END, 'active', 'Team', 1 + c %% 9,
        %(now)s - interval '9 days', %(now)s + interval '21 days'
    FROM generate_series(0, %(customers)s - 1) AS c
    """,
    """
    INSERT INTO billing_invoice (
        gateway, ref, tenant_id, stamps, number, customer_ref, subscription_ref,
        currency, exponent, amount_minor, tax_minor, status, gateway_status, created_at, paid_at
    )
    SELECT CASE WHEN c %% 4 = 1 THEN 'paypal' ELSE 'stripe' END, 'in_' || n, {owner_c}, %(stamps)s,
        'INV-' || lpad(n::text, 9, '0'), 'cus_' || c, 'sub_' || c,
        {money}, 1900 + m * 7, (1900 + m * 7) / 6,
        CASE WHEN s < 9200 THEN 'paid' WHEN s < 9600 THEN 'pending' WHEN s < 9900 THEN 'void'
            WHEN s < 9999 THEN 'draft' ELSE 'superseded' END,
        'paid', {at}, {at}
    FROM (
        SELECT n, pg_temp.mixed(n, 1, %(customers)s) AS c, pg_temp.mixed(n, 2, 10000) AS m,
            pg_temp.mixed(n, 3, 10000) AS s
        FROM generate_series(1, %(rows)s) AS n
    ) AS made
    """,
    """
    INSERT INTO billing_payment (
        gateway, ref, tenant_id, stamps, intent_ref, invoice_ref, customer_ref, amount_minor,
        refunded_minor, currency, exponent
    )
    SELECT CASE WHEN c %% 4 = 1 THEN 'paypal' ELSE 'stripe' END, 'ch_' || n, NULL, '{{}}',
        'pi_' || n, 'in_' || n, 'cus_' || c, 1900 + m * 7, 0, {money}
    FROM (
        SELECT n, pg_temp.mixed(n, 1, %(customers)s) AS c, pg_temp.mixed(n, 2, 10000) AS m
        FROM generate_series(1, %(rows)s) AS n
    ) AS made
    """,
    """
    INSERT INTO billing_refund (
        gateway, ref, tenant_id, stamps, currency, exponent, amount_minor, payment_ref, status,
        created_at
    )
    SELECT CASE WHEN c %% 4 = 1 THEN 'paypal' ELSE 'stripe' END, 're_' || n, {owner_c}, '{{}}',
        {money}, 900 + m, 'ch_' || n,
        CASE WHEN s < 9900 THEN 'succeeded' WHEN s < 9990 THEN 'pending' ELSE 'failed' END, {at}
    FROM (
        SELECT n, pg_temp.mixed(n, 1, %(customers)s) AS c, pg_temp.mixed(n, 2, 10000) AS m,
            pg_temp.mixed(n, 4, 10000) AS s
        FROM generate_series(1, %(rows)s, 20) AS n
    ) AS made
    """,
    """
    INSERT INTO billing_dispute (
        gateway, ref, tenant_id, stamps, currency, exponent, amount_minor, counted_minor,
        payment_ref, status, created_at
    )
    SELECT CASE WHEN c %% 4 = 1 THEN 'paypal' ELSE 'stripe' END, 'dp_' || n, {owner_c}, '{{}}',
        {money}, 1900 + m * 7, CASE WHEN s < 6000 THEN 1900 + m * 7 ELSE 0 END, 'ch_' || n,
        CASE WHEN s < 1000 THEN 'open' WHEN s < 6000 THEN 'lost' WHEN s < 9990 THEN 'won'
            ELSE 'inquiry' END, {at}
    FROM (
        SELECT n, pg_temp.mixed(n, 1, %(customers)s) AS c, pg_temp.mixed(n, 2, 10000) AS m,
            pg_temp.mixed(n, 5, 10000) AS s
        FROM generate_series(7, %(rows)s, least(500, %(rows)s / 200)) AS n  -- a full page, at least
    ) AS made
    """,
    """
    INSERT INTO billing_creditnote (
        gateway, ref, tenant_id, stamps, currency, exponent, amount_minor, number, invoice_ref,
        customer_ref, pre_payment_minor, status, created_at
    )
    SELECT 'stripe', 'cn_' || n, {owner_c}, '{{}}', {money}, 100, 'CN-' || n, 'in_' || n,
        'cus_' || c, 0, 'issued', {at}
    FROM (
        SELECT n, pg_temp.mixed(n, 1, %(customers)s) AS c, pg_temp.mixed(n, 2, 10000) AS m
        FROM generate_series(3, %(rows)s, 200) AS n
    ) AS made
    """,
    """
    INSERT INTO billing_notification (
        gateway, kind, invoice_ref, subscription_ref, attempt, currency, exponent, amount_minor,
        occurred_at, state, recipients, attempts, next_attempt_at, sent_at, error
    )
    SELECT 'stripe', 'payment_failed', 'in_' || n, '', '1', {money}, 1900 + m * 7, {at}, 'sent',
        '[]', 1, NULL, {at}, ''
    FROM (
        SELECT n, pg_temp.mixed(n, 2, 10000) AS m FROM generate_series(5, %(rows)s, 100) AS n
    ) AS made
    """,
    """
    INSERT INTO billing_paymentevent (
        gateway, event_id, event_type, api_version, livemode, occurred_at, received_at,
        last_received_at, deliveries, conflicting_deliveries, verified_with, body, body_sha256,
        state, reason, attempts, next_attempt_at, processed_at, tenant_id, customer_ref,
        subscription_ref, invoice_ref, payment_ref, changes
    )
    SELECT type.gateway, 'evt_' || n, type.name, '2026-09-30', false, {at}, {at}, {at}, 1, 0,
        'a1b2c3d4e5f6', body.body, '\\x00',
        CASE WHEN s < 960000 THEN 'processed' WHEN s < 990000 THEN 'ignored'
            WHEN s < 999800 THEN 'unmatched' WHEN s < 999990 THEN 'failed' ELSE 'unreadable' END,
        CASE WHEN s >= 999800 AND s < 999990 THEN 'amount is missing' ELSE '' END,
        1, NULL, {at}, CASE WHEN s BETWEEN 990000 AND 999799 THEN NULL ELSE {owner_c} END,
        'cus_' || c, CASE WHEN n %% 2 = 0 THEN 'sub_' || c END,
        CASE WHEN n %% 2 = 0 THEN 'in_' || n END, CASE WHEN n %% 2 = 1 THEN 'ch_' || n END,
        %(changes)s
    FROM (
        SELECT n, pg_temp.mixed(n, 1, %(customers)s) AS c, pg_temp.mixed(n, 6, 1000000) AS s,
            CASE WHEN pg_temp.mixed(n, 7, 100000) < 10
                THEN 10 + pg_temp.mixed(n, 8, %(types)s - 10)
                ELSE least(
                    9, floor(-ln((pg_temp.mixed(n, 9, 1000000) + 1) / 1000001::float8) / 0.6932)
                )
            END AS t
        FROM generate_series(1, %(rows)s) AS n
    ) AS made
    JOIN bench_type AS type ON type.number = t
    JOIN bench_body AS body ON body.number = n %% %(bodies)s
    """,
)  # fmt: skip

SUMS = """
    TRUNCATE billing_total, billing_dailytotal, billing_tenanttotal;
    INSERT INTO billing_total (figure, currency, exponent, count, amount_minor, shard)
        SELECT figure, currency, exponent, count, amount_minor, 0 FROM ({totals}) AS sums;
    INSERT INTO billing_dailytotal (day, figure, currency, exponent, count, amount_minor, shard)
        SELECT *, 0 FROM ({daily}) AS sums;
    INSERT INTO billing_tenanttotal (
        tenant_id, figure, currency, exponent, count, amount_minor, shard
    )
        SELECT *, 0 FROM ({tenant}) AS sums;
"""
CHANGES = (
    '[["invoice", "in_1", "status", "pending", "paid"],'
    ' ["invoice", "in_1", "paid_at", null, "2026-11-01T10:00:00+00:00"]]'
)


def seed(rows: int) -> None:
    """Fill Django's database, which has its tables and nothing in them."""
    from billing.totals import DAILY_TOTALS, TENANT_TOTALS, TOTALS

    tables = [f"billing_{name}" for name in FILLED]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'"
        )
        customers = rows // 50
        values: dict[str, Any] = {
            "now": timezone.now(),
            "rows": rows,
            "tenants": min(TENANTS, customers * 4 // 5),
            "customers": customers,
            "stamps": STAMPS,
            "changes": CHANGES,
            "types": _types(cursor),
            "bodies": _bodies(cursor),
        }
        cursor.execute(HASH)
        cursor.execute(DROP, {"tables": tables})
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        # With a hash join the events would not be stored in the order in which they came.
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        cursor.execute(TENANT_ROWS, values)
        parts = {"owner_c": OWNER.format(c="c"), "at": AT, "money": MONEY}
        for statement in STATEMENTS:
            cursor.execute(statement.format(**parts), values)
        cursor.execute("RESET enable_hashjoin; RESET enable_mergejoin")
        cursor.execute(CREATE)
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        cursor.execute(
            SUMS.format(totals=TOTALS.sums, daily=DAILY_TOTALS.sums, tenant=TENANT_TOTALS.sums)
        )
        cursor.execute("DROP TABLE bench_type, bench_body")
    with connection.cursor() as cursor:
        # As autovacuum would, in time: what is visible to all, and what the planner knows.
        cursor.execute("VACUUM (ANALYZE)")


def _types(cursor: Any) -> int:
    from webhooks.gateways import paypal_events, stripe_events

    of = dict.fromkeys(stripe_events.EVENTS, "stripe")
    of |= dict.fromkeys(paypal_events.EVENTS, "paypal")
    names = [*COMMON, *sorted(of.keys() - set(COMMON))]
    cursor.execute("CREATE TABLE bench_type (number int PRIMARY KEY, gateway text, name text)")
    cursor.executemany(
        "INSERT INTO bench_type VALUES (%s, %s, %s)",
        [(n, of[name], name) for n, name in enumerate(names)],
    )
    return len(names)


def _bodies(cursor: Any) -> int:
    """Compressed here once: copying them to another table does not do it again."""
    bodies = [file.read_bytes() for file in sorted(BODIES.glob("*.json"))]
    large = [body for body in bodies if len(body) > 3000]
    cursor.execute("CREATE TABLE bench_body (number int PRIMARY KEY, body bytea)")
    cursor.executemany("INSERT INTO bench_body VALUES (%s, %s)", list(enumerate(large)))
    return len(large)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.seed", description=__doc__)
    parser.add_argument("rows", type=int)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "payments_admin.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    seed(options.rows)


def fill(env: dict[str, str], rows: int) -> None:
    """``python -m bench.seed`` in a process of its own, on the database of ``env``."""
    subprocess.run([sys.executable, "-m", "bench.seed", str(rows)], cwd=ROOT, env=env, check=True)


if __name__ == "__main__":
    main()
