"""The simulator's own promises; that its signatures verify is the conformance suite's."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509

from webhooks.simulator import CERTIFICATE_LIFETIME, CertificateServer, PayPalSigner

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_certificate_is_used_again_while_valid(tmp_path: Path) -> None:
    first = PayPalSigner(tmp_path, now=NOW)
    assert PayPalSigner(tmp_path, now=NOW + timedelta(days=300)).certificate_pem == (
        first.certificate_pem
    )
    later = PayPalSigner(tmp_path, now=NOW + CERTIFICATE_LIFETIME)
    assert later.certificate_pem != first.certificate_pem
    # No cache may take the one for the other.
    assert later.certificate_path != first.certificate_path


def test_key_is_nobody_elses(tmp_path: Path) -> None:
    PayPalSigner(tmp_path)
    (key,) = tmp_path.glob("*.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["messageverificationcerts.paypal.com", "other.example"])
def test_certificate_bears_the_name(name: str, tmp_path: Path) -> None:
    signer = PayPalSigner(tmp_path, name)
    certificate = x509.load_pem_x509_certificate(signer.certificate_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == [name]


def test_server_serves_the_certificate_only(tmp_path: Path) -> None:
    signer = PayPalSigner(tmp_path)
    with CertificateServer(signer) as server:
        assert requests.get(server.certificate_url, timeout=5).content == signer.certificate_pem
        assert requests.get(server.origin + "/", timeout=5).status_code == 404
    with pytest.raises(requests.ConnectionError):
        requests.get(server.certificate_url, timeout=5)
