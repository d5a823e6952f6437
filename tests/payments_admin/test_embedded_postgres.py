"""The embedded PostgreSQL: joined by many, stopped by the last, started after any death."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
USE = """
import sys, psycopg2
from pathlib import Path
from payments_admin import embedded_postgres
connection = psycopg2.connect(embedded_postgres.start(Path(sys.argv[1])))
print(connection.server_version)
connection.close()
"""


@pytest.fixture
def data_dir(public_dir: Path) -> Path:
    return public_dir / "pg"


def use(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USE, str(data_dir)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert int(output) >= 140000


def test_several_start_it_at_once_and_the_last_stops_it(data_dir: Path) -> None:
    for process in [use(data_dir) for _ in range(3)]:
        finish(process)
    assert not (data_dir / "postmaster.pid").exists()


def test_process_ids_left_by_the_killed_mislead_nobody(data_dir: Path) -> None:
    finish(use(data_dir))
    # As after a power cut: the ids are in the files, and belong to others by now, or to nobody.
    alive, dead = os.getpid(), max(psutil.pids()) + 1000
    (data_dir / "postmaster.pid").write_text(
        f"{alive}\n{data_dir}\n1700000000\n5432\n{data_dir}\n\n0 0\nready\n"
    )
    (data_dir / ".handle_pids.json").write_text(f"[{dead}]")
    finish(use(data_dir))
    assert not (data_dir / "postmaster.pid").exists()
