"""Django's command line, where what an operator must mend is one line and no traceback."""

import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, NotSupportedError, connection


def main() -> None:
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Configuration: {error}")
    except DatabaseError as error:
        if not is_no_connection(error):
            raise
        sys.exit(f"Configuration: {describe_no_connection(error)}")


def is_no_connection(error: DatabaseError) -> bool:
    """Whether there is no usable database, rather than a statement that failed."""
    if error.__cause__ is None:
        # Django's own: the server is older than it supports.
        return isinstance(error, NotSupportedError)
    # PostgreSQL gives every failed statement a code; a failed connection has none.
    return not getattr(error.__cause__, "pgcode", None)


def describe_no_connection(error: DatabaseError) -> str:
    where = connection.settings_dict
    reason = " ".join(str(error).split())
    return (
        f"DATABASE_URL: cannot use the PostgreSQL at {where['HOST'] or 'the local socket'}"
        f" (port {where['PORT'] or 5432}, database {where['NAME']},"
        f" user {where['USER'] or 'not given'}): {reason}"
    )
