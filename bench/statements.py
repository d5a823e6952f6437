"""What the addresses that are given as JSON cost the database of DATABASE_URL.

Prints, by address, how many statements there were, and which large tables were read from end to
end. It asks the application itself, in this process, so that each page is known by what it did.
"""

import json
import sys

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection, reset_queries  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

#: A table with more rows than this is to be read by index only.
LARGE = 50_000

Scans = dict[str, int]


def scans() -> Scans:
    """Per large table, how often it was read from end to end, up to now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT tables.relname, seq_scan FROM pg_stat_user_tables AS tables"
            " JOIN pg_class ON oid = relid WHERE reltuples > %s",
            [LARGE],
        )
        return dict(cursor.fetchall())


def main() -> None:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(username="bench"))
    found: dict[str, tuple[int, list[str]]] = {}
    for address in json.load(sys.stdin):
        before = scans()
        # Only so many are kept, and then none is added to them.
        reset_queries()
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        after = scans()
        asked = [query for query in captured if query["sql"] not in ("BEGIN", "COMMIT")]
        scanned = [table for table, count in after.items() if count > before.get(table, count)]
        found[address] = len(asked), scanned
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
