"""Tests in a real Chromium, wherever one is found."""

import os
from glob import glob
from pathlib import Path
from shutil import which

HOW_TO_GET_ONE = (
    "No Chromium was found. Install one (apt install chromium, or playwright install chromium), "
    "or name one with CHROMIUM=/path/to/chromium. REQUIRE_BROWSER=1 makes its absence a failure."
)


def executable() -> str | None:
    """CHROMIUM, or the system's, or one that Playwright has downloaded."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    system = which("chromium") or which("chromium-browser") or which("google-chrome")
    usual = str(Path.home() / ".cache/ms-playwright")
    downloads = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", usual)
    downloaded = sorted(glob(f"{downloads}/chromium-*/chrome-linux*/chrome"))
    return system or (downloaded[-1] if downloaded else None)
