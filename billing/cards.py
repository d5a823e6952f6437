"""The four cards at the top of the page."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext

from billing import formats
from billing.money import Money
from billing.queries.totals import CurrencyTotals, Totals


@dataclass(frozen=True, slots=True)
class Card:
    """``lines`` has one amount a currency, the main currency's first."""

    name: str
    title: str
    help: str
    lines: list[Money]
    #: What is counted apart from this figure, beside it.
    disputed: list[Money] = field(default_factory=list)

    @property
    def main(self) -> Money | None:
        return self.lines[0] if self.lines else None

    @property
    def second(self) -> Money | None:
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
    x: float
    width: float


def cards(totals: Totals) -> list[Card]:
    def lines(amount: Callable[[CurrencyTotals], Money]) -> list[Money]:
        # The main currency is the same on all cards; of the others, those that have something.
        amounts = [amount(line) for line in totals.currencies]
        return amounts[:1] + [money for money in amounts[1:] if money.minor]

    disputed = [line.disputed for line in totals.currencies if line.disputed.minor]
    return [
        Card(
            "revenue",
            gettext("Total revenue"),
            gettext("Sum of all paid invoices, before refunds"),
            lines(lambda line: line.revenue),
        ),
        Card(
            "refunded",
            gettext("Total refunded"),
            gettext("Sum of all refunds that succeeded; disputes are counted apart"),
            lines(lambda line: line.refunded),
            disputed,
        ),
        Card(
            "pending",
            gettext("Pending amount"),
            gettext("Sum of all invoices that are to be paid"),
            lines(lambda line: line.pending),
        ),
    ]


def split(totals: Totals) -> list[Part]:
    """Paid, pending and void as parts of one bar. A part that is not empty can be seen."""
    labels = {"paid": gettext("paid"), "pending": gettext("pending"), "void": gettext("void")}
    gap, least = 0.6, 1.2
    counts = {status: totals.by_status[status] for status in labels}
    present = [status for status in counts if counts[status]]
    room = 100 - gap * (len(present) - 1) - least * len(present)
    parts, x = [], 0.0
    for status, count in counts.items():
        width = least + room * count / totals.invoice_count if count else 0.0
        number = formats.number(count)
        parts.append(Part(status, labels[status], number, round(x, 2), round(width, 2)))
        x += width + gap if count else 0
    return parts
