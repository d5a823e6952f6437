"""Closes the connection of a thread to the database when the thread ends.

The web server ends threads that have nothing to do for a while. Django has a connection for each,
in objects that hold one another: it would stay open until garbage is collected, long after its
thread, and PostgreSQL would take no more of them one day.
"""

import threading
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_of_thread = threading.local()


class _Open:
    """What goes with the thread, and closes what it holds."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __del__(self) -> None:
        self._connection.close()


def close_with_thread() -> None:
    """From now on, in this process."""
    connection_created.connect(_hold)


def _hold(connection: BaseDatabaseWrapper, **_: Any) -> None:
    # The one before, if there was one, is closed already.
    _of_thread.open = _Open(connection.connection)
