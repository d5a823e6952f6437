"""Dates and numbers as people of the reader's language write them, in the operators' zone."""

from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import (
    format_date,
    format_interval,
    format_skeleton,
    format_time,
    get_datetime_format,
    get_timezone_name,
)
from babel.numbers import format_compact_decimal, format_decimal
from django.utils import timezone
from django.utils.translation import get_language, gettext, to_locale

from billing.money import MAX_EXPONENT, Money
from billing.queries.lists import COUNT_LIMIT
from billing.zone import operator_zone


def locale() -> Locale:
    return _locale(get_language() or "en")


@cache
def _locale(language: str) -> Locale:
    # Remembered, for a page asks for it a thousand times.
    return Locale.parse(to_locale(language))


def moment(at: datetime) -> str:
    """``Nov 22, 13:04:11``; with the year when it is not this year."""
    local = at.astimezone(operator_zone())
    this_year = timezone.now().astimezone(operator_zone()).year
    skeleton = "MMMd" if local.year == this_year else "yMMMd"
    return _on_day(local.date(), skeleton, locale()).format(f"{local:%H:%M:%S}")


@lru_cache
def _on_day(day: date, skeleton: str, locale: Locale) -> str:
    """What stands around a time. Remembered, for the rows of a page are of few days."""
    # As the language joins the two: ``Nov 22, {}``, ``11月22日 {}``.
    joined = str(get_datetime_format("medium", locale=locale))
    return joined.format("{}", format_skeleton(skeleton, day, locale=locale))


def day(at: datetime) -> str:
    """``Nov 22, 2026``."""
    return format_date(at.astimezone(operator_zone()), locale=locale())


def clock(at: datetime) -> str:
    """``13:04``."""
    return format_time(at.astimezone(operator_zone()), "HH:mm", locale=locale())


def in_full(at: datetime) -> str:
    """``Sunday, November 22, 2026, 13:04:11 Coordinated Universal Time``."""
    local = at.astimezone(operator_zone())
    summer = bool(local.dst())
    around = _on_day_in_full(local.date(), operator_zone(), summer, locale())
    return around.format(f"{local:%H:%M:%S}")


@lru_cache
def _on_day_in_full(day: date, zone: ZoneInfo, summer: bool, locale: Locale) -> str:
    name = get_timezone_name(
        zone, "long", locale=locale, zone_variant="daylight" if summer else "standard"
    )
    joined = str(get_datetime_format("full", locale=locale))
    return joined.format(f"{{}} {name}", format_date(day, "full", locale=locale))


def days(first: date | None, last: date | None) -> str:
    """A range of days that may be open at one end."""
    if first and last:
        return format_interval(first, last, "yMMMd", locale=locale())
    if first:
        return gettext("since %(day)s") % {"day": format_date(first, locale=locale())}
    if last:
        return gettext("until %(day)s") % {"day": format_date(last, locale=locale())}
    return ""


def day_of(day: date) -> str:
    """``Nov 16``."""
    return format_skeleton("MMMd", day, locale=locale())


def month(first: date) -> str:
    """``Nov``."""
    return format_skeleton("MMM", first, locale=locale())


def year(day: date) -> str:
    """``2026``."""
    return format_skeleton("y", day, locale=locale())


def month_in_full(first: date) -> str:
    """``November 2026``."""
    return format_skeleton("yMMMM", first, locale=locale())


def compact(value: Decimal) -> str:
    """A round number for a scale: ``1.5K``."""
    return format_compact_decimal(value, locale=locale(), fraction_digits=MAX_EXPONENT)


def money(value: Money) -> str:
    """With its symbol, where the currency has one; its code stands beside it."""
    return _amount(value, locale())


@lru_cache(maxsize=1_000)
def _amount(value: Money, locale: Locale) -> str:
    # Remembered, for plans have prices, and the totals of the cards stand on every list.
    return value.format(locale)


def number(value: int) -> str:
    return format_decimal(value, locale=locale())


def tenths(value: float) -> str:
    """``1.9``."""
    return format_decimal(value, "0.0", locale=locale())


def count(value: int, limit: int | None = None) -> str:
    """A count up to a limit, usually ``COUNT_LIMIT``: ``1,846``, or ``10,000+``."""
    limit = COUNT_LIMIT if limit is None else limit
    return f"{number(limit)}+" if value > limit else number(value)
