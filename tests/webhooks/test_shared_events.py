"""Every event that was ever collected: posted over HTTP, applied by a worker, posted again.

The files are in the folder that SHARED_EVENTS names; without it these tests say so and do not run.
"""

import json
import os
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from billing.models import PaymentEvent
from billing.totals import discrepancies
from tests import inbox
from tests.ledger_state import difference, snapshot
from tests.servers import drain, web_server
from webhooks.rebuilding import rebuild
from webhooks.simulator import CertificateServer, PayPalSigner, stripe_headers

EVENTS = Path(os.environ.get("SHARED_EVENTS", settings.BASE_DIR.parent / "shared" / "events"))
STRIPE_SECRET, PAYPAL_WEBHOOK_ID = "whsec_shared_events", "8PT597110X687430L"
ORDERS = 20

pytestmark = pytest.mark.skipif(
    not EVENTS.is_dir(),
    reason=f"NOT RUN: no folder {EVENTS}; SHARED_EVENTS names the one with the collected events",
)


def events(gateway: str) -> dict[str, dict[str, Any]]:
    """The events by file, each with an id of its own, and all of the mode that is applied."""
    read = {
        str(path.relative_to(EVENTS)): json.loads(path.read_text())
        for path in sorted((EVENTS / gateway).rglob("*.json"))
    }
    shared = Counter(event["id"] for event in read.values())
    for n, event in enumerate(read.values()):
        if shared[event["id"]] > 1:
            event["id"] = f"{event['id'][:200]}-{n}"
        if isinstance(event.get("livemode"), bool):
            event["livemode"] = False
    return read


def all_events() -> dict[str, dict[str, Any]]:
    found = events("stripe") | events("paypal")
    assert len(found) > 350
    return found


@pytest.mark.django_db(transaction=True)
def test_all_are_taken_applied_and_known_the_second_time(
    tmp_path: Path, signer: PayPalSigner, certificate_server: CertificateServer
) -> None:
    configured = {
        "STRIPE_WEBHOOK_SECRETS": STRIPE_SECRET,
        "PAYPAL_WEBHOOK_IDS": PAYPAL_WEBHOOK_ID,
        "PAYPAL_CERT_ORIGINS": certificate_server.origin,
        "PAYPAL_CA_BUNDLE": str(signer.authority_path),
        "EMAIL_URL": "dummymail://",
    }

    def post_all(url: str) -> dict[str, tuple[int, str]]:
        answers = {}
        with requests.Session() as session:
            for name, event in all_events().items():
                body, now = json.dumps(event).encode(), timezone.now()
                if name.startswith("stripe/"):
                    headers = stripe_headers(body, STRIPE_SECRET, now)
                else:
                    certificate_url = certificate_server.certificate_url
                    headers = signer.headers(body, PAYPAL_WEBHOOK_ID, certificate_url, now)
                path = f"{url}/webhooks/{name.split('/')[0]}/"
                answer = session.post(path, body, headers=headers, timeout=10)
                answers[name] = (answer.status_code, answer.json()["result"])
        return answers

    with web_server(tmp_path, **configured) as url:
        first = post_all(url)
        assert {name: answer for name, answer in first.items() if answer != (200, "recorded")} == {}
        assert PaymentEvent.objects.count() == len(first)
        drain(tmp_path, **configured)
        failed = PaymentEvent.objects.filter(state=PaymentEvent.State.FAILED)
        assert dict(failed.values_list("event_id", "reason")) == {}
        assert not PaymentEvent.objects.filter(state=PaymentEvent.State.WAITING).exists()
        assert discrepancies() == []
        stands = snapshot()

        second = post_all(url)
        assert set(second.values()) == {(200, "known")}
        drain(tmp_path, **configured)
        assert difference(stands, snapshot()) == ""
        assert set(PaymentEvent.objects.values_list("deliveries", flat=True)) == {2}
        assert set(PaymentEvent.objects.values_list("conflicting_deliveries", flat=True)) == {0}


@pytest.mark.django_db
def test_all_end_the_same_in_any_order() -> None:
    """And what they end in is what a rebuild gives."""
    recorded = inbox.record(*all_events().values())
    first = None
    for seed in range(ORDERS):
        random = Random(seed)
        order = random.sample(recorded, k=len(recorded))
        cuts = [0, *sorted(random.sample(range(1, len(order)), k=10)), len(order)]
        with transaction.atomic():
            for start, end in pairwise(cuts):
                inbox.apply(order[start:end])
            stands = snapshot()
            assert discrepancies() == [], seed
            if first is None:
                first = stands
                assert set(rebuild().values()) == {0}
            assert difference(first, stands) == "", seed
            transaction.set_rollback(True)
