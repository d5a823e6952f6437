"""A thread that ends leaves no connection to the database open."""

import gc
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from payments_admin import connections

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_collecting_garbage() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()
    connection_created.disconnect(connections._hold)


def pid_of_a_thread() -> int:
    """The backend that a thread had, which has ended."""
    found = []

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            found.append(cursor.fetchone()[0])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return int(found[0])


def is_there(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", [pid])
        return bool(cursor.fetchone()[0])


def test_its_connection_is_closed_with_it() -> None:
    connections.close_with_thread()
    pid = pid_of_a_thread()

    deadline = time.monotonic() + 5
    while is_there(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_there(pid)


def test_without_that_it_stays_until_garbage_is_collected() -> None:
    pid = pid_of_a_thread()
    time.sleep(0.2)
    assert is_there(pid)
    gc.collect()
