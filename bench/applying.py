"""How fast workers apply what was received: a backlog, drained by one and by two, and the lag."""

import math
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median

from bench import load
from bench.ingest import CONNECTIONS, ROUNDS, WORKERS, manage
from bench.posts import stripe_posts
from bench.report import Table
from bench.servers import ROOT, Postgres, environment, product, serving

BACKLOG = "backlog"
STATES = ("processed", "unmatched", "ignored", "failed", "waiting")
#: How long events are posted while the lag is measured.
SUSTAINED_SECONDS = 20
PATH = "/webhooks/stripe/"
# Failed payments are told to somebody, by e-mails that go nowhere.
MAIL = {"EMAIL_URL": "dummymail://", "BILLING_ALERT_EMAILS": "bench@example.com"}


def measure(postgres: Postgres, folder: Path, events: int) -> list[Table]:
    return [_drain(postgres, folder, events), _lag(postgres, folder)]


def _drain(postgres: Postgres, folder: Path, events: int) -> Table:
    """One worker and two in turn, ``ROUNDS`` times, each time the same backlog."""
    env = environment(postgres.database(BACKLOG), folder)
    manage(env, "migrate", "-v0")
    manage(env, "shell", "-v0", "-c", f"from bench.backlog import fill; fill({events})")
    postgres.psql("VACUUM ANALYZE", BACKLOG)
    expected: dict[str, int] = {}
    rates: dict[int, list[float]] = {1: [], 2: []}
    deadlocks = 0
    for turn in range(ROUNDS):
        for workers, found in rates.items():
            name = f"{BACKLOG}-{workers}-{turn}"
            postgres.psql(f'CREATE DATABASE "{name}" TEMPLATE "{BACKLOG}"')
            env = environment(postgres.url(name), folder, **MAIL)
            with ExitStack() as running:
                for _ in range(workers):
                    running.enter_context(_worker(env, folder, "--once"))
            found.append(float(postgres.psql(RATE, name)))
            states = _states(postgres, name)
            # However many workers there are, the same events give the same states.
            if states != (expected := expected or states) or states["waiting"]:
                raise RuntimeError(f"{workers} workers left {states}, not {expected}")
            manage(env, "check_totals")
            deadlocks += int(postgres.psql(DEADLOCKS, name))
            postgres.psql(f'DROP DATABASE "{name}"')
    one, two = median(rates[1]), median(rates[2])
    return Table(
        f"Applying a backlog of {sum(expected.values()):,} events (both gateways, whole lives)",
        ["", "events/s", "× one worker", *STATES[:-1]],
        [
            (
                _named(workers),
                f"{rate:,.0f}",
                f"{rate / one:.2f} ×",
                *(f"{expected[state]:,}" for state in STATES[:-1]),
            )
            for workers, rate in ((1, one), (2, two))
        ],
        [
            f"Deadlocks: {deadlocks}. The totals are what the rows add up to (`check_totals`).",
            "Those that failed say nonsense, once in each copy of the story, as they are meant to.",
        ],
    )


def _named(workers: int) -> str:
    return f"{workers} worker{'s' if workers > 1 else ''}"


# From the first batch to the last, without the workers' start.
RATE = """
    SELECT count(*) FILTER (WHERE processed_at > first)
        / extract(epoch FROM max(processed_at) - min(first))
    FROM billing_paymentevent, (SELECT min(processed_at) AS first FROM billing_paymentevent) AS f
"""
DEADLOCKS = """
    SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()
"""


def _states(postgres: Postgres, name: str) -> dict[str, int]:
    said = postgres.psql("SELECT state, count(*) FROM billing_paymentevent GROUP BY 1", name)
    found = {state: int(count) for state, count in (line.split("|") for line in said.split())}
    return dict.fromkeys(STATES, 0) | found


def _lag(postgres: Postgres, folder: Path) -> Table:
    """From receipt to applied, while events come at parts of the rate that can be received."""
    env = environment(postgres.database("lag"), folder)
    manage(env, "migrate", "-v0")
    table = Table(
        "From receipt to applied, while events come at a steady rate",
        ["", "of the fastest", "received/s", "lag p50 ms", "p99 ms", "longest ms"],
    )
    with serving(product(WORKERS), env, folder / "lag.log") as port:
        fastest = _post(port, stripe_posts(6_000, PATH)).per_second
        manage(env, "process_events", "--once")
        for part, workers in (("1/2", 1), ("1/2", 2), ("1/3", 1), ("1/3", 2)):
            per_second = fastest * Fraction(part)
            with ExitStack() as running:
                for _ in range(workers):
                    running.enter_context(_worker(env, folder))
                _wait_until(postgres, BEATING.format(workers=workers))
                sent = stripe_posts(int(per_second * SUSTAINED_SECONDS), PATH)
                since = postgres.psql("SELECT now()", "lag").strip()
                taken = _post(port, sent, per_second).per_second
                _wait_until(postgres, NONE_WAITING)
            figures = postgres.psql(LAG.format(since=since), "lag").strip().split("|")
            table.rows.append((_named(workers), part, f"{taken:,.0f}", *figures))
    table.notes += [
        f"Posted for {SUSTAINED_SECONDS} s each.",
        f"With no worker running, {fastest:,.0f}/s were received.",
    ]
    return table


# The workers have started.
BEATING = "SELECT count(*) = {workers} FROM billing_heartbeat"
NONE_WAITING = "SELECT NOT EXISTS (SELECT FROM billing_paymentevent WHERE state = 'waiting')"
LAG = """
    SELECT round(1000 * percentile_disc(0.5) WITHIN GROUP (ORDER BY lag)),
        round(1000 * percentile_disc(0.99) WITHIN GROUP (ORDER BY lag)), round(1000 * max(lag))
    FROM (
        SELECT extract(epoch FROM processed_at - received_at) AS lag
        FROM billing_paymentevent WHERE received_at > '{since}'
    ) AS events
"""


def _post(port: int, posts: Sequence[bytes], per_second: float = math.inf) -> load.Load:
    run = load.run("127.0.0.1", port, posts, CONNECTIONS, per_second)
    if set(run.statuses) != {200}:
        raise RuntimeError(f"{PATH} did not take all posts: {run.statuses}")
    return run


@contextmanager
def _worker(env: dict[str, str], folder: Path, *options: str) -> Iterator[None]:
    """A worker; it has ended when the block has. With ``--once`` it ends by itself."""
    log = folder / "worker.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "process_events", *options],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        if not options:
            process.terminate()
        if process.wait():
            raise RuntimeError(f"The worker failed: {log.read_text()[-2000:]}")


def _wait_until(postgres: Postgres, condition: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while postgres.psql(condition, "lag").strip() != "t":
        if time.monotonic() > deadline:
            raise RuntimeError(f"It is still not so: {condition}")
        time.sleep(0.2)
