"""Every page and every state of it: what axe, the HTML checker and the pictures go through."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.audit.sites import PASSWORD, Sites

EVENTS, INVOICES = "/admin/payments/events/", "/admin/payments/invoices/"
TENANTS, TRACKED = "/admin/payments/tenants/", "/admin/payments/tracked-events/"
TRENDS = "/admin/payments/trends/"

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
    # What a person does there to come to the page.
    way: Callable[[Page], object] | None = None
    # The button that is pressed then.
    opens: str = ""
    site: str = "demo"
    user: str | None = "admin"
    status: int = 200
    screens: tuple[str, ...] = tuple(SCREENS)

    def __str__(self) -> str:
        return self.name


def open_first_row(page: Page) -> None:
    page.locator("tbody.row a[aria-expanded]").first.click()
    expect(page.locator("tr.detail")).to_be_visible()


def follow_first_row(page: Page) -> None:
    page.locator("tbody.row a:not([aria-expanded])").first.click()
    expect(page.locator(".back")).to_be_visible()


def all_of_the_first(what: str) -> Callable[[Page], object]:
    """Linked where there are more than fit, so that its address is typed here."""

    def way(page: Page) -> None:
        follow_first_row(page)
        page.goto(f"{page.url}{what}/")

    return way


def turn_the_page(page: Page) -> None:
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page).to_have_url(re.compile("after="))


def assign(page: Page) -> None:
    open_first_row(page)
    page.get_by_role("link", name="Assign a tenant").click()
    expect(page).to_have_url(re.compile("/assign/"))


def show_whole_payload(page: Page) -> None:
    open_first_row(page)
    page.get_by_role("button", name="Show whole").click()
    expect(page).to_have_url(re.compile("/payload/"))


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("Username").fill("clerk")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def be_refused(page: Page) -> None:
    sign_in(page, "wrong")
    expect(page.get_by_role("alert").first).to_be_visible()


def log_out(page: Page) -> None:
    sign_in(page, PASSWORD)
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/logout/"))


# One row each, which is soon looked through.
FEW_EVENTS, FEW_INVOICES = f"{EVENTS}?state=failed", f"{INVOICES}?status=void"
STATES = [
    State("events", EVENTS),
    State("events-expanded", f"{EVENTS}?event_type=invoice.payment_failed", open_first_row),
    State("events-failed", FEW_EVENTS, open_first_row),
    State("events-unmatched", f"{EVENTS}?state=unmatched", open_first_row),
    State("events-unreadable", f"{EVENTS}?state=unreadable"),
    State("events-filtered", f"{EVENTS}?gateway=stripe&event_type=invoice.paid&q=umbra"),
    State("events-filter-open", EVENTS, opens="Event type"),
    State("events-dates-open", FEW_EVENTS, opens="Date"),
    State("events-tenants-open", FEW_EVENTS, opens="Tenant"),
    State("events-tenants-found", f"{FEW_EVENTS}&tenant_q=glo"),
    State("events-tenants-not-found", f"{FEW_EVENTS}&tenant_q=nobody"),
    State("events-formats-open", FEW_EVENTS, opens="Formats", screens=("desktop",)),
    State("events-currencies-open", FEW_EVENTS, opens="more"),
    State("events-no-match", f"{EVENTS}?q=nobody&gateway=paypal"),
    State("events-refused", f"{EVENTS}?date_from=nonsense&gateway=nobody&state=failed&after=none"),
    State("events-second-page", EVENTS, turn_the_page),
    State("events-new", EVENTS, site="new"),
    State("assign", f"{EVENTS}?state=unmatched", assign),
    State("payload", FEW_EVENTS, show_whole_payload),
    State("invoices", INVOICES),
    State("invoices-filter-open", FEW_INVOICES, opens="Status"),
    State("invoices-no-match", f"{INVOICES}?q=nobody"),
    State("invoices-new", INVOICES, site="new"),
    State("invoice", f"{INVOICES}?status=paid&gateway=stripe", follow_first_row),
    State("refunds", "/admin/payments/refunds/"),
    State("disputes", "/admin/payments/disputes/"),
    State("tenants", TENANTS),
    State("tenants-no-match", f"{TENANTS}?q=nobody"),
    State("tenants-new", TENANTS, site="new"),
    State("tenant", f"{TENANTS}?q=globex", follow_first_row),
    State("tenant-subscriptions", f"{TENANTS}?q=globex", all_of_the_first("subscriptions")),
    State("tenant-customers", f"{TENANTS}?q=globex", all_of_the_first("customers")),
    State("tracked-events", f"{TRACKED}?q=customer"),
    State("tracked-events-no-match", f"{TRACKED}?q=nobody"),
    State("setup", "/admin/payments/setup/"),
    State("setup-new", "/admin/payments/setup/", site="new"),
    State("trends", TRENDS),
    State("trends-new", TRENDS, site="new"),
    State("menu", FEW_EVENTS, opens="Menu", screens=("phone",)),
    State("languages-open", FEW_EVENTS, opens="Language", screens=("desktop",)),
    State("login", "/admin/login/", user=None),
    State("login-refused", "/admin/login/", be_refused, user=None),
    State("logged-out", "/admin/login/", log_out, user=None),
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
    if state.way:
        state.way(page)
    if state.opens:
        page.get_by_role("button", name=state.opens).locator("visible=true").first.click()
        expect(page.locator(":popover-open")).to_be_visible()
