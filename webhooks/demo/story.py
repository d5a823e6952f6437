"""What happened to the demo's tenants in the last forty days."""

from collections.abc import Callable
from datetime import datetime, timedelta

from webhooks.demo import paypal, stripe
from webhooks.demo.post import Company, Post

Ago = Callable[[float], datetime]

COMPANIES = [
    ACME := Company(
        key="acme-robotics",
        name="Acme Robotics",
        currency="USD",
        price_minor=48_000,
        tax_basis_points=825,
        plan="Scale",
    ),
    GLOBEX := Company(
        key="globex",
        name="Globex GmbH",
        currency="EUR",
        price_minor=29_900,
        tax_basis_points=1900,
        plan="Business",
    ),
    HOSHINO := Company(
        key="hoshino-foods",
        name="Hoshino Foods 株式会社",
        currency="JPY",
        price_minor=58_000,
        tax_basis_points=1000,
        plan="ビジネス",
    ),
    AL_NOOR := Company(
        key="al-noor-trading",
        name="Al Noor Trading",
        currency="KWD",
        price_minor=75_500,
        tax_basis_points=0,
        plan="Scale",
    ),
    BLUE_FINCH := Company(
        key="blue-finch-labs",
        name="Blue Finch Labs",
        currency="GBP",
        price_minor=4_900,
        tax_basis_points=2000,
        plan="Starter",
    ),
    UMBRA := Company(
        key="umbra-security",
        name="Umbra Security",
        currency="USD",
        price_minor=129_00,
        tax_basis_points=888,
        plan="Business",
    ),
    NORTHWIND := Company(
        key="northwind-traders",
        name="Northwind Traders",
        currency="USD",
        price_minor=49_00,
        tax_basis_points=825,
        plan="Starter",
    ),
    KESTREL := Company(
        key="kestrel-air",
        name="Kestrel Air",
        currency="EUR",
        price_minor=99_00,
        tax_basis_points=2100,
        plan="Team",
    ),
    LUMEN := Company(
        key="lumen-health",
        name="Lumen Health",
        currency="GBP",
        price_minor=24_50,
        tax_basis_points=2000,
        plan="Starter",
    ),
]
# Pays, but no tenant is known by this name: somebody must say whose it is.
STRANGER = Company(
    key="stranger",
    name="Pied Piper",
    currency="USD",
    price_minor=2_499,
    tax_basis_points=0,
    plan="Starter",
)


def story(now: datetime) -> list[Post]:
    """Every webhook of the demo, in the order in which things happened."""

    def ago(days: float) -> datetime:
        return now - timedelta(days=days)

    people = [
        _upgrade_and_partial_refund(ago),
        _unpaid_and_refund_that_failed(ago),
        _voided_invoice(ago),
        _open_invoice(ago),
        _written_off_and_cancelled(ago),
        _failed_then_paid(ago),
        _stranger(ago),
        _paypal_refund_and_cancelled(ago),
        _paypal_reversed(ago),
        _paypal_denied_and_suspended(ago),
    ]
    return sorted((post for posts in people for post in posts), key=lambda post: post.occurred_at)


def _pay_each_week(customer: stripe.Customer, ago: Ago, first: float, last: float) -> None:
    """Renewed and paid each week, from ``first`` to ``last`` days ago; the last one included."""
    days = first
    while days >= last:
        customer.renew(ago(days))
        customer.pay(customer.invoice(ago(days)), ago(days - 0.05))
        days -= 7


def _upgrade_and_partial_refund(ago: Ago) -> list[Post]:
    acme = stripe.Customer(ACME)
    acme.subscribe(ago(39.4))
    invoice = acme.invoice(ago(39.4))
    acme.pay(invoice, ago(39.3))
    acme.refund(invoice, ago(36), amount_minor=12_000)
    _pay_each_week(acme, ago, 32.4, 18.4)
    acme.change_price(ago(12), price_minor=96_000)
    _pay_each_week(acme, ago, 11.4, 4.4)
    acme.touch(ago(3.2))
    acme.invoice(ago(0.3))
    return acme.posts


