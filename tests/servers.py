"""Real processes of the product on the database of the test that runs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import requests
from django.conf import settings
from django.db import connection


def database_url() -> str:
    """Where the test's database is."""
    database = connection.settings_dict
    return (
        f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'])}@"
        f"/{quote(database['NAME'])}?host={quote(database['HOST'], safe='')}"
    )


def environment(var_dir: Path, **more: str) -> dict[str, str]:
    """What a process needs: the test's database, and nothing of the machine's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    (var_dir / "static").mkdir(parents=True, exist_ok=True)
    return kept | {
        "DATABASE_URL": database_url(),
        "VAR_DIR": str(var_dir),
        "PAYMENTS_MODE": "test",
        "SECRET_KEY": "not-secret",
        **more,
    }


@contextmanager
def running(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process and its children, until the block ends; what they print is in ``log``."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(what: Callable[[], object], seconds: float = 15, message: str = "") -> float:
    """Wait until ``what`` is true; returns how long that took, in seconds."""
    began = time.monotonic()
    while not what():
        passed = time.monotonic() - began
        assert passed < seconds, message or "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - began


@contextmanager
def worker(var_dir: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker, from when it looks for work."""
    log = var_dir / "worker.log"
    command = ["manage.py", "process_events"]
    with running(command, environment(var_dir, PYTHONUNBUFFERED="1", **more), log) as process:
        wait_for(
            lambda: "Applying events" in log.read_text() or process.poll() is not None,
            message="the worker did not start",
        )
        assert process.poll() is None, log.read_text()
        yield process


def drain(var_dir: Path, **more: str) -> None:
    """``manage.py process_events --once``, as a process."""
    done = subprocess.run(
        [sys.executable, "manage.py", "process_events", "--once"],
        cwd=settings.BASE_DIR,
        env=environment(var_dir, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def web_server(var_dir: Path, **more: str) -> Iterator[str]:
    """The web server on a free port of this machine; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = var_dir / "web.log"
    command = ["-m", "uvicorn", "payments_admin.asgi:application", "--port", str(port)]
    command += ["--no-proxy-headers", "--no-server-header", "--log-level", "warning"]
    url = f"http://127.0.0.1:{port}"
    with running(command, environment(var_dir, **more), log) as process:
        wait_for(lambda: process.poll() is not None or _answers(url), message="no answer")
        assert process.poll() is None, log.read_text()
        yield url


def _answers(url: str) -> bool:
    try:
        requests.get(f"{url}/webhooks/nowhere/", timeout=5)
    except requests.ConnectionError:
        return False
    return True
