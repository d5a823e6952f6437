"""Paper, few motions, and colours of the reader's own."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.factories import make_event, make_invoice, make_tenant

EVENTS = "/admin/payments/events/"
A4_WIDTH: dict[str, Any] = {"viewport": {"width": 700, "height": 990}}


def populate() -> None:
    tenant = make_tenant("Globex GmbH")
    make_event(tenant=tenant, event_type="customer.subscription.updated")
    make_invoice(tenant=tenant)


def visible(page: Page, selector: str) -> int:
    return page.locator(f"{selector}:visible").count()


@pytest.mark.parametrize("path", [EVENTS, "/admin/payments/invoices/"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_paper_has_the_figures_and_the_table_and_no_controls(
    open_page: OpenPage, path: str, theme: str
) -> None:
    populate()
    page = open_page(f"{path}?gateway=stripe", color_scheme=theme, **A4_WIDTH)
    page.emulate_media(media="print")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".cards")).to_be_visible()
    # A table, with a header over each column, not the list of narrow screens.
    assert visible(page, ".tbl th") == visible(page, "tbody.row td") >= 6
    expect(page.locator(".bar")).to_contain_text("Stripe")
    for control in (".side", ".actions", ".chip", ".cp", ".foot a", ".fresh", ".x", ".more"):
        assert visible(page, control) == 0, control
    assert page.evaluate("document.documentElement.scrollWidth") == 700
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    assert page.locator("a:visible").first.evaluate(
        "a => getComputedStyle(a, '::after').content"
    ) in (
        "none",
        "normal",
    )


def test_nothing_moves_for_who_wants_that(open_page: OpenPage) -> None:
    populate()

    page = open_page(EVENTS, reduced_motion="reduce")

    moving = "all => all.filter(e => parseFloat(getComputedStyle(e).transitionDuration)).length"
    assert page.locator("*").evaluate_all(moving) == 0


def test_lines_say_what_backgrounds_cannot(open_page: OpenPage) -> None:
    populate()

    page = open_page(EVENTS, forced_colors="active")

    for part in (".btn:visible", ".badge", ".search input"):
        expect(page.locator(part).first).to_have_css("border-top-width", "1px")
    chosen = page.locator(".side nav [aria-current]").first
    other = page.locator(".side nav a:not([aria-current])").first
    background = "e => getComputedStyle(e).backgroundColor"
    assert chosen.evaluate(background) != other.evaluate(background)
