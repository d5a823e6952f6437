"""B9 and B10: an amount is exact or refused, and a wrong type is never guessed at."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from webhooks.gateways import values
from webhooks.gateways.base import PayloadError
from webhooks.gateways.currencies import PAYPAL_EXPONENTS, STRIPE_EXPONENTS

MAX_BIGINT = 2**63 - 1

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


# --- Whole numbers --------------------------------------------------------------------------

NOT_WHOLE_NUMBERS = [
    pytest.param(12.0, id="float"),
    pytest.param(1e3, id="float with exponent"),
    pytest.param(float("nan"), id="NaN"),
    pytest.param(float("inf"), id="infinity"),
    pytest.param("1200", id="string"),
    pytest.param("1e3", id="string with exponent"),
    pytest.param("1_000", id="string with underscore"),
    pytest.param("１２００", id="full-width digits"),
    pytest.param("", id="empty string"),
    pytest.param(True, id="true"),
    pytest.param(False, id="false"),
    pytest.param([1200], id="list"),
    pytest.param({"amount": 1200}, id="object"),
    pytest.param(2**63, id="one more than a bigint holds"),
    pytest.param(-(2**63), id="less than a bigint's counterpart"),
    pytest.param(10**400, id="400 digits"),
]


@pytest.mark.parametrize("value", NOT_WHOLE_NUMBERS)
def test_what_is_no_whole_number_is_refused_by_name(value: Any) -> None:
    with pytest.raises(PayloadError, match="amount_due"):
        values.integer({"amount_due": value}, "amount_due")


@pytest.mark.parametrize("value", NOT_WHOLE_NUMBERS)
def test_stripe_money_is_never_made_of_it(value: Any) -> None:
    with pytest.raises(PayloadError, match="total"):
        values.stripe_money({"total": value, "currency": "usd"}, "total", signed=True)


@pytest.mark.parametrize("value", [0, 1, -1, MAX_BIGINT, -MAX_BIGINT])
def test_a_whole_number_is_taken_as_it_is(value: int) -> None:
    assert values.integer({"n": value}, "n") == value


@given(json_values)
def test_a_whole_number_or_nothing_or_an_error(value: Any) -> None:
    fits = value is None or (type(value) is int and abs(value) <= MAX_BIGINT)
    if fits:
        assert values.integer({"n": value}, "n") is value
    else:
        with pytest.raises(PayloadError, match="n is "):
            values.integer({"n": value}, "n")


def test_money_that_is_missing_or_null_is_refused() -> None:
    for payload in ({"currency": "usd"}, {"currency": "usd", "total": None}):
        with pytest.raises(PayloadError, match="total is missing"):
            values.stripe_money(payload, "total")


def test_negative_money_is_refused_unless_it_may_be() -> None:
    payload = {"total": -500, "currency": "usd"}
    with pytest.raises(PayloadError, match="total is negative"):
        values.stripe_money(payload, "total")
    assert values.stripe_money(payload, "total", signed=True) == Money(-500, "USD", 2)


# --- Currencies -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "minor", "major"),
    [
        ("usd", 123456, "1234.56"),
        ("eur", 1, "0.01"),
        ("jpy", 5000, "5000"),
        ("krw", 5000, "5000"),
        ("clp", 990, "990"),
        ("vnd", 120000, "120000"),
        ("kwd", 75500, "75.500"),
        ("bhd", 1000, "1.000"),
        ("tnd", 10, "0.010"),
        # No decimals of their own, but hundredths at Stripe all the same.
        ("isk", 500000, "5000.00"),
        ("ugx", 500000, "5000.00"),
        ("huf", 150050, "1500.50"),
        ("twd", 80045, "800.45"),
        ("rsd", 123450, "1234.50"),
        ("mmk", 100, "1.00"),
        ("USD", 1, "0.01"),
        ("Jpy", 1, "1"),
    ],
)
def test_stripes_amounts_have_stripes_decimals(currency: str, minor: int, major: str) -> None:
    money = values.stripe_money({"total": minor, "currency": currency}, "total")
    assert (money.minor, money.currency, str(money)) == (minor, currency.upper(), major)


@pytest.mark.parametrize(
    ("value", "currency", "minor", "exponent"),
    [
        ("60.50", "EUR", 6050, 2),
        ("60.5", "EUR", 6050, 2),
        ("60.0", "EUR", 6000, 2),
        ("0.0", "USD", 0, 2),
        ("7", "USD", 700, 2),
        ("000012.30", "USD", 1230, 2),
        ("1500", "HUF", 1500, 0),
        ("1500.00", "HUF", 1500, 0),
        ("5000", "JPY", 5000, 0),
        ("800", "TWD", 800, 0),
        # Four decimals, as PayPal has sent them: rounded half up.
        ("822.0160", "CZK", 82202, 2),
        ("0.005", "USD", 1, 2),
        ("0.0049", "USD", 0, 2),
        ("999.5", "JPY", 1000, 0),
        ("999999999999.99", "USD", 99999999999999, 2),
    ],
)
def test_paypals_amounts_become_exact_minor_units(
    value: str, currency: str, minor: int, exponent: int
) -> None:
    assert values.paypal_money(
        {"amount": {"value": value, "currency_code": currency}}, "amount"
    ) == Money(minor, currency, exponent)
    assert values.paypal_money(
        {"amount": {"total": value, "currency": currency}}, "amount"
    ) == Money(minor, currency, exponent)


@pytest.mark.parametrize("currency", ["xxx", "btc", "us", "usdt", "", "ÜSD", None])
def test_a_currency_that_stripe_does_not_list_is_refused(currency: str | None) -> None:
    with pytest.raises(PayloadError, match="currency"):
        values.stripe_money({"total": 1, "currency": currency}, "total")


# Lower case is not what PayPal sends; three-decimal currencies it does not take.
@pytest.mark.parametrize("currency", ["XXX", "KWD", "ISK", "usd", "Eur", "", None])
def test_a_currency_that_paypal_does_not_list_is_refused(currency: str | None) -> None:
    with pytest.raises(PayloadError, match="currency"):
        values.paypal_money({"amount": {"value": "1.00", "currency_code": currency}}, "amount")


def test_a_currency_of_another_type_is_refused_by_name() -> None:
    with pytest.raises(PayloadError, match="currency is not text"):
        values.stripe_money({"total": 1, "currency": 840}, "total")
    with pytest.raises(PayloadError, match="currency_code is not text"):
        values.paypal_money({"amount": {"value": "1.00", "currency_code": 840}}, "amount")


@given(st.sampled_from(sorted(STRIPE_EXPONENTS)), st.integers(0, MAX_BIGINT))
def test_stripes_minor_units_are_never_changed(currency: str, minor: int) -> None:
    money = values.stripe_money({"total": minor, "currency": currency.lower()}, "total")
    assert money.minor == minor
    assert money.major.scaleb(money.exponent) == minor


@given(
    st.sampled_from(sorted(PAYPAL_EXPONENTS)),
    st.decimals(
        min_value=Decimal("-999999999999"),
        max_value=Decimal("999999999999"),
        places=4,
        allow_nan=False,
    ),
)
def test_paypals_amounts_are_never_off_by_more_than_half_a_minor_unit(
    currency: str, amount: Decimal
) -> None:
    stated = {"amount": {"value": f"{amount:f}", "currency_code": currency}}
    money = values.paypal_money(stated, "amount", signed=True)
    assert abs(money.major - amount) <= Decimal("0.5").scaleb(-PAYPAL_EXPONENTS[currency])


# --- PayPal's decimal strings ---------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(60.5, id="float"),
        pytest.param(60, id="whole number"),
        pytest.param(True, id="true"),
        pytest.param(None, id="null"),
        pytest.param([], id="list"),
        "",
        " 60.50",
        "60.50 ",
        "60.50\n",
        "+60.50",
        "--1.00",
        "60,50",
        "1,000.00",
        "1_000",
        "1e3",
        "1E3",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "0x10",
        ".50",
        "60.",
        "60.50.1",
        "１２.００",
        "٦٠.٥٠",
        "60.12345",
        "1234567890123",
        "€60",
        "60\x00",
    ],
)
def test_paypals_amount_is_a_plain_decimal_string_or_refused(value: Any) -> None:
    with pytest.raises(PayloadError, match="amount is not a decimal number"):
        values.paypal_money(
            {"amount": {"value": value, "currency_code": "EUR"}}, "amount", signed=True
        )


def test_an_amount_without_a_number_is_refused() -> None:
    with pytest.raises(PayloadError, match="amount is not a decimal number"):
        values.paypal_money({"amount": {"currency_code": "EUR"}}, "amount")


def test_a_negative_amount_of_paypal_is_refused_unless_it_may_be() -> None:
    amount = {"total": "-0.01", "currency": "USD"}
    with pytest.raises(PayloadError, match="amount is negative"):
        values.paypal_money({"amount": amount}, "amount")
    assert values.paypal_money({"amount": amount}, "amount", signed=True) == Money(-1, "USD", 2)


@given(st.text(max_size=12) | st.from_regex(r"-?\d+(\.\d+)?", fullmatch=True))
def test_whatever_paypal_writes_is_read_as_written_or_refused(value: str) -> None:
    try:
        money = values.paypal_money(
            {"amount": {"value": value, "currency_code": "EUR"}}, "amount", signed=True
        )
    except PayloadError:
        return
    assert value.isascii()
    assert abs(money.major - Decimal(value)) <= Decimal("0.005")


# --- Text, ids, objects, lists, times -------------------------------------------------------


def test_text_is_made_storable() -> None:
    assert values.text({"t": "a\x00b\ud800c"}, "t") == "a\ufffdb\ufffdc"
    assert values.text({"t": ""}, "t") is None
    assert values.text({"t": None}, "t") is None
    assert values.text({}, "t") is None


@pytest.mark.parametrize("value", [1, 1.5, True, [], ["a"], {}])
def test_text_of_another_type_is_refused_by_name(value: Any) -> None:
    with pytest.raises(PayloadError, match="number is not text"):
        values.text({"number": value}, "number")


@given(st.text())
def test_any_text_can_be_stored_as_utf_8_without_nul(value: str) -> None:
    found = values.text({"t": value}, "t")
    assert "\x00" not in (found or "")
    (found or "").encode()


def test_an_id_may_be_the_expanded_object() -> None:
    assert values.ref({"customer": {"id": "cus_1", "object": "customer"}}, "customer") == "cus_1"
    assert values.ref({"customer": "cus_1"}, "customer") == "cus_1"
    assert values.ref({"customer": {}}, "customer") is None


def test_an_id_is_never_cut() -> None:
    assert values.ref({"id": "x" * 255}, "id") == "x" * 255
    with pytest.raises(PayloadError, match="id is longer than 255 characters"):
        values.ref({"id": "x" * 256}, "id")


def test_an_id_that_must_be_there_is_missed_by_name() -> None:
    payloads: list[dict[str, Any]] = [{}, {"invoice": None}, {"invoice": ""}, {"invoice": {}}]
    for payload in payloads:
        with pytest.raises(PayloadError, match="invoice is missing"):
            values.required_ref(payload, "invoice")


def test_an_object_that_is_missing_anywhere_on_its_path_is_empty() -> None:
    assert values.table({}, "parent", "subscription_details") == {}
    assert values.table({"parent": None}, "parent", "subscription_details") == {}
    assert values.table({"parent": {"a": {"b": 1}}}, "parent", "a") == {"b": 1}


@pytest.mark.parametrize("value", [1, "x", True, [], [{}]])
def test_an_object_of_another_type_is_refused_by_name(value: Any) -> None:
    with pytest.raises(PayloadError, match="parent is not an object"):
        values.table({"parent": value}, "parent", "subscription_details")


def test_a_list_may_be_plain_or_wrapped() -> None:
    assert values.rows({"items": [{"a": 1}]}, "items") == [{"a": 1}]
    assert values.rows({"items": {"object": "list", "data": [{"a": 1}]}}, "items") == [{"a": 1}]
    payloads: list[dict[str, Any]] = [{}, {"items": None}, {"items": {}}, {"items": {"data": None}}]
    for payload in payloads:
        assert values.rows(payload, "items") == []


@pytest.mark.parametrize("value", [1, "x", True, [1], [None], {"data": "x"}, {"data": [[]]}])
def test_a_list_of_anything_but_objects_is_refused_by_name(value: Any) -> None:
    with pytest.raises(PayloadError, match="items is not a list of objects"):
        values.rows({"items": value}, "items")


@pytest.mark.parametrize("value", [10**12, -(10**12), 2**62, -62135596801])
def test_a_time_outside_the_calendar_is_refused_by_name(value: int) -> None:
    with pytest.raises(PayloadError, match="created is out of range"):
        values.epoch({"created": value}, "created")


def test_a_time_is_aware_and_utc() -> None:
    assert values.epoch({"created": 0}, "created") == datetime(1970, 1, 1, tzinfo=UTC)
    assert values.epoch({"created": None}, "created") is None


@pytest.mark.parametrize("value", ["2025-05-15T09:06:40Z", 1.5, True])
def test_a_time_of_stripe_that_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(PayloadError, match="created is not a whole number"):
        values.epoch({"created": value}, "created")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2025-05-15T09:06:40Z", datetime(2025, 5, 15, 9, 6, 40, tzinfo=UTC)),
        ("2025-05-15T09:06:40.508Z", datetime(2025, 5, 15, 9, 6, 40, 508000, tzinfo=UTC)),
        ("2015-03-06T20:08:08-07:00", datetime(2015, 3, 7, 3, 8, 8, tzinfo=UTC)),
        ("2025-05-15T09:06:40", datetime(2025, 5, 15, 9, 6, 40, tzinfo=UTC)),
        # Month 19, as PayPal's own simulator sends it.
        ("2018-19-12T22:20:32.000Z", None),
        ("2025-02-29T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_of_paypal_is_utc_and_missing_where_it_cannot_be_read(
    written: str | None, read: datetime | None
) -> None:
    found = values.iso_time({"create_time": written}, "create_time")
    assert found == read
    assert found is None or found.utcoffset() == timedelta(0)
