"""What is Stripe's own: its header, its envelope. See also the conformance suite."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe import WebhookSignature

from webhooks.gateways.base import Unauthentic, Unreadable
from webhooks.gateways.stripe import StripeGateway
from webhooks.simulator import stripe_headers

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECRET = "whsec_test"
BODY = b'{"id": "evt_1", "object": "event", "type": "ping"}'
GATEWAY = StripeGateway([SECRET])


def signature(body: bytes = BODY, secret: str = SECRET, at: datetime = NOW) -> str:
    return stripe_headers(body, secret, at)["Stripe-Signature"]


def verify(header: str, body: bytes = BODY, now: datetime = NOW) -> str:
    return GATEWAY.verify({"stripe-signature": header}, body, now).verified_with


def test_signature_as_the_sdk_makes_it() -> None:
    at = int(NOW.timestamp())
    assert verify(WebhookSignature.generate_signature_header(BODY.decode(), SECRET, at))


@pytest.mark.parametrize("seconds", [-300, -1, 0, 299, 300])
def test_a3_a4_within_the_tolerance(seconds: int) -> None:
    assert verify(signature(at=NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize("seconds", [-301, 301, 10 * 365 * 86400, -3 * 86400])
def test_a3_a4_outside_the_tolerance(seconds: int) -> None:
    with pytest.raises(Unauthentic, match="too old or in the future"):
        verify(signature(at=NOW + timedelta(seconds=seconds)))


def test_a6_header_with_a_signature_of_each_secret() -> None:
    """So Stripe signs while a secret is being replaced."""
    time, ours = signature().split(",")
    _, other = signature(secret="whsec_old").split(",")
    for header in (f"{time},{other},{ours}", f"{time},{ours},{other}", f"{time},{ours},v0=1"):
        assert verify(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        "v1=1",
        signature().replace("v1=", "v0="),
        signature().replace("v1=", "V1="),
        signature().replace("t=", "t= "),
        signature().replace("t=", "t=+"),
        signature().replace("t=", "t=0x"),
        signature().replace("t=", "t=" + "0" * 5000),
        signature().replace("t=", "t=1,t="),
        signature().replace("t=", "t=\u0661"),
        signature()[:-1] + "\xe9",
        signature() + "\x00",
        "t=" + "9" * 5000 + ",v1=1",
        "t=" + "9" * 12 + ",v1=1",
        f"t={int(NOW.timestamp())}" + ",v1=" + "0" * 64,
        f"t={int(NOW.timestamp())}" + (",v1=" + "0" * 64) * 100,
        f"t={int(NOW.timestamp())}" + (",v1=" + "0" * 64) * 100 + "," + signature().split(",")[1],
        signature() + "," + signature(),
        signature().replace(",", ";"),
        signature().upper(),
    ],
    ids=lambda header: header[:40],
)
def test_a1_a2_header_that_proves_nothing(header: str) -> None:
    with pytest.raises(Unauthentic):
        verify(header)


@given(header=st.text())
def test_a2_any_header(header: str) -> None:
    with pytest.raises(Unauthentic):
        verify(header)


@given(
    parts=st.lists(
        st.tuples(st.sampled_from(["t", "v1", "v0", ""]), st.text("0123456789abcdef=, é\0")),
        max_size=6,
    )
)
def test_a2_any_header_of_the_right_form(parts: list[tuple[str, str]]) -> None:
    with pytest.raises(Unauthentic):
        verify(",".join("=".join(part) for part in parts))


@given(body=st.binary(), position=st.integers(0, 1000), change=st.integers(1, 255))
def test_a5_any_body_is_verified_byte_for_byte(body: bytes, position: int, change: int) -> None:
    """Also one that is not UTF-8, which the SDK alone does not take."""
    header = signature(body)
    assert verify(header, body)
    if body:
        changed = bytearray(body)
        changed[position % len(body)] ^= change
        with pytest.raises(Unauthentic, match="signature wrong"):
            verify(header, bytes(changed))


@pytest.mark.parametrize("secrets", [[], [""], [" \n"]])
def test_a7_no_secret_verifies_nothing(secrets: list[str]) -> None:
    gateway = StripeGateway(secrets)
    assert not gateway.configured
    for secret in ("", " \n"):
        with pytest.raises(Unauthentic):
            gateway.verify({"stripe-signature": signature(secret=secret)}, BODY, NOW)


def test_error_does_not_carry_the_body() -> None:
    """Error reports show exceptions, their causes and contexts."""
    with pytest.raises(Unauthentic) as raised:
        verify(signature(secret="whsec_other"))
    error: BaseException | None = raised.value
    while error is not None:
        assert not hasattr(error, "http_body")
        error = error.__cause__ or error.__context__


def test_envelope_of_a_thin_event() -> None:
    """https://docs.stripe.com/event-destinations: of API v2, with the time as text."""
    body = {
        "id": "evt_test_1",
        "object": "v2.core.event",
        "type": "v2.core.account.updated",
        "created": "2026-02-27T21:39:14.258Z",
        "livemode": "false",
        "related_object": {"id": "acct_1", "type": "v2.core.account"},
    }
    envelope = GATEWAY.envelope(json.dumps(body).encode())
    assert envelope.event_type == "v2.core.account.updated"
    assert envelope.occurred_at == datetime(2026, 2, 27, 21, 39, 14, 258000, UTC)
    assert envelope.livemode is False


