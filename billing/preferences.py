"""What a reader chose for the pages, kept in cookies of the browser; until then it decides."""

from django.conf import settings
from django.http import HttpRequest

THEME_COOKIE = "theme"
THEMES = ("light", "dark")


def theme(request: HttpRequest | None) -> str:
    """``light`` or ``dark``; empty where the system decides."""
    chosen = request.COOKIES.get(THEME_COOKIE, "") if request else ""
    return chosen if chosen in THEMES else ""


def language(request: HttpRequest) -> str:
    """One of our languages; empty where the browser decides."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return chosen if chosen in dict(settings.LANGUAGES) else ""
