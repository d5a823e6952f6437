"""The certificates that PayPal signs with: fetched, verified, kept for a day.

The URL comes with the post, so that only exact origins are ever connected to, and only a
certificate that chains to a known root and bears PayPal's name for this purpose is used.
"""

import re
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from webhooks.gateways.base import Unauthentic, Unavailable, _

LIVE_ORIGINS = frozenset({"https://api.paypal.com", "https://api-m.paypal.com"})
SANDBOX_ORIGINS = frozenset({"https://api.sandbox.paypal.com", "https://api-m.sandbox.paypal.com"})
# The host names that PayPal's certificates for this purpose bear.
LIVE_NAMES = ("messageverificationcerts.paypal.com",)
TEST_NAMES = (*LIVE_NAMES, "messageverificationcerts.sandbox.paypal.com")
PATH = "/v1/notifications/certs/"
CERTIFICATE_ID = re.compile(r"CERT-[0-9A-Za-z-]{1,100}")

MAX_AGE = timedelta(hours=24)
# How long a certificate that proved nothing, or could not be fetched, is not asked for again.
REFUSED_FOR = timedelta(minutes=10)
UNAVAILABLE_FOR = timedelta(seconds=20)
# Made-up certificate ids cost one fetch each; genuine new ones come a few times a year.
MAX_NEW_URLS_A_MINUTE = 20
MAX_BYTES = 64 * 1024
CONNECT_SECONDS = 3
TOTAL_SECONDS = 8
MIN_KEY_BITS = 2048
# PayPal serves its certificate alone, and Mozilla has dropped the older of its two roots.
SHIPPED = Path(__file__).parent / "certificates"
PEM = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a URL led to: a key, or the error to raise and its text."""

    until: datetime
    key: RSAPublicKey | None = None
    error: type[Unauthentic | Unavailable] = Unauthentic
    reason: str = ""


class Certificates:
    """The keys behind certificate URLs. Safe to share between threads.

    ``names`` are those that PayPal's certificate may bear. ``extra_origins`` such as
    ``http://127.0.0.1:9000`` also serve certificates, but never when ``live``. ``ca_bundle`` is a
    PEM file of more roots (self-signed) and intermediates (the others).
    """

    def __init__(
        self,
        *,
        live: bool,
        names: Iterable[str],
        extra_origins: Iterable[str] = (),
        ca_bundle: str = "",
    ) -> None:
        # PayPal's simulator and some sandbox posts name the live host.
        self._origins = (
            LIVE_ORIGINS if live else LIVE_ORIGINS | SANDBOX_ORIGINS | frozenset(extra_origins)
        )
        self._names = list(names)
        self._ca_bundle = ca_bundle
        self._authorities: _Authorities | None = None
        self._known: dict[str, _Known] = {}
        self._proven: set[str] = set()
        self._fetches: deque[datetime] = deque()
        self._lock = threading.Lock()

    def check_url(self, url: str) -> None:
        """Raise `Unauthentic` unless PayPal serves certificates there. Connects to nothing."""
        origin, _path, certificate_id = url.partition(PATH)
        if origin not in self._origins or not CERTIFICATE_ID.fullmatch(certificate_id):
            raise Unauthentic(_("certificate URL not PayPal's"))

    def public_key(self, url: str, now: datetime) -> RSAPublicKey:
        """The key of the certificate at ``url``, fetched at most once a day.

        Raises `Unauthentic` where it is not PayPal's, `Unavailable` where that cannot be known now.
        """
        self.check_url(url)
        known = self._known.get(url)
        if known is None or known.until <= now:
            known = self._fetch_once(url, now)
        if known.key is None:
            raise known.error(known.reason)
        return known.key

    def _fetch_once(self, url: str, now: datetime) -> _Known:
        """Fetch in one thread; the others wait for what it finds."""
        give_up_at = time.monotonic() + TOTAL_SECONDS
        if not self._lock.acquire(timeout=TOTAL_SECONDS):
            raise Unavailable("certificate being fetched")
        try:
            known = self._known.get(url)
            if known is not None and known.until > now:
                return known
            # Strangers cannot use up the turn of one that proved itself before.
            if url not in self._proven:
                self._count_new_url(now)
            known = self._find(url, now, give_up_at)
            if known.key is not None:
                self._proven.add(url)
            current = {u: k for u, k in self._known.items() if k.until > now}
            self._known = {**current, url: known}
            return known
        finally:
            self._lock.release()

    def _count_new_url(self, now: datetime) -> None:
        while self._fetches and self._fetches[0] <= now - timedelta(minutes=1):
            self._fetches.popleft()
        if len(self._fetches) >= MAX_NEW_URLS_A_MINUTE:
            raise Unavailable("too many new certificate URLs")
        self._fetches.append(now)

    def _find(self, url: str, now: datetime, give_up_at: float) -> _Known:
        try:
            certificate, served = _parse(_download(url, give_up_at))
            key = self._verified_key(certificate, served, now)
        except Unauthentic as error:
            return _Known(now + REFUSED_FOR, None, Unauthentic, str(error))
        except Unavailable as error:
            return _Known(now + UNAVAILABLE_FOR, None, Unavailable, str(error))
        return _Known(min(now + MAX_AGE, certificate.not_valid_after_utc), key)

    def _verified_key(
        self, certificate: x509.Certificate, served: list[x509.Certificate], now: datetime
    ) -> RSAPublicKey:
        """The key of a certificate whose chain, dates and name all hold."""
        if self._authorities is None:
            self._authorities = _load_authorities(self._ca_bundle)
        intermediates = served + self._authorities.intermediates
        builder = PolicyBuilder().store(Store(self._authorities.roots)).time(now.astimezone(UTC))
        if not any(_verifies(builder, name, certificate, intermediates) for name in self._names):
            missing = _missing_issuer(certificate, intermediates, self._authorities.roots)
            if missing:
                raise Unavailable(
                    f"certificate's issuer not known: {missing}; "
                    "add its certificate to the file that PAYPAL_CA_BUNDLE names"
                )
            raise Unauthentic(_("certificate not valid for PayPal"))
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < MIN_KEY_BITS:
            raise Unauthentic(_("certificate's key not RSA of 2048 bits or more"))
        return key


@dataclass(frozen=True, slots=True)
class _Authorities:
    roots: list[x509.Certificate]
    intermediates: list[x509.Certificate]


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """The certificates in a PEM text, without those that cannot be read."""
    found = []
    with warnings.catch_warnings():
        # Some public roots break a rule, such as a serial number of 0: none of our business.
        warnings.simplefilter("ignore")
        for block in PEM.findall(pem):
            try:
                found.append(x509.load_pem_x509_certificate(block))
            except ValueError:
                continue
    return found


def _load_authorities(ca_bundle: str) -> _Authorities:
    """Mozilla's roots, those shipped for PayPal, and those of the bundle."""
    paths = [Path(certifi.where()), *sorted(SHIPPED.glob("*.pem"))]
    if ca_bundle:
        paths.append(Path(ca_bundle))
    try:
        authorities = [c for path in paths for c in load_certificates(path.read_bytes())]
    except OSError:
        raise Unavailable("PAYPAL_CA_BUNDLE cannot be read") from None
    return _Authorities(
        roots=[c for c in authorities if c.issuer == c.subject],
        intermediates=[c for c in authorities if c.issuer != c.subject],
    )


