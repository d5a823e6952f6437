"""Settings: every variable is read, and a bad one stops the start by name."""

import logging
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from payments_admin.logs import OneLine
from tests.payments_admin.processes import clean_environment

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ROOT / "payments_admin" / "settings.py"
Load = Callable[..., dict[str, Any]]
CANARY = "canary-4711"
LIVE = {
    "PAYMENTS_MODE": "live",
    "SECRET_KEY": "k" * 60,
    "ALLOWED_HOSTS": "payments.example.com",
}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """Reads the settings from these variables alone; no database is opened."""

    def load(**variables: str) -> dict[str, Any]:
        for name in os.environ:
            monkeypatch.delenv(name)
        defaults = {"DATABASE_URL": "postgresql:///nowhere", "VAR_DIR": str(tmp_path)}
        for name, value in (defaults | variables).items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return load


def test_the_defaults_are_those_of_the_contract(load: Load, tmp_path: Path) -> None:
    settings = load()
    assert settings["PAYMENTS_MODE"] == "test"
    assert settings["PAYMENTS_TIME_ZONE"] == "UTC"
    assert (settings["HOST"], settings["PORT"]) == ("127.0.0.1", 8000)
    assert settings["ADMIN_USER"] == "admin"
    assert settings["STRIPE_WEBHOOK_SECRETS"] == []
    assert settings["PAYPAL_API_BASE"] == "https://api-m.sandbox.paypal.com"
    assert settings["EMAIL_FILE_PATH"] == str(tmp_path / "mail")
    assert settings["EMAIL_TIMEOUT"] == 10
    assert settings["DEBUG"] is False
    database = settings["DATABASES"]["default"]
    assert database["CONN_HEALTH_CHECKS"] is True
    assert database["OPTIONS"]["connect_timeout"] == 3


def test_lists_are_stripped_and_their_blanks_dropped(load: Load) -> None:
    settings = load(STRIPE_WEBHOOK_SECRETS=" whsec_new ,, whsec_old\n,")
    assert settings["STRIPE_WEBHOOK_SECRETS"] == ["whsec_new", "whsec_old"]


def test_every_variable_can_come_from_a_file(load: Load, tmp_path: Path) -> None:
    names = load()["env"].names
    for name in names - {"VAR_DIR", "DATABASE_URL"}:
        missing = tmp_path / "no-such-file"
        with pytest.raises(ImproperlyConfigured, match=rf"^{name}_FILE names a file"):
            load(**{f"{name}_FILE": str(missing)})


