"""DESIGN, "tenant of an event", line by line; and B13, B14."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User

from billing import ledger
from billing.ledger import sql
from billing.ledger.tenancy import BEST_CLAIM, LEVELS, NAMES, Level
from billing.models import (
    Customer,
    Invoice,
    PaymentEvent,
    Refund,
    Subscription,
    Tenant,
    TenantClaim,
)
from billing.models.gateway import GatewayObject
from tests import inbox, payloads
from tests.ledger_state import snapshot
from tests.orders import every_order
from tests.payloads import Payload, paypal, stripe
from webhooks.rebuilding import rebuild

pytestmark = pytest.mark.django_db

T0 = 1747300000
CUSTOMER, SUBSCRIPTION = "cus_SBraeCycles001", "sub_1RBraeWorkshop01"


def claiming(name: str, tenant: str | None, **changes: Any) -> Payload:
    """An event in today's shape whose metadata names a tenant, or none."""
    event = stripe(f"{name}--basil", **changes)
    thing = payloads.thing("stripe", event)
    metadata = {"tenant_id": tenant} if tenant else {}
    thing["metadata"] = metadata
    if "parent" in thing:
        thing["parent"]["subscription_details"]["metadata"] = metadata
    if "client_reference_id" in thing:
        thing["client_reference_id"] = None
    return event


def tenants(state: Any, table: str) -> set[str | None]:
    return {row["tenant"] for row in state[table]}


# --- 1. The known gateway customer ----------------------------------------------------------


def test_a_known_customer_tells_the_tenant_of_events_that_name_no_tenant() -> None:
    state = every_order(
        claiming("customer.subscription.created", "brae-cycles"),
        claiming("invoice.paid", None),
        claiming("charge.refunded", None),
    )
    for table in ("customer", "subscription", "invoice", "refund", "paymentevent"):
        assert tenants(state, table) == {"brae-cycles"}


def test_a_known_customer_beats_metadata_and_the_conflict_is_kept() -> None:
    """B14: an event of tenant A that carries tenant B's customer."""
    state = every_order(
        claiming("customer.subscription.created", "first", at=T0),
        claiming("invoice.paid", "second", at=T0 + 60),
        claiming("invoice.updated", "second", at=T0 + 30, event_id="evt_u"),
    )
    for table in ("customer", "subscription", "invoice", "paymentevent"):
        assert tenants(state, table) == {"first"}
    claims = [(claim["ref"], claim["tenant"]) for claim in state["tenantclaim"]]
    assert sorted(claims) == [(CUSTOMER, "first"), (CUSTOMER, "second")]


def test_of_two_claims_the_earlier_by_gateway_time_wins_in_any_order() -> None:
    state = every_order(
        claiming("invoice.paid", "later", at=T0 + 60, event_id="evt_a"),
        claiming("invoice.updated", "earlier", at=T0 + 30, event_id="evt_z"),
        claiming("invoice.created", None, at=T0),
    )
    assert tenants(state, "invoice") == {"earlier"}


def test_of_two_claims_in_one_second_the_more_trusted_wins() -> None:
    from_browser = claiming("checkout.session.completed", None, at=T0, event_id="evt_a")
    payloads.thing("stripe", from_browser)["client_reference_id"] = "typed-by-buyer"
    state = every_order(from_browser, claiming("invoice.paid", "platform", at=T0, event_id="evt_z"))
    assert tenants(state, "customer") == {"platform"}


def test_of_two_claims_in_one_second_equally_trusted_the_lesser_event_id_wins() -> None:
    state = every_order(
        claiming("invoice.paid", "b", at=T0, event_id="evt_a"),
        claiming("invoice.updated", "a", at=T0, event_id="evt_B"),
    )
    # As bytes, not as the database's language sorts: "B" is before "a".
    assert tenants(state, "customer") == {"a"}


def test_a_claim_that_comes_again_later_does_not_become_later() -> None:
    state = every_order(
        claiming("invoice.created", "first", at=T0, event_id="evt_1"),
        claiming("invoice.updated", "second", at=T0 + 30, event_id="evt_2"),
        claiming("invoice.paid", "first", at=T0 + 60, event_id="evt_3"),
    )
    assert tenants(state, "invoice") == {"first"}
    assert {c["event_id"] for c in state["tenantclaim"]} == {"evt_1", "evt_2"}


# --- 2. The known subscription --------------------------------------------------------------


