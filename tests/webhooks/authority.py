"""Certificates as an authority issues them, good and bad, and a host that serves anything."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from webhooks.gateways.paypal_certificates import LIVE_NAMES
from webhooks.simulator import common_name, issue

YEAR = timedelta(days=365)


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """The same key for the same ``number``: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


class Authority:
    """A root and an intermediate below it, valid for a year either side of ``now``."""

    def __init__(self, now: datetime, name: str = "Root") -> None:
        self.now = now
        self.root_key, self.key = rsa_key(number=1), rsa_key(number=2)
        self.name = common_name(f"{name} intermediate")
        root_name = common_name(name)
        period = (now - YEAR, now + YEAR)
        self.root = issue(
            name, self.root_key.public_key(), root_name, self.root_key, *period, authority=True
        )
        self.intermediate = issue(
            f"{name} intermediate",
            self.key.public_key(),
            root_name,
            self.root_key,
            *period,
            authority=True,
        )

    def certificate(
        self,
        name: str = LIVE_NAMES[0],
        public_key: CertificateIssuerPublicKeyTypes | None = None,
        not_before: timedelta = -YEAR / 2,
        not_after: timedelta = YEAR / 2,
    ) -> x509.Certificate:
        return issue(
            name,
            public_key or rsa_key().public_key(),
            self.name,
            self.key,
            self.now + not_before,
            self.now + not_after,
        )


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


@dataclass
class Host:
    """Serves ``body`` for every path and counts the requests."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds_a_byte: float = 0
    seconds_before: float = 0
    paths: list[str] = field(default_factory=list)
    origin: str = ""

    def url(self, name: str = "CERT-1") -> str:
        return f"{self.origin}/v1/notifications/certs/{name}"


@contextmanager
def serving(host: Host) -> Iterator[Host]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.paths.append(self.path)
            time.sleep(host.seconds_before)
            self.send_response(host.status)
            for name, value in host.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                if not host.seconds_a_byte:
                    self.wfile.write(host.body)
                    return
                for byte in host.body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(host.seconds_a_byte)
            except ConnectionError:
                pass  # the product has seen enough

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    # Not waited for: a slow answer may outlast the test.
    server.block_on_close = False
    host.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
