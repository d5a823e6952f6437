"""Runs the measurements: ``python -m bench [--full]``."""

import argparse
import tempfile
from pathlib import Path

from bench import ingest
from bench.servers import ROOT, Postgres

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
    for table in tables:
        print(table.markdown(), end="\n\n")


main()
