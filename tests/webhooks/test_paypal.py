"""What is PayPal's own: its headers, its envelope. See also the conformance suite."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webhooks.gateways.base import Unauthentic
from webhooks.gateways.paypal import PayPalGateway
from webhooks.gateways.paypal_certificates import TEST_NAMES, Certificates
from webhooks.simulator import CertificateServer, PayPalSigner

WEBHOOK_ID = "8PT597110X687430L"
BODY = b'{"id": "WH-1", "event_type": "BILLING.PLAN.CREATED"}'
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def gateway(signer: PayPalSigner, certificate_server: CertificateServer) -> PayPalGateway:
    certificates = Certificates(
        live=False,
        names=TEST_NAMES,
        extra_origins=[certificate_server.origin],
        ca_bundle=str(signer.authority_path),
    )
    return PayPalGateway(["another", WEBHOOK_ID], certificates, live=False)


@pytest.fixture(scope="module")
def headers(signer: PayPalSigner, certificate_server: CertificateServer) -> dict[str, str]:
    url = certificate_server.certificate_url
    signed = signer.headers(BODY, WEBHOOK_ID, url, NOW, "69cd13f0-d67a-11e5-baa3-778b53f4ae55")
    return {name.lower(): value for name, value in signed.items()}


def test_verified_names_the_webhook_and_the_transmission(
    gateway: PayPalGateway, headers: dict[str, str]
) -> None:
    verified = gateway.verify(headers, BODY, NOW)
    assert verified.transmission_id == "69cd13f0-d67a-11e5-baa3-778b53f4ae55"
    assert verified.verified_with
    assert WEBHOOK_ID not in verified.verified_with


@pytest.mark.parametrize(
    "name", ["id", "time", "sig"], ids=["transmission id", "transmission time", "signature"]
)
@pytest.mark.parametrize("value", ["", "|", "a|b", "a b", "\x00", "é", "x" * 5000, "2026-01-01"])
def test_a1_a2_header_that_cannot_be(
    name: str, value: str, gateway: PayPalGateway, headers: dict[str, str]
) -> None:
    with pytest.raises(Unauthentic):
        gateway.verify({**headers, f"paypal-transmission-{name}": value}, BODY, NOW)


@pytest.mark.parametrize("transmission_id", ["a|b", "a b", "é", "x" * 129])
def test_a1_odd_transmission_id_though_signed(
    transmission_id: str,
    gateway: PayPalGateway,
    signer: PayPalSigner,
    certificate_server: CertificateServer,
) -> None:
    """With "|" in it, the same signature could stand for other parts."""
    url = certificate_server.certificate_url
    signed = signer.headers(BODY, WEBHOOK_ID, url, NOW, transmission_id)
    with pytest.raises(Unauthentic, match="signature malformed"):
        gateway.verify({name.lower(): value for name, value in signed.items()}, BODY, NOW)


@pytest.mark.parametrize("name", ["id", "time", "sig"])
def test_a1_header_missing(name: str, gateway: PayPalGateway, headers: dict[str, str]) -> None:
    rest = {k: v for k, v in headers.items() if k != f"paypal-transmission-{name}"}
    with pytest.raises(Unauthentic, match="signature missing"):
        gateway.verify(rest, BODY, NOW)


@pytest.mark.parametrize(
    "algorithm",
    [
        "",
        "SHA1withRSA",
        "MD5withRSA",
        "sha256withrsa",
        "SHA256WITHRSA",
        "HS256",
        "none",
        "SHA256withRSA ",
        "SHA256withRSA,SHA256withRSA",
        "SHA256withECDSA",
    ],
)
def test_a10_other_algorithms(
    algorithm: str, gateway: PayPalGateway, headers: dict[str, str]
) -> None:
    with pytest.raises(Unauthentic, match="algorithm not SHA256withRSA"):
        gateway.verify({**headers, "paypal-auth-algo": algorithm}, BODY, NOW)


@pytest.mark.parametrize("url", ["", "https://evil.example/CERT-1", "x" * 5000])
def test_a8_other_certificate_url(
    url: str, gateway: PayPalGateway, headers: dict[str, str]
) -> None:
    with pytest.raises(Unauthentic, match="certificate URL not PayPal's"):
        gateway.verify({**headers, "paypal-cert-url": url}, BODY, NOW)


@pytest.mark.parametrize(
    ("age", "accepted"),
    [
        (timedelta(days=4), True),
        (timedelta(days=4, seconds=2), False),
        (timedelta(minutes=-5, seconds=2), True),
        (timedelta(minutes=-5, seconds=-2), False),
    ],
    ids=str,
)
def test_a3_a4_window_on_the_transmission_time(
    age: timedelta, accepted: bool, gateway: PayPalGateway, headers: dict[str, str]
) -> None:
    """The signed time is whole seconds."""
    now = NOW.replace(microsecond=0) + age
    if accepted:
        assert gateway.verify(headers, BODY, now)
    else:
        with pytest.raises(Unauthentic, match="too old or in the future"):
            gateway.verify(headers, BODY, now)


@pytest.mark.parametrize("value", ["2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z"])
def test_a2_time_that_does_not_exist(
    value: str, gateway: PayPalGateway, headers: dict[str, str]
) -> None:
    with pytest.raises(Unauthentic, match="signature malformed"):
        gateway.verify({**headers, "paypal-transmission-time": value}, BODY, NOW)


@pytest.mark.parametrize("name", ["id", "time"])
def test_a1_signed_header_changed(
    name: str, gateway: PayPalGateway, headers: dict[str, str]
) -> None:
    other = {"id": "another", "time": (NOW - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    with pytest.raises(Unauthentic, match="signature wrong"):
        gateway.verify({**headers, f"paypal-transmission-{name}": other[name]}, BODY, NOW)


def test_a11_webhook_id_of_the_public_simulator(
    signer: PayPalSigner, certificate_server: CertificateServer
) -> None:
    """It signs for anybody, with PayPal's own key: good for tests only."""
    certificates = Certificates(
        live=False,
        names=TEST_NAMES,
        extra_origins=[certificate_server.origin],
        ca_bundle=str(signer.authority_path),
    )
    url = certificate_server.certificate_url
    signed = signer.headers(BODY, "WEBHOOK_ID", url, NOW)
    headers = {name.lower(): value for name, value in signed.items()}
    test = PayPalGateway(["WEBHOOK_ID"], certificates, live=False)
    assert test.verify(headers, BODY, NOW)
    assert not PayPalGateway(["WEBHOOK_ID"], certificates, live=True).configured
    live = PayPalGateway([WEBHOOK_ID, " WEBHOOK_ID "], certificates, live=True)
    with pytest.raises(Unauthentic, match="signature wrong"):
        live.verify(headers, BODY, NOW)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from(["id", "time", "sig"]), st.text(), min_size=1))
def test_a2_any_headers(
    changes: dict[str, str], gateway: PayPalGateway, headers: dict[str, str]
) -> None:
    changed = {f"paypal-transmission-{name}": value for name, value in changes.items()}
    with pytest.raises(Unauthentic):
        gateway.verify({**headers, **changed}, BODY, NOW)


@given(url=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a8_any_url(url: str, gateway: PayPalGateway, headers: dict[str, str]) -> None:
    with pytest.raises(Unauthentic):
        gateway.verify({**headers, "paypal-cert-url": url}, BODY, NOW)


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"resource_version": "2.0", "event_version": "1.0"}, "2.0"),
        ({"event_version": "1.0"}, "1.0"),
        ({"resource_version": None, "event_version": 1.0}, ""),
    ],
)
def test_version(versions: dict[str, object], expected: str, gateway: PayPalGateway) -> None:
    envelope = gateway.envelope(json.dumps(json.loads(BODY) | versions).encode())
    assert envelope.api_version == expected
    assert envelope.livemode is None
