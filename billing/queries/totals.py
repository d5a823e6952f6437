"""The figures on the cards, from the sums that the database keeps."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from billing.models import Total
from billing.money import Money

Figure = Total.Figure


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


def totals() -> Totals:
    rows = (
        Total.objects.values_list("figure", "currency", "exponent")
        .annotate(counted=Sum("count"), minor=Sum("amount_minor"))
        .order_by()
    )
    amounts: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    exponents: dict[str, int] = defaultdict(int)
    invoices: dict[str, int] = defaultdict(int)
    by_status = {str(status): 0 for status in (Figure.PAID, Figure.PENDING, Figure.VOID)}
    for figure, currency, exponent, counted, minor in rows:
        if not counted and not minor:
            continue  # every row that made this sum has left it
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
