"""Money: integer minor units, a currency, and the exponent of the minor unit. Never a float."""

from dataclasses import dataclass, replace
from decimal import Decimal

from babel.numbers import format_currency, format_decimal, get_currency_symbol

#: No currency has more decimals (ISO 4217 lists CLF and UYW with four).
MAX_EXPONENT = 4


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money, exact.

    ``minor`` counts minor units; ``exponent`` says how many decimals those are (2 for cents, 0 for
    yen, 3 for fils). The exponent is the gateway's, not the locale data's: the two differ for
    some currencies, and only the gateway's gives the amount that was charged.
    """

    minor: int
    currency: str
    exponent: int

    def __abs__(self) -> "Money":
        return replace(self, minor=abs(self.minor))

    @property
    def major(self) -> Decimal:
        """The amount in major units, with exactly ``exponent`` decimals."""
        return Decimal(self.minor).scaleb(-self.exponent)

    def __str__(self) -> str:
        """The amount in major units, for machines: ``1234.50``."""
        return f"{self.major:f}"

    def format(self, locale: str = "en") -> str:
        """The amount as people of ``locale`` write it, with the currency's symbol if it has one."""
        if self._symbol_is_code(locale):
            return format_decimal(self.major, format=self._pattern, locale=locale)
        return format_currency(
            self.major,
            self.currency,
            format=f"¤{self._pattern}",
            locale=locale,
            currency_digits=False,
        )

    @property
    def _pattern(self) -> str:
        return "#,##0" + ("." + "0" * self.exponent if self.exponent else "")

    def _symbol_is_code(self, locale: str) -> bool:
        return get_currency_symbol(self.currency, locale=locale) == self.currency
