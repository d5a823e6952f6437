"""Keeps the theme and the language that a reader chooses."""

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from billing.preferences import THEME_COOKIE, THEMES


@require_POST
@staff_member_required
def preferences(request: HttpRequest) -> HttpResponse:
    """Sets what the form says, and goes back to the page. An empty choice takes one back."""
    response = HttpResponseRedirect(_page(request))
    for name, cookie, choices in (
        ("theme", THEME_COOKIE, THEMES),
        ("language", settings.LANGUAGE_COOKIE_NAME, dict(settings.LANGUAGES)),
    ):
        chosen = request.POST.get(name)
        if chosen == "":
            response.delete_cookie(cookie)
        elif chosen is not None and chosen in choices:
            response.set_cookie(
                cookie,
                chosen,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                samesite="Lax",
                httponly=True,
            )
        elif chosen is not None:
            return HttpResponseBadRequest()
    return response


def _page(request: HttpRequest) -> str:
    """The page with the form: browsers name it, to this site only."""
    page = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure()):
        return page
    return reverse("billing:home")
