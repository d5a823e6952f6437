"""Why an event failed, in the reader's language.

What is stored is English, as it was logged, and has the field or the word that was wrong in it. A
plain sentence is looked up as it is; one with such a part in it is known by its form.
"""

import re

from django.utils.translation import gettext, gettext_noop

# As the gateways say it. Of two forms that both fit, the first is meant.
_FORMS = [
    gettext_noop("%(field)s is missing"),
    gettext_noop("%(field)s is negative"),
    gettext_noop("%(field)s is not text"),
    gettext_noop("%(field)s is not an object"),
    gettext_noop("%(field)s is not a list of objects"),
    gettext_noop("%(field)s is not a whole number"),
    gettext_noop("%(field)s is not a whole number in a string"),
    gettext_noop("%(field)s is not a decimal number in a string"),
    gettext_noop("%(field)s is longer than %(limit)s characters"),
    gettext_noop("the sum of %(field)s is out of range"),
    gettext_noop("%(field)s is out of range"),
    gettext_noop("%(field)s is negative, or more than the total that includes it"),
    gettext_noop("%(field)s is more than the total that includes it"),
    gettext_noop("%(field)s is more than the amount that it is part of"),
    gettext_noop("currency %(word)s is not one that %(gateway)s documents"),
    gettext_noop("invoice status %(word)s is not one that %(gateway)s documents"),
    gettext_noop("payment status %(word)s is not one that %(gateway)s documents"),
    gettext_noop("refund status %(word)s is not one that %(gateway)s documents"),
    gettext_noop("dispute status %(word)s is not one that %(gateway)s documents"),
    gettext_noop("PayPal's API answered %(status)s"),
]


_PATTERNS = {
    form: re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(form)), re.DOTALL)
    for form in _FORMS
}


def in_words(reason: str) -> str:
    """A stored reason as the reader says it; as it is where it is none that is known."""
    if (translated := gettext(reason)) != reason:
        return translated
    for form, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(reason):
            return gettext(form) % found.groupdict()
    return reason
