"""How the tests start the product as its users do, and what they ask it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

ROOT = Path(__file__).resolve().parents[2]
# Far above what it takes, for machines that are busy; the promise itself is measured below.
PATIENCE_SECONDS = 120


class Run:
    """One `manage.py run`, with what it has printed so far."""

    def __init__(self, var_dir: Path, port: int, *options: str, **variables: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.started_at = time.monotonic()
        self._log = var_dir / f"run-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run", *options],
                cwd=ROOT,
                env=clean_environment() | {"VAR_DIR": str(var_dir), "PORT": str(port)} | variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        return self._log.read_text()

    def wait_for(self, text: str) -> re.Match[str]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if found := re.search(text, self.printed):
                return found
            assert self.process.poll() is None, self.printed
            time.sleep(0.05)
        raise AssertionError(f"{text!r} was not printed:\n{self.printed}")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Signals it as a terminal or `kill` would, and waits for its end."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def public_directory() -> Iterator[Path]:
    """A directory that PostgreSQL may enter, which runs as another user when the tests run as root.

    Not pytest's own, which each start of pytest closes to others. Its path is short, because the
    path of a socket must be.
    """
    path = Path(tempfile.mkdtemp(prefix="payments-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """Nothing of the developer's own configuration, but what measures coverage."""
    return {
        name: value
        for name, value in os.environ.items()
        if name == "PATH" or name.startswith("COVERAGE_")
    }


def sign_in(url: str, password: str, username: str = "admin") -> requests.Session:
    session = requests.Session()
    page = session.get(f"{url}/admin/login/", timeout=10)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    answer = session.post(
        f"{url}/admin/login/",
        data={"username": username, "password": password, "csrfmiddlewaretoken": token[1]},
        timeout=10,
        allow_redirects=False,
    )
    assert answer.status_code == 302, "this name and password open the door"
    return session


def health(url: str) -> Any:
    answer = requests.get(f"{url}/healthz", timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()
