"""What tests of real processes share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def public_dir() -> Iterator[Path]:
    """A directory that PostgreSQL may enter, which runs as another user when the tests run as root.

    Not pytest's own, which each start of pytest closes to others. Its path is short, because the
    path of a socket must be.
    """
    path = Path(tempfile.mkdtemp(prefix="payments-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)
