"""The four cards at the top of the page: what they show, and where its rows are."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext, npgettext

from billing import charts, formats
from billing.addresses import rows_of
from billing.models import KeptSum, Tenant
from billing.money import Money
from billing.queries.totals import CurrencyTotals, Days, Totals

Figure = KeptSum.Figure


@dataclass(frozen=True, slots=True)
class Line:
    """An amount, and where the rows are that it is the sum of."""

    money: Money
    url: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A sparkline, and what it shows in words."""

    drawn: charts.Sparkline
    label: str


@dataclass(frozen=True, slots=True)
class Card:
    """``lines`` has one amount a currency, the main currency's first."""

    name: str
    title: str
    help: str
    lines: list[Line]
    trend: Trend | None
    #: What is counted apart from this figure, beside it.
    disputed: list[Line] = field(default_factory=list)

    @property
    def main(self) -> Line | None:
        return self.lines[0] if self.lines else None

    @property
    def second(self) -> Line | None:
        return self.lines[1] if len(self.lines) > 1 else None

    @property
    def more(self) -> int:
        return max(len(self.lines) - 2, 0)

    @property
    def has_menu(self) -> bool:
        return bool(self.more or self.disputed)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the split of the invoice count; ``x`` and ``width`` are per cent of the bar."""

    status: str
    label: str
    count: str
    url: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Cards:
    """Three amounts, and how many invoices there are; of all tenants, or of one."""

    label: str
    amounts: list[Card]
    count: str
    url: str
    split: list[Part]


def cards(totals: Totals, days: Days | None = None, tenant: Tenant | None = None) -> Cards:
    """The cards of all ``tenant``s, or of one; ``days`` are what the sparklines draw, if any."""
    of = {"tenant": tenant.key} if tenant else {}

    def lines(figure: Figure, amount: Callable[[CurrencyTotals], Money]) -> list[Line]:
        return [
            Line(money, rows_of(figure, currency=money.currency, **of))
            for money in map(amount, totals.currencies)
        ]

    def card(
        figure: Figure, title: str, hint: str, amount: Callable[[CurrencyTotals], Money]
    ) -> Card:
        # The main currency is the same on all cards; of the others, those that have something.
        amounts = lines(figure, amount)
        kept = amounts[:1] + [line for line in amounts[1:] if line.money.minor]
        return Card(figure.value, title, hint, kept, _trend(days, figure) if days else None)

    disputed = [line for line in lines(Figure.DISPUTED, lambda c: c.disputed) if line.money.minor]
    every = f"?{urlencode(of)}" if of else ""
    return Cards(
        label=gettext("Totals of %(tenant)s") % {"tenant": tenant.name}
        if tenant
        else gettext("Totals of all tenants"),
        amounts=[
            card(
                Figure.PAID,
                gettext("Total revenue"),
                gettext("Sum of all paid invoices, before refunds"),
                lambda c: c.revenue,
            ),
            replace(
                card(
                    Figure.REFUNDED,
                    gettext("Total refunded"),
                    gettext("Sum of all refunds that succeeded; disputes are counted apart"),
                    lambda c: c.refunded,
                ),
                disputed=disputed,
            ),
            card(
                Figure.PENDING,
                gettext("Pending amount"),
                gettext("Sum of all invoices that are to be paid"),
                lambda c: c.pending,
            ),
        ],
        count=formats.number(totals.invoice_count),
        url=reverse("billing:invoices") + every,
        split=_split(totals, of),
    )


def _trend(days: Days, figure: Figure) -> Trend:
    minor = days.minor[figure]
    drawn = charts.sparkline(minor)
    if not any(minor):
        return Trend(drawn, gettext("Nothing in the last 30 days"))
    total, most = (
        formats.money(Money(amount, days.currency, days.exponent))
        for amount in (sum(minor), max(minor))
    )
    label = gettext("The last 30 days: %(total)s %(currency)s in all, at most %(most)s in a day")
    return Trend(drawn, label % {"total": total, "currency": days.currency, "most": most})


def _split(totals: Totals, of: dict[str, str]) -> list[Part]:
    """Paid, pending and void as parts of one bar. A part that is not empty can be seen."""
    kept = totals.by_status
    # An adjective has a plural too in some languages.
    labels = {
        Figure.PAID: npgettext("after their number", "paid", "paid", kept[Figure.PAID]),
        Figure.PENDING: npgettext("after their number", "pending", "pending", kept[Figure.PENDING]),
        Figure.VOID: npgettext("after their number", "void", "void", kept[Figure.VOID]),
    }
    gap, least = 0.6, 1.2
    counts = {status: kept[status] for status in labels}
    present = [status for status in counts if counts[status]]
    room = 100 - gap * (len(present) - 1) - least * len(present)
    parts, x = [], 0.0
    for status, count in counts.items():
        width = least + room * count / totals.invoice_count if count else 0.0
        parts.append(
            Part(
                status=status.value,
                label=labels[status],
                count=formats.number(count),
                url=rows_of(status, **of),
                x=round(x, 2),
                width=round(width, 2),
            )
        )
        x += width + gap if count else 0
    return parts
