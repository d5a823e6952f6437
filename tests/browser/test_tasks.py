"""What people come for, without JavaScript and by keyboard alone.

Rows, menus, currencies, payloads, themes, languages and test events: beside what they do with it.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from billing.models import PaymentEvent
from tests.browser.conftest import OpenPage
from tests.factories import NOON, make_event, make_invoice, make_tenant

EVENTS, INVOICES = "/admin/payments/events/", "/admin/payments/invoices/"


@pytest.fixture
def globex() -> None:
    """Thirty events on thirty days, the first of which is about an invoice."""
    tenant = make_tenant("Globex GmbH")
    invoice = make_invoice(number="INV-77", tenant=tenant, currency="EUR", amount_minor=124_831)
    for number in range(30):
        make_event(
            event_id=f"evt_{number:02}",
            event_type="invoice.paid",
            tenant=tenant,
            invoice_ref=None if number else invoice.ref,
            received_at=NOON - timedelta(days=number),
        )


@pytest.mark.usefixtures("globex")
class TestWithoutJavaScript:
    @pytest.fixture
    def open_page(self, open_page: OpenPage) -> OpenPage:
        return lambda path, **options: open_page(path, java_script_enabled=False, **options)

    def test_search(self, open_page: OpenPage) -> None:
        page = open_page(EVENTS)
        page.get_by_role("searchbox").fill("evt_07")
        page.get_by_role("searchbox").press("Enter")
        expect(rows(page)).to_have_count(1)

        page.get_by_role("link", name="Clear filters").click()

        expect(rows(page)).to_have_count(25)

    def test_choose_days(self, open_page: OpenPage) -> None:
        page = open_page(EVENTS)
        page.get_by_role("button", name="Date", exact=True).click()
        menu = page.get_by_role("group", name="Filter by: date")
        menu.get_by_label("First day").fill("2026-02-27")
        menu.get_by_text("Apply").click()

        expect(rows(page)).to_have_count(3)

    def test_turn_pages_order_and_length(self, open_page: OpenPage) -> None:
        page = open_page(EVENTS)
        page.get_by_role("link", name="Next", exact=True).click()
        expect(rows(page)).to_have_count(5)
        page.get_by_role("link", name="Previous", exact=True).click()
        expect(rows(page).first).to_contain_text("evt_00")

        page.get_by_role("link", name="Date (UTC)").click()
        expect(rows(page).first).to_contain_text("evt_29")

        page.get_by_role("link", name="50", exact=True).click()
        expect(rows(page)).to_have_count(30)

    def test_from_an_event_to_its_invoice_and_its_tenant(self, open_page: OpenPage) -> None:
        page = open_page(EVENTS)
        page.get_by_role("link", name="Details of invoice.paid").first.click()
        page.get_by_role("link", name="View invoice").click()
        expect(page.locator("h1")).to_contain_text("INV-77")
        expect(page.locator("main")).to_contain_text("€1,248.31")

        page.get_by_role("link", name="Globex GmbH").first.click()

        expect(page.locator("h1")).to_contain_text("Globex GmbH")

    def test_find_a_tenant(self, open_page: OpenPage) -> None:
        make_tenant("Initech")
        page = open_page(EVENTS)
        page.get_by_role("link", name="Tenants").click()
        page.get_by_role("searchbox").fill("globex")
        page.get_by_role("button", name="Search").click()
        expect(rows(page)).to_have_count(1)

        page.get_by_role("link", name="Globex GmbH").click()

        expect(page.get_by_role("link", name="INV-77")).to_be_visible()

    def test_export_what_is_filtered(self, open_page: OpenPage, tmp_path: Path) -> None:
        page = open_page(f"{EVENTS}?q=evt_07")
        with page.expect_download() as download:
            page.get_by_role("link", name="Export CSV").click()
        download.value.save_as(tmp_path / "events.csv")

        header, *lines = (tmp_path / "events.csv").read_text().splitlines()
        assert header.startswith("gateway,event_type,tenant,event_id")
        assert len(lines) == 1
        assert "evt_07" in lines[0]

    def test_assign_a_tenant(self, open_page: OpenPage) -> None:
        User.objects.update(is_superuser=True)
        event = make_event(customer_ref="cus_whose", state=PaymentEvent.State.UNMATCHED)
        page = open_page(f"{EVENTS}?state=unmatched&open={event.pk}")
        page.get_by_role("link", name="Assign a tenant").click()
        page.get_by_role("searchbox").fill("globex")
        page.get_by_role("searchbox").press("Enter")
        page.get_by_role("radio", name="Globex GmbH").check()

        page.get_by_role("button", name="Assign").click()

        expect(page.locator("main")).to_contain_text("is now of Globex GmbH")

    def test_log_out_and_in(self, open_page: OpenPage) -> None:
        clerk = User.objects.get()
        clerk.set_password("Korrekt-Pferd-1")
        clerk.save()
        # Who has a new password is logged out: the way back leads to the page that was asked for.
        page = open_page(INVOICES)
        log_in(page)
        expect(page.locator("h1")).to_contain_text("Payments & Invoices")
        assert page.url.endswith(INVOICES)

        page.get_by_role("button", name="Log out").click()
        page.get_by_role("link", name="Log in").click()
        log_in(page)

        expect(page.locator("h1")).to_be_visible()
        expect(page.get_by_role("button", name="Log out")).to_be_visible()


def log_in(page: Page) -> None:
    page.get_by_label("Username").fill("clerk")
    page.get_by_label("Password").fill("Korrekt-Pferd-1")
    page.get_by_role("button", name="Log in").click()


def rows(page: Page) -> Locator:
    return page.locator("tbody.row")


# What has the focus, and whether one can see that it has; nothing once the focus left the page.
FOCUS = """() => {
    const control = document.activeElement;
    if (control === document.body) return null;
    const style = getComputedStyle(control);
    const box = control.getBoundingClientRect();
    return {
        number: control.dataset.number,
        what: control.outerHTML.slice(0, 120),
        visible: style.outlineStyle !== 'none' && box.width > 1 && box.bottom > 0,
    };
}"""


@pytest.mark.usefixtures("globex")
class TestByKeyboard:
    def test_tab_reaches_every_control_and_shows_where_it_is(self, open_page: OpenPage) -> None:
        page = open_page(f"{EVENTS}?q=evt_07")
        # Whatever a mouse could press and is shown, the controls of closed menus not.
        there = page.locator("a[href], button, input:not([type=hidden]), select, summary")
        shown = [control for control in there.all() if control.is_visible()]
        for number, control in enumerate(shown):
            control.evaluate("(control, number) => control.dataset.number = number", number)

        reached, unseen = set(), []
        for _ in range(2 * len(shown)):
            page.keyboard.press("Tab")
            at = page.evaluate(FOCUS)
            if at is None:
                break
            reached.add(at["number"])
            if not at["visible"]:
                unseen.append(at["what"])

        assert reached >= {str(number) for number in range(len(shown))}
        assert not unseen

    def test_skip_link_leads_to_the_content(self, open_page: OpenPage) -> None:
        page = open_page(EVENTS)
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to content")
        expect(page.locator(":focus")).to_be_in_viewport()
        page.keyboard.press("Enter")

        page.keyboard.press("Tab")

        assert page.evaluate("document.activeElement.closest('main') !== null")

    def test_row_opens_and_closes(self, open_page: OpenPage) -> None:
        page = open_page(EVENTS)
        opener = page.get_by_role("link", name="Details of invoice.paid").first
        opener.focus()
        page.keyboard.press("Enter")
        expect(page.locator("tr.detail")).to_be_visible()
        expect(opener).to_be_focused()

        page.keyboard.press("Enter")

        expect(page.locator("tr.detail")).to_have_count(0)

    def test_menu_opens_closes_and_applies(self, open_page: OpenPage) -> None:
        page = open_page(EVENTS)
        chip = page.get_by_role("button", name="Gateway", exact=True)
        menu = page.get_by_role("group", name="Filter by: gateway")
        chip.focus()
        page.keyboard.press("Enter")
        expect(menu).to_be_visible()
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        expect(chip).to_be_focused()

        page.keyboard.press("Enter")
        expect(menu.get_by_role("checkbox", name="Stripe")).to_be_focused()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")

        expect(page.locator(".chip-on")).to_contain_text("Stripe")
