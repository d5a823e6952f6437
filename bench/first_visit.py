"""What Lighthouse says of the pages that are opened first, by somebody who was never there."""

import json
import os
import subprocess
from pathlib import Path
from statistics import median

from bench.report import Table
from bench.servers import Postgres, environment, product, serving, signed_in
from tests import browser
from tests.browser.audit import LIGHTHOUSE, missing

ROUNDS = 3
PAGES = ("events", "invoices")
CATEGORIES = ("performance", "accessibility", "best-practices")
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"
#: What a visitor waits for, in ms, and what shifts, in parts of the screen.
MEASURED = {
    "first-contentful-paint": "first paint ms",
    "largest-contentful-paint": "largest paint ms",
    "total-blocking-time": "blocked ms",
    "cumulative-layout-shift": "layout shift",
}


def measure(postgres: Postgres, folder: Path, name: str) -> Table:
    """Of the database ``name``; medians of ``ROUNDS``, in which nothing is cached."""
    table = Table("First visits", ["", *CATEGORIES, *MEASURED.values()])
    chromium, lacking = browser.executable(), missing(LIGHTHOUSE, "node")
    if lacking or not chromium:
        table.notes.append(f"Not run: {', '.join(lacking) or 'Chromium'} is missing here.")
        return table
    env = environment(postgres.url(name), folder)
    cookie = signed_in(env)
    with serving(product(workers=1), env, folder / "first-visit.log") as port:
        for page in PAGES:
            address = f"http://127.0.0.1:{port}/admin/payments/{page}/"
            try:
                reports = [_once_more(address, cookie, chromium) for _ in range(ROUNDS)]
            except subprocess.CalledProcessError as error:
                table.notes.append(f"Not run: {page}. Lighthouse ended with {error.returncode}.")
                continue
            scores = [
                median(100 * report["categories"][name]["score"] for report in reports)
                for name in CATEGORIES
            ]
            figures = [
                median(report["audits"][name]["numericValue"] for report in reports)
                for name in MEASURED
            ]
            table.rows.append((page, *(f"{value:.3g}" for value in [*scores, *figures])))
    return table


def _once_more(address: str, cookie: str, chromium: str) -> dict[str, dict[str, dict[str, float]]]:
    """A report; now and then Lighthouse does not see the page begin (NO_NAVSTART)."""
    try:
        return _report(address, cookie, chromium)
    except subprocess.CalledProcessError:
        return _report(address, cookie, chromium)


def _report(address: str, cookie: str, chromium: str) -> dict[str, dict[str, dict[str, float]]]:
    done = subprocess.run(
        [
            *("node", str(LIGHTHOUSE), address, "--preset=desktop", "--quiet"),
            f"--only-categories={','.join(CATEGORIES)}",
            f"--extra-headers={json.dumps({'Cookie': cookie})}",
            *(f"--chrome-flags={FLAGS}", "--output=json", "--output-path=stdout"),
        ],
        env=os.environ | {"CHROME_PATH": chromium},
        stdout=subprocess.PIPE,
        timeout=300,
        check=True,
    )
    found: dict[str, dict[str, dict[str, float]]] = json.loads(done.stdout)
    return found
