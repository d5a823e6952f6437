"""The database keeps the totals, exactly, after every statement, whoever wrote."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import Dispute, Invoice, Refund, Total
from billing.totals import discrepancies

pytestmark = pytest.mark.django_db

AT = datetime(2025, 5, 15, tzinfo=UTC)


def invoice(ref: str, amount: int = 1000, status: str = "paid", **more: Any) -> Invoice:
    values = {"currency": "EUR", "exponent": 2, "created_at": AT}
    return Invoice(gateway="stripe", ref=ref, amount_minor=amount, status=status, **values | more)


def refund(ref: str, amount: int = 100, status: str = "succeeded", **more: Any) -> Refund:
    values = {"currency": "EUR", "exponent": 2, "created_at": AT}
    return Refund(gateway="stripe", ref=ref, amount_minor=amount, status=status, **values | more)


def dispute(ref: str, counted: int, status: str = "open") -> Dispute:
    return Dispute(
        gateway="stripe",
        ref=ref,
        amount_minor=5000,
        counted_minor=counted,
        status=status,
        currency="EUR",
        exponent=2,
        created_at=AT,
    )


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


writes = st.lists(
    st.tuples(
        st.sampled_from(["insert", "update", "delete"]),
        st.integers(0, 5),
        st.sampled_from(Invoice.Status.values),
        st.integers(-1000, 1000),
        st.sampled_from([("EUR", 2), ("JPY", 0)]),
    ),
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes)
def test_any_writes_leave_the_totals_exact(writes: Any) -> None:
    with transaction.atomic():
        for kind, n, status, amount, (currency, exponent) in writes:
            values = {"status": status, "amount_minor": amount, "currency": currency}
            row = Invoice.objects.filter(ref=f"in_{n}")
            if kind == "delete":
                row.delete()
            elif kind == "update" or row.exists():
                row.update(**values, exponent=exponent)
            else:
                row.create(
                    gateway="stripe", ref=f"in_{n}", exponent=exponent, created_at=AT, **values
                )
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
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_check_totals_notices_a_total_that_is_not_the_rows(tampering: str) -> None:
    invoice("in_1").save()
    refund("re_1").save()
    dispute("dp_1", 5000).save()
    call_command("check_totals")
    TAMPERINGS[tampering]()
    assert discrepancies()
    with pytest.raises(CommandError):
        call_command("check_totals")


def test_a_discrepancy_says_what_is_kept_and_what_there_is() -> None:
    invoice("in_1", 1000).save()
    Total.objects.update(amount_minor=999)
    (line,) = discrepancies()
    assert line == "paid EUR (2 decimals): kept 1 rows of 999 in all, but there are 1 of 1000"


def test_check_totals_notices_rows_that_went_past_the_triggers() -> None:
    invoice("in_1", 1000).save()
    sql("SET LOCAL session_replication_role = replica")
    sql("UPDATE billing_invoice SET amount_minor = 999")
    sql("SET LOCAL session_replication_role = origin")
    assert len(discrepancies()) == 1


def test_a_total_cannot_stand_twice() -> None:
    invoice("in_1").save()
    (total,) = Total.objects.all()
    total.pk = None
    with pytest.raises(IntegrityError, match="total_once"):
        total.save(force_insert=True)
