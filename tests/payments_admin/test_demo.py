"""The demo's webhooks: what a newcomer sees, and what their gateways would really send."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from webhooks.demo.story import COMPANIES, story
from webhooks.gateways import paypal_events, stripe_events

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_second_start_finds_the_same_ids() -> None:
    first = [post.event_id for post in story(NOW)]
    later = [post.event_id for post in story(NOW + timedelta(days=3))]
    assert first == later
    assert len(set(first)) == len(first)


def test_it_is_about_the_last_forty_days() -> None:
    posts = story(NOW)
    assert 150 <= len(posts) <= 250
    assert all(NOW - timedelta(days=40) < post.occurred_at < NOW for post in posts)


def test_the_tracked_events_of_the_product_are_all_there() -> None:
    types = Counter(_event_type(json.loads(post.body)) for post in story(NOW))
    assert {
        "checkout.session.completed",
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "invoice.payment_failed",
        "BILLING.SUBSCRIPTION.CREATED",
        "BILLING.SUBSCRIPTION.ACTIVATED",
        "BILLING.SUBSCRIPTION.CANCELLED",
        "BILLING.SUBSCRIPTION.SUSPENDED",
    } <= set(types)
    known = {*stripe_events.EVENTS, *paypal_events.EVENTS}
    assert set(types) - known == {"product.updated"}, "one type changes nothing, on purpose"


def test_both_of_stripes_shapes_occur() -> None:
    invoices = [
        event["data"]["object"]
        for event in (json.loads(post.body) for post in story(NOW))
        if _event_type(event) == "invoice.paid"
    ]
    assert any("parent" in invoice and "subscription" not in invoice for invoice in invoices)
    assert any("subscription" in invoice and "parent" not in invoice for invoice in invoices)


def test_five_currencies_with_and_without_decimals() -> None:
    assert {company.currency for company in COMPANIES} == {"USD", "EUR", "GBP", "JPY", "KWD"}


def test_tax_is_a_whole_number_of_minor_units() -> None:
    acme = COMPANIES[0]
    assert acme.tax_minor(100) == 8  # 8.25 %
    assert acme.tax_minor(200) == 17  # 16.5, half up


def _event_type(event: dict[str, str]) -> str:
    return event.get("type") or event["event_type"]
