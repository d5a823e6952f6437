"""Major units to what each gateway sends, written down apart from the product's own tables.

https://docs.stripe.com/currencies and https://developer.paypal.com/api/rest/reference/currency-codes/
"""

from decimal import Decimal

# Stripe: the amount itself, without cents.
STRIPE_WHOLE = {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV"}
STRIPE_WHOLE |= {"XAF", "XOF", "XPF"}
# Stripe: thousandths. All others are hundredths, ISK and UGX for old times' sake.
STRIPE_THOUSANDTHS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}


def stripe_amount(major: str, currency: str) -> int:
    """``49.00`` of USD as 4900."""
    factor = 1 if currency in STRIPE_WHOLE else 1000 if currency in STRIPE_THOUSANDTHS else 100
    minor = Decimal(major) * factor
    assert minor == int(minor), f"{major} {currency} is no amount of Stripe's"
    return int(minor)


def paypal_amount(major: str) -> str:
    """PayPal writes major units, as text."""
    assert Decimal(major).is_finite()
    return major
