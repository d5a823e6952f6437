"""Tenants by hand: found, opened, given an event; and names that no layout expects."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import expect

from billing.models import Customer, PaymentEvent, Subscription, Tenant, TenantClaim
from tests.browser.conftest import OpenPage
from tests.factories import make_event, make_invoice, make_refund, make_tenant
from tests.inbox import again, arrive
from tests.payloads import load

WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
CALM: dict[str, Any] = {"reduced_motion": "reduce"}  # no transition that a slow machine aborts
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}

JAVASCRIPT = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no js"])
NAMES = {
    "a": "Donaudampfschifffahrtsgesellschaft" * 9,
    "b": "شركة النور للتجارة والخدمات المالية المحدودة " * 6,
    "c": "株式会社星野食品ホールディングス" * 18,
    "d": "👩‍👩‍👧‍👦🚀🎉" * 30,
}


def may_decide() -> None:
    User.objects.get().user_permissions.add(Permission.objects.get(codename="change_paymentevent"))


def unmatched() -> PaymentEvent:
    payload = load("stripe", "invoice.paid--basil")
    payload["data"]["object"]["metadata"] = {}
    payload["data"]["object"]["parent"]["subscription_details"]["metadata"] = {}
    [event] = arrive(payload)
    return event


def populate(name: str, mark: str = "r") -> tuple[Tenant, PaymentEvent]:
    """A tenant with everything, all of whose texts are as long as they may be."""
    tenant = make_tenant(name, key=name[:255])
    ref = mark * 255
    invoice = make_invoice(tenant=tenant, number=name[:255], amount_minor=10**15, ref=ref)
    make_invoice(tenant=tenant, currency="KWD", exponent=3, status="pending")
    make_refund(tenant=tenant)
    Subscription.objects.create(
        gateway="stripe", ref=ref, tenant=tenant, plan=name, quantity=10**12, status="past_due"
    )
    Customer.objects.create(gateway="paypal", ref=ref, tenant=tenant)
    for claimant in (tenant, make_tenant(f"{name} 2")):
        TenantClaim.objects.create(gateway="paypal", kind="customer", ref=ref, tenant=claimant)
    event = make_event(
        tenant=tenant, event_type="t" * 255, customer_ref=ref, invoice_ref=invoice.ref
    )
    return tenant, event


@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["wide", "phone"])
def test_no_name_is_too_long(open_page: OpenPage, screen: dict[str, Any]) -> None:
    """E13."""
    may_decide()
    made = [populate(name, mark) for mark, name in NAMES.items()]
    tenant, event = made[0]
    page = open_page("/admin/payments/tenants/", **screen)
    too_wide = []
    for path in (
        *("tenants/", f"events/?open={event.pk}", "invoices/", f"events/{event.pk}/assign/"),
        *(f"tenants/{tenant.pk}/subscriptions/", f"tenants/{tenant.pk}/customers/"),
        *(f"tenants/{tenant.pk}/" for tenant, _ in made),
    ):
        page.goto(f"/admin/payments/{path}")
        if page.evaluate("document.documentElement.scrollWidth") > screen["viewport"]["width"]:
            too_wide.append(path)

    assert too_wide == []


@JAVASCRIPT
def test_a_tenant_is_found_and_its_row_opens(open_page: OpenPage, javascript: bool) -> None:
    for n in range(60):
        make_tenant(f"Shop {n:02}")
    page = open_page("/admin/payments/tenants/", java_script_enabled=javascript, **CALM)

    page.get_by_role("link", name="Next").click()
    expect(page.locator("tbody.row").first).to_contain_text("Shop 25")
    page.get_by_role("searchbox").fill("shop 4")
    page.keyboard.press("Enter")

    expect(page.locator("tbody.row")).to_have_count(10)
    # By force: what lies over the cell is the link that opens the row.
    page.locator("td.c-subs").nth(7).click(force=True)
    expect(page.locator("h1")).to_contain_text("Shop 47")
    page.go_back()
    expect(page.locator("tbody.row")).to_have_count(10)


@JAVASCRIPT
def test_an_event_is_given_to_a_tenant(open_page: OpenPage, javascript: bool) -> None:
    may_decide()
    make_tenant("Acme")
    globex = make_tenant("Globex GmbH")
    event = unmatched()
    page = open_page("/admin/payments/tenants/", java_script_enabled=javascript, **CALM)

    page.get_by_role("link", name="Show them").click()
    page.get_by_role("link", name="Details of invoice.paid").click()
    page.get_by_role("link", name="Assign a tenant").click()
    page.get_by_role("searchbox").fill("globex")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio")).to_have_count(1)
    page.get_by_role("radio").check()
    page.get_by_role("button", name="Assign").click()

    expect(page.locator(".note.success")).to_contain_text("is now of Globex GmbH")
    expect(page.locator("tr.detail")).to_contain_text("Processed")
    assert [done.tenant for done in again([event])] == [globex]


@JAVASCRIPT
def test_nothing_is_assigned_without_a_choice(open_page: OpenPage, javascript: bool) -> None:
    may_decide()
    make_tenant("Acme")
    event = unmatched()
    page = open_page(f"/admin/payments/events/{event.pk}/assign/", java_script_enabled=javascript)

    page.get_by_role("button", name="Assign").click()

    # The browser itself asks for one.
    assert "assign" in page.url
    assert not TenantClaim.objects.filter(by_person=True).exists()
