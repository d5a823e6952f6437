"""axe finds nothing, on any page, in light and dark, at a desk and on a phone."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.audit import AXE, require
from tests.browser.audit.conftest import Enter
from tests.browser.audit.states import CASES, SCHEMES, STATES, State

# WCAG 2.2 at level AA holds all that came before it.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def axe() -> str:
    require(AXE)
    return AXE.read_text()


@pytest.mark.parametrize(("state", "screen"), CASES)
def test_axe_finds_nothing(axe: str, enter: Enter, state: State, screen: str) -> None:
    page = enter(state, screen)
    # Evaluated from outside the page, where its security policy does not reach.
    page.evaluate(axe)

    found = [line for scheme in SCHEMES for line in violations(page, scheme)]

    assert not found, "\n" + "\n".join(found)


def violations(page: Page, scheme: Any) -> list[str]:
    page.emulate_media(color_scheme=scheme)
    report = page.evaluate("tags => axe.run({runOnly: tags, resultTypes: ['violations']})", TAGS)
    return [
        f"{scheme}: {rule['id']} ({rule['impact']}) at {' '.join(map(str, node['target']))}:"
        f" {rule['help']}\n    {node['html'][:200]}\n    {node['failureSummary']}"
        for rule in report["violations"]
        for node in rule["nodes"]
    ]


def test_axe_does_find_what_is_wrong(axe: str, enter: Enter) -> None:
    page = enter(STATES[0])
    page.evaluate("document.querySelector('h1').parentElement.append(new Image())")
    page.evaluate(axe)

    assert "light: image-alt (critical)" in violations(page, "light")[0]
