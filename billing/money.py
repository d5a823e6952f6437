"""Money: integer minor units, a currency, and the exponent of the minor unit. Never a float."""

from copy import copy
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.numbers import NumberPattern, get_currency_symbol

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

    def format(self, locale: Locale | str = "en") -> str:
        """The amount as people of ``locale`` write it, with the currency's symbol if it has one."""
        locale = Locale.parse(locale)
        pattern = _pattern(locale, self.exponent)
        text = str(pattern.apply(self.major, locale, currency=self.currency, currency_digits=False))
        if get_currency_symbol(self.currency, locale=locale) == self.currency:
            # Without a symbol there is only the code, which stands beside the amount anyway.
            text = text.replace(self.currency, "").strip()
        return text


@cache
def _pattern(locale: Locale, exponent: int) -> NumberPattern:
    # Remembered, for a page writes hundreds of amounts.
    pattern: NumberPattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (exponent, exponent)
    return pattern
