"""``make screenshots``: a picture of every page and state, in docs/screenshots/.

Proves nothing, so that pytest runs it only when it is named.
"""

import pytest
from django.conf import settings

from tests.browser.audit.conftest import Enter
from tests.browser.audit.states import CASES, SCHEMES, State

FOLDER = settings.BASE_DIR / "docs/screenshots"


@pytest.mark.parametrize(("state", "screen"), CASES)
def test_picture(enter: Enter, state: State, screen: str) -> None:
    page = enter(state, screen)

    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        # Light, and at a desk, is what the plain name means.
        told = [word for word in (screen, scheme) if word not in ("desktop", "light")]
        name = "-".join([str(state), *told])
        page.screenshot(path=FOLDER / f"{name}.png")