def test_a_subscription_teaches_its_customer_and_the_customer_all_else() -> None:
    """PayPal: a sale names only the subscription, the subscription names the payer."""
    other = paypal("BILLING.SUBSCRIPTION.CREATED--v2", event_id="WH-OTHER", id="I-OTHER")
    del payloads.thing("paypal", other)["custom_id"]
    subscription = paypal("BILLING.SUBSCRIPTION.ACTIVATED--v2", custom_id=...)
    state = every_order(paypal("PAYMENT.SALE.COMPLETED--v1"), subscription, other)
    for table in ("customer", "subscription", "invoice", "paymentevent"):
        assert tenants(state, table) == {"brae-cycles"}


def test_a_sale_without_custom_is_found_by_its_subscription() -> None:
    state = every_order(
        paypal("PAYMENT.SALE.COMPLETED--v1", custom=...),
        paypal("PAYMENT.SALE.REFUNDED--v1"),
        paypal("BILLING.SUBSCRIPTION.CREATED--v2"),
    )
    for table in ("invoice", "refund", "payment", "paymentevent"):
        assert tenants(state, table) == {"brae-cycles"}


# --- 3. and 4. What the event itself carries ------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(stripe("invoice.paid--2022"), id="subscription_details.metadata"),
        pytest.param(stripe("invoice.paid--basil"), id="parent…metadata"),
        pytest.param(stripe("customer.subscription.created--2017"), id="metadata"),
        pytest.param(
            stripe("checkout.session.completed--basil", metadata={}), id="client_reference_id"
        ),
        pytest.param(paypal("BILLING.SUBSCRIPTION.CREATED--v2"), id="custom_id"),
        pytest.param(paypal("BILLING.SUBSCRIPTION.CREATED--v1"), id="custom"),
        pytest.param(paypal("PAYMENT.SALE.COMPLETED--v1-one-off"), id="custom of a sale"),
    ],
)
def test_a_tenant_id_in_the_event_makes_the_tenant(event: Payload) -> None:
    (applied,) = inbox.arrive(event)
    assert applied.tenant == Tenant.objects.get(key="brae-cycles")
    assert applied.state == PaymentEvent.State.PROCESSED


def test_a_tenant_that_is_there_is_not_made_again_nor_renamed() -> None:
    known = Tenant.objects.create(key="brae-cycles", name="Brae Cycles Ltd")
    (applied,) = inbox.arrive(stripe("invoice.paid--basil"))
    assert applied.tenant == known
    assert Tenant.objects.get().name == "Brae Cycles Ltd"


def test_a_tenant_is_never_guessed_from_a_name_or_an_address() -> None:
    Tenant.objects.create(
        key="brae", name="Brae Cycles", billing_email="accounts@brae-cycles.example"
    )
    (applied,) = inbox.arrive(claiming("checkout.session.completed", None))
    assert applied.tenant is None


# --- None found -----------------------------------------------------------------------------


def test_without_any_tenant_it_is_applied_all_the_same_and_unmatched() -> None:
    (applied,) = inbox.arrive(claiming("invoice.paid", None))
    assert applied.state == PaymentEvent.State.UNMATCHED
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.amount_minor, invoice.tenant) == ("paid", 12100, None)


def test_unmatched_events_are_processed_when_the_customer_is_learnt() -> None:
    early = inbox.arrive(claiming("invoice.created", None), claiming("invoice.paid", None))
    assert {event.state for event in early} == {PaymentEvent.State.UNMATCHED}
    inbox.arrive(stripe("checkout.session.completed--basil"))
    assert {(e.state, str(e.tenant)) for e in inbox.again(early)} == {("processed", "brae-cycles")}


def test_a_refund_that_only_names_a_charge_is_matched_when_its_invoice_arrives() -> None:
    (refund,) = inbox.arrive(stripe("refund.created--2022"))
    assert refund.state == PaymentEvent.State.UNMATCHED
    inbox.arrive(stripe("invoice.paid--2022"))
    (refund,) = inbox.again([refund])
    assert (refund.state, str(refund.tenant)) == ("processed", "brae-cycles")
    assert str(Refund.objects.get().tenant) == "brae-cycles"


def test_a_refund_reaches_its_invoice_through_intent_and_link_since_basil() -> None:
    (refund,) = inbox.arrive(stripe("refund.created--basil"))
    inbox.arrive(stripe("invoice.paid--basil"))
    assert inbox.again([refund])[0].state == PaymentEvent.State.UNMATCHED
    inbox.arrive(stripe("invoice_payment.paid--basil"))
    assert inbox.again([refund])[0].state == PaymentEvent.State.PROCESSED


def test_an_event_that_names_nothing_but_itself_can_still_be_assigned() -> None:
    (refund,) = inbox.arrive(paypal("PAYMENT.SALE.REFUNDED--v1-website"))
    assert refund.state == PaymentEvent.State.UNMATCHED
    tenant = Tenant.objects.create(key="brae-cycles", name="Brae")
    assert ledger.assign_tenant([refund], tenant, None) == 1
    assert inbox.again([refund])[0].tenant == tenant
    assert Refund.objects.get().tenant == tenant


