"""How the page writes icons, badges, money and times."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from django import template
from django.conf import settings
from django.db.models import Model
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from billing import addresses, dashboards, formats, reasons
from billing.models import (
    Dispute,
    Gateway,
    Invoice,
    Notification,
    PaymentEvent,
    Refund,
    Subscription,
    Tenant,
)
from billing.money import Money
from billing.payloads import Token

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

register = template.Library()

#: A badge is a word and an icon, so that nothing depends on seeing colours.
_TONES = {
    PaymentEvent.State.PROCESSED: ("ok", "check"),
    PaymentEvent.State.WAITING: ("info", "clock"),
    PaymentEvent.State.FAILED: ("bad", "x"),
    PaymentEvent.State.IGNORED: ("", "circle-minus"),
    PaymentEvent.State.UNMATCHED: ("warn", "link-off"),
    PaymentEvent.State.UNREADABLE: ("bad", "file-unknown"),
    Invoice.Status.PAID: ("ok", "check"),
    Invoice.Status.PENDING: ("warn", "clock"),
    Invoice.Status.VOID: ("", "ban"),
    Subscription.Status.ACTIVE: ("ok", "check"),
    Subscription.Status.TRIALING: ("info", "clock"),
    Subscription.Status.INCOMPLETE: ("warn", "clock"),
    Subscription.Status.PAST_DUE: ("warn", "alert-triangle"),
    Subscription.Status.UNPAID: ("bad", "x"),
    Subscription.Status.SUSPENDED: ("warn", "circle-minus"),
    Subscription.Status.PAUSED: ("", "circle-minus"),
    Subscription.Status.EXPIRED: ("", "ban"),
    Refund.Status.SUCCEEDED: ("ok", "check"),
    Refund.Status.CANCELLED: ("", "ban"),
    Dispute.Status.OPEN: ("warn", "clock"),
    Dispute.Status.WON: ("ok", "check"),
    Dispute.Status.LOST: ("bad", "x"),
    Notification.State.SENT: ("ok", "check"),
}


@register.simple_tag
@cache
def icon(name: str, size: str = "") -> SafeString:
    """An icon of the sprite; ``size`` is empty or ``s``.

    Remembered, for a page has over a hundred, and the address of the sprite is the same for all.
    """
    return format_html(
        '<svg class="i{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {size}" if size else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def badge(record: Model, field: str) -> SafeString:
    """The value of a field that has choices, such as a state."""
    value = getattr(record, field)
    tone, image = _TONES.get(value, ("", "info-circle"))
    return format_html(
        '<span class="badge{}">{}{}</span>',
        f" {tone}" if tone else "",
        _words(type(record), field).get(value, value),
        icon(image, "s"),
    )


@cache
def _words(model: type[Model], field: str) -> dict[str, "StrPromise"]:
    # ``get_FIELD_display`` makes such a table anew for each row that it is asked of.
    return dict(model._meta.get_field(field).flatchoices)  # type: ignore[union-attr]


@register.simple_tag
def details_of(event: PaymentEvent) -> str:
    """What the button is called that shows them."""
    tenant = event.tenant.name if event.tenant else "—"
    return gettext("Details of %(type)s, %(tenant)s") % {"type": event.event_type, "tenant": tenant}


@register.simple_tag
def gateway(name: str) -> SafeString:
    label = Gateway(name).label
    return format_html(
        '<span class="gw {}"><i aria-hidden="true">{}</i>{}</span>', name, label[0], label
    )


@register.simple_tag
def amount(value: Money | Literal[""]) -> SafeString:
    """A sum with its currency, and a dash where there is none."""
    if not value or not value.minor:
        return mark_safe('<span class="sub">—</span>')
    return format_html(
        '<span class="amt">{}</span><span class="cur">{}</span>',
        formats.money(value),
        value.currency,
    )


@register.simple_tag(takes_context=True)
def tenant(context: Context, tenant: Tenant | None) -> SafeString:
    """Its name, which leads to its page for who may open that."""
    if tenant is None:
        return mark_safe('<span class="sub">—</span>')
    if not context["perms"]["billing"]["view_tenant"]:
        return format_html('<span title="{}"><bdi>{}</bdi></span>', tenant.key, tenant.name)
    return format_html(
        '<a class="up ten" href="{}" title="{}"><bdi>{}</bdi></a>',
        reverse("billing:tenant", args=[tenant.pk]),
        tenant.key,
        tenant.name,
    )


@register.simple_tag
def copy(value: str, name: str = "") -> SafeString:
    """A button that copies ``value``; there is none where no script runs.

    ``name`` says what it copies, where the value is too long to be read out.
    """
    return format_html(
        '<button type="button" class="cp js-only" data-copy="{}" aria-label="{}">{}</button>',
        value,
        gettext("Copy %(value)s") % {"value": name or value},
        icon("copy"),
    )


@register.inclusion_tag("billing/_ref.html")
def ref(gateway: str, value: str, to: str = "", live: bool | None = None) -> dict[str, Any]:
    """A gateway's id to be read, copied and opened in its dashboard.

    ``to`` is the name of the list that has what belongs to it. ``live`` is what the event says,
    and what this deployment takes where it does not say.
    """
    listed = f"{reverse(f'billing:{to}')}?{urlencode({'q': value})}" if to else ""
    return {
        "value": value,
        "listed": listed,
        "gateway": Gateway(gateway).label,
        "dashboard": dashboard(gateway, value, live),
    }


@register.simple_tag
def coloured(tokens: Iterable[Token]) -> SafeString:
    """JSON, each word with its kind as a class."""
    words = (
        f'{escape(before)}<span class="{kind}">{escape(text)}</span>' if kind else escape(before)
        for before, kind, text in tokens
    )
    # Two hundred words, for each of which Django's own ways to write HTML take ten times as long.
    return mark_safe("".join(words))  # noqa: S308


@register.simple_tag
def dashboard(gateway: str, value: str, live: bool | None = None) -> str:
    """Where the gateway's own dashboard shows the object; empty where it has no page for it."""
    return dashboards.address(gateway, value, live=settings.LIVE if live is None else live)