def envelope_with(**more: object) -> object:
    return GATEWAY.envelope(json.dumps(json.loads(BODY) | more).encode())


@pytest.mark.parametrize(
    "event_object", [None, "charge", "EVENT", "", 1, ["event"], {"event": 1}, True]
)
def test_b1_signed_object_that_is_no_event(event_object: object) -> None:
    with pytest.raises(Unreadable, match="not a Stripe event"):
        envelope_with(object=event_object)


@pytest.mark.parametrize(
    "created",
    [
        *[None, True, 1.5, 1.0, "", "soon", [], {}, -1, 0, 2**31 * 10, 2**63, 10**300],
        *["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "1700000000"],
    ],
)
def test_c12_time_that_cannot_be_the_events(created: object) -> None:
    assert GATEWAY.envelope(json.dumps(json.loads(BODY) | {"created": created}).encode()) == (
        GATEWAY.envelope(BODY)
    )


@pytest.mark.parametrize("odd", [None, 1, 1.5, True, [], {}, "", "\x00", "x" * 256])
def test_b2_odd_optional_words_are_left_out(odd: object) -> None:
    envelope = envelope_with(api_version=odd, account=odd)
    assert envelope == GATEWAY.envelope(BODY)


@pytest.mark.parametrize("odd", [None, 1, 0, "yes", "", [], {}])
def test_mode_that_the_event_does_not_say(odd: object) -> None:
    assert envelope_with(livemode=odd) == GATEWAY.envelope(BODY)


def test_account_of_a_connected_event() -> None:
    body = json.dumps(json.loads(BODY) | {"account": "acct_1", "livemode": True}).encode()
    envelope = GATEWAY.envelope(body)
    assert (envelope.account, envelope.livemode) == ("acct_1", True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
KEYS = ["id", "object", "type", "created", "livemode", "account", "api_version"]


@given(values=st.dictionaries(st.sampled_from(KEYS), JSON | st.just("event")))
def test_b1_b2_any_envelope_is_storable_or_unreadable(values: dict[str, object]) -> None:
    body = json.dumps({"id": "evt_1", "object": "event", "type": "ping"} | values).encode()
    try:
        envelope = GATEWAY.envelope(body)
    except Unreadable:
        return
    for word in (envelope.event_id, envelope.event_type, envelope.api_version, envelope.account):
        assert len(word) <= 255
        assert word.isascii()
        assert word.isprintable()


@given(body=st.binary())
def test_b1_b3_any_bytes(body: bytes) -> None:
    with pytest.raises(Unreadable):
        GATEWAY.envelope(body)


def test_a16_only_our_connected_accounts_count() -> None:
    gateway = StripeGateway([SECRET], accounts=["acct_ours"])
    stranger = gateway.read(json.loads(BODY) | {"account": "acct_stranger"})
    assert stranger.ignored == "an event of a connected account; see STRIPE_ACCOUNTS"
    ours = gateway.read(json.loads(BODY) | {"account": "acct_ours"})
    assert ours == gateway.read(json.loads(BODY))
