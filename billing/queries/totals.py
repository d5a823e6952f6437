"""The figures on the cards and charts, from the sums that the database keeps."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from django.db.models import QuerySet, Sum

from billing.models import DailyTotal, KeptSum, Tenant, TenantTotal, Total
from billing.money import Money
from billing.queries.reads import Read, Row

Figure = KeptSum.Figure
KEY = ("figure", "currency", "exponent")


@dataclass(frozen=True, slots=True)
class CurrencyTotals:
    currency: str
    invoices: int
    revenue: Money
    refunded: Money
    pending: Money
    disputed: Money


@dataclass(frozen=True, slots=True)
class Totals:
    """``currencies`` has the one with most invoices first. They are never added up."""

    currencies: list[CurrencyTotals]
    by_status: dict[str, int]

    @property
    def invoice_count(self) -> int:
        return sum(self.by_status.values())


def totals(tenant: Tenant | None = None) -> Read[Totals]:
    """The figures of all rows, or of those of one tenant."""
    kept = TenantTotal.objects.filter(tenant=tenant) if tenant else Total.objects.all()
    return Read(lambda sums: _totals(_present(sums)), _sums(kept, *KEY))


def totals_by_tenant(ids: Collection[int]) -> Read[dict[int, Totals]]:
    """The figures of each of some tenants."""

    def of_each(sums: Iterable[Row]) -> dict[int, Totals]:
        of: dict[int, list[Row]] = {pk: [] for pk in ids}
        for pk, *row in _present(sums):
            of[pk].append(tuple(row))
        return {pk: _totals(rows) for pk, rows in of.items()}

    return Read(of_each, _sums(TenantTotal.objects.filter(tenant__in=ids), "tenant_id", *KEY))


def _sums(kept: QuerySet[Any], *by: str) -> QuerySet[Any, Any]:
    """The sums over all shards: what they are ``by``, the number of rows, and the amount."""
    sums = kept.values_list(*by).annotate(counted=Sum("count"), minor=Sum("amount_minor"))
    return cast("QuerySet[Any, Any]", sums.order_by())


def _present(sums: Iterable[Row]) -> Iterator[Row]:
    """Where there is nothing, every row that made the sum has left it."""
    return (row for row in sums if row[-2] or row[-1])


def _totals(rows: Iterable[Row]) -> Totals:
    amounts: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    exponents: dict[str, int] = defaultdict(int)
    invoices: dict[str, int] = defaultdict(int)
    by_status = {str(status): 0 for status in (Figure.PAID, Figure.PENDING, Figure.VOID)}
    for figure, currency, exponent, counted, minor in rows:
        # Two gateways may count one currency in different units, so sums are of major units.
        amounts[currency][figure] += Decimal(minor).scaleb(-exponent)
        exponents[currency] = max(exponents[currency], exponent)
        if figure in by_status:
            by_status[figure] += counted
            invoices[currency] += counted

    def money(currency: str, figure: str) -> Money:
        exponent = exponents[currency]
        return Money(int(amounts[currency][figure].scaleb(exponent)), currency, exponent)

    return Totals(
        currencies=[
            CurrencyTotals(
                currency=currency,
                invoices=invoices[currency],
                revenue=money(currency, Figure.PAID),
                refunded=money(currency, Figure.REFUNDED),
                pending=money(currency, Figure.PENDING),
                disputed=money(currency, Figure.DISPUTED),
            )
            for currency in sorted(amounts, key=lambda code: (-invoices[code], code))
        ],
        by_status=by_status,
    )


@dataclass(frozen=True, slots=True)
class Days:
    """What figures came to on each day from ``first`` on, in minor units of one currency."""

    first: date
    currency: str
    exponent: int
    minor: dict[str, list[int]]

    def sum(self, figure: str, first: date, last: date) -> Money:
        """All of the days from ``first`` to ``last``."""
        begin, end = (first - self.first).days, (last - self.first).days + 1
        return Money(sum(self.minor[figure][begin:end]), self.currency, self.exponent)


def daily(
    figures: Collection[str], totals: CurrencyTotals | None, first: date, last: date
) -> Read[Days]:
    """The days from ``first`` to ``last`` in a currency; all nothing, where there is none."""
    currency, exponent = (totals.currency, totals.revenue.exponent) if totals else ("XXX", 0)

    def of_each(sums: Iterable[Row]) -> Days:
        minor = {figure: [0] * _days(first, last) for figure in figures}
        for day, figure, given, _counted, amount in _present(sums):
            # The totals have the finest unit that any row of the currency has.
            minor[figure][(day - first).days] += int(amount) * 10 ** (exponent - given)
        return Days(first, currency, exponent, minor)

    kept = DailyTotal.objects.filter(
        figure__in=figures, currency=currency, day__range=(first, last)
    )
    return Read(of_each, _sums(kept, "day", "figure", "exponent"))


def last_days(totals: Totals, last: date) -> Read[Days]:
    """Thirty days, of the figures of the cards in their main currency."""
    main = totals.currencies[0] if totals.currencies else None
    figures = [Figure.PAID, Figure.REFUNDED, Figure.PENDING]
    return daily(figures, main, last - timedelta(days=29), last)


def daily_failures(first: date, last: date) -> Read[list[int]]:
    """How many attempts to pay failed on each day from ``first`` to ``last``."""

    def of_each(sums: Iterable[Row]) -> list[int]:
        counts = [0] * _days(first, last)
        for day, counted, _minor in _present(sums):
            counts[(day - first).days] += counted
        return counts

    kept = DailyTotal.objects.filter(figure=Figure.PAYMENT_FAILED, day__range=(first, last))
    return Read(of_each, _sums(kept, "day"))


def _days(first: date, last: date) -> int:
    return (last - first).days + 1
