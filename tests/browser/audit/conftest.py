"""The sites that all audits look at."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.audit import states
from tests.browser.audit.sites import Sites
from tests.browser.audit.sites import sites as running_sites
from tests.browser.audit.states import State

Enter = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = os.path.dirname(__file__)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.audit)


@pytest.fixture(scope="package")
def sites(chromium: Browser) -> Iterator[Sites]:
    with running_sites() as sites:
        yield sites


@pytest.fixture
def enter(chromium: Browser, sites: Sites) -> Iterator[Enter]:
    """Opens a state; at the end there was no error in any console, nor a violation of the CSP."""
    problems: list[str] = []
    contexts = []

    def enter(state: State, screen: str = "desktop") -> Page:
        context = states.context(chromium, sites, state, screen)
        contexts.append(context)
        page = context.new_page()

        def said(message: ConsoleMessage) -> None:
            # That the page itself is an error page is what was asked for.
            expected = state.status != 200 and message.location["url"] == page.url
            if message.type in ("error", "warning") and not expected:
                problems.append(message.text)

        page.on("console", said)
        page.on("pageerror", lambda error: problems.append(str(error)))
        states.enter(page, state)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert problems == []
