"""Reads settings from the environment: typed, stripped, and with errors that name the variable.

Every variable may also be given as ``NAME_FILE``, the path of a file that holds the value, which
wins. Messages never repeat a value that may be secret.
"""

import os
import secrets
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import psycopg2
import psycopg2.extensions
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from environ import Env
from environ.fileaware_mapping import FileAwareMapping

EMAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 587, "smtp+ssl": 465}

# For Django's options of a PostgreSQL connection; a value in DATABASE_URL wins.
POSTGRES_OPTIONS = {
    # A gateway must hear 503 while it still listens.
    "connect_timeout": 3,
    # A peer that vanished without a word is noticed after a minute, not after two hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "application_name": "payments_admin",
    # A killed worker's query ends within a second, and a forgotten transaction within a minute:
    # both hold locks that others wait for. And none of ours runs so long that compiling it pays.
    "options": "-c client_connection_check_interval=1000"
    " -c idle_in_transaction_session_timeout=60000 -c jit=off",
}


class Environment:
    """The variables of one process; ``names`` are those that were asked for so far."""

    def __init__(self, variables: MutableMapping[str, str]) -> None:
        self._variables = FileAwareMapping(variables)
        self.names: set[str] = set()

    def text(self, name: str, default: str = "", *, required: str = "") -> str:
        """The value without surrounding white space; blank means not given.

        ``required`` says who demands the variable, where it must be given.
        """
        self.names.add(name)
        try:
            value: str = self._variables.get(name, "").strip()
        except (OSError, ValueError) as error:
            raise invalid(f"{name}_FILE", "names a file that cannot be read as text") from error
        if required and not value:
            raise invalid(name, f"is required {required}")
        return value or default

    def choice(self, name: str, choices: list[str], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise invalid(name, f"must be one of: {', '.join(choices)}")
        return value

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise invalid(name, f"must be a whole number from {low} to {high}")
        return int(value)

    def values(self, name: str, *, required: str = "") -> list[str]:
        """A comma separated list; blank items are dropped."""
        value = self.text(name, required=required)
        items = [item.strip() for item in value.split(",") if item.strip()]
        # White space inside an item is a line break or a forgotten comma, and would never match.
        if any(len(item.split()) > 1 or not item.isprintable() for item in items):
            raise invalid(name, "must be a list separated by commas")
        return items

    def emails(self, name: str) -> list[str]:
        addresses = self.values(name)
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError as error:
                raise invalid(name, "must hold e-mail addresses separated by commas") from error
        return addresses

    def time_zone(self, name: str, default: str) -> str:
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (OSError, ValueError, LookupError) as error:
            raise invalid(name, "must be a time zone such as Europe/Berlin") from error
        return value

    def url(self, name: str, default: str, *, schemes: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if not is_origin(value, schemes, path_allowed=True):
            raise invalid(name, f"must be a URL that starts with {' or '.join(schemes)}://")
        return value.rstrip("/")

    def origins(self, name: str) -> list[str]:
        """Origins such as ``http://127.0.0.1:9000``."""
        values = [value.rstrip("/") for value in self.values(name)]
        if not all(is_origin(value, ("http", "https")) for value in values):
            raise invalid(name, "must hold origins such as http://127.0.0.1:9000")
        return values

    def existing_file(self, name: str) -> str:
        value = self.text(name)
        if value and not (Path(value).is_file() and os.access(value, os.R_OK)):
            raise invalid(name, "must be the path of a file that can be read")
        return value

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Django's settings for the PostgreSQL that a URL names, as libpq reads it."""
        try:
            options = psycopg2.extensions.parse_dsn(self.text(name) or default)
        except psycopg2.ProgrammingError:
            # libpq's own message may repeat parts of the password.
            raise invalid(
                name, "must be a URL such as postgresql://user:password@host:5432/database"
            ) from None
        if not options.get("dbname"):
            raise invalid(name, "names no database")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": options.pop("dbname"),
            "USER": options.pop("user", ""),
            "PASSWORD": options.pop("password", ""),
            "HOST": options.pop("host", ""),
            "PORT": options.pop("port", ""),
            "OPTIONS": POSTGRES_OPTIONS | options,
            "CONN_MAX_AGE": 60,
            # After a restart of the database the first request on each connection would fail.
            "CONN_HEALTH_CHECKS": True,
        }

    def email(self, name: str, default: str) -> dict[str, Any]:
        """Django's ``EMAIL_…`` settings for a URL such as ``smtp+tls://user:password@host``."""
        value = self.text(name, default)
        scheme = urlsplit(value).scheme
        try:
            config: dict[str, Any] = Env.email_url_config(value)
        except (ImproperlyConfigured, ValueError):
            raise invalid(name, "must be a URL such as smtp+tls://user:password@host:587") from None
        if scheme in EMAIL_PORTS and not config["EMAIL_HOST"]:
            raise invalid(name, "names no mail server")
        if config.pop("OPTIONS", None):
            raise invalid(name, "has parameters that are not known")
        config["EMAIL_PORT"] = config["EMAIL_PORT"] or EMAIL_PORTS.get(scheme)
        return config


def invalid(name: str, problem: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} {problem}.")


def is_origin(value: str, schemes: tuple[str, ...], *, path_allowed: bool = False) -> bool:
    try:
        url = urlsplit(value)
        host, _port = url.hostname, url.port
    except ValueError:
        return False
    plain = not (url.query or url.fragment or "@" in url.netloc)
    return bool(url.scheme in schemes and host and plain and (path_allowed or not url.path))


def kept_secret(path: Path) -> str:
    """A random secret, made on first use and kept in a file that only its owner can read.

    Several processes may ask at once; all get the same.
    """
    try:
        if not path.exists():
            _keep_new_secret(path)
        return path.read_text()
    except OSError as error:
        raise invalid("VAR_DIR", f"cannot hold {path.name}: {error.strerror}") from error


def _keep_new_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)  # fails if another process was first, and then its secret counts
    except FileExistsError:
        pass
    finally:
        draft.unlink()
