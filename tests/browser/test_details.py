"""The expanded row, the payload and the page of an invoice, as their readers use them."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Page, expect

from billing.masking import MASK
from billing.models import PaymentEvent
from tests.browser.conftest import OpenPage
from tests.browser.test_pages import JAVASCRIPT, PHONE
from tests.inbox import arrive
from tests.payloads import load

EMAIL = "accounts@brae-cycles.example"


@pytest.fixture
def charge() -> PaymentEvent:
    payload = load("stripe", "charge.succeeded--basil")
    payload["data"]["object"]["description"] = "a line that is wider than any phone " * 5
    arrive(load("stripe", "invoice.paid--basil"), load("stripe", "invoice_payment.paid--basil"))
    return arrive(payload)[0]


def opened(open_page: OpenPage, event: PaymentEvent, **options: Any) -> Page:
    return open_page(f"/admin/payments/events/?open={event.pk}", **options)


def test_the_payload_is_copied_as_it_is_shown(open_page: OpenPage, charge: PaymentEvent) -> None:
    page = opened(open_page, charge)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    page.locator(".payload").get_by_role("button", name="Copy").click()

    expect(page.locator("#status")).to_have_text("Copied")
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    details = copied["data"]["object"]["billing_details"]
    assert details == {"email": MASK, "name": MASK, "phone": None}


def test_the_payload_is_scrolled_by_keyboard(open_page: OpenPage, charge: PaymentEvent) -> None:
    page = opened(open_page, charge)
    region = page.get_by_role("region", name="Event payload")

    region.focus()
    page.keyboard.press("End")

    expect(region).to_be_focused()
    page.keyboard.press("PageDown")
    page.wait_for_timeout(300)
    assert region.evaluate("region => region.scrollTop") > 0


@JAVASCRIPT
def test_the_whole_payload_and_back(
    open_page: OpenPage, charge: PaymentEvent, javascript: bool
) -> None:
    clerk = User.objects.get(username="clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="view_payload"))
    page = opened(open_page, charge, java_script_enabled=javascript)
    expect(page.locator(".json")).not_to_contain_text(EMAIL)

    page.get_by_role("button", name="Show whole").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Whole payload")
    expect(page.locator(".json")).to_contain_text(EMAIL)
    assert LogEntry.objects.get().user == clerk

    page.get_by_role("link", name="Payment event", exact=True).click()

    expect(page.locator("tr.detail .json")).to_contain_text("charge.succeeded")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(
    open_page: OpenPage, charge: PaymentEvent, scheme: str
) -> None:
    charge.changes = [["payment", "ch_" + 60 * "x", "customer", None, "cus_" + 60 * "x"]]
    charge.save(update_fields=["changes"])
    page = opened(open_page, charge, color_scheme=scheme, **PHONE)

    assert page.evaluate("document.documentElement.scrollWidth") == 390

    page.get_by_role("link", name="View invoice").click()

    expect(page.locator(".figures")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
