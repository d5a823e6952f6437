"""What is read together is what is read one by one."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.db.models import Model, QuerySet, Sum
from pytest_django import DjangoAssertNumQueries

from billing.models import Customer, Invoice, PaymentEvent, Tenant, Total
from billing.queries.reads import Read, Sql, all_of, first_of, read_together
from tests.factories import make_event, make_invoice, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rows() -> None:
    acme = make_tenant("Acme, “Söhne” {1,2} \\ 'x'")
    make_tenant("NULL")
    make_invoice(tenant=acme, tax_minor=None)
    make_invoice()
    make_event(tenant=acme, body=b"\x00\xff{}", changes=[["a", None, 1.5]], livemode=None)
    make_event(livemode=False, occurred_at=None)


def querysets() -> Iterator[QuerySet[Any, Any]]:
    yield PaymentEvent.objects.select_related("tenant").order_by("-pk")
    yield Invoice.objects.select_related("tenant").defer("stamps").order_by("pk")[:1]
    yield Tenant.objects.filter(name="NULL").union(Tenant.objects.exclude(name="NULL"), all=True)
    yield Total.objects.values_list("currency").annotate(minor=Sum("amount_minor")).order_by()
    yield PaymentEvent.objects.order_by("pk").values_list("received_at", flat=True)
    yield Invoice.objects.order_by("pk").values("ref", "amount_minor", "tax_minor")
    yield Tenant.objects.filter(key="unknown")
    yield Tenant.objects.none()
    yield Customer.objects.filter(pk__in=[])


def seen(rows: Iterable[Any]) -> list[Any]:
    return [_seen(row) for row in rows]


def _seen(value: Any) -> Any:
    if isinstance(value, Model):
        known = {name: _seen(of) for name, of in vars(value).items() if name != "_state"}
        related = {name: _seen(of) for name, of in value._state.fields_cache.items()}
        return type(value), known, related, value._state.db
    if isinstance(value, tuple):
        return tuple(_seen(one) for one in value)
    return bytes(value) if isinstance(value, memoryview) else (type(value), value)


def test_querysets(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    alone = [seen(queryset) for queryset in querysets()]
    together = [all_of(queryset) for queryset in querysets()]

    with django_assert_num_queries(1):
        read_together(*together)
        found = [seen(read.value) for read in together]

    assert found == alone
    assert [len(one) for one in found] == [2, 1, 2, len(alone[3]), 2, 2, 0, 0, 0]


def test_statements_of_ours(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    text = "SELECT %s::text, '2026-01-02'::date, NULL::int, true, 1.50::numeric, '{a,NULL}'::text[]"
    alone, *together = (Sql(text, ['%s "x"'], columns=6) for _ in range(3))
    reads: list[Read[list[Any]]] = [Read(list, each) for each in together]
    wanted = alone.rows

    with django_assert_num_queries(1):
        read_together(reads[0], None, reads[1])
        assert [read.value for read in reads] == [wanted, wanted]


def test_nothing_is_asked_for_twice(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    name = Read(lambda tenant: tenant.name, first_of(Tenant.objects.filter(name="NULL")))
    count = Read(lambda rows: len(rows), Invoice.objects.all())
    both = Read(lambda name, count: (name, count), name, count)

    with django_assert_num_queries(1) as captured:
        read_together(name, both, name)
        assert both.value == ("NULL", 2)
        read_together(name, count, both)
        assert (name.value, count.value) == ("NULL", 2)
    assert captured[0]["sql"].count("ARRAY(SELECT ARRAY[") == 2


def test_one_alone_is_asked_for_when_it_is_needed(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        read = first_of(Tenant.objects.filter(key="unknown"))
        read_together(read)
    with django_assert_num_queries(1):
        assert read.value is None
        assert read.value is None
