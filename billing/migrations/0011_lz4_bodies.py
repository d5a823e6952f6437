"""Bodies of events compressed with lz4, where the server offers it."""

from django.db import migrations

# The embedded PostgreSQL offers pglz only, and keeps it. Bodies that stand stay as they are.
COMPRESS = """
DO $$ BEGIN
    IF EXISTS (
        SELECT FROM pg_settings
        WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)
    ) THEN
        ALTER TABLE billing_paymentevent ALTER COLUMN body SET COMPRESSION lz4;
    END IF;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0010_failed_payments"),
    ]

    operations = [
        migrations.RunSQL(
            COMPRESS, "ALTER TABLE billing_paymentevent ALTER COLUMN body SET COMPRESSION default"
        ),
    ]
