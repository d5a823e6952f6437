"""What the first visit costs, from a server with its files collected, as `make run` starts it."""

import gzip
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser

from tests import servers
from tests.factories import NOON, make_event, make_invoice, make_staff, make_tenant

LIMIT_BYTES = 100 * 1024


@pytest.mark.django_db(transaction=True)
def test_first_page_is_light(chromium: Browser, tmp_path: Path) -> None:
    tenants = [make_tenant(f"Tenant of a usual name {number}") for number in range(50)]
    for number in range(60):
        make_event(
            event_id=f"evt_{os.urandom(12).hex()}",
            event_type="customer.subscription.updated",
            tenant=tenants[number % 50],
            received_at=NOON - timedelta(minutes=number),
        )
        make_invoice(currency=("USD", "EUR", "GBP", "JPY")[number % 4], tenant=tenants[number % 50])
    client = Client()
    client.force_login(make_staff("view_paymentevent", "view_invoice", "view_tenant"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    same_key = {"SECRET_KEY": settings.SECRET_KEY}
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput"],
        cwd=settings.BASE_DIR,
        env=servers.environment(tmp_path, **same_key),
        capture_output=True,
        check=True,
    )

    with servers.web_server(tmp_path, **same_key) as url:
        context = chromium.new_context(base_url=url)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])
        page = context.new_page()
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        addresses: dict[str, str] = {}
        weights: dict[str, int] = {}

        def asked(event: dict[str, Any]) -> None:
            addresses[event["requestId"]] = event["request"]["url"].removeprefix(url)

        def arrived(event: dict[str, Any]) -> None:
            weights[addresses[event["requestId"]]] = int(event["encodedDataLength"])

        network.on("Network.requestWillBeSent", asked)
        network.on("Network.loadingFinished", arrived)
        page.goto("/admin/payments/events/", wait_until="networkidle")
        rows = page.locator("tbody.row").count()
        context.close()

    assert rows == 25
    assert any("htmx" in address for address in weights)
    assert sum(weights.values()) <= LIMIT_BYTES, weights


def test_pages_are_compressed(staff: Client) -> None:
    make_event()

    response = staff.get("/admin/payments/events/", headers={"Accept-Encoding": "gzip"})

    assert response["Content-Encoding"] == "gzip"
    assert "</html>" in gzip.decompress(response.content).decode()
