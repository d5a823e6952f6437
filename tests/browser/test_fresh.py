"""Rows that arrive while somebody looks at a list."""

from datetime import timedelta

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.factories import NOON, make_event, make_invoice

EVENTS = "/admin/payments/events/"
FRESH = "**/events/fresh/**"
SECONDS = 1000


def open_with_a_clock(open_page: OpenPage, **options: object) -> Page:
    page = open_page(EVENTS, **options)
    page.clock.install()
    page.reload()
    return page


def test_bar_offers_new_rows_and_shows_them_in_place(open_page: OpenPage) -> None:
    for number in range(30):
        make_event(received_at=NOON - timedelta(minutes=number))
    page = open_with_a_clock(open_page)
    page.evaluate("document.body.dataset.since = 'before'")
    first_row = page.locator("tbody.row").first
    before = first_row.bounding_box()
    bar = page.locator("#fresh")
    make_event(event_type="invoice.voided", received_at=NOON + timedelta(minutes=1))
    make_invoice(currency="EUR", amount_minor=4200)

    with page.expect_response(FRESH):
        page.clock.run_for(15 * SECONDS)

    expect(bar).to_have_text("1 new event")
    expect(bar).to_have_attribute("role", "status")
    assert first_row.bounding_box() == before
    expect(page.locator("#list")).not_to_have_attribute("aria-busy", "true")

    with page.expect_response(FRESH):
        page.clock.run_for(15 * SECONDS)
    bar.get_by_role("link").click()

    expect(first_row).to_contain_text("invoice.voided")
    expect(page.locator(".cards")).to_contain_text("€42.00")
    expect(page.locator("tbody.row")).to_have_count(25)
    expect(bar).to_be_empty()
    expect(page.get_by_role("heading", name="Payment events")).to_be_focused()
    expect(page.locator("body")).to_have_attribute("data-since", "before")
    assert page.evaluate("history.length") == 2  # an empty page, and this one

    with page.expect_response(FRESH):
        page.clock.run_for(15 * SECONDS)
    expect(bar).to_be_empty()


def test_nothing_is_asked_while_nobody_looks(open_page: OpenPage) -> None:
    make_event()
    page = open_with_a_clock(open_page)
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.url) if "fresh" in request.url else None
    )
    hide = (
        "value => Object.defineProperty(document, 'visibilityState', {value, configurable: true})"
    )

    page.evaluate(hide, "hidden")
    page.clock.run_for(60 * SECONDS)
    assert asked == []

    page.evaluate(hide, "visible")
    with page.expect_response(FRESH):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_failing_server_is_asked_less_and_then_no_more(open_page: OpenPage) -> None:
    make_event()
    page = open_with_a_clock(open_page, expects=["Failed to load resource", "Error Code 503"])
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503, body="away")

    page.route(FRESH, refuse)
    paused = page.locator("#paused")

    # At 15 seconds, 30 later, and 60 later.
    for minute_quarters in (1, 2, 4):
        expect(paused).to_be_hidden()
        with page.expect_response(FRESH):
            page.clock.run_for(minute_quarters * 15 * SECONDS)
        page.wait_for_load_state("networkidle")
    expect(paused).to_be_visible()
    expect(page.locator("#status")).to_contain_text("New rows are not looked for")
    expect(page.locator("#trouble")).to_be_hidden()
    page.clock.run_for(600 * SECONDS)
    assert len(asked) == 3

    page.unroute(FRESH)
    make_event()
    page.get_by_role("button", name="Try again").click()

    expect(page.locator("#fresh")).to_have_text("1 new event")
    expect(paused).to_be_hidden()


def test_who_was_logged_out_meanwhile_is_asked_to_log_in(open_page: OpenPage) -> None:
    make_event()
    page = open_with_a_clock(open_page)
    page.context.clear_cookies()

    page.clock.run_for(15 * SECONDS)

    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert page.url.endswith(f"/admin/login/?next={EVENTS}")
