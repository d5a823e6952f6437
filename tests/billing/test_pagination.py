from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.http import QueryDict
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from billing.models import PaymentEvent
from billing.pagination import Cursor, Page, Place, paginate, walk
from billing.queries.lists import Rows
from tests.factories import NOON, make_event

pytestmark = pytest.mark.django_db

EVENTS = PaymentEvent.objects.all()


def page_at(query: str) -> Page[PaymentEvent]:
    return paginate(Rows(EVENTS), "received_at", Place.read(QueryDict(query)))


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    # Few different seconds, so that many rows share one.
    seconds=st.lists(st.integers(0, 12), max_size=120),
    per_page=st.sampled_from([25, 50]),
    sort=st.sampled_from(["-date", "date"]),
)
def test_walking_forward_and_back_visits_each_row_once(
    db: Any, seconds: list[int], per_page: int, sort: str
) -> None:
    PaymentEvent.objects.all().delete()
    for second in seconds:
        make_event(received_at=NOON + timedelta(seconds=second))
    sign = "-" if sort == "-date" else ""
    expected = list(EVENTS.order_by(f"{sign}received_at", f"{sign}id"))
    order = f"per_page={per_page}&sort={sort}"

    pages = [page_at(order)]
    while pages[-1].after:
        pages.append(page_at(f"{order}&after={pages[-1].after}"))
    back = [pages[-1]]
    while back[-1].before:
        back.append(page_at(f"{order}&before={back[-1].before}"))

    assert [row for page in pages for row in page.rows] == expected
    assert [row for page in reversed(back) for row in page.rows] == expected
    assert all(len(page.rows) == per_page for page in pages[:-1])

    chunks = walk(Rows(EVENTS), "received_at", newest_first=sort == "-date", read=read, chunk=7)
    assert [row for chunk in chunks for row, _cursor in chunk] == expected


def read(rows: QuerySet[PaymentEvent]) -> Future[list[tuple[Any, ...]]]:
    coming: Future[list[tuple[Any, ...]]] = Future()
    coming.set_result([(row, str(Cursor(row.received_at, row.pk))) for row in rows])
    return coming


def test_the_next_chunk_is_read_while_one_is_used(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for n in range(20):
        make_event(received_at=NOON + timedelta(seconds=n))
    chunks = walk(Rows(EVENTS), "received_at", newest_first=True, read=read, chunk=7)

    with django_assert_num_queries(2):
        assert len(next(chunks)) == 7


def test_rows_that_arrive_meanwhile_move_no_page() -> None:
    for n in range(60):
        make_event(received_at=NOON + timedelta(seconds=n))
    first = page_at("")
    second = page_at(f"after={first.after}")

    for n in range(10):
        make_event(received_at=NOON + timedelta(hours=n + 1))

    assert page_at(f"after={first.after}").rows == second.rows


def test_going_back_to_fewer_rows_than_a_page_shows_the_first_page() -> None:
    events = [make_event(received_at=NOON + timedelta(seconds=n)) for n in range(40)]

    page = page_at(f"before={Cursor(events[-4].received_at, events[-4].pk)}")

    assert page.before is None
    assert page.rows == list(reversed(events))[:25]


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize(
    "cursor",
    ["x", "1", "_", "1_", "1_2_3", "-1_-1", "9" * 30 + "_1", "1_" + "9" * 30, "٣_٣", "1_1\n", "\0"],
)
def test_garbage_shows_the_first_page_and_says_so(staff: Client, name: str, cursor: str) -> None:
    """E5."""
    make_event(event_id="first")

    response = staff.get("/admin/payments/events/", {name: cursor})

    assert response.status_code == 200
    assert "first" in response.text
    assert "The page in this address does not exist." in response.text


@pytest.mark.parametrize("cursor", ["0_0", "-99999999999999999_1", "253402300799999999_1"])
@pytest.mark.parametrize("name", ["after", "before"])
def test_a_place_beyond_all_rows_shows_the_first_page(name: str, cursor: str) -> None:
    event = make_event()

    page = page_at(f"{name}={cursor}")

    assert page.rows == [event]


@pytest.mark.parametrize(
    ("asked", "given_"),
    [
        ("", 25),
        ("25", 25),
        ("50", 50),
        ("100", 100),
        ("-1", 25),
        ("0", 25),
        ("60", 50),
        ("100000", 100),
        ("9" * 5000, 100),
        ("1e3", 25),
        ("٣", 25),
        ("abc", 25),
    ],
)
def test_page_sizes_are_clamped(asked: str, given_: int) -> None:
    """E5."""
    assert Place.read(QueryDict(f"per_page={asked}")).per_page == given_


@pytest.mark.parametrize("sort", ["", "tenant", "-payload", "date,-date", "x" * 1000])
def test_only_what_an_index_serves_sorts(sort: str) -> None:
    """E6."""
    assert Place.read(QueryDict(f"sort={sort}")).newest_first


def test_links_keep_filters_and_order(staff: Client) -> None:
    for n in range(60):
        make_event(received_at=NOON + timedelta(seconds=n))

    response = staff.get("/admin/payments/events/?gateway=stripe&sort=date&per_page=25&q=")

    following = response.context["next"]
    assert following.startswith("?gateway=stripe&sort=date&per_page=25&after=")
    assert "1–25</b> of <b>60" in response.text
    again = staff.get(f"/admin/payments/events/{following}")
    assert again.context["previous"].startswith("?gateway=stripe&sort=date&per_page=25&before=")
