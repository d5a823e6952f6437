"""What other tools find on the pages: axe, the Nu HTML checker and Lighthouse.

They come with npm, and one of them is a Java program; ``package.json`` says why each is here.
"""

import os
from pathlib import Path
from shutil import which

import pytest

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
AXE = MODULES / "axe-core/axe.min.js"
CHECKER = MODULES / "vnu-jar/build/dist/vnu.jar"
LIGHTHOUSE = MODULES / "lighthouse/cli/index.js"

HOW_TO_GET_THEM = (
    "Missing: {}. Install Node.js, npm and Java (apt install nodejs npm default-jre-headless), then"
    " `make test` installs the rest. REQUIRE_BROWSER=1 makes their absence a failure."
)


def missing(*needed: Path | str) -> list[str]:
    """Which of the files and the commands are not there."""
    return [
        need if isinstance(need, str) else str(need.relative_to(MODULES).parts[0])
        for need in needed
        if not (which(need) if isinstance(need, str) else need.exists())
    ]


def missing_anything() -> list[str]:
    return missing(AXE, CHECKER, LIGHTHOUSE, "node", "java")


def require(*needed: Path | str) -> None:
    """Skip the test when what it needs is not there, or fail where it must be."""
    if not (lacking := missing(*needed)):
        return
    message = HOW_TO_GET_THEM.format(", ".join(lacking))
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(message)
    pytest.skip(message)
