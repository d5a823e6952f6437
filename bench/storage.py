"""How much room a row takes, whether every index is used, and what an event costs among many."""

import json
from pathlib import Path
from statistics import median

from bench import load
from bench.applying import MAIL
from bench.ingest import CONNECTIONS, ROUNDS, manage
from bench.pages import inside
from bench.posts import stripe_posts
from bench.report import Table
from bench.servers import Postgres, environment, product, serving, signed_in

# Per table: its rows, the bodies that are kept beside them, and each index.
SIZES = """
    WITH counted AS (
        SELECT 'billing_paymentevent'::regclass AS relation, 'events' AS name,
            (SELECT count(*) FROM billing_paymentevent) AS rows
        UNION ALL
        SELECT 'billing_invoice'::regclass, 'invoices', (SELECT count(*) FROM billing_invoice)
    ), parts AS (
        SELECT name, rows, 'rows' AS part, NULL::bigint AS scans,
            pg_table_size(oid) - pg_total_relation_size(reltoastrelid) AS size
        FROM counted JOIN pg_class ON oid = relation
        UNION ALL
        SELECT name, rows, 'beside the rows (TOAST)', NULL, pg_total_relation_size(reltoastrelid)
        FROM counted JOIN pg_class ON oid = relation
        UNION ALL
        SELECT name, rows, indexrelname, idx_scan, pg_relation_size(indexrelid)
        FROM counted JOIN pg_stat_user_indexes ON relid = relation
    )
    SELECT name, part, round(size::numeric / rows), scans FROM (
        SELECT *, 0 AS last FROM parts
        UNION ALL
        SELECT name, rows, 'in all', NULL, sum(size), 1 FROM parts GROUP BY name, rows
    ) AS lines
    ORDER BY name, last, scans IS NOT NULL, part
"""
INDEXES = """
    SELECT indexrelname FROM pg_stat_user_indexes JOIN pg_index USING (indexrelid)
    WHERE NOT indisunique AND relname LIKE 'billing_%' AND {} ORDER BY 1
"""
# Events of all types, to be applied; and what people have decided stays when they leave.
SELDOM = """
from django.contrib.auth.models import User
from bench.backlog import fill

fill(1000)
User.objects.create(username="who leaves").delete()
"""
# The newest event of a subscription alone, opened.
OF_NO_INVOICE = """
    SELECT 'q=' || event_id || '&open=' || id FROM billing_paymentevent
    WHERE invoice_ref IS NULL AND subscription_ref IS NOT NULL ORDER BY id DESC LIMIT 1
"""
# Of the events after ``last``, from the first batch to the last, without the worker's start.
APPLIED = """
    SELECT count(*) FILTER (WHERE processed_at > first)
        / extract(epoch FROM max(processed_at) - min(first))
    FROM billing_paymentevent, (
        SELECT min(processed_at) AS first FROM billing_paymentevent WHERE id > {last}
    ) AS f
    WHERE id > {last}
"""
COMPRESSION = """
    SELECT coalesce(pg_column_compression(body), 'nothing'), count(*), round(avg(length(body))),
        round(avg(pg_column_size(body)))
    FROM (SELECT body FROM billing_paymentevent LIMIT 10000) AS sample GROUP BY 1 ORDER BY 2 DESC
"""


def sizes(postgres: Postgres, folder: Path, name: str) -> Table:
    """Of the database ``name``, after all that was measured: counts how often indexes served.

    An index that another database has used, of those that are left, served too.
    """
    table = Table("Storage", ["", "bytes a row", "index scans"])
    for line in postgres.psql(COMPRESSION, name).splitlines():
        method, count, whole, stored = line.split("|")
        table.notes.append(
            f"{count} of 10,000 bodies are compressed with {method}: {whole} bytes take {stored}."
        )
    _use(postgres, folder, name)
    for line in postgres.psql(SIZES, name).splitlines():
        of, part, size, scans = line.split("|")
        table.rows.append((f"{of}: {part}", f"{int(size):,}", f"{int(scans):,}" if scans else ""))
    used = {
        index
        for each in postgres.psql("SELECT datname FROM pg_database WHERE datallowconn").split()
        for index in postgres.psql(INDEXES.format("idx_scan > 0"), each).split()
    }
    unused = [it for it in postgres.psql(INDEXES.format("true"), name).split() if it not in used]
    table.notes.append(f"Indexes that served no query: {', '.join(unused) or 'none'}.")
    return table


def _use(postgres: Postgres, folder: Path, name: str) -> None:
    """What the other parts do not do with many rows, or leave out: apply events of all types, open
    each page once, and ask what a tenant has that is to be deleted.
    """
    env = environment(postgres.url(name), folder, **MAIL)
    signed_in(env)
    manage(env, "shell", "-v0", "-c", SELDOM)
    manage(env, "process_events", "--once")
    found = inside(postgres, name, folder, "bench.addresses")
    addresses = [address for page, address in found.items() if "=" not in page]
    addresses.append(f"/admin/payments/events/?{postgres.psql(OF_NO_INVOICE, name).strip()}")
    last = postgres.psql("SELECT max(id) FROM billing_tenant", name).strip()
    addresses.append(f"/admin/billing/tenant/{last}/delete/")
    inside(postgres, name, folder, "bench.statements", json.dumps(addresses))


def growth(postgres: Postgres, folder: Path, few: str, many: str, posts: int) -> Table:
    """The same posts received and applied in two databases, one of few rows and one of many."""
    received: dict[str, list[float]] = {few: [], many: []}
    applied: dict[str, list[float]] = {few: [], many: []}
    rows = {}
    for name in (few, many):
        rows[name] = int(postgres.psql("SELECT count(*) FROM billing_paymentevent", name))
    for _ in range(ROUNDS):
        for name in (few, many):
            env = environment(postgres.url(name), folder)
            # What was due before.
            manage(env, "process_events", "--once")
            last = postgres.psql("SELECT max(id) FROM billing_paymentevent", name).strip()
            with serving(product(workers=2), env, folder / "growth.log") as port:
                path = "/webhooks/stripe/"
                run = load.run("127.0.0.1", port, stripe_posts(posts, path), CONNECTIONS)
            if set(run.statuses) != {200}:
                raise RuntimeError(f"{path} did not take all posts: {run.statuses}")
            received[name].append(run.per_second)
            manage(env, "process_events", "--once")
            applied[name].append(float(postgres.psql(APPLIED.format(last=last), name)))
    table = Table(f"One more event ({posts:,} at a time)", ["", "received/s", "applied/s"])
    for name in (few, many):
        table.rows.append(
            (
                f"among {rows[name]:,} events",
                f"{median(received[name]):,.0f}",
                f"{median(applied[name]):,.0f}",
            )
        )
    costs = (median(rates[few]) / median(rates[many]) for rates in (received, applied))
    table.rows.append(("cost, many to few", *(f"{cost:.2f} ×" for cost in costs)))
    return table
