"""Proves the kept totals against the rows."""

from django.db import connection

# The sums that the triggers of migration 0002 keep, computed from the rows.
COMPUTED = """
    SELECT status AS figure, currency, exponent, count(*) AS count,
        sum(amount_minor - credited_minor) AS amount
    FROM billing_invoice WHERE status IN ('paid', 'pending', 'void') GROUP BY 1, 2, 3
    UNION ALL
    SELECT CASE status WHEN 'succeeded' THEN 'refunded' ELSE 'refund_pending' END,
        currency, exponent, count(*), sum(amount_minor)
    FROM billing_refund WHERE status IN ('succeeded', 'pending') GROUP BY 1, 2, 3
    UNION ALL
    SELECT 'disputed', currency, exponent, count(*), sum(counted_minor)
    FROM billing_dispute WHERE counted_minor > 0 GROUP BY 1, 2, 3
"""
DIFFERENT = f"""
    SELECT figure, currency, exponent, kept.count, kept.amount, computed.count, computed.amount
    FROM (
        SELECT figure, currency, exponent, sum(count) AS count, sum(amount_minor) AS amount
        FROM billing_total GROUP BY 1, 2, 3
        HAVING sum(count) <> 0 OR sum(amount_minor) <> 0
    ) AS kept
    FULL JOIN ({COMPUTED}) AS computed USING (figure, currency, exponent)
    WHERE kept.count IS DISTINCT FROM computed.count
        OR kept.amount IS DISTINCT FROM computed.amount
    ORDER BY 1, 2, 3
"""


def discrepancies() -> list[str]:
    """One line for each total that differs from its rows; amounts in minor units."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENT)
        return [
            "{} {} ({} decimals): kept {} rows of {} in all, but there are {} of {}".format(*row)
            for row in cursor.fetchall()
        ]
