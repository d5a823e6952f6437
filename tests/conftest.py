"""Fixtures for all tests, and what the summary says of the tests that could not run."""

from shutil import which

import pytest
from django.test import Client

from tests import browser
from tests.browser import audit
from tests.factories import make_staff


@pytest.fixture
def staff(db: None) -> Client:
    """Logged in, and may see events and invoices."""
    client = Client()
    client.force_login(make_staff("view_paymentevent", "view_invoice", "view_tenant"))
    return client


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if browser.executable() is None:
        terminalreporter.section("browser tests did not run", sep="!", yellow=True, bold=True)
        terminalreporter.line(browser.HOW_TO_GET_ONE)
    if missing := audit.missing_anything():
        terminalreporter.section("audits of the pages did not run", sep="!", yellow=True, bold=True)
        terminalreporter.line(audit.HOW_TO_GET_THEM.format(", ".join(missing)))
    if which("msgmerge") is None:
        terminalreporter.section("a test of languages did not run", sep="!", yellow=True, bold=True)
        terminalreporter.line("GNU gettext was not found. Install it: apt install gettext")