def _verifies(
    builder: PolicyBuilder,
    name: str,
    certificate: x509.Certificate,
    intermediates: list[x509.Certificate],
) -> bool:
    try:
        builder.build_server_verifier(x509.DNSName(name)).verify(certificate, intermediates)
    except (VerificationError, ValueError, x509.UnsupportedGeneralNameType):
        return False
    return True


def _missing_issuer(
    certificate: x509.Certificate,
    intermediates: list[x509.Certificate],
    roots: list[x509.Certificate],
) -> str:
    """The name of the first issuer above a certificate that is nowhere; empty if all are there."""
    by_subject = {c.subject: c for c in intermediates}
    root_names = {root.subject for root in roots}
    seen: set[x509.Name] = set()
    # A self-signed one misses nothing: it is wrong.
    while certificate.issuer not in root_names | {certificate.subject} | seen:
        seen.add(certificate.issuer)
        issuer = by_subject.get(certificate.issuer)
        if issuer is None:
            return certificate.issuer.rfc4514_string()
        certificate = issuer
    return ""


def _parse(pem: bytes) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """The certificate, and others that were served with it."""
    certificates = load_certificates(pem)
    if not certificates:
        raise Unauthentic(_("certificate not readable"))
    return certificates[0], certificates[1:]


def _download(url: str, give_up_at: float) -> bytes:
    """What ``url`` serves, before the monotonic clock says ``give_up_at``.

    In a thread of its own, for neither name resolution nor a server that sends a byte a second
    can be interrupted otherwise.
    """
    found: list[bytes | Unauthentic | Unavailable] = []

    def download() -> None:
        try:
            found.append(_get(url, give_up_at))
        except (Unauthentic, Unavailable) as error:
            found.append(error)

    thread = threading.Thread(target=download, daemon=True, name="paypal-certificate")
    thread.start()
    thread.join(max(0, give_up_at - time.monotonic()))
    result = found[0] if found else Unavailable("certificate not served in time")
    if isinstance(result, bytes):
        return result
    raise result


def _get(url: str, give_up_at: float) -> bytes:
    with requests.Session() as session:
        # Neither proxies nor credentials nor roots from the environment.
        session.trust_env = False
        try:
            with session.get(
                url,
                headers={"Accept-Encoding": "identity"},
                timeout=(CONNECT_SECONDS, TOTAL_SECONDS),
                allow_redirects=False,
                stream=True,
                verify=certifi.where(),
            ) as response:
                return _content(response, give_up_at)
        except requests.RequestException as error:
            raise Unavailable(f"certificate not served: {type(error).__name__}") from error


def _content(response: requests.Response, give_up_at: float) -> bytes:
    if response.is_redirect:
        raise Unauthentic(_("certificate URL redirects"))
    if response.status_code != requests.codes.ok:
        raise Unavailable(f"certificate not served: status {response.status_code}")
    content = b""
    for chunk in response.iter_content(1024):
        content += chunk
        if len(content) > MAX_BYTES:
            raise Unauthentic(_("certificate too large"))
        if time.monotonic() > give_up_at:
            raise Unavailable("certificate not served in time")
    return content
