"""What an operator can mend is said in one line; what we must mend keeps its traceback."""

import pytest
from django.db import DatabaseError, NotSupportedError, connection

from payments_admin import command_line


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def execute(arguments: list[str]) -> None:
        raise error

    monkeypatch.setattr(command_line, "execute_from_command_line", execute)


def test_a_postgresql_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, NotSupportedError("PostgreSQL 14 or later is required (found 13.9)."))
    with pytest.raises(SystemExit, match=r"DATABASE_URL: .*14 or later is required"):
        command_line.main()


@pytest.mark.django_db
def test_a_failed_statement_is_our_fault_and_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(DatabaseError) as failed, connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column")
    fail_with(monkeypatch, failed.value)
    with pytest.raises(DatabaseError, match="no_such_column"):
        command_line.main()
