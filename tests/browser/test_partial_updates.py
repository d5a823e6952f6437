"""Links and forms of the lists change what they must, without loading the whole page."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.factories import NOON, make_event, make_invoice, make_tenant

EVENTS = "/admin/payments/events/"
TOP = "element => element.getBoundingClientRect().top"


def populate(count: int = 30) -> None:
    tenant = make_tenant("Globex GmbH")
    for number in range(count):
        make_event(
            event_id=f"evt_{number}",
            event_type="invoice.paid",
            tenant=tenant,
            received_at=NOON - timedelta(minutes=number),
        )
    make_invoice(tenant=tenant)


def mark(page: Page) -> None:
    """What is lost when the page is loaded anew."""
    page.evaluate("document.body.dataset.since = 'before'")


def assert_not_loaded_anew(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-since", "before")


Action = Callable[[Page], None]


def search(page: Page) -> None:
    page.get_by_role("searchbox").fill("evt_7")
    page.get_by_role("searchbox").press("Enter")


def choose(page: Page) -> None:
    page.get_by_role("button", name="Gateway").click()
    page.get_by_role("checkbox", name="Stripe").check()
    page.get_by_role("group", name="Filter by: gateway").get_by_text("Apply").click()


def click(role: str, name: str) -> Action:
    return lambda page: page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "act", "address", "rows"),
    [
        ("", search, r"\?q=evt_7$", 1),
        ("?per_page=50", choose, r"\?per_page=50&gateway=stripe$", 30),
        ("?gateway=paypal", click("link", "Remove filter Gateway"), "/events/$", 25),
        ("?gateway=paypal&q=x", click("link", "Clear filters"), "/events/$", 25),
        ("", click("link", "50"), r"\?per_page=50$", 30),
        ("", click("link", "Next"), r"\?after=\d+_\d+$", 5),
        ("?sort=date", click("link", "Date (UTC)"), r"\?sort=-date$", 25),
        ("", click("link", "Invoices 1"), "/invoices/$", 1),
    ],
)
def test_only_the_list_changes(
    open_page: OpenPage, query: str, act: Action, address: str, rows: int
) -> None:
    populate()
    page = open_page(f"{EVENTS}{query}")
    mark(page)

    act(page)

    expect(page).to_have_url(re.compile(address))
    expect(page.locator("tbody.row")).to_have_count(rows)
    assert "q=&" not in page.url
    expect(page.locator("#status")).not_to_be_empty()
    expect(page.locator(":popover-open")).to_have_count(0)
    assert_not_loaded_anew(page)
    # The same address, loaded, is the same page.
    results = page.locator("section[aria-labelledby=results]")
    shown = results.inner_text()
    page.reload()
    assert results.inner_text() == shown


def test_back_and_forward_show_whole_pages(open_page: OpenPage) -> None:
    populate()
    page = open_page(EVENTS)
    search(page)
    expect(page.locator("tbody.row")).to_have_count(1)
    page.get_by_role("link", name="Invoices 1").click()
    expect(page.get_by_role("columnheader", name="Invoice number")).to_be_visible()

    page.go_back()

    expect(page.get_by_role("searchbox")).to_have_value("evt_7")
    expect(page.locator("tbody.row")).to_have_count(1)

    page.go_back()

    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.locator("tbody.row")).to_have_count(25)

    page.go_forward()

    expect(page.locator("tbody.row")).to_have_count(1)
    expect(page.locator(".side")).to_be_visible()


def test_row_that_opens_keeps_its_place_and_the_focus(open_page: OpenPage) -> None:
    populate()
    page = open_page(EVENTS)
    mark(page)
    opener = page.get_by_role("link", name=re.compile("Details of")).nth(15)
    opener.scroll_into_view_if_needed()
    before = opener.evaluate(TOP)

    opener.press("Enter")

    expect(page.locator("tr.detail")).to_be_visible()
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "true")
    assert opener.evaluate(TOP) == pytest.approx(before, abs=1)
    assert_not_loaded_anew(page)

    opener.press("Enter")

    expect(page.locator("tr.detail")).to_have_count(0)
    expect(opener).to_be_focused()


def test_focus_goes_to_the_results_where_the_link_is_gone(open_page: OpenPage) -> None:
    populate()
    page = open_page(EVENTS)

    page.get_by_role("link", name="Next").press("Enter")

    expect(page.locator("tbody.row")).to_have_count(5)
    expect(page.get_by_role("heading", name="Payment events")).to_be_focused()
    expect(page.locator("#status")).to_have_text("5 of 30")


def test_focus_goes_back_to_the_chip_whose_menu_was_applied(open_page: OpenPage) -> None:
    populate()
    page = open_page(EVENTS)

    choose(page)

    expect(page.locator(".chip-on")).to_contain_text("Stripe")
    expect(page.get_by_role("button", name="Gateway Stripe")).to_be_focused()


def test_slow_answer_is_said_and_awaited(open_page: OpenPage) -> None:
    populate()
    page = open_page(EVENTS)
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/*q=evt_7*", hold)
    page.clock.install()

    search(page)
    expect(page.locator("#list")).to_have_attribute("aria-busy", "true")
    page.clock.run_for(6000)

    expect(page.locator("#trouble")).to_contain_text("This takes longer than usual.")
    expect(page.locator("tbody.row")).to_have_count(25)

    waiting[0].continue_()
    page.clock.resume()

    expect(page.locator("tbody.row")).to_have_count(1)
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#list")).not_to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize(
    ("fail", "said", "complaints"),
    [
        (
            lambda route: route.fulfill(status=503, body="away"),
            "did not answer as it should",
            ["Error Code 503"],
        ),
        (lambda route: route.abort(), "cannot be reached", ["htmx:afterRequest", "htmx:sendError"]),
    ],
    ids=["503", "no network"],
)
@pytest.mark.parametrize("act", [search, click("link", "Date (UTC)")], ids=["form", "link"])
def test_failed_request_keeps_what_was_there_and_is_tried_again(
    open_page: OpenPage,
    fail: Callable[[Route], None],
    said: str,
    complaints: list[str],
    act: Action,
) -> None:
    populate()
    page = open_page(EVENTS, expects=["Failed to load resource", *complaints])
    mark(page)
    page.route("**/events/?*", fail)

    act(page)

    expect(page.locator("#trouble")).to_contain_text(said)
    expect(page.locator("tbody.row")).to_have_count(25)
    assert page.url.endswith(EVENTS)

    page.unroute("**/events/?*")
    page.get_by_role("button", name="Try again").click()

    expect(page).to_have_url(re.compile(r"\?(q=evt_7|sort=date)"))
    expect(page.locator("#trouble")).to_be_hidden()
    assert_not_loaded_anew(page)


def test_who_was_logged_out_meanwhile_gets_the_whole_page_to_log_in(open_page: OpenPage) -> None:
    populate()
    page = open_page(EVENTS)
    page.context.clear_cookies()

    search(page)

    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(page.locator(".side")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/admin/login/\?next=.*q%3Devt_7"))
