"""How many events a second can be received, durably, over HTTP: ours, its limits, and others."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import load
from bench.posts import BODY_BYTES, stripe_body, stripe_posts
from bench.report import Table
from bench.servers import ROOT, Postgres, environment, granian, product, serving

CONNECTIONS = 32
ROUNDS = 3
# The product's processes, and those of every other view of Django, on granian, with their threads:
# with fewer none is faster.
WORKERS, THREADS = 2, 16
OURS = "this product"
DJ_STRIPE = "dj-stripe==2.11.0"
DJ_STRIPE_UUID = "00000000-0000-4000-8000-000000000000"
# Its server and Stripe's library are the newest, since it names no versions of them.
SYNC_ENGINE = ("@supabase/stripe-sync-engine@0.48.5", "fastify@5.12.8", "stripe@23.1.0")
PREPARED = """pgbench prepares its statement. The body of the first is part of it; of the second \
it is sent with each row, which goes to all indexes of a table that the migrations made."""


class NotRun(Exception):
    """A contestant could not be set up; the text says why."""


@dataclass
class Contestant:
    """``path`` is what is posted to; ``share``: how many of the posts of a round, for slow ones."""

    name: str
    path: str
    start: Callable[[Postgres, Path], AbstractContextManager[int]]
    share: float = 1.0
    runs: list[load.Load] = field(default_factory=list)


@contextmanager
def _ladder(postgres: Postgres, folder: Path) -> Iterator[int]:
    url = postgres.database("ladder")
    postgres.psql("CREATE TABLE bench_event (id text PRIMARY KEY, body bytea NOT NULL)", "ladder")
    with serving(
        granian("bench.ladder:application", WORKERS, THREADS),
        environment(url, folder),
        folder / "ladder.log",
    ) as port:
        yield port


@contextmanager
def _ours(postgres: Postgres, folder: Path) -> Iterator[int]:
    env = environment(postgres.database("ours"), folder)
    manage(env, "migrate", "-v0")
    with serving(product(WORKERS), env, folder / "ours.log") as port:
        yield port


@contextmanager
def _dj_stripe(postgres: Postgres, folder: Path) -> Iterator[int]:
    """In an environment of its own, from the package index."""
    python = folder / "dj-stripe" / "bin" / "python"
    packages = [DJ_STRIPE, "django<5.3", "psycopg2-binary", "granian"]
    _install([sys.executable, "-m", "venv", str(python.parent.parent)])
    _install([str(python), "-m", "pip", "install", "--quiet", *packages])
    env = environment(postgres.database("dj-stripe"), folder)
    env |= {"PYTHONPATH": str(ROOT / "bench"), "DJ_STRIPE_UUID": DJ_STRIPE_UUID}
    subprocess.run([str(python), str(ROOT / "bench/djstripe_site.py")], env=env, check=True)
    command = [str(python), *granian("djstripe_site:application", WORKERS, THREADS)[1:]]
    with serving(command, env, folder / "dj-stripe.log", folder) as port:
        yield port


@contextmanager
def _sync_engine(postgres: Postgres, folder: Path) -> Iterator[int]:
    """One process of Node.js, which is what it is made for, from npm."""
    home = folder / "sync-engine"
    home.mkdir()
    _install(["npm", "install", "--silent", "--prefix", str(home), *SYNC_ENGINE])
    site = home / "site.cjs"  # Node.js looks for packages beside the file
    site.write_text((ROOT / "bench/sync_engine_site.cjs").read_text())
    env = environment(postgres.database("sync-engine"), folder)
    with serving(["node", str(site)], env, folder / "sync-engine.log", home) as port:
        yield port


def _install(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except OSError as error:
        raise NotRun(str(error)) from error
    except subprocess.CalledProcessError as error:
        raise NotRun(f"{' '.join(command[:3])} failed: {error.stderr[-500:]}") from error


def manage(env: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, check=True)


def measure(postgres: Postgres, folder: Path, posts: int) -> list[Table]:
    """Every contestant in turn, ``ROUNDS`` times; each round has new events."""
    contestants = [
        Contestant("a Django view that does nothing", "/empty", _ladder),
        Contestant("a Django view that verifies and inserts", "/insert", _ladder, 0.5),
        Contestant(OURS, "/webhooks/stripe/", _ours),
        Contestant("stripe-sync-engine", "/webhooks", _sync_engine, 0.5),
        Contestant(
            "dj-stripe, without handlers", f"/stripe/webhook/{DJ_STRIPE_UUID}/", _dj_stripe, 0.1
        ),
    ]
    # Threads that end leave their connection open for a while, but for ours.
    postgres.allow_connections(1_000)
    alone: dict[str, list[load.Load]] = {}
    inserts = _inserts(postgres, folder)
    notes = [PREPARED]
    with ExitStack() as running:
        ports: dict[object, int] = {}
        for contestant in contestants:
            if contestant.start not in ports:
                try:
                    ports[contestant.start] = running.enter_context(
                        contestant.start(postgres, folder)
                    )
                except NotRun as reason:
                    notes.append(f"Not run: {contestant.name}. {reason}")
        for _ in range(ROUNDS):
            for insert in inserts:
                insert.run(postgres, folder)
            for one in contestants:
                if one.start in ports:
                    port, count = ports[one.start], int(posts * one.share)
                    one.runs.append(_run(port, one.path, count, CONNECTIONS))
                    if one.share >= 0.5:
                        alone.setdefault(one.name, []).append(_run(port, one.path, posts // 20, 1))
    ours = _per_second(next(one for one in contestants if one.name == OURS).runs)
    table = Table(
        f"Receiving events ({CONNECTIONS} connections, {BODY_BYTES / 1000:.1f} KB each)",
        ["", "events/s", "ours is", "p50 ms", "p99 ms"],
        [
            (
                one.name,
                f"{_per_second(one.runs):,.0f}",
                f"{ours / _per_second(one.runs):.2f} ×",
                f"{median(run.percentile_ms(50) for run in one.runs):.1f}",
                f"{median(run.percentile_ms(99) for run in one.runs):.1f}",
            )
            for one in contestants
            if one.runs
        ],
        notes,
    )
    table.rows[:0] = [
        (insert.name, f"{rate:,.0f}", f"{ours / rate:.2f} ×", "", "")
        for insert in inserts
        for rate in [median(insert.rates)]
    ]
    single = Table(
        "One connection alone",
        ["", "p50 ms", "p99 ms"],
        [
            (
                name,
                f"{median(run.percentile_ms(50) for run in runs):.2f}",
                f"{median(run.percentile_ms(99) for run in runs):.2f}",
            )
            for name, runs in alone.items()
        ],
    )
    return [table, single]


def _run(port: int, path: str, posts: int, connections: int) -> load.Load:
    run = load.run("127.0.0.1", port, stripe_posts(posts, path), connections)
    refused = {status: count for status, count in run.statuses.items() if status != 200}
    if refused:
        raise RuntimeError(f"{path} did not take all posts: {refused}")
    return run


def _per_second(runs: list[load.Load]) -> float:
    return median(run.per_second for run in runs)


@dataclass
class Insert:
    """A statement that pgbench runs: what PostgreSQL commits without any web server."""

    name: str
    database: str
    script: str
    options: Sequence[str] = ()
    rates: list[float] = field(default_factory=list)

    def run(self, postgres: Postgres, folder: Path) -> None:
        """Add how many rows a second were committed, one a transaction."""
        file = folder / "insert.sql"
        file.write_text(self.script)
        said = postgres.run(
            "pgbench", "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T", "4",
            "-f", str(file), *self.options, name=self.database,
        )  # fmt: skip
        found = re.search(r"tps = ([0-9.]+)", said)
        if found is None:
            raise RuntimeError(f"pgbench said no rate: {said}")
        self.rates.append(float(found[1]))


# What the receiver writes of an event, to all indexes. No event comes twice.
_OWN_ROW = """
\\set number random(1, 9000000000000000000)
INSERT INTO billing_paymentevent (
    gateway, event_id, event_type, api_version, livemode, occurred_at, received_at,
    last_received_at, deliveries, conflicting_deliveries, verified_with, body, body_sha256,
    state, reason, attempts, next_attempt_at
) VALUES (
    'stripe', 'evt_bench' || :number, 'invoice.paid', '2026-09-30', false, now(), now(),
    now(), 1, 0, 'a1b2c3d4e5f6', :body, sha256('bench'),
    'waiting', '', 0, now()
)
"""


def _inserts(postgres: Postgres, folder: Path) -> list[Insert]:
    """The least that can be stored of an event, and what the product stores."""
    manage(environment(postgres.database("pgbench"), folder), "migrate", "-v0")
    postgres.psql("CREATE TABLE bench_row (id bigserial PRIMARY KEY, body bytea)", "pgbench")
    body = stripe_body(0)
    bare = f"INSERT INTO bench_row (body) VALUES ('\\x{body.hex()}')"
    sent = ["-D", "body=" + body.decode().replace("\\", "\\\\")]
    return [
        Insert("pgbench: insert one row, id and body", "pgbench", bare),
        Insert("pgbench: insert one row of the product's own table", "pgbench", _OWN_ROW, sent),
    ]
