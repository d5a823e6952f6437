"""Tenants: finding one, and what belongs to it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, TypeVar

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from django.db.models.lookups import IStartsWith

from billing.models import Customer, Invoice, PaymentEvent, Subscription, Tenant, TenantClaim
from billing.queries import lists
from billing.queries.reads import Read, Sql

Row = TypeVar("Row", bound=Model)

#: How many tenants are offered to choose from.
CHOICES, IN_MENU = 10, 50
#: How much of each kind the page of one tenant shows.
SHOWN = 10
#: How far back conflicts are looked for: a tenant may have a claim for each of its payments.
CLAIMS_SEARCHED = 1000

# Counted in the index, for each tenant up to a limit.
ACTIVE = """
    SELECT tenant, (SELECT count(*) FROM (
        SELECT FROM billing_subscription WHERE tenant_id = tenant AND status = 'active' LIMIT %s
    ) AS counted)
    FROM unnest(%s::bigint[]) AS tenants (tenant)
"""


def tenants() -> QuerySet[Tenant]:
    """All tenants by name, ``by_name``, which is the name without regard to capitals."""
    return Tenant.objects.annotate(by_name=Lower("name")).order_by("by_name", "pk")


def search(queryset: QuerySet[Tenant], term: str) -> QuerySet[Tenant]:
    """Tenants with ``term`` in their name or key, in any script, whatever its capitals."""
    return queryset.filter(pk__in=RawSQL("SELECT billing_tenants_with(%s)", [term]))


def matching(term: str) -> QuerySet[Tenant]:
    """Tenants that match, or all: those whose name begins with it first, then by name."""
    if not term:
        return tenants()
    begins = IStartsWith(F("name"), term)
    return search(tenants(), term).order_by(begins.desc(), Lower("name"), "pk")


def choices(term: str) -> tuple[list[Tenant], bool]:
    """The first tenants that match, and whether there are more."""
    found = list(matching(term)[: CHOICES + 1])
    return found[:CHOICES], len(found) > CHOICES


def menu(term: str, chosen: Collection[str]) -> Read[tuple[list[Tenant], bool]]:
    """The tenants with the keys ``chosen``, the first others that match, whether there are more."""
    others = matching(term).exclude(key__in=chosen)[: IN_MENU + 1]
    named = tenants().filter(key__in=chosen)

    def both(named: Iterable[Tenant], others: Iterable[Tenant]) -> tuple[list[Tenant], bool]:
        rest = list(others)
        return [*named, *rest[:IN_MENU]], len(rest) > IN_MENU

    return Read(both, named, others)


def name_of(pk: int) -> str | None:
    """What the tenant is sorted by."""
    return Tenant.objects.filter(pk=pk).values_list(Lower("name"), flat=True).first()


def active_subscriptions(ids: Collection[int]) -> Read[dict[int, int]]:
    """How many subscriptions of each tenant are active, up to one more than `COUNT_LIMIT`."""
    return Read(dict, Sql(ACTIVE, [lists.COUNT_LIMIT + 1, list(ids)], columns=2))


@dataclass(frozen=True, slots=True)
class Newest(Generic[Row]):
    """The newest rows of a kind, and how many there are in all; bounded."""

    rows: list[Row]
    count: int

    @property
    def is_everything(self) -> bool:
        return len(self.rows) == self.count


@dataclass(frozen=True, slots=True)
class TenantDetail:
    """What is newest of each kind of one tenant. Invoices and events only for who may see them.

    ``claims`` are those on one object each, the one that counts first: a person's, else the
    earliest by gateway time. Only of what others claim too, or a person has assigned.
    """

    subscriptions: Newest[Subscription]
    customers: Newest[Customer]
    invoices: list[Invoice]
    events: list[PaymentEvent]
    claims: list[list[TenantClaim]]

    @property
    def is_contested(self) -> bool:
        """Whether a person should say whose something is."""
        return any(not claims[0].by_person for claims in self.claims)


def tenant(pk: int) -> Tenant | None:
    return Tenant.objects.filter(pk=pk).first()


def tenant_detail(tenant: Tenant, *, with_invoices: bool, with_events: bool) -> Read[TenantDetail]:
    invoices = lists.invoices().filter(tenant=tenant).order_by("-created_at", "-id")
    events = lists.events().filter(tenant=tenant).order_by("-received_at", "-id")
    return Read(
        lambda subscriptions, customers, invoices, events, claims: TenantDetail(
            subscriptions, customers, list(invoices), list(events), claims
        ),
        _newest(subscriptions(tenant)),
        _newest(customers(tenant)),
        invoices[:SHOWN] if with_invoices else invoices.none(),
        events[:SHOWN] if with_events else events.none(),
        _claims(tenant),
    )


def _newest(queryset: QuerySet[Row]) -> Read[Newest[Row]]:
    return Read(
        lambda rows, count: Newest(list(rows), count),
        queryset.order_by("-id")[:SHOWN],
        lists.bounded_count(lists.Rows(queryset)),
    )


def subscriptions(tenant: Tenant) -> QuerySet[Subscription]:
    return Subscription.objects.filter(tenant=tenant).defer("stamps")


def customers(tenant: Tenant) -> QuerySet[Customer]:
    return Customer.objects.filter(tenant=tenant).defer("stamps")


def _claims(tenant: Tenant) -> Read[list[list[TenantClaim]]]:
    of_others = TenantClaim.objects.filter(
        gateway=OuterRef("gateway"), kind=OuterRef("kind"), ref=OuterRef("ref")
    ).exclude(tenant=tenant)
    latest = TenantClaim.objects.filter(tenant=tenant).order_by("-id")[:CLAIMS_SEARCHED]
    objects = (
        TenantClaim.objects.filter(
            Q(by_person=True) | Exists(of_others), pk__in=latest.values("pk")
        )
        .order_by("-id")
        .values_list("gateway", "kind", "ref")[:SHOWN]
    )
    return Read(_claims_on, objects)


def _claims_on(objects: Iterable[tuple[str, str, str]]) -> list[list[TenantClaim]]:
    wanted = Q()
    for gateway, kind, ref in objects:
        wanted |= Q(gateway=gateway, kind=kind, ref=ref)
    if not wanted:
        return []
    claims = (
        TenantClaim.objects.filter(wanted)
        .select_related("tenant", "assigned_by")
        .order_by("gateway", "kind", "ref", "-by_person", "claimed_at_ms", "trust", "event_id")
    )
    same = groupby(claims, key=lambda claim: (claim.gateway, claim.kind, claim.ref))
    return [list(group) for _object, group in same]


def event(pk: int) -> PaymentEvent | None:
    return lists.events().filter(pk=pk).first()


def unmatched() -> Read[int]:
    """How many events were applied, but have a tenant that a person has to say; bounded."""
    unmatched = PaymentEvent.objects.filter(state=PaymentEvent.State.UNMATCHED)
    return lists.bounded_count(lists.Rows(unmatched))


def any_unmatched() -> bool:
    return PaymentEvent.objects.filter(state=PaymentEvent.State.UNMATCHED).exists()
