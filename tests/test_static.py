"""What is served from static/ that others made."""

import re

from django.conf import settings

STATIC = settings.BASE_DIR / "static"


def test_licence_names_the_version_of_htmx_that_is_served() -> None:
    said = (STATIC / "licences" / "htmx.txt").read_text(encoding="utf-8").split(",")[0]
    served = (STATIC / "js" / "htmx.min.js").read_text(encoding="utf-8")

    [version] = re.findall(r'version:"([0-9.]+)"', served)
    assert said == f"htmx {version}"
