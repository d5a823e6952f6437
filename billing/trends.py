"""The Trends page: what months and weeks came to, as charts and tables that lead to the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext, ngettext

from billing import charts, formats
from billing.addresses import failures_of, rows_of
from billing.models import KeptSum
from billing.money import Money
from billing.queries.totals import Days

Figure = KeptSum.Figure

MONTHS, WEEKS = 12, 13
# Where there is little room, only each third label is shown, counted from the last.
SPARSE = 3


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the operators. ``label`` is for the axis, with ``year`` below; ``text`` in full."""

    first: date
    last: date
    label: str
    year: str
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """What one period came to. ``url`` is empty where there are no rows, or none to be seen."""

    period: Period
    column: charts.Column
    value: str
    text: str
    url: str
    #: Left out of the axis where there is little room.
    sparse: bool
    #: Where the value stands beside the bar: it must not leave the chart at its ends.
    value_x: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Scale:
    label: str
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    name: str
    title: str
    help: str
    total: str
    unit: str
    scale: list[Scale]
    zero: float
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the bars of a period, one of each chart."""

    period: Period
    bars: list[Bar]


def months(today: date) -> list[Period]:
    """The last twelve, this one whole."""
    found = []
    for n in range(MONTHS - 1, -1, -1):
        year, month = divmod(today.year * 12 + today.month - 1 - n, 12)
        first = date(year, month + 1, 1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        label, in_full = formats.month(first), formats.month_in_full(first)
        year_below = formats.year(first) if month == 0 else ""
        found.append(Period(first, last, label, year_below, _so_far(in_full, last, today)))
    return found


def weeks(today: date) -> list[Period]:
    """The last thirteen, from Monday to Sunday, this one whole."""
    monday = today - timedelta(days=today.weekday())
    found = []
    for n in range(WEEKS - 1, -1, -1):
        first = monday - timedelta(weeks=n)
        last = first + timedelta(days=6)
        text = _so_far(formats.days(first, last), last, today)
        found.append(Period(first, last, formats.day_of(first), "", text))
    return found


def _so_far(text: str, last: date, today: date) -> str:
    return gettext("%(period)s, so far") % {"period": text} if last >= today else text


def amounts(days: Days, periods: Sequence[Period]) -> list[Chart]:
    """Revenue, refunds and what is pending, in one currency."""

    def chart(figure: Figure, title: str, hint: str) -> Chart:
        sums = [days.sum(figure, period.first, period.last) for period in periods]
        total = days.sum(figure, periods[0].first, periods[-1].last)

        def url(period: Period) -> str:
            return rows_of(
                figure, currency=days.currency, date_from=period.first, date_to=period.last
            )

        def text(value: int) -> str:
            return formats.money(Money(value, days.currency, days.exponent))

        plot = charts.plot([money.minor for money in sums])
        return Chart(
            name=figure.value,
            title=title,
            help=hint,
            total=formats.money(total),
            unit=days.currency,
            scale=_scale(plot, days.exponent),
            zero=plot.zero,
            bars=_bars(
                plot,
                periods,
                [money.minor for money in sums],
                text,
                lambda value: f"{text(value)} {days.currency}",
                url,
            ),
        )

    return [
        chart(Figure.PAID, gettext("Revenue"), gettext("Paid invoices, by their date")),
        chart(Figure.REFUNDED, gettext("Refunds"), gettext("Refunds that succeeded")),
        chart(Figure.PENDING, gettext("Pending"), gettext("Invoices to be paid, by their date")),
    ]


def failures(counts: Sequence[int], periods: Sequence[Period], *, linked: bool) -> Chart:
    """How many attempts to pay failed; ``counts`` are of each day from the first period's first."""
    begin = periods[0].first
    sums = [
        sum(counts[(period.first - begin).days : (period.last - begin).days + 1])
        for period in periods
    ]
    plot = charts.plot(sums)
    return Chart(
        name="failed",
        title=gettext("Failed payments"),
        help=gettext("Attempts to pay that failed, in all currencies, by week from Monday"),
        total=formats.number(sum(sums)),
        unit="",
        scale=_scale(plot, 0),
        zero=plot.zero,
        bars=_bars(
            plot,
            periods,
            sums,
            formats.number,
            lambda value: (
                ngettext("%(n)s failed payment", "%(n)s failed payments", value)
                % {"n": formats.number(value)}
            ),
            lambda period: failures_of(period.first, period.last) if linked else "",
        ),
    )


def table(charts: Sequence[Chart]) -> list[Row]:
    """The same numbers, newest first."""
    return [
        Row(bars[0].period, list(bars))
        for bars in zip(*(reversed(chart.bars) for chart in charts), strict=True)
    ]


def _scale(plot: charts.Plot, exponent: int) -> list[Scale]:
    return [
        Scale(formats.compact(Decimal(tick.value).scaleb(-exponent)), tick.y) for tick in plot.ticks
    ]


def _bars(
    plot: charts.Plot,
    periods: Sequence[Period],
    values: Sequence[int],
    short: Callable[[int], str],
    full: Callable[[int], str],
    url: Callable[[Period], str],
) -> list[Bar]:
    bars = []
    for n, (period, column, value) in enumerate(zip(periods, plot.columns, values, strict=True)):
        if n < SPARSE:
            value_x, anchor = column.bar_x, "start"
        elif n >= len(periods) - SPARSE:
            value_x, anchor = round(column.bar_x + column.bar_width, 2), "end"
        else:
            value_x, anchor = column.middle, "middle"
        bars.append(
            Bar(
                period=period,
                column=column,
                value=short(value),
                text=gettext("%(period)s: %(value)s")
                % {"period": period.text, "value": full(value)},
                url=url(period) if value else "",
                sparse=bool((len(periods) - 1 - n) % SPARSE),
                value_x=value_x,
                anchor=anchor,
            )
        )
    return bars
