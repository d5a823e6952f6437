"""Posts that arrive together are written together, and still each for itself."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import PaymentEvent
from webhooks import inbox as module
from webhooks.inbox import FEW, GROUP_SIZE, MOMENT, Inbox, Recorded, Row

pytestmark = pytest.mark.django_db(transaction=True)


def row(event_id: str, **more: Any) -> Row:
    values: dict[str, Any] = {
        "gateway": "stripe",
        "event_id": event_id,
        "event_type": "invoice.paid",
        "api_version": "",
        "livemode": False,
        "occurred_at": None,
        "received_at": timezone.now(),
        "verified_with": "",
        "body": b"{}",
        "body_sha256": b"first",
        "state": "waiting",
        "reason": "",
        "next_attempt_at": timezone.now(),
        "transmission_id": None,
    }
    return Row(**values | more)


class Together:
    """An inbox whose first statement lasts until all other rows wait for the next one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.inbox = Inbox()
        self.groups: list[list[str]] = []
        self._insert = module._insert
        self._all_wait = threading.Event()
        monkeypatch.setattr(module, "_insert", self._slow_first)

    def _slow_first(self, rows: list[Row]) -> Any:
        self.groups.append(sorted(row.event_id for row in rows))
        if len(self.groups) == 1:
            assert self._all_wait.wait(10)
        return self._insert(rows)

    def record(self, first: Row, *others: Row) -> list[Recorded | Exception | None]:
        def run(one: Row) -> Recorded | Exception | None:
            try:
                return self.inbox.record(one)
            except DatabaseError as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(len(others) + 1) as pool:
            futures = [pool.submit(run, first)]
            until(lambda: bool(self.groups))
            for number, other in enumerate(others, 1):
                futures.append(pool.submit(run, other))
                until(lambda number=number: len(self.inbox._waiting) == number)  # type: ignore[misc]
            self._all_wait.set()
            return [future.result(10) for future in futures]


def record_alone(inbox: Inbox, one: Row) -> None:
    inbox.record(one)
    connection.close()


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Together:
    return Together(monkeypatch)


def until(condition: Callable[[], bool]) -> None:
    deadline = timezone.now() + timedelta(seconds=10)
    while not condition():
        assert timezone.now() < deadline
        threading.Event().wait(0.002)


def test_what_arrives_during_a_statement_goes_with_the_next(together: Together) -> None:
    results = together.record(*(row(f"evt_{n}") for n in range(10)))
    assert results == [Recorded(1, same_body=True)] * 10
    assert together.groups == [["evt_0"], [f"evt_{n}" for n in range(1, 10)]]
    assert PaymentEvent.objects.count() == 10


def test_a_group_has_a_limit(together: Together) -> None:
    together.record(*(row(f"evt_{n}") for n in range(GROUP_SIZE + 3)))
    assert [len(group) for group in together.groups] == [1, GROUP_SIZE, 2]
    assert PaymentEvent.objects.count() == GROUP_SIZE + 3