def test_a_file_wins_over_the_variable_and_is_stripped(load: Load, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("whsec_from_file\n")
    settings = load(STRIPE_WEBHOOK_SECRETS="whsec_other", STRIPE_WEBHOOK_SECRETS_FILE=str(secret))
    assert settings["STRIPE_WEBHOOK_SECRETS"] == ["whsec_from_file"]


def test_a_secret_that_begins_with_a_dollar_is_taken_as_it_is(load: Load) -> None:
    assert load(SECRET_KEY="$HOME" + "x" * 50)["SECRET_KEY"] == "$HOME" + "x" * 50


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYMENTS_MODE", "production"),
        ("PAYMENTS_TIME_ZONE", "Europe/Atlantis"),
        ("PAYMENTS_TIME_ZONE", "/etc/passwd"),
        ("PAYMENTS_TIME_ZONE", "../UTC"),
        ("DATABASE_URL", f"mysql://root:{CANARY}@localhost/payments"),
        ("DATABASE_URL", f"postgresql://user:{CANARY}@localhost"),
        ("DATABASE_URL", f"postgresql://user:{CANARY}@[localhost/x"),
        ("STRIPE_WEBHOOK_SECRETS", f"whsec_{CANARY} whsec_2"),
        ("PAYPAL_WEBHOOK_IDS", f"{CANARY}\x00"[:-1] + "\n2"),
        ("STRIPE_API_BASE", "api.stripe.com"),
        ("PAYPAL_API_BASE", f"https://user:{CANARY}@api.paypal.com"),
        ("PAYPAL_CERT_ORIGINS", "http://127.0.0.1:9000/certs"),
        ("PAYPAL_CERT_ORIGINS", "ftp://127.0.0.1"),
        ("PAYPAL_CERT_ORIGINS", "http://127.0.0.1:port"),
        ("PAYPAL_CA_BUNDLE", "/no/such/bundle.pem"),
        ("EMAIL_URL", f"imap://user:{CANARY}@mail.example.com"),
        ("EMAIL_URL", f"smtp://user:{CANARY}@mail.example.com:port"),
        ("EMAIL_URL", "smtp://"),
        ("EMAIL_URL", f"smtp://user:{CANARY}@mail.example.com?timeout=3"),
        ("BILLING_ALERT_EMAILS", "finance@example.com,nobody"),
        ("PORT", "80 80"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "٨٠٠٠"),
    ],
)
def test_a_bad_value_is_refused_by_name_and_not_repeated_if_secret(
    load: Load, name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        load(**{name: value})
    assert str(refused.value).startswith(name)
    assert "\n" not in str(refused.value)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS"])
def test_live_mode_demands(load: Load, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} is required when .* live"):
        load(**(LIVE | {name: " "}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYPAL_CERT_ORIGINS", "http://127.0.0.1:9000"),
        ("PAYPAL_WEBHOOK_IDS", "1AB,WEBHOOK_ID"),
        ("STRIPE_API_BASE", "http://127.0.0.1:12111"),
        ("PAYPAL_API_BASE", "http://127.0.0.1:12111"),
    ],
)
def test_live_mode_refuses_what_is_for_tests(load: Load, name: str, value: str) -> None:
    assert load(**{name: value})
    with pytest.raises(ImproperlyConfigured, match=f"^{name} "):
        load(**LIVE, **{name: value})


def test_live_mode_is_https_only_but_never_redirects_a_gateway(load: Load) -> None:
    settings = load(**LIVE)
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    exempt = [re.compile(pattern) for pattern in settings["SECURE_REDIRECT_EXEMPT"]]
    for path in ("webhooks/stripe/", "webhooks/paypal/", "healthz"):
        assert any(pattern.search(path) for pattern in exempt)
    assert not any(pattern.search("admin/payments/") for pattern in exempt)


def test_the_made_up_secret_key_is_kept_and_private(load: Load, tmp_path: Path) -> None:
    first = load()["SECRET_KEY"]
    assert len(first) >= 50
    assert load()["SECRET_KEY"] == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_var_dir_that_cannot_be_written_is_named(load: Load, tmp_path: Path) -> None:
    a_file = tmp_path / "file"
    a_file.touch()
    with pytest.raises(ImproperlyConfigured, match=r"^VAR_DIR cannot hold secret_key: "):
        load(VAR_DIR=str(a_file))
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL is not given, and the embedded"):
        load(VAR_DIR=str(a_file), SECRET_KEY="k" * 50, DATABASE_URL="")


def test_a_database_url_is_read_as_libpq_reads_it(load: Load) -> None:
    url = "postgresql://payments:p%40ss@db1.example.com:5433/books?sslmode=require"
    database = load(DATABASE_URL=url)["DATABASES"]["default"]
    assert (database["USER"], database["PASSWORD"]) == ("payments", "p@ss")
    assert (database["HOST"], database["PORT"], database["NAME"]) == (
        "db1.example.com",
        "5433",
        "books",
    )
    assert database["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example.com", 25, False, False),
        ("smtp+tls://me:secret@mail.example.com", 587, True, False),
        ("smtp+ssl://me:secret@mail.example.com", 465, False, True),
        ("smtp+tls://me:secret@mail.example.com:2525", 2525, True, False),
    ],
)
def test_mail_servers(load: Load, url: str, port: int, tls: bool, ssl: bool) -> None:
    settings = load(EMAIL_URL=url)
    assert settings["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert settings["EMAIL_HOST"] == "mail.example.com"
    assert settings["EMAIL_PORT"] == port
    assert (settings["EMAIL_USE_TLS"], settings["EMAIL_USE_SSL"]) == (tls, ssl)


def test_the_readme_documents_exactly_the_variables_that_are_read(load: Load) -> None:
    documented = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(load()["env"].names)


# What an operator sees: one line, whichever way the product is started.


def manage(*arguments: str, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return start([sys.executable, "manage.py", *arguments], tmp_path=tmp_path, **variables)


def start(
    command: list[str], *, tmp_path: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = clean_environment() | {"VAR_DIR": str(tmp_path)} | variables
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("command", ["check", "migrate", "run", "process_events"])
def test_commands_say_what_is_wrong_in_one_line(command: str, tmp_path: Path) -> None:
    done = manage(command, tmp_path=tmp_path, PAYMENTS_MODE="production")
    assert done.returncode == 1
    assert done.stderr == "Configuration: PAYMENTS_MODE must be one of: live, test.\n"


def test_the_web_server_says_it_too_and_ends(tmp_path: Path) -> None:
    done = start(
        [sys.executable, "-m", "uvicorn", "payments_admin.asgi:application", "--workers", "2"],
        tmp_path=tmp_path,
        PAYMENTS_MODE="production",
        UVICORN_UDS=str(tmp_path / "socket"),
    )
    # Once for each process, and then it ends; uvicorn's own code is 0.
    assert "Configuration: PAYMENTS_MODE must be one of: live, test." in done.stderr
    assert "Traceback" not in done.stderr


# The worker is not among these: it waits for the database to come back.
@pytest.mark.parametrize("command", ["migrate", "run", "check_totals"])
def test_an_unreachable_database_is_named_without_its_password(
    command: str, tmp_path: Path
) -> None:
    url = f"postgresql://payments:{CANARY}@127.0.0.1:1/books"
    done = manage(command, tmp_path=tmp_path, DATABASE_URL=url, PORT="18999")
    assert done.returncode == 1
    assert "DATABASE_URL: cannot use the PostgreSQL at 127.0.0.1 (port 1, database books" in (
        done.stderr
    )
    assert "Traceback" not in done.stderr
    assert CANARY not in done.stdout + done.stderr


def test_production_settings_pass_djangos_deployment_check(tmp_path: Path) -> None:
    done = manage(
        *("check", "--deploy", "--fail-level", "WARNING"),
        tmp_path=tmp_path,
        DATABASE_URL="postgresql:///nowhere",
        STRIPE_WEBHOOK_SECRETS="whsec_1",
        PAYPAL_WEBHOOK_IDS="1AB",
        **(LIVE | {"SECRET_KEY": "3xample-of-a-long-and-Random-key-0123456789-abcdefghij"}),
    )
    assert done.returncode == 0, done.stderr


def test_b15_a_log_record_is_one_line_whatever_is_in_it() -> None:
    record = logging.LogRecord(
        *("webhooks", logging.WARNING, __file__, 1, "refused: %s"),
        args=("a\n2030-01-01 INFO forged\r\x1b[31m\u2028\u202e",),
        exc_info=None,
    )
    line = OneLine().format(record)
    assert line.isprintable()
    assert r"refused: a\n2030-01-01 INFO forged\r\x1b[31m\u2028\u202e" in line
