"""The database keeps the totals, exactly, after every statement, whoever wrote."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from billing.models import (
    DailyTotal,
    Dispute,
    Invoice,
    KeptSum,
    Notification,
    Refund,
    Tenant,
    TenantTotal,
    Total,
    TotalZone,
)
from billing.totals import discrepancies, follow_zone
from billing.zone import start_of_day
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db

AT = datetime(2025, 5, 15, tzinfo=UTC)


def invoice(ref: str, amount: int = 1000, status: str = "paid", **more: Any) -> Invoice:
    values = {"currency": "EUR", "exponent": 2, "created_at": AT}
    return Invoice(gateway="stripe", ref=ref, amount_minor=amount, status=status, **values | more)


def refund(ref: str, amount: int = 100, status: str = "succeeded", **more: Any) -> Refund:
    values = {"currency": "EUR", "exponent": 2, "created_at": AT}
    return Refund(gateway="stripe", ref=ref, amount_minor=amount, status=status, **values | more)


def dispute(ref: str, counted: int, status: str = "open", **more: Any) -> Dispute:
    values = {"currency": "EUR", "exponent": 2, "created_at": AT, "amount_minor": 5000}
    return Dispute(gateway="stripe", ref=ref, counted_minor=counted, status=status, **values | more)


def failure(attempt: str, **more: Any) -> Notification:
    values = {"gateway": "stripe", "invoice_ref": "in_1", "attempt": attempt, "occurred_at": AT}
    return Notification(**values | more)


def kept() -> dict[tuple[str, str, int], tuple[int, int]]:
    """Count and amount of each figure, over all shards; those that are nothing left out."""
    sums = Total.objects.values_list("figure", "currency", "exponent").annotate(
        Sum("count"), Sum("amount_minor")
    )
    return {
        (figure, currency, exponent): (count, int(amount))
        for figure, currency, exponent, count, amount in sums
        if count or amount
    }


def kept_by(model: type[KeptSum], by: str) -> dict[tuple[Any, str], tuple[int, int]]:
    """Count and amount of each figure of each day or tenant, over all shards and currencies."""
    sums = model._default_manager.values_list(by, "figure").annotate(
        Sum("count"), Sum("amount_minor")
    )
    return {(of, figure): (n, int(minor)) for of, figure, n, minor in sums if n or minor}


def by_day() -> dict[tuple[Any, str], tuple[int, int]]:
    return kept_by(DailyTotal, "day")


def by_tenant() -> dict[tuple[Any, str], tuple[int, int]]:
    return kept_by(TenantTotal, "tenant__key")


def in_euros() -> dict[str, tuple[int, int]]:
    return {figure: value for (figure, currency, _), value in kept().items() if currency == "EUR"}


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


# --- Exact after plain SQL ------------------------------------------------------------------


def test_each_status_of_an_invoice_adds_to_its_own_figure() -> None:
    for status in Invoice.Status.values:
        invoice(f"in_{status}", 1000, status).save()
    assert in_euros() == {"paid": (1, 1000), "pending": (1, 1000), "void": (1, 1000)}
    assert discrepancies() == []


def test_a_status_that_changes_moves_the_amount() -> None:
    invoice("in_1", 1000, "pending").save()
    sql("UPDATE billing_invoice SET status = 'paid'")
    assert in_euros() == {"paid": (1, 1000)}
    sql("UPDATE billing_invoice SET amount_minor = 1234")
    assert in_euros() == {"paid": (1, 1234)}
    sql("UPDATE billing_invoice SET status = 'deleted'")
    assert in_euros() == {}
    sql("UPDATE billing_invoice SET status = 'void'")
    sql("DELETE FROM billing_invoice")
    assert kept() == {}
    assert discrepancies() == []


def test_each_status_of_a_refund_adds_to_its_own_figure() -> None:
    for status in Refund.Status.values:
        refund(f"re_{status}", 100, status).save()
    assert in_euros() == {"refunded": (1, 100), "refund_pending": (1, 100)}
    sql("UPDATE billing_refund SET status = 'failed'")
    assert in_euros() == {}
    sql("UPDATE billing_refund SET status = 'succeeded'")
    sql("DELETE FROM billing_refund WHERE ref = 're_failed'")
    assert in_euros() == {"refunded": (3, 300)}
    assert discrepancies() == []


def test_what_counts_of_a_dispute_is_disputed() -> None:
    dispute("dp_1", 5000).save()
    dispute("dp_2", 0, "won").save()
    assert in_euros()["disputed"][1] == 5000
    sql("UPDATE billing_dispute SET counted_minor = 1200")
    assert in_euros()["disputed"][1] == 2400
    sql("DELETE FROM billing_dispute WHERE ref = 'dp_1'")
    assert in_euros()["disputed"][1] == 1200
    assert discrepancies() == []


def test_many_rows_of_one_statement_all_count() -> None:
    Invoice.objects.bulk_create(
        invoice(f"in_{n}", n, "paid" if n % 2 else "pending") for n in range(1, 501)
    )
    assert in_euros() == {
        "paid": (250, sum(range(1, 501, 2))),
        "pending": (250, sum(range(2, 501, 2))),
    }
    sql(
        "UPDATE billing_invoice SET status = CASE status WHEN 'paid' THEN 'void' ELSE 'paid' END,"
        " amount_minor = amount_minor * 2"
    )
    assert in_euros() == {
        "void": (250, 2 * sum(range(1, 501, 2))),
        "paid": (250, 2 * sum(range(2, 501, 2))),
    }
    sql("DELETE FROM billing_invoice WHERE amount_minor > 500")
    assert in_euros() == {
        "void": (125, 2 * sum(range(1, 251, 2))),
        "paid": (125, 2 * sum(range(2, 251, 2))),
    }
    assert discrepancies() == []


def test_a_row_that_is_written_twice_counts_once() -> None:
    invoice("in_1", 1000).save()
    sql(
        "INSERT INTO billing_invoice (gateway, ref, status, amount_minor, credited_minor, currency,"
        " exponent, created_at, stamps) SELECT gateway, ref, 'pending', 700, credited_minor,"
        " currency, exponent, created_at, stamps FROM billing_invoice"
        " ON CONFLICT (gateway, ref) DO UPDATE SET amount_minor = excluded.amount_minor"
    )
    assert in_euros() == {"paid": (1, 700)}
    assert discrepancies() == []


def test_what_is_rolled_back_never_counted() -> None:
    with transaction.atomic():
        invoice("in_1").save()
        transaction.set_rollback(True)
    assert kept() == {}


def test_currencies_are_never_added_up() -> None:
    invoice("in_1", 1000).save()
    invoice("in_2", 1000, currency="JPY", exponent=0).save()
    # One currency, counted in other units by another gateway.
    invoice("in_3", 1000, currency="HUF", exponent=2).save()
    invoice("in_4", 10, currency="HUF", exponent=0).save()
    assert kept() == {
        ("paid", "EUR", 2): (1, 1000),
        ("paid", "JPY", 0): (1, 1000),
        ("paid", "HUF", 2): (1, 1000),
        ("paid", "HUF", 0): (1, 10),
    }
    sql("UPDATE billing_invoice SET currency = 'USD', exponent = 2")
    assert kept() == {("paid", "USD", 2): (4, 3010)}
    assert discrepancies() == []


def test_a_negative_invoice_is_taken_off() -> None:
    invoice("in_1", 1000).save()
    invoice("in_2", -300).save()
    assert in_euros() == {"paid": (2, 700)}


def test_sums_beyond_a_bigint_are_exact() -> None:
    Invoice.objects.bulk_create(invoice(f"in_{n}", 2**63 - 1) for n in range(4))
    assert in_euros() == {"paid": (4, 4 * (2**63 - 1))}
    assert discrepancies() == []


def test_what_credit_notes_took_off_before_payment_is_not_owed() -> None:
    invoice("in_1", 1000, "pending").save()
    sql("UPDATE billing_invoice SET credited_minor = 400")
    assert in_euros() == {"pending": (1, 600)}
    assert discrepancies() == []


# --- Of each day, in the operators' zone ------------------------------------------------------

MAY_14, MAY_15, MAY_16 = (date(2025, 5, day) for day in (14, 15, 16))


@pytest.fixture
def kolkata(settings: Settings) -> None:
    """Half past six in the evening, in UTC, is midnight there."""
    settings.PAYMENTS_TIME_ZONE = "Asia/Kolkata"
    assert follow_zone()


def test_a_row_counts_for_the_day_it_is_dated(kolkata: None) -> None:
    last_moment = datetime(2025, 5, 15, 18, 29, 59, 999999, tzinfo=UTC)
    midnight = datetime(2025, 5, 15, 18, 30, tzinfo=UTC)
    invoice("in_1", 1000, created_at=last_moment).save()
    invoice("in_2", 200, created_at=midnight).save()
    refund("re_1", 100, created_at=midnight).save()
    dispute("dp_1", 50, created_at=last_moment).save()
    assert by_day() == {
        (MAY_15, "paid"): (1, 1000),
        (MAY_16, "paid"): (1, 200),
        (MAY_16, "refunded"): (1, 100),
        (MAY_15, "disputed"): (1, 50),
    }
    sql("UPDATE billing_invoice SET created_at = created_at - interval '1 day'")
    sql("DELETE FROM billing_refund")
    assert by_day() == {
        (MAY_14, "paid"): (1, 1000),
        (MAY_15, "paid"): (1, 200),
        (MAY_15, "disputed"): (1, 50),
    }
    assert discrepancies() == []


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Europe/Berlin", "Pacific/Apia", "UTC"])
def test_the_days_are_those_of_the_filters(zone: str, settings: Settings) -> None:
    """Also where clocks change at midnight (São Paulo), and a day is left out (Apia, 2011)."""
    settings.PAYMENTS_TIME_ZONE = zone
    follow_zone()
    for first in (date(2011, 12, 28), date(2018, 2, 16), date(2018, 11, 3), date(2025, 3, 29)):
        for day in (first + timedelta(days=n) for n in range(4)):
            begins, ends = start_of_day(day), start_of_day(day + timedelta(days=1))
            DailyTotal.objects.all().delete()
            for n, at in enumerate((begins, ends - timedelta(microseconds=1), ends)):
                invoice(f"in_{day}_{n}", created_at=at).save()
            expected = 2 if begins < ends else 0  # a day that was left out has no rows
            assert by_day().get((day, "paid"), (0, 0))[0] == expected, (zone, day)


def test_a_zone_that_is_set_anew_moves_the_days(settings: Settings) -> None:
    evening = datetime(2025, 5, 15, 20, tzinfo=UTC)
    invoice("in_1", created_at=evening).save()
    refund("re_1", created_at=AT).save()
    failure("1", occurred_at=evening).save()
    failure("2", occurred_at=None).save()
    assert not follow_zone()
    settings.PAYMENTS_TIME_ZONE = "Asia/Kolkata"
    call_command("migrate", verbosity=0)
    assert TotalZone.objects.get().name == "Asia/Kolkata"
    assert by_day() == {
        (MAY_16, "paid"): (1, 1000),
        (MAY_15, "refunded"): (1, 100),
        (MAY_16, "payment_failed"): (1, 0),
    }
    # What is written from now on, too.
    sql("DELETE FROM billing_invoice")
    assert (MAY_16, "paid") not in by_day()
    assert discrepancies() == []


def test_a_zone_that_the_database_does_not_know_is_refused(settings: Settings) -> None:
    settings.PAYMENTS_TIME_ZONE = "Europe/Atlantis"
    with pytest.raises(ImproperlyConfigured, match="PAYMENTS_TIME_ZONE"), transaction.atomic():
        follow_zone()
    assert TotalZone.objects.get().name == "UTC"


def test_without_a_zone_nothing_is_written_to_a_wrong_day() -> None:
    TotalZone.objects.all().delete()
    with pytest.raises(IntegrityError, match="day"):
        invoice("in_1").save()


def test_there_is_one_zone() -> None:
    with pytest.raises(IntegrityError, match="totalzone_one_row"):
        TotalZone.objects.create(pk=2, name="UTC")


def test_payments_that_failed_are_counted_by_day() -> None:
    failure("1").save()
    failure("2", currency="EUR", exponent=2, amount_minor=700).save()
    failure("3", occurred_at=None).save()  # on no day
    failure("4", kind=Notification.Kind.FINALIZATION_FAILED).save()
    assert by_day() == {(MAY_15, "payment_failed"): (2, 700)}
    assert kept() == {}
    sql("UPDATE billing_notification SET state = 'sent', next_attempt_at = NULL")
    sql("DELETE FROM billing_notification WHERE attempt = '1'")
    assert by_day() == {(MAY_15, "payment_failed"): (1, 700)}
    assert discrepancies() == []


@pytest.mark.django_db(transaction=True)
def test_rows_that_are_written_while_the_zone_changes_count_once(settings: Settings) -> None:
    settings.PAYMENTS_TIME_ZONE = "Asia/Kolkata"
    settled: list[bool] = []

    def follow() -> None:
        try:
            settled.append(follow_zone())
        finally:
            connections.close_all()

    def write() -> None:
        try:
            invoice("in_2").save()
        finally:
            connections.close_all()

    others = [Thread(target=follow), Thread(target=write)]
    with transaction.atomic():
        invoice("in_1").save()
        for other in others:
            other.start()
            other.join(0.5)
        # It waits for this writer, and the other writer for it.
        assert all(other.is_alive() for other in others)
    for other in others:
        other.join()
    assert settled == [True]
    assert by_day() == {(MAY_15, "paid"): (2, 2000)}
    assert discrepancies() == []


# --- Of each tenant ---------------------------------------------------------------------------


def test_a_row_counts_for_its_tenant_once_it_has_one() -> None:
    acme, globex = make_tenant(key="acme"), make_tenant(key="globex")
    invoice("in_1", 1000).save()
    invoice("in_2", 200, tenant=acme).save()
    refund("re_1", 100, tenant=acme).save()
    dispute("dp_1", 50, tenant=globex).save()
    assert by_tenant() == {
        ("acme", "paid"): (1, 200),
        ("acme", "refunded"): (1, 100),
        ("globex", "disputed"): (1, 50),
    }
    sql(f"UPDATE billing_invoice SET tenant_id = {globex.pk}")
    sql(f"UPDATE billing_refund SET tenant_id = NULL WHERE tenant_id = {acme.pk}")
    assert by_tenant() == {("globex", "paid"): (2, 1200), ("globex", "disputed"): (1, 50)}
    sql("DELETE FROM billing_invoice WHERE ref = 'in_1'")
    assert by_tenant()["globex", "paid"] == (1, 200)
    assert discrepancies() == []


def test_sums_that_were_emptied_do_not_keep_a_tenant_from_being_deleted() -> None:
    acme = make_tenant()
    invoice("in_1", tenant=acme).save()
    Invoice.objects.all().delete()
    acme.delete()
    assert not TenantTotal.objects.exists()


# --- Any writes -------------------------------------------------------------------------------

writes = st.lists(
    st.tuples(
        st.sampled_from(["insert", "update", "delete"]),
        st.integers(0, 5),
        st.sampled_from(Invoice.Status.values),
        st.integers(-1000, 1000),
        st.sampled_from([("EUR", 2), ("JPY", 0)]),
        st.sampled_from([None, "acme", "globex"]),
        st.integers(-24, 24).map(lambda hours: AT + timedelta(hours=hours)),
    ),
    max_size=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(writes)
def test_any_writes_leave_the_totals_exact(writes: Any) -> None:
    with transaction.atomic():
        tenants: dict[str | None, Tenant] = {
            key: make_tenant(key=key) for key in ("acme", "globex")
        }
        for kind, n, status, amount, (currency, exponent), tenant, at in writes:
            values = {
                "status": status,
                "amount_minor": amount,
                "currency": currency,
                "exponent": exponent,
                "tenant": tenants.get(tenant),
                "created_at": at,
            }
            row = Invoice.objects.filter(ref=f"in_{n}")
            if kind == "delete":
                row.delete()
            elif kind == "update" or row.exists():
                row.update(**values)
            else:
                row.create(gateway="stripe", ref=f"in_{n}", **values)
            assert discrepancies() == []
        transaction.set_rollback(True)


# --- Many writers ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_add_up_over_their_shards() -> None:
    def write(writer: int) -> None:
        try:
            for n in range(10):
                invoice(f"in_{writer}_{n}", 100, "pending").save()
            Invoice.objects.filter(ref__startswith=f"in_{writer}_").update(status="paid")
        finally:
            connections.close_all()

    writers = [Thread(target=write, args=[writer]) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    Invoice.objects.filter(ref__endswith="_0").delete()
    assert in_euros() == {"paid": (36, 3600)}
    assert Total.objects.filter(figure="paid").values("shard").distinct().count() > 1
    assert discrepancies() == []


@pytest.mark.django_db(transaction=True)
def test_a_writer_that_waits_to_commit_holds_up_no_other() -> None:
    """Each connection adds to its own shard; only one in sixteen shares one."""
    done: list[int] = []

    def write(n: int) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '3s'")
            invoice(f"in_{n}").save()
            done.append(n)
        except OperationalError:
            pass  # the one in sixteen
        finally:
            connections.close_all()

    with transaction.atomic():
        invoice("in_slow").save()
        others = [Thread(target=write, args=[n]) for n in range(2)]
        for other in others:
            other.start()
        for other in others:
            other.join()
        assert done
    assert discrepancies() == []


# --- check_totals ---------------------------------------------------------------------------

TAMPERINGS: dict[str, Callable[[], object]] = {
    "amount": lambda: Total.objects.filter(figure="paid").update(
        amount_minor=F("amount_minor") + 1
    ),
    "count": lambda: Total.objects.filter(figure="refunded").update(count=F("count") + 1),
    "row missing": lambda: Total.objects.filter(figure="disputed").delete(),
    "row too many": lambda: Total.objects.create(
        figure="void", currency="EUR", exponent=2, shard=3, count=1, amount_minor=5
    ),
    "currency": lambda: Total.objects.filter(figure="paid").update(currency="USD"),
    "exponent": lambda: Total.objects.filter(figure="paid").update(exponent=3),
    "amount of a day": lambda: DailyTotal.objects.filter(figure="paid").update(
        amount_minor=F("amount_minor") + 1
    ),
    "day": lambda: DailyTotal.objects.filter(figure="refunded").update(day=MAY_14),
    "day missing": lambda: DailyTotal.objects.filter(figure="payment_failed").delete(),
    "zone": lambda: TotalZone.objects.update(name="Pacific/Kiritimati"),
    "amount of a tenant": lambda: TenantTotal.objects.update(amount_minor=F("amount_minor") + 1),
    "tenant": lambda: TenantTotal.objects.update(tenant=make_tenant()),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_check_totals_notices_a_total_that_is_not_the_rows(tampering: str) -> None:
    invoice("in_1", tenant=make_tenant(), created_at=AT + timedelta(hours=12)).save()
    refund("re_1").save()
    dispute("dp_1", 5000).save()
    failure("1").save()
    call_command("check_totals")
    TAMPERINGS[tampering]()
    assert discrepancies()
    with pytest.raises(CommandError):
        call_command("check_totals")


def test_a_discrepancy_says_what_is_kept_and_what_there_is() -> None:
    invoice("in_1", 1000, tenant=make_tenant(key="acme")).save()
    for model in (Total, DailyTotal, TenantTotal):
        model.objects.update(amount_minor=999)
    said = "kept 1 rows of 999 in all, but there are 1 of 1000"
    assert discrepancies() == [
        f"paid EUR (2 decimals): {said}",
        f"paid EUR (2 decimals) on 2025-05-15: {said}",
        f"paid EUR (2 decimals) of acme: {said}",
    ]


def test_check_totals_notices_rows_that_went_past_the_triggers() -> None:
    invoice("in_1", 1000).save()
    sql("SET LOCAL session_replication_role = replica")
    sql("UPDATE billing_invoice SET amount_minor = 999")
    sql("SET LOCAL session_replication_role = origin")
    assert len(discrepancies()) == 2  # of all, and of the day


@pytest.mark.parametrize("model", [Total, DailyTotal, TenantTotal])
def test_a_total_cannot_stand_twice(model: type[KeptSum]) -> None:
    invoice("in_1", tenant=make_tenant()).save()
    (total,) = model._default_manager.all()
    total.pk = None
    with pytest.raises(IntegrityError, match="total_once"):
        total.save(force_insert=True)
