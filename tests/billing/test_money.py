"""Money is exact, and is shown with the gateway's decimals, never the locale's."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import MAX_EXPONENT, Money
from webhooks.gateways.currencies import PAYPAL_EXPONENTS, STRIPE_EXPONENTS


@pytest.mark.parametrize(
    ("money", "machine", "english", "german_number"),
    [
        (Money(123456, "USD", 2), "1234.56", "$1,234.56", "1.234,56"),
        (Money(5000, "JPY", 0), "5000", "¥5,000", "5.000"),
        (Money(75500, "KWD", 3), "75.500", "75.500", "75,500"),
        # Stripe counts these in hundredths, where the locale data has none.
        (Money(123450, "RSD", 2), "1234.50", "1,234.50", "1.234,50"),
        (Money(500000, "ISK", 2), "5000.00", "5,000.00", "5.000,00"),
        (Money(-500, "EUR", 2), "-5.00", "-€5.00", "5,00"),
        (Money(0, "EUR", 2), "0.00", "€0.00", "0,00"),
        (Money(1, "EUR", 2), "0.01", "€0.01", "0,01"),
    ],
)
def test_money_for_machines_and_for_people(
    money: Money, machine: str, english: str, german_number: str
) -> None:
    assert str(money) == machine
    assert money.format() == english
    assert german_number in money.format("de")


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, MAX_EXPONENT))
def test_nothing_is_lost_between_minor_and_major_units(minor: int, exponent: int) -> None:
    money = Money(minor, "EUR", exponent)
    assert money.major.scaleb(exponent) == minor
    assert Decimal(str(money)) == money.major
    assert str(money).partition(".")[2] == (str(money)[-exponent:] if exponent else "")


@given(
    st.sampled_from(sorted((STRIPE_EXPONENTS | PAYPAL_EXPONENTS).items())),
    st.integers(0, 10**12),
    st.sampled_from(["en", "de", "fr", "ja", "zh_Hans", "ar", "hi"]),
)
def test_every_currency_is_shown_with_the_decimals_it_was_charged_in(
    currency: tuple[str, int], minor: int, locale: str
) -> None:
    code, exponent = currency
    shown = Money(minor, code, exponent).format(locale)
    digits = "".join(str(int(c)) for c in shown if c.isdecimal())
    assert digits == str(minor).rjust(exponent + 1, "0")


def test_the_amount_of_a_negative_amount() -> None:
    assert abs(Money(-5, "EUR", 2)) == Money(5, "EUR", 2)
