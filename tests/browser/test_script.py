"""What the page does with JavaScript, beyond links and forms."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.factories import make_event

EVENTS = "/admin/payments/events/"


def test_id_is_copied_and_that_is_said(open_page: OpenPage) -> None:
    make_event(event_id="evt_1")
    page = open_page(EVENTS, permissions=["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="Copy evt_1")

    button.click()

    expect(page.locator("#status")).to_have_text("Copied")
    expect(button.locator("use")).to_have_attribute("href", "/static/icons.svg#check")
    expect(button).to_be_focused()
    assert page.evaluate("navigator.clipboard.readText()") == "evt_1"


def test_id_is_copied_where_the_browser_has_no_clipboard(open_page: OpenPage) -> None:
    make_event(event_id="evt_1")
    page = open_page(EVENTS, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")

    page.get_by_role("button", name="Copy evt_1").click()

    expect(page.locator("#status")).to_have_text("Copied")
    page.reload()
    assert page.evaluate("navigator.clipboard.readText()") == "evt_1"


def test_that_copying_failed_is_said(open_page: OpenPage) -> None:
    make_event(event_id="evt_1")
    page = open_page(EVENTS)
    page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))")

    page.get_by_role("button", name="Copy evt_1").click()

    expect(page.locator("#status")).to_have_text("The browser did not allow copying")


def test_nothing_to_copy_with_is_shown_without_javascript(open_page: OpenPage) -> None:
    make_event(event_id="evt_1")

    page = open_page(EVENTS, java_script_enabled=False)

    expect(page.get_by_text("evt_1", exact=True)).to_be_visible()
    expect(page.locator("[data-copy]")).to_be_hidden()
