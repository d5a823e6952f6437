"""Lighthouse finds nothing to mend on the first pages, on a desk, and sees nothing move.

How fast they are is measured in `bench`: on a machine that is busy for a moment a page is slow.
"""

import json
import subprocess
from typing import Any

import pytest

from tests.browser.audit import LIGHTHOUSE, require
from tests.browser.audit.sites import Site, Sites
from tests.browser.audit.states import EVENTS, INVOICES
from tests.browser.conftest import DEBUGGING_PORT

FULL = {"accessibility": 100, "best-practices": 100}
LAYOUT_SHIFT = "cumulative-layout-shift"
# It fails to record a page now and then (NO_NAVSTART), whatever the page is.
TRIES = 3


@pytest.mark.parametrize("path", [EVENTS, INVOICES])
def test_lighthouse_gives_everything(sites: Sites, path: str) -> None:
    require(LIGHTHOUSE, "node")

    report = lighthouse(sites["demo"], path, TRIES)

    assert report["finalDisplayedUrl"].endswith(path)
    assert scores(report) == FULL, "\n".join(lost(report))
    assert report["audits"][LAYOUT_SHIFT]["numericValue"] == 0


def lighthouse(site: Site, path: str, tries: int) -> Any:
    """Its report of a page that a signed-in browser opens for the first time."""
    cookie = f"sessionid={site.sessions['admin']}"
    done = subprocess.run(
        [
            *("node", LIGHTHOUSE, site.url + path, f"--port={DEBUGGING_PORT}"),
            *("--preset=desktop", f"--only-categories={','.join(FULL)}"),
            f"--only-audits={LAYOUT_SHIFT}",
            f"--extra-headers={json.dumps({'Cookie': cookie})}",
            *("--output=json", "--output-path=stdout"),
        ],
        stdout=subprocess.PIPE,
        timeout=300,
    )
    if done.returncode and tries > 1:
        return lighthouse(site, path, tries - 1)
    done.check_returncode()
    return json.loads(done.stdout)


def scores(report: Any) -> dict[str, int]:
    return {name: round(100 * found["score"]) for name, found in report["categories"].items()}


def lost(report: Any) -> list[str]:
    """What cost points, each audit with what it measured."""
    return [
        f"{category['title']}: {audit['title']} {audit.get('displayValue', '')}"
        for category in report["categories"].values()
        for part in category["auditRefs"]
        if part["weight"] and (audit := report["audits"][part["id"]])["score"] not in (None, 1)
    ]
