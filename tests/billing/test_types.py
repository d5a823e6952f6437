"""How often each type of event was seen."""

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.models import PaymentEvent
from billing.queries import types
from billing.queries.types import Seen, seen
from tests.factories import NOON, make_event

pytestmark = pytest.mark.django_db


def test_what_is_above_the_limit_is_counted_once(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(types, "_many", set())
    monkeypatch.setattr(types, "COUNT_LIMIT", 2)
    for event_type in ("many", "many", "many", "few", "few"):
        make_event(event_type=event_type, received_at=NOON)
    found = {"many": Seen(NOON, 3), "few": Seen(NOON, 2), "none": Seen(None, 0)}

    assert seen(list(found), limit=2).value == found
    with django_assert_num_queries(1) as captured:
        assert seen(list(found), limit=2).value == found
    assert "ARRAY['many','few','none']::text[], ARRAY[0,3,3]::int[]" in captured[0]["sql"]
    # None is ever deleted, so that what is not counted again shows in one that is.
    PaymentEvent.objects.filter(pk__in=PaymentEvent.objects.values("pk")[:4]).delete()
    assert seen(["many"], limit=2).value["many"].count == 3
    assert seen(["many"], limit=0).value["many"].count == 1
    assert seen(["few"], limit=2).value["few"].count < 2
