"""Posts signed as the gateways sign them: for demo mode, test events and tests.

It holds its own keys and can sign for nobody else: `verify` accepts its posts only where the
configuration names its secret, or its authority and origin.
"""

import base64
import hashlib
import hmac
import threading
import uuid
import zlib
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificateIssuerPublicKeyTypes,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CERTIFICATE_LIFETIME = timedelta(days=365)


def stripe_headers(body: bytes, secret: str, at: datetime) -> dict[str, str]:
    """The headers of a post that Stripe made at ``at``.

    https://docs.stripe.com/webhooks#verify-manually
    """
    timestamp = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": f"t={timestamp},v1={signature.hexdigest()}",
    }


class PayPalSigner:
    """A certificate and key that sign as PayPal does, under an authority of their own.

    Kept in ``folder`` and used again while valid. ``authority_path`` is what ``PAYPAL_CA_BUNDLE``
    must name, and the origin that serves the certificate must be in ``PAYPAL_CERT_ORIGINS``::

        signer = PayPalSigner(Path("var/simulator"))
        with CertificateServer(signer) as server:
            headers = signer.headers(body, "WH-TEST", server.certificate_url, timezone.now())
    """

    def __init__(
        self,
        folder: Path,
        name: str = "messageverificationcerts.sandbox.paypal.com",
        now: datetime | None = None,
    ) -> None:
        self.authority_path = folder / f"{name}.authority.pem"
        certificate_path = folder / f"{name}.pem"
        key_path = folder / f"{name}.key"
        now = now or datetime.now(UTC)
        if not _still_valid(certificate_path, now):
            folder.mkdir(parents=True, exist_ok=True)
            authority, certificate, key = _new_certificate(name, now)
            self.authority_path.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
            key_path.touch(mode=0o600)
            key_path.write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
            # Last, so that a half-made folder is made again.
            certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.certificate_pem = certificate_path.read_bytes()
        loaded = serialization.load_pem_private_key(key_path.read_bytes(), None)
        assert isinstance(loaded, rsa.RSAPrivateKey)  # noqa: S101 - made above
        self._key = loaded
        # The path changes with the certificate, so that no cache holds an old one.
        digest = hashlib.sha256(self.certificate_pem).hexdigest()
        self.certificate_path = f"/v1/notifications/certs/CERT-{digest[:8]}-{digest[8:16]}"

    def headers(
        self,
        body: bytes,
        webhook_id: str,
        certificate_url: str,
        at: datetime,
        transmission_id: str | None = None,
    ) -> dict[str, str]:
        """The headers of a post that PayPal made at ``at`` for this webhook.

        https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod
        """
        transmission_id = transmission_id or str(uuid.uuid4())
        transmission_time = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        message = f"{transmission_id}|{transmission_time}|{webhook_id}|{zlib.crc32(body)}"
        signature = self._key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
        return {
            "Content-Type": "application/json",
            "Paypal-Transmission-Id": transmission_id,
            "Paypal-Transmission-Time": transmission_time,
            "Paypal-Transmission-Sig": base64.b64encode(signature).decode(),
            "Paypal-Cert-Url": certificate_url,
            "Paypal-Auth-Algo": "SHA256withRSA",
        }


class CertificateServer:
    """Serves the signer's certificate on this machine, in a thread, until closed.

    ``origin`` is what ``PAYPAL_CERT_ORIGINS`` must name; port 0 takes a free one.
    """

    def __init__(self, signer: PayPalSigner, port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path == signer.certificate_path
                body = signer.certificate_pem if found else b""
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.certificate_url = self.origin + signer.certificate_path
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def issue(
    name: str,
    public_key: CertificateIssuerPublicKeyTypes,
    issuer: x509.Name,
    issuer_key: CertificateIssuerPrivateKeyTypes,
    not_before: datetime,
    not_after: datetime,
    authority: bool = False,
) -> x509.Certificate:
    """A certificate as public authorities issue them, for a host or for an ``authority``."""
    # What an authority may sign with it, and what a host may.
    usage = x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(common_name(name))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not authority:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False
        ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _still_valid(certificate_path: Path, now: datetime) -> bool:
    if not certificate_path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    margin = timedelta(days=1)
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - margin


def _new_certificate(
    name: str, now: datetime
) -> tuple[x509.Certificate, x509.Certificate, rsa.RSAPrivateKey]:
    """An authority, a certificate that it issued, and that one's key.

    The authority's own key is forgotten, so that it can never issue another.
    """
    not_before, not_after = now - timedelta(hours=1), now + CERTIFICATE_LIFETIME
    authority_key, key = new_key(), new_key()
    authority_name = common_name("Payments simulator")
    authority = issue(
        "Payments simulator",
        authority_key.public_key(),
        authority_name,
        authority_key,
        not_before,
        not_after,
        authority=True,
    )
    certificate = issue(
        name, key.public_key(), authority_name, authority_key, not_before, not_after
    )
    return authority, certificate, key
