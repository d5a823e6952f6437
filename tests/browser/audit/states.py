"""Every page and every state of it: what axe, the HTML checker and the pictures go through."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.audit.sites import Sites

EVENTS, INVOICES = "/admin/payments/events/", "/admin/payments/invoices/"

SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass(frozen=True)
class State:
    # Also of its picture.
    name: str
    path: str
    # What a person does there to get into it.
    act: Callable[[Page], object] = lambda page: None
    site: str = "demo"
    user: str | None = "admin"
    status: int = 200
    screens: tuple[str, ...] = tuple(SCREENS)

    def __str__(self) -> str:
        return self.name


def open_first_row(page: Page) -> None:
    page.locator("tbody.row a[aria-expanded]").first.click()
    expect(page.locator("tr.detail")).to_be_visible()


def open_first_invoice(page: Page) -> None:
    page.locator("tbody.row a").first.click()
    expect(page.locator("h1")).not_to_contain_text("Payments & Invoices")


def press(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name).first.click()


STATES = [
    State("events", EVENTS),
    State("events-expanded", f"{EVENTS}?event_type=invoice.payment_failed", open_first_row),
    State("events-failed", f"{EVENTS}?state=failed", open_first_row),
    State("events-unmatched", f"{EVENTS}?state=unmatched", open_first_row),
    State("events-filtered", f"{EVENTS}?gateway=stripe&event_type=invoice.paid&q=INV"),
    State("events-filter-open", EVENTS, press("Event type")),
    State("events-dates-open", EVENTS, press("Date")),
    State("events-currencies-open", EVENTS, press("more")),
    State("events-no-match", f"{EVENTS}?q=nobody&gateway=paypal"),
    State("events-refused", f"{EVENTS}?date_from=nonsense&gateway=nobody&after=nowhere"),
    State("events-second-page", EVENTS, lambda page: page.get_by_role("link", name="Next").click()),
    State("events-new", EVENTS, site="new"),
    State("invoices", INVOICES),
    State("invoices-filter-open", INVOICES, press("Status")),
    State("invoices-no-match", f"{INVOICES}?q=nobody"),
    State("invoices-new", INVOICES, site="new"),
    State("invoice", INVOICES, open_first_invoice),
    State("tracked-events", "/admin/payments/tracked-events/"),
    State("menu", EVENTS, press("Menu"), screens=("phone",)),
    State("login", "/admin/login/", user=None),
    State("login-refused", "/admin/login/", press("Log in"), user=None),
    State("400", f"{EVENTS}?{'q=&' * 1100}", status=400),
    State("403", EVENTS, user="clerk", status=403),
    State("404", "/admin/payments/nowhere/", status=404),
    State("500", EVENTS, site="no tables", status=500),
    State("503", EVENTS, site="no database", status=503),
]

CASES = [
    pytest.param(state, screen, id=f"{state}-{screen}")
    for state in STATES
    for screen in state.screens
]


def context(
    browser: Browser, sites: Sites, state: State, screen: str, **options: Any
) -> BrowserContext:
    """A browser in which the state's user is signed in on its site."""
    site = sites[state.site]
    context = browser.new_context(
        base_url=site.url, reduced_motion="reduce", **SCREENS[screen] | options
    )
    context.set_default_timeout(10_000)
    if state.user:
        session = site.sessions[state.user]
        context.add_cookies([{"name": "sessionid", "value": session, "url": site.url}])
    return context


def enter(page: Page, state: State) -> None:
    """Opens the page, and does there what leads to the state."""
    answer = page.goto(state.path)
    assert answer
    assert answer.status == state.status
    state.act(page)
