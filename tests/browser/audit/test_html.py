"""The Nu HTML checker finds no error in the HTML of any page and state."""

import json
import subprocess
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Response

from tests.browser.audit import CHECKER, require, states
from tests.browser.audit.sites import Sites
from tests.browser.audit.states import STATES, State


def test_checker_finds_no_error(chromium: Browser, sites: Sites, tmp_path: Path) -> None:
    require(CHECKER, "java")
    for state in STATES:
        # Without JavaScript the server writes all of the HTML.
        context = states.context(
            chromium, sites, state, state.screens[0], java_script_enabled=False
        )
        (tmp_path / f"{state}.html").write_bytes(html(context, state))
        context.close()

    found = errors(tmp_path)

    assert not found, "\n" + "\n".join(found)


def html(context: BrowserContext, state: State) -> bytes:
    """What the server sent last on the way to the page, as it sent it."""
    if not state.way:
        return context.request.get(state.path).body()
    page = context.new_page()
    answers: list[Response] = []
    page.on("response", lambda response: answers.append(response))
    states.enter(page, state)
    return [answer for answer in answers if answer.request.is_navigation_request()][-1].body()


def test_checker_does_find_what_is_wrong(tmp_path: Path) -> None:
    require(CHECKER, "java")
    (tmp_path / "page.html").write_text("<!doctype html><html lang=en><title>.</title><p><ul></p>")

    assert "No “p” element in scope" in errors(tmp_path)[0]


def errors(folder: Path) -> list[str]:
    """What is wrong in the files of a folder, warnings included."""
    done = subprocess.run(
        ["java", "-jar", CHECKER, "--format", "json", "--exit-zero-always", folder],
        stderr=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    return [
        f"{Path(message['url']).name}:{message['lastLine']}: {message['message']}\n"
        f"    {message['extract']}"
        for message in json.loads(done.stderr)["messages"]
    ]