def _unpaid_and_refund_that_failed(ago: Ago) -> list[Post]:
    globex = stripe.Customer(GLOBEX, basil=False)
    globex.subscribe(ago(38.7))
    invoice = globex.invoice(ago(38.7))
    globex.pay(invoice, ago(38.6))
    globex.refund(invoice, ago(30), amount_minor=invoice["total"], status="failed")
    _pay_each_week(globex, ago, 31.7, 17.7)
    globex.renew(ago(10.7))
    unpaid = globex.invoice(ago(10.7))
    for days in (10.6, 7.6, 4.6, 1.6):
        globex.fail(unpaid, ago(days), last=days < 2)
    return globex.posts


def _voided_invoice(ago: Ago) -> list[Post]:
    hoshino = stripe.Customer(HOSHINO)
    hoshino.subscribe(ago(37.2))
    mistaken = hoshino.invoice(ago(37.2))
    hoshino.close(mistaken, ago(37), "void")
    hoshino.pay(hoshino.invoice(ago(36.9)), ago(36.8))
    _pay_each_week(hoshino, ago, 30.2, 2.2)
    return hoshino.posts


def _open_invoice(ago: Ago) -> list[Post]:
    al_noor = stripe.Customer(AL_NOOR)
    al_noor.subscribe(ago(26.5))
    al_noor.pay(al_noor.invoice(ago(26.5)), ago(26.4))
    _pay_each_week(al_noor, ago, 19.5, 12.5)
    al_noor.renew(ago(5.5))
    al_noor.invoice(ago(5.5))
    return al_noor.posts


def _written_off_and_cancelled(ago: Ago) -> list[Post]:
    blue_finch = stripe.Customer(BLUE_FINCH, basil=False)
    blue_finch.subscribe(ago(35.1))
    blue_finch.pay(blue_finch.invoice(ago(35.1)), ago(35))
    _pay_each_week(blue_finch, ago, 28.1, 21.1)
    blue_finch.renew(ago(14.1))
    lost = blue_finch.invoice(ago(14.1))
    blue_finch.fail(lost, ago(14))
    blue_finch.fail(lost, ago(11), last=True)
    blue_finch.close(lost, ago(8), "uncollectible")
    blue_finch.cancel(ago(7.9))
    return blue_finch.posts


def _failed_then_paid(ago: Ago) -> list[Post]:
    umbra = stripe.Customer(UMBRA)
    umbra.subscribe(ago(23.3))
    umbra.pay(umbra.invoice(ago(23.3)), ago(23.2))
    umbra.renew(ago(16.3))
    late = umbra.invoice(ago(16.3))
    umbra.fail(late, ago(16.2))
    umbra.pay(late, ago(13.2))
    _pay_each_week(umbra, ago, 9.3, 2.3)
    umbra.send_nonsense(ago(1.1))
    return umbra.posts


def _stranger(ago: Ago) -> list[Post]:
    stranger = stripe.Customer(STRANGER, known=False)
    stranger.pay(stranger.invoice(ago(6.4)), ago(6.3))
    return stranger.posts


def _paypal_refund_and_cancelled(ago: Ago) -> list[Post]:
    northwind = paypal.Subscriber(NORTHWIND)
    northwind.subscribe(ago(34.6))
    for days in (34.5, 27.5, 20.5):
        northwind.sale(ago(days))
    last = northwind.sale(ago(13.5))
    northwind.refund(last, ago(12.1), amount="20.00")
    northwind.end(ago(12), "CANCELLED")
    return northwind.posts


def _paypal_reversed(ago: Ago) -> list[Post]:
    kestrel = paypal.Subscriber(KESTREL)
    kestrel.subscribe(ago(29.8))
    disputed = kestrel.sale(ago(29.7))
    for days in (22.7, 15.7, 8.7, 1.7):
        kestrel.sale(ago(days))
    kestrel.reverse(disputed, ago(5.2))
    return kestrel.posts


def _paypal_denied_and_suspended(ago: Ago) -> list[Post]:
    lumen = paypal.Subscriber(LUMEN)
    lumen.subscribe(ago(25.9))
    cheque = lumen.sale(ago(25.8), state="pending")
    lumen.settle(cheque, ago(22.8), "completed")
    lumen.sale(ago(18.8))
    bounced = lumen.sale(ago(11.8), state="pending")
    lumen.settle(bounced, ago(8.8), "denied")
    lumen.end(ago(8.7), "SUSPENDED")
    lumen.sale(ago(4.8), state="pending")
    return lumen.posts
