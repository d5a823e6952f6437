"""The product's own settings, on a throw-away PostgreSQL and a throw-away VAR_DIR.

Each test run gets a database cluster of its own, so that runs side by side do not meet.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from payments_admin import embedded_postgres

_var_dir = Path(tempfile.mkdtemp(prefix="payments-tests-"))
# Registered first, so that it runs after PostgreSQL has stopped.
atexit.register(shutil.rmtree, _var_dir, ignore_errors=True)
_var_dir.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
(_var_dir / "static").mkdir()  # whitenoise warns when it is missing
os.environ["VAR_DIR"] = str(_var_dir)

if "DATABASE_URL" not in os.environ:
    os.environ["DATABASE_URL"] = embedded_postgres.start(_var_dir / "postgres")

from payments_admin.settings import *  # noqa: E402, F403
