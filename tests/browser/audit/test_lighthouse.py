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

CATEGORIES = ("accessibility", "best-practices")
LAYOUT_SHIFT = "cumulative-layout-shift"
# It cannot record a page now and then (NO_NAVSTART); and on a machine that is busy for a moment a
# font may come after the text that it is for, which it never does when there is time.
TRIES = 5


@pytest.mark.parametrize("path", [EVENTS, INVOICES])
def test_lighthouse_gives_everything(sites: Sites, path: str) -> None:
    require(LIGHTHOUSE, "node")

    for _ in range(TRIES):
        report = lighthouse(sites["demo"], path)
        if report and not problems(report, path):
            break

    assert report, "Lighthouse could not record the page."
    assert problems(report, path) == []


def lighthouse(site: Site, path: str) -> Any:
    """Its report of a page that a signed-in browser opens for the first time, if it made one."""
    cookie = f"sessionid={site.sessions['admin']}"
    done = subprocess.run(
        [
            *("node", LIGHTHOUSE, site.url + path, f"--port={DEBUGGING_PORT}"),
            *("--preset=desktop", f"--only-categories={','.join(CATEGORIES)}"),
            f"--only-audits={LAYOUT_SHIFT}",
            f"--extra-headers={json.dumps({'Cookie': cookie})}",
            *("--output=json", "--output-path=stdout"),
        ],
        stdout=subprocess.PIPE,
        timeout=300,
    )
    return None if done.returncode else json.loads(done.stdout)


def problems(report: Any, path: str) -> list[str]:
    """What moved, whether another page was shown, and what cost points, with what was measured."""
    shift = report["audits"][LAYOUT_SHIFT]["numericValue"]
    shown = report["finalDisplayedUrl"]
    return [
        *([] if shift == 0 else [f"{LAYOUT_SHIFT}: {shift}"]),
        *([] if shown.endswith(path) else [f"{shown} was shown"]),
        *lost(report),
    ]


def lost(report: Any) -> list[str]:
    return [
        f"{category['title']}: {audit['title']} {audit.get('displayValue', '')}"
        for category in report["categories"].values()
        for part in category["auditRefs"]
        if part["weight"] and (audit := report["audits"][part["id"]])["score"] not in (None, 1)
    ]
