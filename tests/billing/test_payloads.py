"""B2, E11: any signed body can be shown, and nothing that is to be hidden is in it."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.masking import MASK
from billing.payloads import CHARACTERS_SHOWN, DEEPEST, Payload, masked_payload, whole_payload
from tests.payloads import FOLDER


def text_of(payload: Payload | None) -> str:
    assert payload is not None
    return payload.raw or "".join(token.before + token.text for token in payload.tokens)


def kinds_of(payload: Payload | None) -> dict[str, str]:
    assert payload is not None
    return {token.text: token.kind for token in payload.tokens if token.text}


def shape(value: Any) -> Any:
    """The types of a JSON value, as JSON knows them."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return float if type(value) is int else type(value)


def test_readable_and_in_colours() -> None:
    payload = masked_payload(
        b'{"id":"evt_1","amount":1050,"rate":1.10,"live":true,"none":null,"a":[],"o":{},'
        b'"list":[1,{"x":"y"}],"email":"ada@example.com","n":{"phone":5}}'
    )

    assert text_of(payload) == (
        '{\n  "id": "evt_1",\n  "amount": 1050,\n  "rate": 1.10,\n  "live": true,\n'
        '  "none": null,\n  "a": [],\n  "o": {},\n'
        '  "list": [\n    1,\n    {\n      "x": "y"\n    }\n  ],\n'
        f'  "email": "{MASK}",\n  "n": {{\n    "phone": 0\n  }}\n}}'
    )
    kinds = kinds_of(payload)
    assert kinds['"id"'] == "key"
    assert kinds['"evt_1"'] == "string"
    assert kinds["1.10"] == "number"
    assert kinds["true"] == kinds["null"] == "literal"
    assert kinds[f'"{MASK}"'] == kinds["0"] == "masked"
    assert payload
    assert payload.masked == 2
    assert not payload.cut


def test_every_payload_file_keeps_its_shape_and_loses_its_addresses() -> None:
    for path in FOLDER.glob("*/*.json"):
        shown = text_of(masked_payload(path.read_bytes()))

        assert shape(json.loads(shown)) == shape(json.loads(path.read_bytes())), path
        assert "@" not in shown, path
        assert not re.search(r"https?://[^/]+/(?!•)", shown), path


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"a": 1, "a": 2}', '{\n  "a": 1,\n  "a": 2\n}'),
        (rb'"\u0000 \ud800 \u202e \n \u00a0"', r'"\u0000 \ud800 \u202e \n \u00a0"'),
        ('"株式会社 😀"'.encode(), '"株式会社 😀"'),
        (b"[NaN, -Infinity, 1e999999, 0.10]", "[\n  NaN,\n  -Infinity,\n  1e999999,\n  0.10\n]"),
        (b"null", "null"),
        (b"[]", "[]"),
        (b'{"ada@example.com": 1}', f'{{\n  "{MASK}": 1\n}}'),
    ],
)
def test_b2_odd_json(body: bytes, shown: str) -> None:
    payload = masked_payload(body)

    assert text_of(payload) == shown
    text_of(payload).encode()


@pytest.mark.parametrize("body", [b"", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{", b"[" * 200_000])
def test_what_is_no_json_is_shown_only_whole(body: bytes) -> None:
    assert masked_payload(body) is None
    assert whole_payload(body).raw == body.decode(errors="backslashreplace").replace(
        "\ufeff", r"\ufeff"
    )


def test_too_deep_is_left_out_and_said() -> None:
    body = b"[" * 900 + b"1" + b"]" * 900

    payload = masked_payload(body)

    assert payload
    assert payload.cut
    assert text_of(payload).count("[") == DEEPEST + 1
    assert whole_payload(body).raw == body.decode()


def test_too_much_is_cut_and_said() -> None:
    body = b"[" + b'"ada@example.com",' * 60_000 + b"0]"

    payload = masked_payload(body)

    assert payload
    assert payload.cut
    assert len(text_of(payload)) <= CHARACTERS_SHOWN
    assert "ada" not in text_of(payload)
    assert whole_payload(body).raw == body.decode()


def test_the_whole_payload_hides_nothing() -> None:
    payload = whole_payload(b'{"email":"ada@example.com","card":{"exp_month":7}}')

    assert text_of(payload) == (
        '{\n  "email": "ada@example.com",\n  "card": {\n    "exp_month": 7\n  }\n}'
    )
    assert payload.masked == 0


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.binary() | st.text().map(str.encode) | ANY_JSON.map(lambda v: json.dumps(v).encode()))
def test_any_body_can_be_shown_and_sent(body: bytes) -> None:
    for payload in (masked_payload(body), whole_payload(body)):
        if payload is not None:
            text_of(payload).encode()


@given(ANY_JSON)
def test_whole_is_what_came(value: Any) -> None:
    body = json.dumps(value)

    assert json.dumps(json.loads(text_of(whole_payload(body.encode())))) == body


# Told from all that is around it, so that finding it in the output proves that it was not hidden.
SECRET = re.compile(r"Zq[a-z]*Zq|[1-9][0-9]{5}")
SECRETS = st.text("abcxyz", max_size=4).map("Zq{}Zq".format) | st.integers(10**6, 10**9)
IN_HIDDEN = st.recursive(
    SECRETS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["value", "0", "line"]), inner, max_size=2)
    ),
    max_leaves=3,
)
HIDDEN = st.sampled_from(
    [
        *("email", "customer_email", "phone", "name", "given_name", "address", "shipping_address"),
        *("client_secret", "access_token", "payer_info", "tax_id", "iban", "evidence", "dob"),
        *("fingerprint", "custom_fields", "account_holder_name", "BillingAddress", "e-mail"),
    ]
)
PLAIN = st.sampled_from(["data", "object", "metadata", "customer_details", "payer", "source"])
WITH_SECRETS = st.recursive(
    st.dictionaries(HIDDEN, IN_HIDDEN, min_size=1, max_size=2),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2) | st.dictionaries(PLAIN, inner, max_size=2)
    ),
    max_leaves=3,
)


@given(WITH_SECRETS)
def test_what_is_in_a_hidden_field_never_comes_out(value: Any) -> None:
    shown = text_of(masked_payload(json.dumps(value).encode()))

    assert not SECRET.search(shown)
    assert shape(json.loads(shown)) == shape(value)
