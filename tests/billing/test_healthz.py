from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from billing.models import Heartbeat, PaymentEvent
from tests.factories import NOON, make_event


@pytest.mark.django_db
def test_nothing_yet(client: Client) -> None:
    response = client.get("/healthz")

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert response.json() == {
        "status": "ok",
        "database": "ok",
        "worker_heartbeat_seconds": None,
        "waiting": 0,
        "failed": 0,
        "unmatched": 0,
        "unreadable": 0,
        "last_event": {"stripe": None, "paypal": None},
    }


@pytest.mark.django_db
def test_counts_heartbeat_and_last_events(client: Client) -> None:
    """D12."""
    Heartbeat.objects.create(worker="old", beat_at=timezone.now() - timedelta(hours=1))
    Heartbeat.objects.create(worker="new", beat_at=timezone.now() - timedelta(seconds=2))
    for state in PaymentEvent.State.values:
        make_event(state=state, received_at=timezone.now())
    make_event(state="failed", gateway="paypal", received_at=NOON)

    answer = client.get("/healthz").json()

    assert (answer["waiting"], answer["failed"]) == (1, 2)
    assert (answer["unmatched"], answer["unreadable"]) == (1, 1)
    assert 2 <= answer["worker_heartbeat_seconds"] < 60
    assert answer["last_event"]["paypal"] == "2026-03-01T12:00:00+00:00"


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "status"), [(4, 200), (6, 503)])
def test_events_that_wait_too_long(client: Client, minutes: int, status: int) -> None:
    make_event(state="waiting", received_at=timezone.now() - timedelta(minutes=minutes))

    response = client.get("/healthz")

    assert response.status_code == status
    assert response.json()["status"] == ("ok" if status == 200 else "error")
    assert response.json()["waiting"] == 1


def test_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(now: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("billing.views.machines.health", away)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json()["status"] == "error"
    assert response.json()["database"] == "unreachable"
    assert response.json()["last_event"] == {"stripe": None, "paypal": None}


@pytest.mark.django_db
def test_only_reading(client: Client) -> None:
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405
