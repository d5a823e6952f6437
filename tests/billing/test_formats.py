"""Numbers are written as the reader's language writes them."""

from django.utils import translation

from billing import formats


def test_tenths_have_the_decimal_mark_of_the_language() -> None:
    with translation.override("en"):
        assert formats.tenths(1.94) == "1.9"
    with translation.override("fr"):
        assert formats.tenths(1.94) == "1,9"
