"""The product as it runs: full of a demo, new, and in trouble with its database.

Started once for all audits and for the pictures; they only read there.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests import servers
from tests.payments_admin.processes import (
    PATIENCE_SECONDS,
    ROOT,
    Run,
    clean_environment,
    free_port,
    health,
    public_directory,
    sign_in,
)

PASSWORD = "Korrekt-Pferd-Batterie"
# Staff who may come in, and see nothing of the payments.
MAKE_CLERK = f"""
from django.contrib.auth.models import User
User.objects.create_user("clerk", password="{PASSWORD}", is_staff=True)
"""


@dataclass(frozen=True)
class Site:
    url: str
    # The session of each user.
    sessions: dict[str, str]


Sites = dict[str, Site]


@contextmanager
def sites() -> Iterator[Sites]:
    with ExitStack() as stack:
        demo_dir, new_dir, *trouble_dirs = (
            stack.enter_context(public_directory()) for _ in range(4)
        )
        # All start side by side, for that takes seconds.
        demo = Run(demo_dir, free_port(), ADMIN_PASSWORD=PASSWORD)
        stack.callback(demo.stop)
        new = Run(new_dir, free_port(), "--no-demo", ADMIN_PASSWORD=PASSWORD)
        stack.callback(new.stop)
        trouble = {
            name: Site(
                stack.enter_context(servers.web_server(folder, DATABASE_URL=url)),
                {"admin": "a" * 32},
            )
            for folder, (name, url) in zip(trouble_dirs, database_troubles().items(), strict=True)
        }
        new.wait_for("Ctrl-C stops everything")
        wait_until_applied(demo)
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", MAKE_CLERK],
            cwd=ROOT,
            env=clean_environment() | {"VAR_DIR": str(demo_dir)},
            check=True,
        )
        yield trouble | {"new": site(new, "admin"), "demo": site(demo, "admin", "clerk")}


def database_troubles() -> dict[str, str]:
    """A URL of a database that is away, and one of a database whose tables are not found."""
    return {
        "no database": "postgresql://nobody@127.0.0.1:1/nothing",
        "no tables": f"{servers.database_url()}&options=-csearch_path%3Dnowhere",
    }


def wait_until_applied(demo: Run) -> None:
    demo.wait_for(r"\d+ new demo webhooks")
    servers.wait_for(lambda: health(demo.url)["waiting"] == 0, PATIENCE_SECONDS)


def site(run: Run, *users: str) -> Site:
    return Site(
        run.url, {user: sign_in(run.url, PASSWORD, user).cookies["sessionid"] for user in users}
    )
