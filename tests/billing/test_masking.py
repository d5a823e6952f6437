"""E11, B16: what is hidden of a payload, whatever it is and wherever it stands."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import masking
from billing.masking import HIDDEN_NUMBER, MASK, Number, Place, inside, masked, masked_text

CARDS = [
    "4242424242424242",  # Visa
    "4222222222222",  # Visa of 13 digits
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3530111333300000",
    "6304000000000000000",  # Maestro of 19 digits
]


def at(*fields: str) -> Place:
    place = Place()
    for field in fields:
        place = inside(place, field)
    return place


@pytest.mark.parametrize(
    "fields",
    [
        ("email",),
        ("customer_email",),
        ("receiptEmail",),
        ("EMAIL-ADDRESS",),
        ("ＥＭＡＩＬ",),
        ("billing_details", "name"),
        ("customer_details", "phone"),
        ("shipping", "tracking_number"),
        ("shipping_address", "recipient_name"),
        ("address", "line1"),
        ("address", "postal_code"),
        ("subscriber", "name", "given_name"),
        ("payer", "payer_info", "first_name"),
        ("metadata", "contact_person"),
        ("client_secret",),
        ("confirmation_secret", "anything"),
        ("payment_method_details", "us_bank_account", "routing_number"),
        ("payment_method_details", "sepa_debit", "bank_code"),
        ("payment_method_details", "card", "fingerprint"),
        ("payment_method_details", "card", "exp_month"),
        ("bank_account", "account_holder_name"),
        ("customer_tax_ids", "value"),
        ("payer", "tax_info", "tax_id"),
        ("evidence", "customer_purchase_ip"),
        ("evidence", "whatever_is_added_later"),
        ("messages", "content"),
        ("custom_fields", "text", "value"),
        ("cancellation_details", "comment"),
        ("note_to_payer",),
        ("plan", "owner", "email"),
    ],
)
def test_fields_that_are_hidden(fields: tuple[str, ...]) -> None:
    assert masked("anything", at(*fields)) == MASK
    assert masked(Number("12"), at(*fields)) is HIDDEN_NUMBER


@pytest.mark.parametrize(
    "fields",
    [
        ("id",),
        ("customer",),
        ("metadata", "tenant_id"),
        ("custom_id",),
        ("client_reference_id",),
        ("amount", "value"),
        ("state",),
        ("status",),
        ("number",),
        ("hosted_invoice", "status"),
        ("billing_agreement_id",),
        ("membership",),
        ("payment_method_details", "card", "brand"),
        ("payment_method_details", "card", "last4"),
        ("card", "last_digits"),
        ("plan", "name"),
        ("items", "name"),
        ("last_payment_error", "message"),
        ("address", "country"),
        ("payer_info", "country_code"),
        ("payer_info", "payer_id"),
    ],
)
def test_fields_that_tell_of_the_payment_are_shown(fields: tuple[str, ...]) -> None:
    assert masked("anything", at(*fields)) == "anything"
    assert masked(Number("12"), at(*fields)) == "12"


def test_what_is_shown_inside_hidden_fields_shows_nothing_below_it() -> None:
    assert masked("Main Street", at("address", "country", "line")) == MASK


def test_empty_values_say_that_there_is_nothing() -> None:
    for value in ("", None, True, False):
        assert masked(value, at("email")) is value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Invoice of ada@example.com, paid", f"Invoice of {MASK}, paid"),
        ("mailto:ada%40example.com", f"mailto:{MASK}"),
        ("https://invoice.stripe.com/i/acct_1/live_x?s=ap", f"https://invoice.stripe.com/{MASK}"),
        ("see HTTPS://PAY.EXAMPLE?token=1 now", f"see HTTPS://PAY.EXAMPLE/{MASK} now"),
        ("https://user:pass@site.example/", f"https://site.example/{MASK}"),
        ("https://site.example/", "https://site.example/"),
        ("/v1/invoices/in_1/lines", "/v1/invoices/in_1/lines"),
        ("from 203.0.113.7", f"from {MASK}"),
        ("[2001:db8::7]:443", f"[{MASK}]:443"),
        ("pi_3_secret_x7Zk", MASK),
        ("sk_live_4eC39Hq, whsec_77", f"{MASK}, {MASK}"),
        ("Authorization: Bearer A21AAF-x", f"Authorization: {MASK}"),
        ("eyJhbGciOi.eyJzdWIi.c2ln", MASK),
        ("2026-03-01T12:00:07.123456+00:00", "2026-03-01T12:00:07.123456+00:00"),
        ("12:30:45 of 1747386400, 2.0", "12:30:45 of 1747386400, 2.0"),
        ("INV-2026-04809", "INV-2026-04809"),
        ("Große Straße — 株式会社", "Große Straße — 株式会社"),
    ],
)
def test_what_is_recognised_in_any_text(text: str, shown: str) -> None:
    assert masked_text(text) == shown
    assert masked(text, at("metadata", "anything")) == shown


@pytest.mark.parametrize("card", CARDS)
def test_b16_card_numbers(card: str) -> None:
    groups = " ".join(re.findall(r"\d{1,4}", card))
    for written in (
        *(card, groups, groups.replace(" ", "-"), groups.replace(" ", ".")),
        *(groups.replace(" ", "\u00a0"), groups.replace(" ", " - ")),
        card.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)}),
    ):
        assert masked_text(f"card {written}.") == f"card {MASK}.", written
    assert masked_text(f"7 {groups} 12") == f"7 {MASK} 12"
    assert masked(Number(card), at("metadata", "n")) is HIDDEN_NUMBER


@pytest.mark.parametrize("card", CARDS)
def test_a_number_with_a_wrong_digit_is_no_card(card: str) -> None:
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)

    assert masked_text(wrong) == wrong
    assert masked(Number(wrong), at("metadata", "n")) == wrong


def test_digits_too_many_for_a_card_may_hold_one() -> None:
    assert masked_text("42424242424242421226") == MASK
    assert masked(Number("9" * 5000), Place()) is HIDDEN_NUMBER


def test_fractions_are_no_groups_of_a_card_number() -> None:
    fraction = "42424242.42424242"

    assert masked_text(fraction) == MASK
    assert masked(Number(fraction), at("exchange_rate")) == fraction


def test_a_text_too_long_for_a_reader_is_hidden() -> None:
    assert masked_text("a" * masking.LONGEST_TEXT) == "a" * masking.LONGEST_TEXT
    assert masked_text("a" * (masking.LONGEST_TEXT + 1)) == MASK


@st.composite
def written_cards(draw: st.DrawFn) -> str:
    """A card number with the right check digit, in groups or not."""
    body = draw(st.text("0123456789", min_size=12, max_size=18))
    card = next(body + digit for digit in "0123456789" if luhn(body + digit))
    separators = draw(
        st.lists(st.sampled_from(["", "", "", " ", "-", " - ", "."]), min_size=19, max_size=19)
    )
    written = "".join(digit + mark for digit, mark in zip(card, separators, strict=False))
    return written.rstrip(" -.")


def luhn(digits: str) -> bool:
    """As written down in the standard, to check the faster one by."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@given(
    before=st.text("abc 12-:,.", max_size=12).map(lambda text: text + "x"),
    card=written_cards(),
    after=st.text("abc 12-:,.", max_size=12).map(lambda text: "x" + text),
)
def test_b16_a_card_number_is_never_shown(before: str, card: str, after: str) -> None:
    shown = masked_text(before + card + after)

    assert re.sub(r"\D", "", card) not in re.sub(r"\D", "", shown)
    assert MASK in shown


@given(before=st.text(max_size=20), address=st.emails(), after=st.text(max_size=20))
def test_an_e_mail_address_is_never_shown(before: str, address: str, after: str) -> None:
    assert address not in masked_text(f"{before}{address}{after}")


@given(value=st.text() | st.from_regex(masking._URL) | st.from_regex(masking._DIGITS))
def test_masking_what_is_masked_changes_nothing(value: Any) -> None:
    once = masked_text(value)

    assert masked_text(once) == once
