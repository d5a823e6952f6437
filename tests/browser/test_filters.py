"""The chips of the filters: by mouse and keyboard, with JavaScript and without."""

import re

import pytest
from playwright.sync_api import Page, expect

from billing.queries import tenants
from tests.browser.conftest import OpenPage
from tests.browser.test_pages import JAVASCRIPT, PHONE
from tests.factories import make_event, make_tenant

EVENTS = "/admin/payments/events/"


def populate() -> None:
    for n in range(tenants.IN_MENU):
        make_tenant(f"Berg {n:02}", key=f"b{n:02}")
    make_event(gateway="paypal", tenant=make_tenant("Zebra AG", key="z-1"))
    make_event(tenant=make_tenant("Acme Zebu", key="a-1"))
    make_event()


def rows(page: Page) -> int:
    return page.locator("tbody.row").count()


@JAVASCRIPT
def test_keyboard_opens_a_menu_chooses_and_applies(open_page: OpenPage, javascript: bool) -> None:
    populate()
    page = open_page(EVENTS, java_script_enabled=javascript)
    expect(page.locator("body")).to_be_visible()
    chip = page.locator("#chip-gateway")
    chip.focus()

    page.keyboard.press("Enter")

    menu = page.get_by_role("group", name="Filter by: gateway")
    expect(menu).to_be_visible()
    stripe = page.get_by_role("checkbox", name="Stripe")
    expect(stripe).to_be_focused()

    page.keyboard.press("Escape")

    expect(menu).to_be_hidden()
    expect(chip).to_be_focused()

    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator(".chip-on")).to_contain_text("PayPal")
    expect(page.locator("tbody.row")).to_have_count(1)
    expect(page.locator(".matches")).to_have_text("1 match")


@pytest.mark.parametrize("name", ["gateway", "date", "event_type", "tenant", "state"])
def test_focus_goes_into_every_menu_and_comes_back(open_page: OpenPage, name: str) -> None:
    populate()
    page = open_page(EVENTS)
    # No menu takes the focus while it is closed.
    assert page.evaluate("document.activeElement === document.body")
    chip = page.locator(f"#chip-{name}")

    chip.click()

    menu = page.locator(f"#menu-{name}")
    expect(menu).to_be_visible()
    assert menu.evaluate("menu => menu.contains(document.activeElement)")

    page.keyboard.press("Escape")

    expect(menu).to_be_hidden()
    expect(chip).to_be_focused()


@JAVASCRIPT
def test_range_of_days_is_chosen_with_one_click(open_page: OpenPage, javascript: bool) -> None:
    populate()
    page = open_page(f"{EVENTS}?gateway=stripe", java_script_enabled=javascript)
    page.locator("#chip-date").click()

    page.get_by_role("link", name="Last 7 days").click()

    expect(page.locator(".chip-on")).to_have_count(2)
    expect(page.locator("h2", has_text="No events match")).to_be_visible()
    assert re.search(r"\?gateway=stripe&date_from=\d{4}-\d\d-\d\d&date_to=\d{4}-", page.url)
    page.locator("#chip-date").click()
    expect(page.get_by_role("link", name="Last 7 days")).to_have_attribute("aria-current", "true")


def test_tenants_that_match_come_while_typing(open_page: OpenPage) -> None:
    populate()
    page = open_page(EVENTS)
    page.locator("#chip-tenant").click()
    menu = page.locator("#menu-tenant")
    expect(menu).to_contain_text("There are more.")

    page.keyboard.type("zeb")

    choices = menu.get_by_role("checkbox")
    expect(choices).to_have_count(2)
    expect(page.locator("#tenant_q")).to_be_focused()
    menu.get_by_role("checkbox", name="Zebra AG").check()
    page.locator("#tenant_q").fill("nobody")
    expect(page.locator("#status")).to_have_text("No tenant has “nobody” in its name or id.")
    # What is chosen stays, whatever else is looked for.
    expect(choices).to_have_count(1)
    menu.get_by_text("Apply").click()

    expect(page.locator(".chip-on")).to_contain_text("Zebra AG")
    expect(page.locator("tbody.row")).to_have_count(1)
    assert page.url.endswith("?tenant=z-1")


def test_tenant_is_found_without_javascript(open_page: OpenPage) -> None:
    populate()
    page = open_page(f"{EVENTS}?gateway=stripe", java_script_enabled=False)
    page.locator("#chip-tenant").click()

    page.locator("#tenant_q").fill("zeb")
    page.keyboard.press("Enter")

    menu = page.get_by_role("group", name="Filter by: tenant")
    expect(menu).to_be_visible()
    expect(menu.get_by_role("checkbox")).to_have_count(2)
    expect(page.locator("#tenant_q")).to_be_focused()
    assert rows(page) == 2

    menu.get_by_role("checkbox", name="Acme Zebu").check()
    menu.get_by_text("Apply").click()

    expect(menu).to_be_hidden()
    expect(page.locator(".chip-on").first).to_contain_text("Stripe")
    expect(page.locator(".chip-on").last).to_contain_text("Acme Zebu")
    assert rows(page) == 1


def test_menu_that_stands_open_fits_a_phone(open_page: OpenPage) -> None:
    populate()

    page = open_page(f"{EVENTS}?tenant_q=zeb", **PHONE)

    menu = page.locator("#menu-tenant")
    menu.scroll_into_view_if_needed()
    expect(menu).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
