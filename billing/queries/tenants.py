"""Tenants: finding one, and what belongs to it."""

from django.db.models import Q, QuerySet

from billing.models import PaymentEvent, Tenant
from billing.queries import lists

#: How many tenants are offered to choose from.
CHOICES = 20


def tenants() -> QuerySet[Tenant]:
    return Tenant.objects.order_by("name", "pk")


def search(queryset: QuerySet[Tenant], term: str) -> QuerySet[Tenant]:
    """Tenants with ``term`` in their name or key."""
    return queryset.filter(Q(name__icontains=term) | Q(key__icontains=term))


def choices(term: str) -> tuple[list[Tenant], bool]:
    """The first tenants that match, by name, and whether there are more."""
    found = list((search(tenants(), term) if term else tenants())[: CHOICES + 1])
    return found[:CHOICES], len(found) > CHOICES


def event(pk: int) -> PaymentEvent | None:
    return lists.events().filter(pk=pk).first()


def any_unmatched() -> bool:
    """Whether there are events that were applied, but whose tenant a person has to say."""
    return PaymentEvent.objects.filter(state=PaymentEvent.State.UNMATCHED).exists()
