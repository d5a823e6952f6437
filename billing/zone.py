"""The operators' time zone: dates are shown, filtered and exported in it."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def operator_zone() -> ZoneInfo:
    return ZoneInfo(settings.PAYMENTS_TIME_ZONE)


def today() -> date:
    """The day that it is for the operators."""
    return timezone.now().astimezone(operator_zone()).date()


def start_of_day(day: date) -> datetime:
    """The instant, in UTC, at which ``day`` begins for the operators.

    A day has 23 or 25 hours when the clocks change. Where midnight itself is skipped, zoneinfo's
    answer is the instant of the change, which is when the day begins.
    """
    return datetime.combine(day, time.min, operator_zone()).astimezone(UTC)