@register.simple_tag
def gateway_says(invoice: Invoice) -> str:
    """The gateway's own word for the status, where it says more than ours."""
    said = invoice.gateway_status or ""
    if invoice.attention:
        return str(invoice.get_attention_display())
    plain = {"open", "completed", invoice.status}
    if said.lower() in plain:
        return ""
    return format_html("<bdi>{}</bdi>", said.replace("_", " ").lower())


@register.filter
def moment(at: datetime) -> SafeString:
    return _time(at, formats.moment(at))


@register.filter
def day(at: datetime) -> SafeString:
    return _time(at, formats.day(at))


def _time(at: datetime, text: str) -> SafeString:
    machine = at.isoformat(timespec="seconds")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', machine, formats.in_full(at), text
    )


@register.filter
def clock(at: datetime) -> str:
    return formats.clock(at)


@register.simple_tag(takes_context=True)
def changed(context: Context, **values: Any) -> str:
    """The address of this page with some parameters changed."""
    return addresses.changed(context["request"].GET, **values)


@register.simple_tag(takes_context=True)
def first_page(context: Context, **values: Any) -> str:
    """The same, from the first page on."""
    return addresses.changed(context["request"].GET, without=addresses.POSITION, **values)


register.filter("in_words", reasons.in_words)
register.filter("money", formats.money)
register.filter("number", formats.number)
register.filter("bounded", formats.count)


@register.simple_tag
def test_mode() -> SafeString:
    """A badge on every page of a deployment that takes test payments only."""
    if settings.PAYMENTS_MODE != "test":
        return SafeString()
    return format_html('<span class="badge warn">{}</span>', gettext("Test mode"))


@register.simple_tag
def time_zone() -> str:
    return settings.PAYMENTS_TIME_ZONE
