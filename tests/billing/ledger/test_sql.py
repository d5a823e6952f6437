"""Lists as parameters of a statement."""

from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.ledger import sql
from billing.models import Payment
from tests.factories import make_payment


@pytest.mark.django_db
def test_every_text_arrives_as_it_is() -> None:
    texts = ["", "NULL", None, " a ", '"', "\\", '\\"', "{,}", "'", "\n", "%s", "ü\U0001f600"]
    assert sql.fetch("SELECT * FROM unnest(%s::text[])", texts) == [(text,) for text in texts]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cast", "values"),
    [
        ("bigint", [1, None, -(2**63)]),
        ("boolean", [True, False, None]),
        ("timestamptz", [datetime(2026, 6, 1, 12, 30, 1, 5, tzinfo=UTC), None]),
    ],
)
def test_values_are_what_they_were(cast: str, values: list[object]) -> None:
    found = sql.fetch(f"SELECT * FROM unnest(%s::{cast}[])", values)
    assert found == [(value,) for value in values]


@pytest.mark.django_db
def test_no_values_are_no_rows() -> None:
    assert sql.fetch("SELECT 1 WHERE 1 = ANY(%s)", []) == []


@pytest.mark.django_db
def test_any_of_finds_what_in_finds() -> None:
    refs = ["a", '"', "\\", "{,}", "'", "NULL", "%s"]
    for ref in refs:
        make_payment(ref=ref)
    payments = Payment.objects.order_by("ref").values_list("ref", flat=True)

    for asked in (refs, refs[1:4], ["none"], [None, "a"]):
        assert list(payments.filter(ref__any_of=asked)) == list(payments.filter(ref__in=asked))
    assert set(payments.filter(ref__any_of=dict.fromkeys(refs))) == set(refs)


@pytest.mark.django_db
def test_any_of_is_one_parameter_and_nothing_is_asked_for_no_values(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    _sql, parameters = Payment.objects.filter(ref__any_of=["a", "b"]).query.sql_with_params()
    assert parameters == ('{"a","b"}',)
    with django_assert_num_queries(0):
        assert list(Payment.objects.filter(ref__any_of=set())) == []
