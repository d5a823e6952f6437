"""``make run``: the database, the web server and the worker, in one terminal."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections

from payments_admin import embedded_postgres
from payments_admin.configuration import kept_secret
from webhooks import demo

WEB_WORKERS = 2
START_SECONDS = 30
# The worker finishes the batch it has, and a web worker the requests.
STOP_SECONDS = 15

Processes = dict[str, subprocess.Popen[bytes]]


class Command(BaseCommand):
    help = "Starts the web server and the worker, and stops both on Ctrl-C."
    # Asked below: in demo mode there is nothing to say about gateways that are not configured.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-demo",
            action="store_true",
            help="Post no demo webhooks even where no gateway is configured.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        in_demo = not (options["no_demo"] or settings.LIVE or gateways_configured())
        # Ctrl-C, `kill` and a closed terminal all end it the same way.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.default_int_handler)
        try:
            self.run(in_demo)
        except KeyboardInterrupt:
            self.say("Stopped.")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        # At once, also into a pipe or a file.
        self.stdout.flush()

    def run(self, in_demo: bool) -> None:
        refuse_taken_port(settings.HOST, settings.PORT)
        if not in_demo:
            self.check()
        self.say("Preparing the database …")
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        sign_in = first_user()
        # The processes below have connections of their own.
        connections.close_all()

        environment = dict(os.environ)
        if settings.EMBEDDED_POSTGRES:
            # So that it runs as long as this process, whatever happens to the others.
            environment["DATABASE_URL"] = embedded_postgres.start(settings.EMBEDDED_POSTGRES)
        with ExitStack() as stack:
            if in_demo:
                folder = settings.VAR_DIR / "demo"
                stripe_secret = "whsec_" + kept_secret(folder / "stripe_webhook_secret")
                gateways = stack.enter_context(demo.Gateways(folder, stripe_secret))
                environment |= gateways.environment
            processes = stack.enter_context(running(environment))
            url = base_url(settings.HOST, settings.PORT)
            wait_until_up(url, processes)
            self.say(
                f"\n  Payments & Invoices   {url}/admin/payments/\n  {sign_in}\n\n"
                "Ctrl-C stops everything.\n"
            )
            if in_demo:
                try:
                    count = gateways.post_story(url)
                except demo.DemoRefused as error:
                    raise CommandError(f"A demo webhook was not accepted: {error}") from error
                self.say(
                    f"Demo mode, because no gateway is configured: {count} new demo webhooks"
                    f" posted; e-mails land in {settings.EMAIL_FILE_PATH}."
                )
            while True:
                refuse_dead(processes)
                time.sleep(0.2)


def gateways_configured() -> bool:
    return bool(settings.STRIPE_WEBHOOK_SECRETS or settings.PAYPAL_WEBHOOK_IDS)


def refuse_taken_port(host: str, port: int) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on HOST {host}, PORT {port}: {error.strerror}."
            " Is another server running? Choose another port: make run PORT=8001"
        ) from error


def base_url(host: str, port: int) -> str:
    """Where a browser on this machine finds it."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def first_user() -> str:
    """Make the first staff user where there is none, and say how to sign in."""
    users = get_user_model()._default_manager
    name = settings.ADMIN_USER
    staff = users.filter(is_staff=True).order_by("pk").first()
    if staff:
        known = staff.get_username()
        return (
            f"User {known} exists already. To set a new password:"
            f" .venv/bin/python manage.py changepassword {known}"
        )
    password = settings.ADMIN_PASSWORD or secrets.token_urlsafe(12)
    users.create_superuser(username=name, password=password)
    shown = "as in ADMIN_PASSWORD" if settings.ADMIN_PASSWORD else password
    return f"User {name}   password {shown}"


@contextmanager
def running(environment: dict[str, str]) -> Iterator[Processes]:
    """The web server and the worker, until the block ends."""
    python = sys.executable
    web = [
        *(python, "-m", "uvicorn", "payments_admin.asgi:application"),
        *("--host", settings.HOST, "--port", str(settings.PORT), "--workers", str(WEB_WORKERS)),
        # Which headers of a proxy count is said in Django's settings.
        *("--no-proxy-headers", "--no-server-header", "--log-level", "warning"),
        # A busy machine is no reason to end a worker, nor a long export to wait when it stops.
        *("--timeout-worker-healthcheck", str(START_SECONDS)),
        *("--timeout-graceful-shutdown", str(STOP_SECONDS - 5)),
    ]
    worker = [python, "manage.py", "process_events"]
    processes: Processes = {}
    try:
        for name, command in {"web server": web, "worker": worker}.items():
            processes[name] = subprocess.Popen(  # noqa: S603 - the two commands above
                command,
                cwd=settings.BASE_DIR,
                env=environment,
                # Their greetings would say twice how to stop; what goes wrong is on stderr.
                stdout=subprocess.DEVNULL,
                # Out of the terminal's process group, so that Ctrl-C comes here alone.
                start_new_session=True,
            )
        yield processes
    finally:
        # Nobody is left behind because of an impatient second Ctrl-C.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stop(processes)


def stop(processes: Processes) -> None:
    for process in processes.values():
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes.values():
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until_up(url: str, processes: Processes) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        refuse_dead(processes)
        try:
            requests.get(f"{url}/healthz", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise CommandError(f"The web server did not answer within {START_SECONDS} seconds.")


def refuse_dead(processes: Processes) -> None:
    for name, process in processes.items():
        if process.poll() is not None:
            raise CommandError(f"The {name} has ended with code {process.returncode}; see above.")
