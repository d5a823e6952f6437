"""How PostgreSQL keeps the rows."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_bodies_are_compressed_with_lz4_where_the_server_offers_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'")
        (offered,) = cursor.fetchone()
        cursor.execute(
            "SELECT attcompression FROM pg_attribute"
            " WHERE attrelid = 'billing_paymentevent'::regclass AND attname = 'body'"
        )
        (chosen,) = cursor.fetchone()

    assert chosen == ("l" if "lz4" in offered else "")
