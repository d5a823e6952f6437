import pytest

from billing import dashboards
from billing.models import Gateway


@pytest.mark.parametrize(
    ("gateway", "ref", "path"),
    [
        ("stripe", "evt_1Abc", "events/evt_1Abc"),
        ("stripe", "in_1", "invoices/in_1"),
        ("stripe", "cus_1", "customers/cus_1"),
        ("stripe", "sub_1", "subscriptions/sub_1"),
        ("stripe", "pi_1", "payments/pi_1"),
        ("stripe", "ch_1", "payments/ch_1"),
        ("stripe", "du_1", "disputes/du_1"),
        ("paypal", "4BR12345AE678901C", "unifiedtransactions/details/payment/4BR12345AE678901C"),
        ("paypal", "I-BRAE4CYCLES1", "billing/subscriptions/I-BRAE4CYCLES1"),
        ("paypal", "INV2-Z56S-5LLA-Q52L-CPZ5", "invoice/details/INV2-Z56S-5LLA-Q52L-CPZ5"),
        ("paypal", "PP-R-BRA-000000001", "resolutioncenter/view/PP-R-BRA-000000001"),
    ],
)
def test_page_of_an_object(gateway: str, ref: str, path: str) -> None:
    live, test = (dashboards.address(gateway, ref, live=live) for live in (True, False))

    if gateway == "stripe":
        assert live == f"https://dashboard.stripe.com/{path}"
        assert test == f"https://dashboard.stripe.com/test/{path}"
    else:
        assert live == f"https://www.paypal.com/{path}"
        assert test == f"https://www.sandbox.paypal.com/{path}"


@pytest.mark.parametrize(
    ("gateway", "ref"),
    [
        ("stripe", ""),
        ("stripe", "sha256:00"),
        ("stripe", "in_1/../../settings"),
        ("stripe", "in_１"),
        ("stripe", "I-BRAE4CYCLES1"),
        ("paypal", "WH-1"),
        ("paypal", "BUYER12345678"),
        ("paypal", "in_1"),
    ],
)
def test_an_id_of_another_form_has_no_page(gateway: str, ref: str) -> None:
    assert dashboards.address(gateway, ref, live=True) == ""


def test_every_gateway_has_a_dashboard() -> None:
    assert set(dashboards.DASHBOARDS) == set(Gateway.values)
