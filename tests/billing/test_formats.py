"""Numbers and times are written as the reader's language writes them."""

from datetime import UTC, datetime

from django.utils import translation
from pytest_django import Settings

from billing import formats


def test_tenths_have_the_decimal_mark_of_the_language() -> None:
    with translation.override("en"):
        assert formats.tenths(1.94) == "1.9"
    with translation.override("fr"):
        assert formats.tenths(1.94) == "1,9"


def test_a_time_in_full_names_the_zone_as_it_is_on_that_day(settings: Settings) -> None:
    winter, summer = (datetime(2026, month, 22, 17, 4, 11, tzinfo=UTC) for month in (1, 7))

    settings.PAYMENTS_TIME_ZONE = "America/New_York"
    with translation.override("en"):
        assert formats.in_full(winter) == (
            "Thursday, January 22, 2026, 12:04:11 Eastern Standard Time"
        )
        assert formats.in_full(summer) == (
            "Wednesday, July 22, 2026, 13:04:11 Eastern Daylight Time"
        )
    with translation.override("ja"):
        assert formats.in_full(winter) == "2026年1月22日木曜日 12:04:11 アメリカ東部標準時"

    settings.PAYMENTS_TIME_ZONE = "UTC"
    with translation.override("en"):
        assert formats.in_full(winter).endswith(
            "January 22, 2026, 17:04:11 Coordinated Universal Time"
        )
