"""Where a person says whose an event is."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from billing.models import PaymentEvent, Tenant, TenantClaim
from tests.factories import make_event, make_staff, make_tenant
from tests.inbox import again, arrive
from tests.payloads import load

pytestmark = pytest.mark.django_db

DECIDER = ("view_paymentevent", "view_tenant", "change_paymentevent")


@pytest.fixture
def decider(db: None) -> Client:
    client = Client()
    client.force_login(make_staff(*DECIDER))
    return client


@pytest.fixture
def acme() -> Tenant:
    return make_tenant("Acme Robotics", key="acme")


def unmatched(*ids: str) -> list[PaymentEvent]:
    payload = load("stripe", "invoice.paid--basil")
    payload["data"]["object"]["metadata"] = {}
    payload["data"]["object"]["parent"]["subscription_details"]["metadata"] = {}
    events = arrive(*({**payload, "id": id_} for id_ in ids or ("evt_first",)))
    assert {event.state for event in events} == {"unmatched"}
    return events


def address(event: PaymentEvent) -> str:
    return reverse("billing:assign", args=[event.pk])


def test_the_expanded_row_leads_there(decider: Client) -> None:
    [event] = unmatched()
    matched = make_event(tenant=make_tenant())
    events = reverse("billing:events")

    assert address(event) in decider.get(events, {"open": event.pk}).text
    assert address(matched) not in decider.get(events, {"open": matched.pk}).text


def test_a_conflict_is_decided_there_too(decider: Client, acme: Tenant) -> None:
    event = make_event(customer_ref="cus_1", tenant=acme)
    for tenant in (acme, make_tenant("Globex")):
        TenantClaim.objects.create(
            gateway="stripe", kind="customer", ref="cus_1", tenant=tenant, event_id="evt_first"
        )
    opened = (reverse("billing:events"), {"open": event.pk})
    assert "Decide whose it is" in decider.get(*opened).text

    decider.post(address(event), {"tenant": acme.pk})

    assert "Decide whose it is" not in decider.get(*opened).text


def test_assigning_moves_everything_of_the_customer(decider: Client, acme: Tenant) -> None:
    events = unmatched("evt_first", "evt_second")

    answer = decider.post(address(events[0]), {"tenant": acme.pk}, follow=True)

    assert [(event.state, event.tenant) for event in again(events)] == [("processed", acme)] * 2
    claim = TenantClaim.objects.get(by_person=True)
    assert (claim.kind, claim.assigned_by) == ("customer", User.objects.get())
    # Nothing else waits, so the event itself is shown, and what was done.
    assert answer.redirect_chain == [
        (f"{reverse('billing:events')}?q=evt_first&open={events[0].pk}", 302)
    ]
    assert f"{events[0].customer_ref}, and all that belongs to it, is now of Acme" in answer.text
    assert 'class="detail"' in answer.text


def test_while_others_wait_the_queue_is_next(decider: Client, acme: Tenant) -> None:
    [event] = unmatched()
    make_event(state="unmatched", customer_ref="cus_other")

    answer = decider.post(address(event), {"tenant": acme.pk})

    assert answer["Location"] == f"{reverse('billing:events')}?state=unmatched"


@pytest.mark.parametrize(
    ("tenant", "said"),
    [("", "Choose a tenant."), ("0", "does not exist any more"), ("9" * 30, "does not exist")],
)
def test_without_a_tenant_nothing_is_assigned(
    decider: Client, acme: Tenant, tenant: str, said: str
) -> None:
    [event] = unmatched()

    answer = decider.post(address(event), {"tenant": tenant})

    assert said in answer.text
    assert not TenantClaim.objects.filter(by_person=True).exists()


def test_the_tenant_is_found_by_typing(decider: Client, acme: Tenant) -> None:
    [event] = unmatched()
    make_tenant("Globex GmbH", key="gx-7")

    def offered(term: str) -> list[str]:
        page = decider.get(address(event), {"q": term})
        return [tenant.name for tenant in page.context["choices"]]

    assert offered("") == ["Acme Robotics", "Globex GmbH"]
    assert offered("glob") == ["Globex GmbH"]
    assert offered("gx-7") == ["Globex GmbH"]
    assert offered("gx-7\0") == ["Globex GmbH"]
    assert "No tenant has “nobody”" in decider.get(address(event), {"q": "nobody"}).text


def test_no_more_than_a_page_of_tenants_is_offered(
    decider: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    [event] = unmatched()
    for n in range(30):
        make_tenant(f"Tenant {n:02}")

    # The session, the user, the permissions; the event and the tenants.
    with django_assert_num_queries(5):
        page = decider.get(address(event))

    assert page.text.count('type="radio"') == 10
    assert "There are more" in page.text


def test_an_event_that_names_nothing_cannot_be_assigned(decider: Client, acme: Tenant) -> None:
    event = make_event(state="unmatched")

    assert "names no customer" in decider.get(address(event)).text
    assert "names no customer" in decider.post(address(event), {"tenant": acme.pk}).text
    assert not TenantClaim.objects.exists()


@pytest.mark.parametrize("missing", DECIDER)
def test_those_who_may_only_look_cannot_decide(missing: str, acme: Tenant) -> None:
    client = Client()
    client.force_login(make_staff(*(name for name in DECIDER if name != missing)))
    [event] = unmatched()

    assert client.get(address(event)).status_code == 403
    assert client.post(address(event), {"tenant": acme.pk}).status_code == 403
    assert not TenantClaim.objects.filter(by_person=True).exists()
    if missing != "view_paymentevent":
        row = client.get(reverse("billing:events"), {"open": event.pk}).text
        assert address(event) not in row


def test_e3_only_a_post_with_the_sites_own_token_acts(acme: Tenant) -> None:
    [event] = unmatched()
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_staff(*DECIDER))

    assert client.post(address(event), {"tenant": acme.pk}).status_code == 403
    assert client.get(address(event), {"tenant": acme.pk}).status_code == 200
    assert not TenantClaim.objects.filter(by_person=True).exists()


@pytest.mark.parametrize("pk", ["0", "9" * 30])
def test_an_unknown_event(decider: Client, pk: str) -> None:
    assert decider.get(f"/admin/payments/events/{pk}/assign/").status_code == 404
