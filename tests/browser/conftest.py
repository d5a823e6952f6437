"""One Chromium for all browser tests, a fresh context for each."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests import browser
from tests.factories import make_staff
from tests.payments_admin.processes import free_port

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]

# Where other tools than Playwright reach the same Chromium.
DEBUGGING_PORT = free_port()

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = os.path.dirname(__file__)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    executable = browser.executable()
    if executable is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(browser.HOW_TO_GET_ONE)
        pytest.skip("no Chromium")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, where Django would refuse all queries. The
        # loop runs only while a test waits for the browser, so the two never meet.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(
            executable_path=executable, args=[*FLAGS, f"--remote-debugging-port={DEBUGGING_PORT}"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(chromium: Browser, live_server: LiveServer) -> Iterator[OpenPage]:
    """Opens a path as a member of staff; at the end there was no error in any console.

    Violations of the content security policy are such errors. A test of what goes wrong says which
    complaints it ``expects``, by a part of each.
    """
    client = Client()
    client.force_login(make_staff("view_paymentevent", "view_invoice", "view_tenant"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    problems: list[str] = []
    contexts = []
    expected: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            problems.append(message.text)

    def open_(path: str, *, expects: Sequence[str] = (), **options: Any) -> Page:
        expected.extend(expects)
        context = chromium.new_context(
            base_url=live_server.url, **{"viewport": {"width": 1440, "height": 900}} | options
        )
        contexts.append(context)
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        page = context.new_page()
        page.on("console", said)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [text for text in problems if not any(part in text for part in expected)] == []
    assert [part for part in expected if not any(part in text for text in problems)] == []
