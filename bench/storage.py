"""How much room a row takes, whether every index is used, and what an event costs among many."""

import time
from pathlib import Path
from statistics import median

from bench import load
from bench.ingest import CONNECTIONS, ROUNDS, manage
from bench.posts import stripe_posts
from bench.report import Table
from bench.servers import Postgres, environment, granian, serving

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
UNUSED = """
    SELECT indexrelname FROM pg_stat_user_indexes JOIN pg_index USING (indexrelid)
    WHERE idx_scan = 0 AND NOT indisunique AND relname LIKE 'billing_%' ORDER BY 1
"""
COMPRESSION = """
    SELECT coalesce(pg_column_compression(body), 'nothing'), count(*), round(avg(length(body))),
        round(avg(pg_column_size(body)))
    FROM (SELECT body FROM billing_paymentevent LIMIT 10000) AS sample GROUP BY 1 ORDER BY 2 DESC
"""


def sizes(postgres: Postgres, name: str) -> Table:
    """Of the database ``name``, after what was measured on it: counts how often indexes served."""
    table = Table("Storage", ["", "bytes a row", "index scans"])
    for line in postgres.psql(SIZES, name).splitlines():
        of, part, size, scans = line.split("|")
        table.rows.append((f"{of}: {part}", f"{int(size):,}", f"{int(scans):,}" if scans else ""))
    for line in postgres.psql(COMPRESSION, name).splitlines():
        method, count, whole, stored = line.split("|")
        table.notes.append(
            f"{count} of 10,000 bodies are compressed with {method}: {whole} bytes take {stored}."
        )
    unused = postgres.psql(UNUSED, name).split()
    table.notes.append(f"Indexes that served no query: {', '.join(unused) or 'none'}.")
    return table


def growth(postgres: Postgres, folder: Path, few: str, many: str, posts: int) -> Table:
    """The same posts received and applied in two databases, one of few rows and one of many."""
    received: dict[str, list[float]] = {few: [], many: []}
    applied: dict[str, list[float]] = {few: [], many: []}
    rows = {}
    server = granian("payments_admin.wsgi:application", workers=2, threads=16)
    for name in (few, many):
        rows[name] = int(postgres.psql("SELECT count(*) FROM billing_paymentevent", name))
    for _ in range(ROUNDS):
        for name in (few, many):
            env = environment(postgres.url(name), folder)
            # What it takes to start, and what was due before.
            manage(env, "process_events", "--once")
            started = time.perf_counter()
            manage(env, "process_events", "--once")
            to_start = time.perf_counter() - started
            with serving(server, env, folder / "growth.log") as port:
                path = "/webhooks/stripe/"
                run = load.run("127.0.0.1", port, stripe_posts(posts, path), CONNECTIONS)
            if set(run.statuses) != {200}:
                raise RuntimeError(f"{path} did not take all posts: {run.statuses}")
            received[name].append(run.per_second)
            started = time.perf_counter()
            manage(env, "process_events", "--once")
            applied[name].append(posts / (time.perf_counter() - started - to_start))
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
