"""The product's own settings for mypy, which reads them but needs no database."""

import os
import tempfile

os.environ.setdefault("DATABASE_URL", "postgresql:///nowhere")
os.environ.setdefault("SECRET_KEY", "not-used")
os.environ.setdefault("VAR_DIR", tempfile.gettempdir())

from payments_admin.settings import *  # noqa: F403