def test_after_a_group_the_first_waits_a_moment_for_more(
    together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: list[float] = []
    monkeypatch.setattr("webhooks.inbox.time.sleep", moments.append)

    together.record(*(row(f"evt_{n}") for n in range(3)))
    assert together.groups == [["evt_0"], ["evt_1", "evt_2"]]
    assert moments == []
    together.inbox.record(row("evt_alone"))
    assert moments == [MOMENT]
    together.inbox.record(row("evt_alone_again"))
    assert moments == [MOMENT]


@pytest.mark.parametrize(("left", "moments"), [(FEW - 1, [MOMENT]), (FEW, [])])
def test_only_few_wait_for_more(
    together: Together, monkeypatch: pytest.MonkeyPatch, left: int, moments: list[float]
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("webhooks.inbox.time.sleep", waited.append)

    together.record(*(row(f"evt_{n}") for n in range(1 + GROUP_SIZE + left)))

    assert [len(group) for group in together.groups] == [1, GROUP_SIZE, left]
    assert waited == moments


def test_what_comes_in_that_moment_goes_with_the_first(
    together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    together.record(*(row(f"evt_{n}") for n in range(3)))

    def late(_seconds: float) -> None:
        other.start()
        until(lambda: len(together.inbox._waiting) == 2)

    other = threading.Thread(target=record_alone, args=(together.inbox, row("evt_late")))
    monkeypatch.setattr("webhooks.inbox.time.sleep", late)
    together.inbox.record(row("evt_first"))
    other.join(10)
    assert together.groups[2:] == [["evt_first", "evt_late"]]


def test_a_row_that_cannot_be_stored_fails_alone(together: Together) -> None:
    bad = row("evt_bad", event_type="x" * 300)
    _, *results = together.record(row("evt_0"), row("evt_1"), bad, row("evt_2"))
    assert [type(result).__name__ for result in results] == [
        "Recorded",
        "IntegrityError",
        "Recorded",
    ]
    assert set(PaymentEvent.objects.values_list("event_id", flat=True)) == {
        "evt_0",
        "evt_1",
        "evt_2",
    }


def test_one_event_twice_in_a_group_is_recorded_and_known(together: Together) -> None:
    other_body = row("evt_1", body=b"[]", body_sha256=b"other")
    results = together.record(row("evt_0"), row("evt_1"), row("evt_1"), other_body)
    assert results[1:] == [Recorded(1, True), Recorded(2, True), Recorded(3, False)]
    event = PaymentEvent.objects.get(event_id="evt_1")
    assert (event.deliveries, event.conflicting_deliveries) == (3, 1)


def test_two_bodies_of_one_transmission_in_a_group(together: Together) -> None:
    paypal = {"gateway": "paypal", "transmission_id": "same"}
    results = together.record(
        row("evt_0"),
        row("WH-1", **paypal),
        row("WH-2", body_sha256=b"other", **paypal),
        row("WH-3", gateway="paypal", transmission_id="another"),
    )
    assert results[1:] == [Recorded(1, True), None, Recorded(1, True)]


def test_alone_it_is_one_statement_and_nobody_is_waited_for() -> None:
    # The first on a connection also says what the statement is.
    Inbox().record(row("evt_1"))
    with CaptureQueriesContext(connection) as queries:
        assert Inbox().record(row("evt_2")) == Recorded(1, True)
    assert len(queries) == 1


def test_what_came_due_just_before_is_looked_for_in_the_index() -> None:
    """Whatever the planner knows of the table: here nothing."""
    Inbox().record(row("evt_1"))  # the connection has the statement now
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN EXECUTE record_posts ('[]', '{}', now(), '')")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    [bounds] = re.findall(r"event_queue on billing_paymentevent\b.*\n\s+Index Cond: (.*)", plan)
    assert re.findall(r"next_attempt_at (\S+)", bounds) == [">=", "<="]


@pytest.mark.parametrize(
    "body",
    [b"", b"\\x41", b"\\", rb"\101 \u0041 \\", b"it's 100 % {}", "für".encode(), b"\xff", b"a\0b"],
)
def test_a_body_is_kept_as_it_is(body: bytes) -> None:
    Inbox().record(row("evt_1", body=body))
    assert bytes(PaymentEvent.objects.get().body) == body


def test_a_dead_connection_is_replaced() -> None:
    inbox = Inbox()
    inbox.record(row("evt_1"))
    connection.connection.close()
    assert inbox.record(row("evt_2")) == Recorded(1, True)


def test_a_fault_of_ours_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(group: Any) -> None:
        raise ZeroDivisionError

    inbox = Inbox()
    with monkeypatch.context() as patch:
        patch.setattr(module, "_store", broken)
        with pytest.raises(ZeroDivisionError):
            inbox.record(row("evt_1"))
    assert inbox.record(row("evt_1")) == Recorded(1, True)
