"""Lists as parameters of a statement."""

from datetime import UTC, datetime

import pytest

from billing.ledger import sql


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
