"""Posts that arrive together are written together, and still each for itself."""

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import PaymentEvent
from webhooks import inbox as module
from webhooks.inbox import FEW, GROUP_SIZE, MOMENT, Inbox, Recorded, Row, store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_connection_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of the writers, which have one each."""
    made: list[Inbox] = []
    init = Inbox.__init__

    def noted(self: Inbox) -> None:
        init(self)
        made.append(self)

    monkeypatch.setattr(Inbox, "__init__", noted)
    yield
    for inbox in made:
        inbox._writer.submit(lambda: connection.close()).result(10)
        inbox._writer.shutdown()


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


Result = Recorded | BaseException | None


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

    def record(self, *rows: Row) -> list[Result]:
        """The first by itself, the others while it is written."""

        async def run() -> list[Result]:
            first = asyncio.create_task(self.inbox.record(rows[0]))
            while not self.groups:
                await asyncio.sleep(0.001)
            others = [asyncio.create_task(self.inbox.record(row)) for row in rows[1:]]
            while len(self.inbox._waiting) < len(others):
                await asyncio.sleep(0.001)
            self.goes_on()
            return await asyncio.gather(first, *others, return_exceptions=True)

        return asyncio.run(run())

    def goes_on(self) -> None:
        self._all_wait.set()


class Moments:
    """What is slept while rows are few: counted, not slept, and filled with what ``then`` says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.then: Callable[[], Coroutine[Any, Any, Any]] | None = None
        self._sleep = asyncio.sleep
        self._tasks: list[asyncio.Task[Any]] = []
        monkeypatch.setattr(asyncio, "sleep", self._noted)

    async def _noted(self, seconds: float) -> None:
        if seconds == MOMENT:
            self.count += 1
            self._tasks += [asyncio.create_task(self.then())] if self.then else []
            seconds = 0
        await self._sleep(seconds)


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Together:
    return Together(monkeypatch)


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
    together: Together, moments: Moments
) -> None:
    together.record(*(row(f"evt_{n}") for n in range(3)))
    assert together.groups == [["evt_0"], ["evt_1", "evt_2"]]
    assert moments.count == 0
    asyncio.run(together.inbox.record(row("evt_alone")))
    assert moments.count == 1
    asyncio.run(together.inbox.record(row("evt_alone_again")))
    assert moments.count == 1


@pytest.mark.parametrize(("left", "count"), [(FEW - 1, 1), (FEW, 0)])
def test_only_few_wait_for_more(
    together: Together, moments: Moments, left: int, count: int
) -> None:
    together.record(*(row(f"evt_{n}") for n in range(1 + GROUP_SIZE + left)))
    assert [len(group) for group in together.groups] == [1, GROUP_SIZE, left]
    assert moments.count == count


def test_what_comes_in_that_moment_goes_with_the_first(
    together: Together, moments: Moments
) -> None:
    together.record(*(row(f"evt_{n}") for n in range(3)))
    moments.then = lambda: together.inbox.record(row("evt_late"))
    asyncio.run(together.inbox.record(row("evt_first")))
    assert together.groups[2:] == [["evt_first", "evt_late"]]


def test_who_waits_and_is_cancelled_keeps_nobody_from_an_answer(together: Together) -> None:
    async def run() -> None:
        tasks = [asyncio.create_task(together.inbox.record(row(f"evt_{n}"))) for n in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        together.goes_on()
        assert await asyncio.gather(*tasks[1:]) == [Recorded(1, True)] * 2

    asyncio.run(run())
    assert PaymentEvent.objects.count() == 3


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
    store(row("evt_1"))
    with CaptureQueriesContext(connection) as queries:
        assert store(row("evt_2")) == Recorded(1, True)
    assert len(queries) == 1


def test_what_came_due_just_before_is_looked_for_in_the_index() -> None:
    """Whatever the planner knows of the table: here nothing."""
    store(row("evt_1"))  # the connection has the statement now
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
    store(row("evt_1", body=body))
    assert bytes(PaymentEvent.objects.get().body) == body


def test_a_dead_connection_is_replaced() -> None:
    store(row("evt_1"))
    connection.connection.close()
    assert store(row("evt_2")) == Recorded(1, True)


def test_a_fault_of_ours_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(rows: Any) -> None:
        raise ZeroDivisionError

    inbox = Inbox()
    with monkeypatch.context() as patch:
        patch.setattr(module, "_store", broken)
        with pytest.raises(ZeroDivisionError):
            asyncio.run(inbox.record(row("evt_1")))
    assert asyncio.run(inbox.record(row("evt_1"))) == Recorded(1, True)
