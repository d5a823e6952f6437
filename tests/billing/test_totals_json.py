import pytest
from django.test import Client

from billing.models import Dispute, Total
from tests.factories import NOON, make_invoice, make_refund

pytestmark = pytest.mark.django_db

URL = "/admin/payments/totals.json"


def test_nothing_yet(staff: Client) -> None:
    assert staff.get(URL).json() == {
        "currencies": {},
        "invoice_count": 0,
        "by_status": {"paid": 0, "pending": 0, "void": 0},
    }


def test_every_figure_in_each_currency(staff: Client) -> None:
    for status in ("paid", "paid", "pending", "void", "draft", "deleted"):
        make_invoice(currency="USD", amount_minor=1234, tax_minor=None, status=status)
    make_invoice(currency="JPY", exponent=0, amount_minor=5000, tax_minor=None)
    make_refund(currency="KWD", exponent=3, amount_minor=1500)
    make_refund(currency="USD", amount_minor=9999, status="failed")
    Dispute.objects.create(
        gateway="stripe",
        ref="dp_1",
        currency="USD",
        exponent=2,
        amount_minor=700,
        counted_minor=700,
        status="open",
        created_at=NOON,
    )

    answer = staff.get(URL).json()

    def figures(revenue: str, refunded: str, pending: str, disputed: str) -> dict[str, str]:
        return {
            "revenue": revenue,
            "refunded": refunded,
            "pending": pending,
            "disputed": disputed,
        }

    assert answer == {
        "currencies": {
            "USD": figures("24.68", "0.00", "12.34", "7.00"),
            "JPY": figures("5000", "0", "0", "0"),
            "KWD": figures("0.000", "1.500", "0.000", "0.000"),
        },
        "invoice_count": 5,
        "by_status": {"paid": 3, "pending": 1, "void": 1},
    }
    # The currency with most invoices first.
    assert list(answer["currencies"]) == ["USD", "JPY", "KWD"]


def test_gateways_that_count_a_currency_in_different_units(staff: Client) -> None:
    make_invoice(gateway="stripe", currency="HUF", exponent=2, amount_minor=10_050)
    make_invoice(gateway="paypal", currency="HUF", exponent=0, amount_minor=7, tax_minor=1)

    assert staff.get(URL).json()["currencies"]["HUF"]["revenue"] == "107.50"


def test_shards_are_added_up_and_empty_sums_left_out(staff: Client) -> None:
    for shard, count, minor in ((1, 2, 500), (2, -1, -200)):
        Total.objects.create(
            figure="paid", currency="EUR", exponent=2, shard=shard, count=count, amount_minor=minor
        )
    invoice = make_invoice(currency="CHF")
    invoice.delete()

    answer = staff.get(URL).json()

    assert list(answer["currencies"]) == ["EUR"]
    assert answer["currencies"]["EUR"]["revenue"] == "3.00"
    assert answer["invoice_count"] == 1


def test_amounts_beyond_64_bits_are_exact(staff: Client) -> None:
    Total.objects.create(
        figure="paid", currency="IDR", exponent=2, shard=1, count=1, amount_minor=10**25 + 1
    )

    revenue = staff.get(URL).json()["currencies"]["IDR"]["revenue"]

    assert revenue == "1" + "0" * 23 + ".01"
