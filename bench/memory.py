"""How much memory processes take, and whether it grows with what they do."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import load
from bench.posts import stripe_posts
from bench.report import Table
from bench.servers import ROOT, Postgres, environment, product, serving

#: Connections that post: half of what the receiving side is measured with, for the worker has to
#: keep up.
CONNECTIONS = 16
SAMPLES = 10


@dataclass(frozen=True, slots=True)
class Process:
    pid: int

    @classmethod
    def serving(cls, port: int) -> "Process":
        """The process that answers on a port: uvicorn with one worker."""
        return cls(
            next(
                process.pid
                for process in psutil.Process().children(recursive=True)
                if "uvicorn" in process.cmdline() and str(port) in process.cmdline()
            )
        )

    def resident(self) -> int:
        return self._status("VmRSS")

    def forget_peak(self) -> None:
        # Documented in proc_pid_clear_refs(5).
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak_resident(self) -> int:
        """The highest mark since `forget_peak`."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise LookupError(name)


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f}"


def growth(postgres: Postgres, folder: Path, events: int) -> Table:
    """The web process and the worker, while events are posted and applied."""
    env = environment(postgres.database("memory"), folder)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    with (
        serving(product(workers=1), env, folder / "memory.log") as port,
        _worker(env, folder / "memory-worker.log") as worker,
    ):
        processes = {"web process": Process.serving(port), "worker": worker}
        samples: dict[str, list[int]] = {name: [] for name in processes}
        for _ in range(SAMPLES):
            posts = stripe_posts(events // SAMPLES, "/webhooks/stripe/")
            run = load.run("127.0.0.1", port, posts, CONNECTIONS)
            if set(run.statuses) != {200}:
                raise RuntimeError(f"Not all posts were taken: {run.statuses}")
            while postgres.psql(_DUE, "memory").strip() != "0":
                time.sleep(0.2)
            for name, process in processes.items():
                samples[name].append(process.resident())
    return Table(
        f"Memory over {events:,} events",
        ["", "MB after a tenth", "after half", "at the end"],
        [
            (name, *(megabytes(sizes[at]) for at in (0, SAMPLES // 2 - 1, -1)))
            for name, sizes in samples.items()
        ],
    )


_DUE = "SELECT count(*) FROM billing_paymentevent WHERE next_attempt_at IS NOT NULL"


@contextmanager
def _worker(env: Mapping[str, str], log: Path) -> Iterator[Process]:
    command = [sys.executable, "manage.py", "process_events"]
    with (
        log.open("ab") as output,
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output) as worker,
    ):
        try:
            yield Process(worker.pid)
        finally:
            worker.terminate()
