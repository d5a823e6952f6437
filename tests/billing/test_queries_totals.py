"""The kept sums as pages read them: of one tenant, of many, of each day."""

from datetime import date, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.models import Notification
from billing.queries.totals import (
    Totals,
    daily,
    daily_failures,
    last_days,
    totals,
    totals_by_tenant,
)
from tests.factories import NOON, make_invoice, make_refund, make_tenant

pytestmark = pytest.mark.django_db

FEB_27, MAR_2 = date(2026, 2, 27), date(2026, 3, 2)


def revenue(totals: Totals) -> list[tuple[str, str]]:
    return [(line.currency, str(line.revenue)) for line in totals.currencies]


def test_totals_of_tenants_are_of_their_own_rows_only(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    acme, globex, idle = make_tenant(), make_tenant(), make_tenant()
    make_invoice(tenant=acme, amount_minor=1050)
    make_invoice(tenant=acme, amount_minor=2000, currency="EUR", status="pending")
    make_invoice(tenant=acme, amount_minor=3000)
    make_invoice(tenant=globex, amount_minor=7000)
    make_refund(tenant=globex)
    make_invoice(amount_minor=99, tax_minor=None)

    with django_assert_num_queries(1):
        found = totals_by_tenant([acme.pk, globex.pk, idle.pk]).value

    assert list(found) == [acme.pk, globex.pk, idle.pk]
    assert revenue(found[acme.pk]) == [("USD", "40.50"), ("EUR", "0.00")]
    assert found[acme.pk].by_status == {"paid": 2, "pending": 1, "void": 0}
    assert str(found[globex.pk].currencies[0].refunded) == "5.00"
    assert found[idle.pk] == Totals([], {"paid": 0, "pending": 0, "void": 0})
    with django_assert_num_queries(1):
        assert totals(acme).value == found[acme.pk]
    assert revenue(totals().value) == [("USD", "111.49"), ("EUR", "0.00")]


def test_each_day_from_the_first_to_the_last(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_invoice(amount_minor=1050)
    make_invoice(amount_minor=7, tax_minor=None, gateway="paypal", exponent=0)
    make_invoice(amount_minor=200, tax_minor=None, created_at=NOON - timedelta(days=2))
    make_invoice(amount_minor=400, tax_minor=None, created_at=NOON - timedelta(days=3))
    make_invoice(amount_minor=800, tax_minor=None, created_at=NOON + timedelta(days=2))
    make_invoice(amount_minor=1600, currency="EUR")
    make_refund(amount_minor=50, created_at=NOON + timedelta(days=1))

    usd = next(line for line in totals().value.currencies if line.currency == "USD")
    with django_assert_num_queries(1):
        found = daily(["paid", "refunded"], usd, FEB_27, MAR_2).value

    assert found.minor == {"paid": [200, 0, 1750, 0], "refunded": [0, 0, 0, 50]}
    assert str(found.sum("paid", date(2026, 2, 28), date(2026, 3, 1))) == "17.50"
    assert str(found.sum("paid", FEB_27, MAR_2)) == "19.50"


def test_the_last_days_are_of_the_main_currency() -> None:
    for currency in ("EUR", "USD", "USD"):
        make_invoice(currency=currency, status="pending")
    make_invoice(created_at=NOON - timedelta(days=30), status="pending")

    found = last_days(totals().value, NOON.date()).value

    assert (found.currency, found.exponent) == ("USD", 2)
    assert found.minor["pending"] == [0] * 29 + [2 * 12_345]
    assert found.minor["refunded"] == [0] * 30


def test_the_last_days_where_there_is_nothing() -> None:
    assert last_days(totals().value, NOON.date()).value.minor["paid"] == [0] * 30


def test_failures_of_each_day_whatever_their_currency() -> None:
    for attempt, (currency, days) in enumerate([("USD", 0), ("EUR", 0), (None, 0), ("USD", 1)]):
        Notification.objects.create(
            gateway="stripe",
            attempt=str(attempt),
            currency=currency,
            exponent=currency and 2,
            amount_minor=currency and 500,
            occurred_at=NOON + timedelta(days=days),
        )

    assert daily_failures(FEB_27, MAR_2).value == [0, 0, 3, 1]
