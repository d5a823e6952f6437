"""What the reader chose, for the templates."""

from django import template
from django.conf import settings
from django.template import Context

from billing import preferences

register = template.Library()


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    # The page of an error 500 is rendered without a request.
    return preferences.theme(context.get("request"))


@register.simple_tag(takes_context=True)
def language(context: Context) -> str:
    return preferences.language(context["request"])


@register.simple_tag
def languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]
