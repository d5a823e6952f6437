"""Which certificates are fetched, believed and kept. The numbers are the fault catalogue's."""

import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import certifi
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.webhooks.authority import YEAR, Authority, Host, ec_key, pem, rsa_key, serving
from webhooks.gateways import paypal_certificates
from webhooks.gateways.base import Unauthentic, Unavailable
from webhooks.gateways.paypal_certificates import (
    LIVE_NAMES,
    MAX_NEW_URLS_A_MINUTE,
    TEST_NAMES,
    Certificates,
    load_certificates,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FIXTURES = Path(__file__).parent / "certificates"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority(NOW)


@pytest.fixture
def host() -> Iterator[Host]:
    with serving(Host()) as host:
        yield host


@pytest.fixture
def bundle(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "bundle.pem"
    path.write_bytes(pem(authority.root, authority.intermediate))
    return path


@pytest.fixture
def certificates(host: Host, bundle: Path) -> Certificates:
    return Certificates(
        live=False, names=LIVE_NAMES, extra_origins=[host.origin], ca_bundle=str(bundle)
    )


class Connections:
    """Every connection and name look-up that this process tries, by any library."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.listening = True
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.listening and event in {"socket.connect", "socket.getaddrinfo"}:
            self.tried.append(f"{event} {arguments}")


@pytest.fixture
def connections() -> Iterator[Connections]:
    spy = Connections()
    yield spy
    spy.listening = False  # a hook cannot be removed


PATH = "/v1/notifications/certs/CERT-360caa42-fca2a594-1a5f47cb"
BAD_URLS = [
    "",
    "CERT-1",
    f"http://api.paypal.com{PATH}",
    f"HTTPS://api.paypal.com{PATH}",
    f"ftp://api.paypal.com{PATH}",
    f"file://{PATH}",
    f"https:/api.paypal.com{PATH}",
    f"https:api.paypal.com{PATH}",
    f"//api.paypal.com{PATH}",
    f"https://user@api.paypal.com{PATH}",
    f"https://api.paypal.com@evil.example{PATH}",
    f"https://api.paypal.com:443{PATH}",
    f"https://api.paypal.com:8443{PATH}",
    f"https://api.paypal.com.evil.example{PATH}",
    f"https://evil-api.paypal.com{PATH}",
    f"https://evil.example/api.paypal.com{PATH}",
    f"https://evil.example{PATH}",
    f"https://www.paypal.com{PATH}",
    f"https://paypal.com{PATH}",
    f"https://api.paypal.com.{PATH}",
    f"https://API.PAYPAL.COM{PATH}",
    f"https://api.p\u0430ypal.com{PATH}",
    f"https://127.0.0.1{PATH}",
    f"https://[::1]{PATH}",
    f"https://169.254.169.254{PATH}",
    f"https://evil.example\\@api.paypal.com{PATH}",
    f"https://api.paypal.com\\.evil.example{PATH}",
    f"https://evil.example%23.api.paypal.com{PATH}",
    f" https://api.paypal.com{PATH}",
    f"https://api.paypal.com{PATH} ",
    f"https://api.paypal.com{PATH}\n",
    f"https://api.paypal.com{PATH}\x00",
    f"https://api.paypal.com{PATH}?x=1",
    f"https://api.paypal.com{PATH}#x",
    f"https://api.paypal.com{PATH}/..",
    f"https://api.paypal.com{PATH}%2f",
    "https://api.paypal.com/v1/notifications/certs/../../oauth2/CERT-1",
    "https://api.paypal.com/v1/notifications/certs//CERT-1",
    "https://api.paypal.com/v1/notifications/certs/",
    "https://api.paypal.com/v1/notifications/certs/CERT-",
    "https://api.paypal.com/v1/notifications/certs/CERT-" + "1" * 101,
    "https://api.paypal.com/v1/notifications/certs/KEY-1",
    "https://api.paypal.com/v1/notifications/webhooks/CERT-1",
    "https://api.paypal.com/CERT-1",
    "http://127.0.0.1:9000" + PATH,
]


@pytest.mark.parametrize("live", [True, False], ids=["live", "test"])
@pytest.mark.parametrize("url", BAD_URLS)
def test_a8_other_urls_are_never_connected_to(
    url: str, live: bool, connections: Connections
) -> None:
    certificates = Certificates(live=live, names=LIVE_NAMES, extra_origins=["http://127.0.0.1:90"])
    with pytest.raises(Unauthentic, match=r"^certificate URL not PayPal's$"):
        certificates.public_key(url, NOW)
    assert connections.tried == []


def test_a8_the_spy_sees_a_connection(
    connections: Connections, certificates: Certificates, host: Host
) -> None:
    with pytest.raises(Unauthentic):
        certificates.public_key(host.url(), NOW)
    assert connections.tried


@pytest.mark.parametrize("origin", ["https://api.paypal.com", "https://api-m.paypal.com"])
@pytest.mark.parametrize("live", [True, False], ids=["live", "test"])
def test_paypals_own_origins(origin: str, live: bool) -> None:
    Certificates(live=live, names=LIVE_NAMES).check_url(origin + PATH)


@pytest.mark.parametrize(
    "origin", ["https://api.sandbox.paypal.com", "https://api-m.sandbox.paypal.com"]
)
def test_a11_sandbox_certificate_is_for_tests(origin: str) -> None:
    Certificates(live=False, names=TEST_NAMES).check_url(origin + PATH)
    with pytest.raises(Unauthentic):
        Certificates(live=True, names=TEST_NAMES).check_url(origin + PATH)


def test_extra_origin_is_for_tests(host: Host) -> None:
    Certificates(live=False, names=LIVE_NAMES, extra_origins=[host.origin]).check_url(host.url())
    with pytest.raises(Unauthentic):
        Certificates(live=True, names=LIVE_NAMES, extra_origins=[host.origin]).check_url(host.url())


def test_good_certificate(authority: Authority, certificates: Certificates, host: Host) -> None:
    host.body = pem(authority.certificate())
    assert certificates.public_key(host.url(), NOW) == rsa_key().public_key()


def test_intermediate_served_with_the_certificate(
    authority: Authority, host: Host, bundle: Path
) -> None:
    bundle.write_bytes(pem(authority.root))
    certificates = Certificates(
        live=False, names=LIVE_NAMES, extra_origins=[host.origin], ca_bundle=str(bundle)
    )
    host.body = pem(authority.certificate(), authority.intermediate)
    assert certificates.public_key(host.url(), NOW)


def bad_certificates(authority: Authority) -> dict[str, bytes]:
    day = timedelta(days=1)
    stranger = Authority(NOW)
    stranger.key = rsa_key(number=3)
    self_signed = Authority(NOW, LIVE_NAMES[0]).root
    return {
        "expired": pem(authority.certificate(not_after=-day)),
        "not yet valid": pem(authority.certificate(not_before=day)),
        "self-signed": pem(self_signed),
        "signed by another of the same name": pem(stranger.certificate()),
        "other name": pem(authority.certificate("www.paypal.com")),
        "name of the sandbox": pem(authority.certificate(TEST_NAMES[1])),
        "name as a suffix": pem(authority.certificate("x." + LIVE_NAMES[0])),
        "wildcard": pem(authority.certificate("*.paypal.com.evil.example")),
        "elliptic curve key": pem(authority.certificate(public_key=ec_key().public_key())),
        "key of 1024 bits": pem(authority.certificate(public_key=rsa_key(1024).public_key())),
        "an authority's own": pem(authority.intermediate),
        "empty": b"",
        "HTML": b"<html>CERTIFICATE</html>",
        "PEM of nothing": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "DER": b"0\x82\x04\x00",
        "too large": pem(authority.certificate()) + b" " * 10_000_000,
    }


@pytest.mark.parametrize("kind", bad_certificates(Authority(NOW)))
def test_a9_certificate_that_proves_nothing(
    kind: str, authority: Authority, certificates: Certificates, host: Host
) -> None:
    host.body = bad_certificates(authority)[kind]
    with pytest.raises(Unauthentic) as raised:
        certificates.public_key(host.url(), NOW)
    # Nor is it asked for again, until ten minutes later.
    with pytest.raises(Unauthentic, match=str(raised.value)):
        certificates.public_key(host.url(), NOW + timedelta(minutes=9))
    assert len(host.paths) == 1
    host.body = pem(authority.certificate())
    assert certificates.public_key(host.url(), NOW + timedelta(minutes=11))


def test_a9_certificate_signed_with_sha1(host: Host) -> None:
    """Files, because no library here signs with SHA-1 any more; the twin differs in that only."""
    certificates = Certificates(
        live=False,
        names=LIVE_NAMES,
        extra_origins=[host.origin],
        ca_bundle=str(FIXTURES / "authority.pem"),
    )
    now = datetime(2030, 1, 1, tzinfo=UTC)
    host.body = (FIXTURES / "sha1.pem").read_bytes()
    with pytest.raises(Unauthentic, match="not valid"):
        certificates.public_key(host.url("CERT-1"), now)
    host.body = (FIXTURES / "sha256.pem").read_bytes()
    assert certificates.public_key(host.url("CERT-256"), now)


def test_a9_sandbox_name_in_test_mode(authority: Authority, host: Host, bundle: Path) -> None:
    certificates = Certificates(
        live=False, names=TEST_NAMES, extra_origins=[host.origin], ca_bundle=str(bundle)
    )
    host.body = pem(authority.certificate(TEST_NAMES[1]))
    assert certificates.public_key(host.url(), NOW)


@pytest.mark.parametrize("known", ["nothing", "the root", "the intermediate"])
def test_a9_authority_not_known(known: str, authority: Authority, host: Host, bundle: Path) -> None:
    """PayPal has moved to another: the posts must wait until the operator has added it."""
    bundle.write_bytes(
        {
            "nothing": b"",
            "the root": pem(authority.root),
            "the intermediate": pem(authority.intermediate),
        }[known]
    )
    missing = "CN=Root$" if known == "the intermediate" else "CN=Root intermediate$"
    certificates = Certificates(
        live=False, names=LIVE_NAMES, extra_origins=[host.origin], ca_bundle=str(bundle)
    )
    host.body = pem(authority.certificate())
    with pytest.raises(Unavailable) as raised:
        certificates.public_key(host.url(), NOW)
    issuer, _, hint = str(raised.value).partition("; ")
    assert "PAYPAL_CA_BUNDLE" in hint
    assert issuer.endswith(missing.rstrip("$"))


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 429, 500, 503])
def test_a9_certificate_not_served(
    status: int, authority: Authority, certificates: Certificates, host: Host
) -> None:
    host.status = status
    with pytest.raises(Unavailable, match=f"status {status}$"):
        certificates.public_key(host.url(), NOW)
    # A moment later it is asked for again.
    host.status, host.body = 200, pem(authority.certificate())
    assert certificates.public_key(host.url(), NOW + timedelta(seconds=21))


def test_a8_redirect_is_not_followed(certificates: Certificates, host: Host) -> None:
    host.status, host.headers = 302, {"Location": host.url("CERT-2")}
    with pytest.raises(Unauthentic, match="redirects"):
        certificates.public_key(host.url(), NOW)
    assert len(host.paths) == 1


def test_a9_nobody_listens(authority: Authority, bundle: Path) -> None:
    with serving(Host()) as host:
        url = host.url()
    certificates = Certificates(
        live=False, names=LIVE_NAMES, extra_origins=[host.origin], ca_bundle=str(bundle)
    )
    with pytest.raises(Unavailable, match="ConnectionError"):
        certificates.public_key(url, NOW)


@pytest.mark.parametrize(("seconds_before", "seconds_a_byte"), [(30, 0), (0, 0.2)])
def test_a9_slow_host(
    seconds_before: float,
    seconds_a_byte: float,
    authority: Authority,
    certificates: Certificates,
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that sends a byte now and then never runs into a time-out of its own."""
    assert paypal_certificates.TOTAL_SECONDS <= 8
    monkeypatch.setattr(paypal_certificates, "TOTAL_SECONDS", 1)
    host.body = pem(authority.certificate())
    host.seconds_before, host.seconds_a_byte = seconds_before, seconds_a_byte
    started = time.monotonic()
    with pytest.raises(Unavailable):
        certificates.public_key(host.url(), NOW)
    assert time.monotonic() - started < 1.5


def test_proxies_of_the_environment_are_not_used(
    authority: Authority, certificates: Certificates, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    host.body = pem(authority.certificate())
    assert certificates.public_key(host.url(), NOW)


def test_kept_for_a_day(authority: Authority, certificates: Certificates, host: Host) -> None:
    host.body = pem(authority.certificate())
    for hours in (0, 1, 23.9):
        certificates.public_key(host.url(), NOW + timedelta(hours=hours))
    assert len(host.paths) == 1
    certificates.public_key(host.url(), NOW + timedelta(hours=24))
    assert len(host.paths) == 2


def test_kept_no_longer_than_it_is_valid(
    authority: Authority, certificates: Certificates, host: Host
) -> None:
    host.body = pem(authority.certificate(not_after=timedelta(hours=2)))
    assert certificates.public_key(host.url(), NOW + timedelta(hours=1))
    with pytest.raises(Unauthentic):
        certificates.public_key(host.url(), NOW + timedelta(hours=2, seconds=1))


def test_clock_in_another_time_zone(
    authority: Authority, certificates: Certificates, host: Host
) -> None:
    """Certificate dates are compared as moments, not as wall clocks."""
    host.body = pem(authority.certificate(not_after=timedelta(hours=2)))
    assert certificates.public_key(host.url(), NOW.astimezone(timezone(timedelta(hours=9))))


def test_a13_made_up_urls_are_capped(
    authority: Authority, certificates: Certificates, host: Host
) -> None:
    host.body = pem(authority.certificate())
    certificates.public_key(host.url("CERT-GOOD"), NOW - timedelta(hours=25))
    host.status = 404
    for number in range(1000):
        with pytest.raises(Unavailable):
            certificates.public_key(host.url(f"CERT-{number}"), NOW)
    assert len(host.paths) == 1 + MAX_NEW_URLS_A_MINUTE
    # What was good yesterday is asked for again all the same.
    host.status = 200
    assert certificates.public_key(host.url("CERT-GOOD"), NOW)
    # A minute later there is room, and no memory is kept of what was made up.
    assert certificates.public_key(host.url("CERT-NEW"), NOW + timedelta(minutes=1))
    assert len(certificates._known) == 2


def test_one_fetch_for_posts_at_the_same_time(
    authority: Authority, certificates: Certificates, host: Host
) -> None:
    host.body, host.seconds_before = pem(authority.certificate()), 0.2
    keys: list[RSAPublicKey] = []
    threads = [
        threading.Thread(target=lambda: keys.append(certificates.public_key(host.url(), NOW)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 16
    assert len(host.paths) == 1


def test_bundle_that_cannot_be_read(authority: Authority, host: Host) -> None:
    certificates = Certificates(
        live=False, names=LIVE_NAMES, extra_origins=[host.origin], ca_bundle="/nonexistent"
    )
    host.body = pem(authority.certificate())
    with pytest.raises(Unavailable, match="PAYPAL_CA_BUNDLE"):
        certificates.public_key(host.url(), NOW)


def test_shipped_authorities_are_what_they_say() -> None:
    """Each one is signed by the root above it, and outlives this release."""
    shipped = {
        path.stem: load_certificates(path.read_bytes())[0]
        for path in paypal_certificates.SHIPPED.glob("*.pem")
    }
    mozilla = load_certificates(Path(certifi.where()).read_bytes())
    roots = {c.subject: c for c in [*mozilla, shipped["digicert-high-assurance-ev-root-ca"]]}
    assert len(shipped) == 3
    for certificate in shipped.values():
        assert certificate.not_valid_after_utc > NOW + 2 * YEAR
        if certificate.subject != certificate.issuer:
            certificate.verify_directly_issued_by(roots[certificate.issuer])
