"""The product's own settings, on a throw-away PostgreSQL.

Each test run gets a database cluster of its own, so that runs side by side do not meet.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from payments_admin import embedded_postgres

if "DATABASE_URL" not in os.environ:
    _cluster = Path(tempfile.mkdtemp(prefix="payments-tests-"))
    # Registered first, so that it runs after PostgreSQL has stopped.
    atexit.register(shutil.rmtree, _cluster, ignore_errors=True)
    _cluster.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
    os.environ["DATABASE_URL"] = embedded_postgres.start(_cluster / "postgres")

from payments_admin.settings import *  # noqa: F403
