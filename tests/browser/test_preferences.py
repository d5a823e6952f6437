import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.factories import make_event

EVENTS = "/admin/payments/events/"
DARK, LIGHT = "rgb(18, 20, 26)", "rgb(255, 255, 255)"
JAVASCRIPT = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no js"])


@JAVASCRIPT
def test_theme_is_chosen_and_stays(open_page: OpenPage, javascript: bool) -> None:
    make_event()
    page = open_page(f"{EVENTS}?gateway=stripe", java_script_enabled=javascript)
    body = page.locator("body")
    expect(body).to_have_css("background-color", LIGHT)
    if javascript:
        page.evaluate("document.body.dataset.since = 'before'")

    with page.expect_response("**/preferences/"):
        page.get_by_role("button", name="Dark").click()

    expect(body).to_have_css("background-color", DARK)
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    assert page.url.endswith("?gateway=stripe")
    if javascript:
        expect(body).to_have_attribute("data-since", "before")

    page.goto("/admin/payments/invoices/")

    expect(body).to_have_css("background-color", DARK)

    with page.expect_response("**/preferences/"):
        page.get_by_role("button", name="As set in the system").click()

    expect(body).to_have_css("background-color", LIGHT)


def test_theme_that_cannot_be_kept_is_said(open_page: OpenPage) -> None:
    page = open_page(EVENTS, expects=["Failed to load resource"])
    page.route("**/preferences/", lambda route: route.abort())

    page.get_by_role("button", name="Dark").click()

    expect(page.locator("#trouble")).to_contain_text("did not answer as it should")
    page.unroute("**/preferences/")
    with page.expect_response("**/preferences/"):
        page.get_by_role("button", name="Try again").click()
    page.reload()
    expect(page.locator("body")).to_have_css("background-color", DARK)


@JAVASCRIPT
def test_language_is_chosen_on_the_page_as_filtered(open_page: OpenPage, javascript: bool) -> None:
    make_event()
    page = open_page(EVENTS, java_script_enabled=javascript)
    page.get_by_role("searchbox").fill("evt")
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(re.compile("q=evt"))

    page.get_by_role("button", name="Language: English").click()
    page.get_by_role("button", name="Deutsch").click()

    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page).to_have_url(re.compile("q=evt"))
