"""The page that says what is done with which events."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.inbox import arrive
from tests.payloads import load
from webhooks.registry import gateways

pytestmark = pytest.mark.django_db


def test_every_type_with_what_happens_and_how_often_it_was_seen(admin_client: Client) -> None:
    payload = load("stripe", "invoice.paid--basil")
    arrive(payload, {**payload, "id": "evt_2"})
    shown = admin_client.get(reverse("tracked_events")).content.decode()
    for gateway in gateways().values():
        for event_type, tracked in gateway.tracked.items():
            assert event_type in shown
            assert tracked.effect.replace("'", "&#x27;") in shown
    row = shown[shown.index(">invoice.paid<") :]
    assert ">2<" in row[: row.index("</tr>")]


def test_what_happens_is_said_in_the_readers_language(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.pages.gettext", {"Invoice paid": "Rechnung bezahlt"}.get)
    assert "Rechnung bezahlt" in admin_client.get(reverse("tracked_events")).text


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("invoice.PAID", ["invoice.paid", "INVOICING.INVOICE.PAID"]),
        ("dispute won", ["charge.dispute.closed", "CUSTOMER.DISPUTE.RESOLVED"]),
        ("of no type", []),
        ("<script>", []),
        ("\0", []),
        ("x" * 5000, []),
    ],
)
def test_search_by_type_or_by_what_happens(
    admin_client: Client, term: str, found: list[str]
) -> None:
    response = admin_client.get(reverse("tracked_events"), {"q": term})

    assert response.text.count('<tbody class="row">') == len(found)
    assert all(f">{event_type}<" in response.text for event_type in found)
    assert ("No type of event matches" in response.text) == (not found)
    assert "<script>" not in response.text
    assert "x" * 101 not in response.text


def test_in_one_query(
    admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):  # session, user, and one of its own
        admin_client.get(reverse("tracked_events"))


def test_only_for_staff_that_may_see_events(client: Client) -> None:
    assert client.get(reverse("tracked_events")).status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(reverse("tracked_events")).status_code == 403
