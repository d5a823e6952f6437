"""Proves the kept sums against the rows, and moves the days of the daily ones to another zone."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DataError, connection, transaction

from billing.models import DailyTotal, TotalZone

# What the triggers of migrations 0002 and 0007 add up, read from the rows.
COUNTED = """
    SELECT status AS figure, currency, exponent, amount_minor - credited_minor AS amount_minor,
        created_at AS at, tenant_id
    FROM billing_invoice WHERE status IN ('paid', 'pending', 'void')
    UNION ALL
    SELECT CASE status WHEN 'succeeded' THEN 'refunded' ELSE 'refund_pending' END,
        currency, exponent, amount_minor, created_at, tenant_id
    FROM billing_refund WHERE status IN ('succeeded', 'pending')
    UNION ALL
    SELECT 'disputed', currency, exponent, counted_minor, created_at, tenant_id
    FROM billing_dispute WHERE counted_minor > 0
    UNION ALL
    SELECT 'payment_failed', COALESCE(currency, 'XXX'), COALESCE(exponent, 0),
        COALESCE(amount_minor, 0), occurred_at, NULL
    FROM billing_notification WHERE kind = 'payment_failed'
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One table of sums: what each is of, from which rows, and how that is said."""

    table: str
    by: str
    computed: str
    condition: str
    said: str

    @property
    def sums(self) -> str:
        return f"""
            SELECT {self.computed} AS by, figure, currency, exponent,
                count(*) AS count, sum(amount_minor) AS amount_minor
            FROM ({COUNTED}) AS counted WHERE {self.condition} GROUP BY 1, 2, 3, 4
        """

    @property
    def different(self) -> str:
        return f"""
            SELECT {self.said}, figure, currency, exponent,
                kept.count, kept.amount_minor, computed.count, computed.amount_minor
            FROM (
                SELECT {self.by} AS by, figure, currency, exponent,
                    sum(count) AS count, sum(amount_minor) AS amount_minor
                FROM {self.table} GROUP BY 1, 2, 3, 4
                HAVING sum(count) <> 0 OR sum(amount_minor) <> 0
            ) AS kept
            FULL JOIN ({self.sums}) AS computed USING (by, figure, currency, exponent)
            WHERE kept.count IS DISTINCT FROM computed.count
                OR kept.amount_minor IS DISTINCT FROM computed.amount_minor
            ORDER BY by, figure, currency, exponent
        """


TOTALS = Kept("billing_total", "true", "true", "figure <> 'payment_failed'", "''")
DAILY_TOTALS = Kept(
    "billing_dailytotal",
    "day",
    "(at AT TIME ZONE (SELECT name FROM billing_totalzone))::date",
    "at IS NOT NULL",
    "' on ' || by",
)
TENANT_TOTALS = Kept(
    "billing_tenanttotal",
    "tenant_id",
    "tenant_id",
    "tenant_id IS NOT NULL",
    "' of ' || (SELECT key FROM billing_tenant WHERE id = by)",
)


def discrepancies() -> list[str]:
    """One line for each sum that differs from its rows; amounts in minor units."""
    line = "{1} {2} ({3} decimals){0}: kept {4} rows of {5} in all, but there are {6} of {7}"
    found = []
    with connection.cursor() as cursor:
        for kept in (TOTALS, DAILY_TOTALS, TENANT_TOTALS):
            cursor.execute(kept.different)
            found += [line.format(*row) for row in cursor.fetchall()]
    return found


def follow_zone() -> bool:
    """Make the daily sums those of the operators' days, if another zone is set now; says whether.

    Meanwhile whoever writes to the rows waits (see the triggers), and readers see the old sums.
    """
    zone = settings.PAYMENTS_TIME_ZONE
    with transaction.atomic(), connection.cursor() as cursor:
        if TotalZone.objects.filter(name=zone).exists():
            return False
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('billing_totalzone', 0))")
        try:
            cursor.execute("SELECT now() AT TIME ZONE %s", [zone])
        except DataError as error:
            raise ImproperlyConfigured(
                f"PAYMENTS_TIME_ZONE: the database does not know {zone!r}."
            ) from error
        TotalZone.objects.update_or_create(pk=1, defaults={"name": zone})
        DailyTotal.objects.all().delete()
        cursor.execute(
            f"""
            INSERT INTO billing_dailytotal
                (day, figure, currency, exponent, count, amount_minor, shard)
            SELECT *, 0 FROM ({DAILY_TOTALS.sums}) AS computed
            """
        )
    return True