# --- A person's word ------------------------------------------------------------------------


@pytest.fixture
def person() -> User:
    return User.objects.create_user("ada", is_staff=True)


@pytest.fixture
def right() -> Tenant:
    return Tenant.objects.create(key="right", name="The right one")


def assigned_everywhere(events: list[PaymentEvent], tenant: Tenant) -> bool:
    rows: list[PaymentEvent | GatewayObject] = [
        *inbox.again(events),
        *Customer.objects.all(),
        # One that is only named has not said whose it is.
        *Subscription.objects.exclude(status=None),
        *Invoice.objects.all(),
        *Refund.objects.all(),
    ]
    return {row.tenant for row in rows} == {tenant}


def test_a_persons_word_beats_every_claim_and_moves_everything(person: User, right: Tenant) -> None:
    events = inbox.arrive(
        claiming("customer.subscription.created", "wrong"),
        claiming("invoice.paid", "wrong"),
        claiming("charge.refunded", None),
    )
    assert ledger.assign_tenant([events[1]], right, person) == 1
    assert assigned_everywhere(events, right)
    claim = TenantClaim.objects.get(by_person=True)
    assert (claim.kind, claim.ref, claim.assigned_by) == ("customer", CUSTOMER, person)


def test_a_persons_word_holds_against_earlier_claims_that_arrive_later(
    person: User, right: Tenant
) -> None:
    (event,) = inbox.arrive(claiming("invoice.paid", None))
    ledger.assign_tenant([event], right, person)
    more = inbox.arrive(claiming("customer.subscription.created", "wrong", at=T0 - 9999))
    assert assigned_everywhere([event, *more], right)


def test_a_persons_word_teaches_what_waited_and_what_comes(person: User, right: Tenant) -> None:
    waiting = inbox.arrive(claiming("invoice.paid", None), claiming("charge.refunded", None))
    ledger.assign_tenant(waiting[:1], right, person)
    later = inbox.arrive(claiming("customer.subscription.created", None))
    assert assigned_everywhere([*waiting, *later], right)
    assert {event.state for event in inbox.again([*waiting, *later])} == {"processed"}


def test_a_persons_word_survives_a_rebuild(person: User, right: Tenant) -> None:
    events = inbox.arrive(claiming("invoice.paid", "wrong"), claiming("charge.refunded", None))
    ledger.assign_tenant(events[:1], right, person)
    before = snapshot()
    assert set(rebuild().values()) == {0}
    assert snapshot() == before
    assert assigned_everywhere(events, right)


def test_a_person_may_change_their_mind(person: User, right: Tenant) -> None:
    events = inbox.arrive(claiming("invoice.paid", None))
    other = Tenant.objects.create(key="other", name="Other")
    ledger.assign_tenant(events, other, person)
    ledger.assign_tenant(events, right, person)
    assert assigned_everywhere(events, right)
    assert TenantClaim.objects.filter(by_person=True).count() == 1


def test_an_event_that_names_nothing_cannot_be_assigned(person: User, right: Tenant) -> None:
    (event,) = inbox.arrive(stripe("invoice.paid--basil") | {"type": "plan.created"})
    assert ledger.assign_tenant([event], right, person) == 0
    assert inbox.again([event])[0].tenant is None


def test_one_gateways_customer_is_not_the_others_by_the_same_name() -> None:
    event = claiming("invoice.paid", "brae-cycles", customer="SAME", event_id="evt_1")
    other = paypal("BILLING.SUBSCRIPTION.ACTIVATED--v2", custom_id=...)
    payloads.thing("paypal", other)["subscriber"]["payer_id"] = "SAME"
    state = every_order(event, other)
    assert {(c["gateway"], c["tenant"]) for c in state["customer"]} == {
        ("stripe", "brae-cycles"),
        ("paypal", None),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("level", [level for level in LEVELS if level.kind], ids=lambda it: it.kind)
def test_the_claims_on_an_object_are_found_by_its_names_in_the_index(level: Level) -> None:
    """However many there are, and whatever the planner knows of them: here nothing."""
    claim = BEST_CLAIM.format(names=NAMES[level.kind])
    plan = "\n".join(
        line for (line,) in sql.fetch(f"EXPLAIN SELECT ({claim}) FROM {level.table} x")
    )
    [scan] = re.findall(r"on billing_tenantclaim\b.*\n\s+Index Cond: (.*)", plan)
    assert re.findall(r"(\w+) = ", scan) == ["gateway", "kind", "ref"]
