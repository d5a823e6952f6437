import re
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Page, expect
from pytest_django import Settings

from billing.models import Total
from tests.browser.conftest import OpenPage
from tests.factories import make_event, make_invoice, make_tenant

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}

JAVASCRIPT = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no js"])


def populate() -> None:
    tenant = make_tenant("Globex GmbH")
    invoice = make_invoice(number="INV-77", tenant=tenant, currency="EUR", amount_minor=124_831)
    make_event(event_type="invoice.payment_failed", tenant=tenant, invoice_ref=invoice.ref)
    make_event(gateway="paypal", event_type="BILLING.SUBSCRIPTION.CREATED", tenant=tenant)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    [
        "/admin/payments/events/",
        "/admin/payments/invoices/",
        "/admin/payments/events/?date_from=nonsense&q=nobody",
        "/admin/",
        "/admin/billing/paymentevent/",
        "/admin/billing/tenant/",
    ],
)
def test_page_loads_without_a_complaint_of_the_browser(
    open_page: OpenPage, path: str, scheme: str
) -> None:
    populate()

    page = open_page(path, color_scheme=scheme)

    expect(page.locator("h1").first).to_be_visible()


def test_stylesheet_font_and_icons_arrive(open_page: OpenPage) -> None:
    populate()

    page = open_page("/admin/payments/events/")

    expect(page.locator(".side")).to_have_css("position", "sticky")
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('14px Inter'))")
    icon = page.locator(".badge svg use").first
    assert icon.evaluate("use => use.getBBox().width") > 0


@JAVASCRIPT
def test_row_expands_to_its_invoice_and_closes(open_page: OpenPage, javascript: bool) -> None:
    populate()
    page = open_page("/admin/payments/events/?gateway=stripe", java_script_enabled=javascript)
    opener = page.get_by_role("link", name="Details of invoice.payment_failed")
    expect(opener).to_have_attribute("aria-expanded", "false")

    opener.click()

    detail = page.locator("tr.detail")
    expect(detail).to_contain_text("INV-77")
    expect(detail).to_contain_text("€1,248.31")
    expect(detail).to_contain_text("Paid")
    expect(opener).to_have_attribute("aria-expanded", "true")
    assert "gateway=stripe" in page.url

    opener.click()

    expect(detail).to_have_count(0)


def test_whole_row_opens(open_page: OpenPage) -> None:
    populate()
    page = open_page("/admin/payments/events/")

    # By force: what lies over the cell is the link that opens the row.
    page.get_by_role("cell", name="BILLING.SUBSCRIPTION.CREATED", exact=True).click(force=True)

    expect(page.locator("tr.detail")).to_be_visible()


@JAVASCRIPT
def test_menu_of_a_filter_opens_and_applies(open_page: OpenPage, javascript: bool) -> None:
    populate()
    page = open_page("/admin/payments/events/", java_script_enabled=javascript)
    page.get_by_role("button", name="Gateway").click()

    page.get_by_role("checkbox", name="PayPal").check()
    page.get_by_role("group", name="Filter by: gateway").get_by_text("Apply").click()

    expect(page.locator(".chip-on")).to_contain_text("PayPal")
    expect(page.locator("tbody.row")).to_have_count(1)

    page.get_by_role("link", name="Remove filter Gateway").click()

    expect(page.locator("tbody.row")).to_have_count(2)


@JAVASCRIPT
def test_more_currencies_open(open_page: OpenPage, javascript: bool) -> None:
    for currency in ("USD", "EUR", "GBP"):
        make_invoice(currency=currency)
    page = open_page("/admin/payments/invoices/", java_script_enabled=javascript)

    page.get_by_role("button", name=re.compile(r"\+1 more.*Total revenue")).click()

    expect(page.get_by_role("table", name="Total revenue by currency")).to_contain_text("GBP")


@pytest.mark.parametrize("path", ["/admin/payments/events/", "/admin/payments/invoices/"])
def test_phone_shows_a_list_no_wider_than_the_screen(open_page: OpenPage, path: str) -> None:
    populate()

    page = open_page(path, **PHONE)

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(page.locator("thead")).to_be_hidden()
    # Rows have another layout there, and are still rows of a table.
    assert {"table", "row", "cell"} <= roles_told(page)
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Tenants")).to_be_visible()


@pytest.mark.parametrize("screen", [{}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["/admin/payments/events/", "/admin/payments/invoices/"])
def test_page_is_mirrored_where_text_runs_to_the_left(
    open_page: OpenPage, path: str, screen: dict[str, Any]
) -> None:
    populate()
    page = open_page(path, **screen)
    width = page.viewport_size["width"] if page.viewport_size else 0

    def box(selector: str) -> Any:
        return page.locator(selector).first.bounding_box()

    before = [box("h1"), box(".bar .search"), box("tbody .c-main"), box("tbody .c-date")]
    page.evaluate("document.documentElement.dir = 'rtl'")
    after = [box("h1"), box(".bar .search"), box("tbody .c-main"), box("tbody .c-date")]

    assert page.evaluate("document.documentElement.scrollWidth") == width
    for left, right in zip(before, after, strict=True):
        assert right["x"] + right["width"] == pytest.approx(width - left["x"], abs=2)


def roles_told(page: Page) -> set[str]:
    """What Chromium tells a screen reader of the page, which is not all that is in the HTML."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    return {node["role"]["value"] for node in tree["nodes"] if not node["ignored"]}


@JAVASCRIPT
def test_setup_sends_a_test_event(
    open_page: OpenPage, settings: Settings, javascript: bool
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_of_tests"]
    User.objects.get(username="clerk").user_permissions.add(
        Permission.objects.get(codename="change_paymentevent")
    )
    page = open_page("/admin/payments/setup/", java_script_enabled=javascript)
    stripe = page.get_by_role("region", name="Stripe")

    stripe.get_by_role("button", name="Send a signed test event").click()

    expect(stripe.get_by_role("status")).to_contain_text("The test event was received.")
    stripe.get_by_role("link", name="Show the event").click()
    expect(page.locator("tr.detail")).to_be_visible()


def test_setup_is_no_wider_than_a_phone(open_page: OpenPage) -> None:
    page = open_page("/admin/payments/setup/", **PHONE)

    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("width", [390, 1350])
def test_what_a_large_count_splits_into_is_apart_enough_for_a_finger(
    open_page: OpenPage, width: int
) -> None:
    for status in ("paid", "pending", "void"):
        Total.objects.create(
            figure=status, currency="EUR", exponent=2, shard=0, count=10**7, amount_minor=0
        )
    page = open_page("/admin/payments/invoices/", viewport={"width": width, "height": 900})
    links = page.locator(".card .o a").all()
    boxes = [box for link in links if (box := link.bounding_box())]

    # WCAG 2.5.8: circles of 24 px around the middle of each do not touch.
    middles = sorted({box["y"] + box["height"] / 2 for box in boxes})
    assert len(boxes) == 3
    assert len(middles) > 1
    assert all(below - above >= 24 for above, below in pairwise(middles))
