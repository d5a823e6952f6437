"""What one does with a row, and with all of them."""

import threading
from typing import Any

import pytest
from django.http import HttpResponseBase
from playwright.sync_api import Page, expect

from billing.exports import Export
from billing.files import FORMATS, as_xlsx
from tests.browser.conftest import OpenPage
from tests.factories import make_event, make_invoice, make_payment, make_refund

JAVASCRIPT = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no js"])
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture(autouse=True)
def rows(transactional_db: None) -> None:
    make_invoice(ref="in_1", number="INV-1", tax_minor=None)
    make_payment(ref="ch_1", invoice_ref="in_1")
    make_refund(payment_ref="ch_1")
    make_event(event_type="invoice.paid", event_id="evt_1")


def click_beside_the_text(page: Page) -> None:
    row = page.locator("tbody.row > tr").first
    box = row.bounding_box()
    assert box
    row.click(position={"x": box["width"] * 0.6, "y": 3})


@JAVASCRIPT
@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", ["events", "invoices", "refunds"])
def test_the_whole_row_opens(
    open_page: OpenPage, name: str, size: dict[str, Any], javascript: bool
) -> None:
    page = open_page(f"/admin/payments/{name}/", java_script_enabled=javascript, **size)

    click_beside_the_text(page)

    expect(
        page.get_by_role("heading", name="Timeline" if name == "events" else "INV-1")
    ).to_be_visible()


def test_a_click_on_text_opens_the_row_and_selecting_it_does_not(open_page: OpenPage) -> None:
    page = open_page("/admin/payments/invoices/")
    amount = page.locator("td .amt")
    box = amount.bounding_box()
    assert box

    page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 5, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()

    assert page.evaluate("getSelection().toString()").startswith("$123.45")
    expect(page).to_have_url("/admin/payments/invoices/")
    page.locator("tbody.row time").click()
    expect(page).to_have_url("/admin/payments/invoices/stripe/in_1/")


def test_what_is_in_a_row_is_its_own(open_page: OpenPage) -> None:
    page = open_page("/admin/payments/events/", java_script_enabled=True)

    page.locator(".c-id .up").dblclick()

    assert page.evaluate("getSelection().toString()").strip() == "evt_1"
    page.locator("tbody.row").hover()
    page.locator("tbody.row .cp").click()
    expect(page.locator("tr.detail")).to_have_count(0)


@JAVASCRIPT
def test_header_stays_in_sight(open_page: OpenPage, javascript: bool) -> None:
    for _ in range(40):
        make_event()
    page = open_page("/admin/payments/events/?per_page=50", java_script_enabled=javascript)

    page.locator("tbody.row").last.scroll_into_view_if_needed()

    expect(page.locator("th", has_text="Event type")).to_be_in_viewport()


@JAVASCRIPT
@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_each_format_is_downloaded(
    open_page: OpenPage, size: dict[str, Any], javascript: bool
) -> None:
    page = open_page(
        "/admin/payments/invoices/?status=paid", java_script_enabled=javascript, **size
    )
    menu = page.get_by_role("button", name="Formats")

    with page.expect_download() as first:
        page.get_by_role("link", name="Export CSV").click()
    menu.click()
    with page.expect_download() as second:
        page.get_by_role("link", name="Excel (XLSX)").click()

    assert first.value.suggested_filename.endswith(".csv")
    assert second.value.suggested_filename.endswith(".xlsx")
    assert "status=paid" in second.value.url


def test_a_long_export_says_that_it_is_prepared(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def slow(export: Export) -> HttpResponseBase:
        assert done.wait(20)
        return as_xlsx(export)

    # Playwright asks nothing of a page that waits for an answer, so the page keeps what it said.
    said = """status => {
        window.said = [];
        const options = { childList: true, subtree: true };
        new MutationObserver(() => window.said.push(status.textContent)).observe(status, options);
    }"""

    monkeypatch.setitem(FORMATS, "xlsx", slow)
    page = open_page("/admin/payments/invoices/")
    status = page.locator("#exporting")
    expect(status).to_have_text("")

    page.get_by_role("button", name="Formats").click()
    status.evaluate(said)
    threading.Timer(2, done.set).start()
    with page.expect_download():
        page.get_by_role("link", name="Excel (XLSX)").click()

    expect(status).to_have_text("The download has begun.")
    heard = page.evaluate("window.said")
    assert heard[0] == "Preparing 1 row…"
    assert "Preparing 1 row…1 s" in heard
    assert [c["name"] for c in page.context.cookies() if "download" in c["name"]] == []
    expect(status).to_have_text("")


def test_a_refused_export_is_a_page_that_says_why(open_page: OpenPage) -> None:
    page = open_page(
        "/admin/payments/invoices/?gateway=strip", expects=["400", "404"], reduced_motion="reduce"
    )

    page.get_by_role("link", name="Export CSV").click()

    expect(page.get_by_text("Gateway: “strip” is not one of the choices.")).to_be_visible()
    page.go_back()
    expect(page.locator("#exporting")).to_have_text("")
