"""Runs the measurements and writes docs/performance.md: ``python -m bench [--full]``."""

import argparse
import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import applying, ingest, pages, seed
from bench.servers import ROOT, Postgres, environment

REPORT = ROOT / "docs" / "performance.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="more posts, for steadier figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="payments-bench-") as scratch:
        folder = Path(scratch)
        (folder / "static").mkdir()
        postgres = Postgres(folder / "postgres")
        tables = ingest.measure(postgres, folder, posts=20_000 if options.full else 6_000)
        tables += applying.measure(postgres, folder, 100_000 if options.full else 20_000)
        for name, rows in {"few": 10_000, "many": 10_000_000 if options.full else 200_000}.items():
            seed.fill(environment(postgres.database(name), folder), rows)
        tables += pages.measure(postgres, folder, "few", "many")
        server = postgres.psql("SHOW server_version")
    text = "\n\n".join([_head(server), *(table.markdown() for table in tables)]) + "\n"
    print(text)
    REPORT.write_text(text)


def _head(server: str) -> str:
    known = [f"Python {platform.python_version()}", f"PostgreSQL {server.strip()}"]
    known += [f"{name} {version(name)}" for name in ("django", "granian", "psycopg2-binary")]
    return f"""# Performance

Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}, on one machine with {os.cpu_count()} cores
that ran everything: servers, database and load generator. {", ".join(known)}.

Commits wait for the disk (`fsync`, `synchronous_commit` on). Figures are medians of
{ingest.ROUNDS} rounds, in which every contestant has its turn. Only ratios hold elsewhere."""


main()
