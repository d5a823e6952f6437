"""What a person can do about an event in the admin: say whose it is, have it tried again."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import PaymentEvent, Tenant, TenantClaim
from tests.inbox import again, arrive, record
from tests.payloads import load
from webhooks.processing import process_batch

pytestmark = pytest.mark.django_db

LIST = "admin:billing_paymentevent_changelist"


@pytest.fixture
def acme() -> Tenant:
    return Tenant.objects.create(key="acme", name="Acme Robotics")


def unmatched() -> list[PaymentEvent]:
    payload = load("stripe", "invoice.paid--basil")
    payload["data"]["object"]["metadata"] = {}
    payload["data"]["object"]["parent"]["subscription_details"]["metadata"] = {}
    events = arrive(payload, {**payload, "id": "evt_again"})
    assert {event.state for event in events} == {"unmatched"}
    return events


def act(client: Client, action: str, events: list[PaymentEvent], **more: object) -> str:
    data = {"action": action, "_selected_action": [event.pk for event in events], **more}
    answer = client.post(reverse(LIST), data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_assigning_asks_for_a_tenant_first(admin_client: Client, acme: Tenant) -> None:
    event, _ = unmatched()
    page = act(admin_client, "assign_tenant", [event])
    assert event.event_id in page
    assert not TenantClaim.objects.filter(by_person=True).exists()


def test_an_assignment_moves_everything_of_the_customer(
    admin_client: Client, admin_user: User, acme: Tenant
) -> None:
    events = unmatched()
    page = act(admin_client, "assign_tenant", events[:1], assign="Assign", tenant=acme.pk)
    assert "now belong to Acme Robotics" in page
    assert [(event.state, event.tenant) for event in again(events)] == [("processed", acme)] * 2
    claim = TenantClaim.objects.get(by_person=True)
    assert (claim.kind, claim.assigned_by) == ("customer", admin_user)


def test_an_event_that_names_nothing_cannot_be_assigned(admin_client: Client, acme: Tenant) -> None:
    [event] = record({"object": "event", "id": "evt_1", "type": "ping", "data": {"object": {}}})
    page = act(admin_client, "assign_tenant", [event], assign="Assign", tenant=acme.pk)
    assert "1 event names nothing" in page


def test_without_a_tenant_nothing_is_assigned(admin_client: Client) -> None:
    events = unmatched()
    assert "This field is required" in act(
        admin_client, "assign_tenant", events, assign="Assign", tenant=""
    )
    assert not TenantClaim.objects.filter(by_person=True).exists()


def test_a_failed_event_is_tried_again(admin_client: Client) -> None:
    payload = load("stripe", "invoice.paid--basil")
    payload["data"]["object"]["total"] = "12.50"
    [failed] = arrive(payload)
    assert (failed.state, failed.next_attempt_at) == ("failed", None)
    assert "1 event is tried again" in act(admin_client, "try_again", [failed])
    [due] = again([failed])
    assert due.next_attempt_at is not None
    assert due.next_attempt_at <= timezone.now()
    assert process_batch() == 1


def test_those_who_may_only_look_cannot_decide(client: Client, acme: Tenant) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_paymentevent"))
    client.force_login(reader)
    events = unmatched()
    act(client, "assign_tenant", events, assign="Assign", tenant=acme.pk)
    assert not TenantClaim.objects.filter(by_person=True).exists()


def test_e3_only_a_post_with_the_sites_own_token_acts(admin_user: User, acme: Tenant) -> None:
    events = unmatched()
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    data: dict[str, Any] = {
        "action": "assign_tenant",
        "assign": "Assign",
        "tenant": acme.pk,
        "_selected_action": [event.pk for event in events],
    }
    assert client.post(reverse(LIST), data).status_code == 403
    client.get(reverse(LIST), data)
    assert not TenantClaim.objects.filter(by_person=True).exists()
