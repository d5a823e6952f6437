"""Runs the measurements and writes docs/performance.md: ``python -m bench [--full] [PART …]``."""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from bench import applying, exports, first_visit, ingest, memory, pages, seed, storage
from bench.report import Table
from bench.servers import ROOT, Postgres, environment

REPORT = ROOT / "docs" / "performance.md"
PROFILES = ROOT / "bench" / "profiles.md"

STOLEN = "The host gave some of the processors' time to other machines meanwhile (steal)"

#: The storage last, for it says which indexes all the others have used.
PARTS = ("receiving", "applying", "memory", "pages", "visits", "exports", "storage")


class Bench:
    """Each part gives its tables; all share one PostgreSQL, and the databases filled in it."""

    def __init__(self, folder: Path, *, full: bool) -> None:
        self.folder, self.full = folder, full
        (folder / "static").mkdir()
        self.postgres = Postgres(folder / "postgres")
        self._filled: dict[int, str] = {}

    def receiving(self) -> list[Table]:
        return ingest.measure(self.postgres, self.folder, 20_000 if self.full else 6_000)

    def applying(self) -> list[Table]:
        return applying.measure(self.postgres, self.folder, 100_000 if self.full else 20_000)

    def memory(self) -> list[Table]:
        return [memory.growth(self.postgres, self.folder, 200_000 if self.full else 10_000)]

    def pages(self) -> Iterator[Table]:
        every = 1 if self.full else 20
        return pages.measure(self.postgres, self.folder, self._few(), self._many(), every)

    def visits(self) -> list[Table]:
        return [first_visit.measure(self.postgres, self.folder, self._many())]

    def exports(self) -> list[Table]:
        csv, xlsx = (1_000_000, 100_000) if self.full else (100_000, 10_000)
        return [exports.measure(self.postgres, self._many(), self.folder, csv, xlsx)]

    def storage(self) -> list[Table]:
        few, many = self._few(), self._many()
        return [
            storage.growth(self.postgres, self.folder, few, many, 5_000),
            storage.sizes(self.postgres, self.folder, many),
        ]

    def _few(self) -> str:
        return self._database(10_000)

    def _many(self) -> str:
        return self._database(10_000_000 if self.full else 200_000)

    def _database(self, rows: int) -> str:
        """The name of a database that has so many events and invoices."""
        if rows not in self._filled:
            self._filled[rows] = f"rows-{rows}"
            seed.fill(environment(self.postgres.database(self._filled[rows]), self.folder), rows)
        return self._filled[rows]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="ten million rows; needs 45 GB of disk")
    parser.add_argument("parts", nargs="*", help="only these, and the report is not written")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"{', '.join(unknown)}: not one of {', '.join(PARTS)}")
    # PostgreSQL ends with this process, and may write while its folder is removed.
    with tempfile.TemporaryDirectory(
        prefix="payments-bench-", ignore_cleanup_errors=True
    ) as folder:
        bench = Bench(Path(folder), full=options.full)
        command = "make bench-full" if options.full else "make bench"
        head, text, stolen = _head(bench.postgres, command), "", []
        psutil.cpu_times_percent()
        for name in options.parts or PARTS:
            for table in getattr(bench, name)():
                text += f"\n\n{table.markdown()}"
                print(f"\n{table.markdown()}", flush=True)
            # Since it was asked last.
            stolen.append(f"{name} {psutil.cpu_times_percent().steal:.0f} %")
    text = f"{head}\n\n{STOLEN}: {', '.join(stolen)}.{text}"
    print(f"\n{text.partition('##')[0]}")
    if not options.parts:
        REPORT.write_text(f"{text}\n\n{PROFILES.read_text()}")


def _head(postgres: Postgres, command: str) -> str:
    # How an interpreter was built makes a difference, and its place tells whose it is.
    known = [f"Python {platform.python_version()} ({Path(sys.executable).resolve()})"]
    known += [f"PostgreSQL {postgres.psql('SHOW server_version').strip()}"]
    known += [
        f"{name} {version(name)}" for name in ("django", "uvicorn", "granian", "psycopg2-binary")
    ]
    return f"""# Performance

Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}, on one machine with {os.cpu_count()} cores
that ran everything: servers, database and load generator. {", ".join(known)}.

Commits wait for the disk (`fsync`, `synchronous_commit` on). Figures are medians of
{ingest.ROUNDS} rounds, in which every contestant has its turn. Only ratios hold elsewhere."""


main()
