"""What search needs: the pieces of the names of tenants, and the numbers of credit notes."""

import django.contrib.postgres.indexes
from django.db import migrations, models

# Every one and two characters of the texts, in upper case. An index over them finds a text by any
# part of it, in any script. (pg_trgm would want three characters, and an extension that neither
# the embedded PostgreSQL nor every hosted one has; see ADR 12.)
PIECES = """
CREATE FUNCTION billing_pieces(VARIADIC texts text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(upper(t), at, size))
    FROM unnest(texts) AS t, generate_series(1, 2) AS size,
        generate_series(1, length(upper(t)) - size + 1) AS at
$$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0007_daily_and_tenant_totals"),
    ]

    operations = [
        migrations.RunSQL(PIECES, "DROP FUNCTION billing_pieces(text[])"),
        migrations.AddIndex(
            model_name='tenant',
            index=django.contrib.postgres.indexes.GinIndex(models.Func(models.F('name'), models.F('key'), function='billing_pieces'), name='tenant_pieces'),
        ),
        migrations.AddIndex(
            model_name='creditnote',
            index=models.Index(fields=['number'], name='creditnote_number'),
        ),
    ]
