"""How many decimals each gateway's amounts have, by currency.

A currency that is not listed is refused: counting yen as cents would be wrong by a factor of 100.
"""

# https://docs.stripe.com/currencies: presentment currencies, zero-decimal and three-decimal ones.
_STRIPE_ZERO = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_STRIPE_THREE = "BHD IQD JOD KWD LYD OMR TND"
# ISK and UGX have no decimals of their own, but Stripe counts them in hundredths all the same.
_STRIPE_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BYR BZD CAD
CDF CHF CNY COP CRC CVE CZK DKK DOP DZD EEK EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
HRK HTG HUF IDR ILS INR ISK JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL LTL LVL MAD MDL MKD MMK MNT
MOP MRO MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
SAR SBD SCR SEK SGD SHP SLE SLL SOS SRD STD STN SVC SZL THB TJS TOP TRY TTD TWD TZS UAH UGX USD UYU
UZS VEF VES WST XCD XCG YER ZAR ZMW
"""

STRIPE_EXPONENTS = (
    dict.fromkeys(_STRIPE_TWO.split(), 2)
    | dict.fromkeys(_STRIPE_ZERO.split(), 0)
    | dict.fromkeys(_STRIPE_THREE.split(), 3)
)

# https://developer.paypal.com/api/rest/reference/currency-codes/
# HUF, JPY and TWD take no decimals. INR and RUB are no longer listed, but stand in older payments.
_PAYPAL_ZERO = "HUF JPY TWD"
_PAYPAL_TWO = """
AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS INR MXN MYR NOK NZD PHP PLN RUB SEK SGD THB USD
"""

PAYPAL_EXPONENTS = dict.fromkeys(_PAYPAL_TWO.split(), 2) | dict.fromkeys(_PAYPAL_ZERO.split(), 0)
