from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.webhooks.senders import SENDERS, PayPalSender, Sender, StripeSender
from webhooks.simulator import CertificateServer, PayPalSigner


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> PayPalSigner:
    return PayPalSigner(tmp_path_factory.mktemp("paypal"))


@pytest.fixture(scope="session")
def certificate_server(signer: PayPalSigner) -> Iterator[CertificateServer]:
    with CertificateServer(signer) as server:
        yield server


@pytest.fixture
def paypal(
    signer: PayPalSigner, certificate_server: CertificateServer, settings: Settings
) -> PayPalSender:
    sender = PayPalSender(signer, certificate_server)
    sender.configure(settings)
    return sender


@pytest.fixture
def stripe(settings: Settings) -> StripeSender:
    sender = StripeSender()
    sender.configure(settings)
    return sender


@pytest.fixture(params=SENDERS)
def sender(request: pytest.FixtureRequest) -> Sender:
    """Every gateway in turn, configured with the first of its secrets."""
    found: Sender = request.getfixturevalue(request.param)
    return found
