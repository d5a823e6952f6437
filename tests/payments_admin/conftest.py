"""What tests of real processes share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.payments_admin.processes import public_directory


@pytest.fixture
def public_dir() -> Iterator[Path]:
    with public_directory() as path:
        yield path
