import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from billing.admin import ReadOnlyAdmin
from billing.models import Tenant
from tests.factories import make_event, make_invoice, make_refund, make_tenant

pytestmark = pytest.mark.django_db

READ_ONLY = [
    *("customer", "dispute", "invoice", "notification", "payment", "paymentevent"),
    *("refund", "subscription"),
]


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_gateways_said_can_only_be_read(superuser: Client, model: str) -> None:
    assert superuser.get(f"/admin/billing/{model}/").status_code == 200
    assert superuser.get(f"/admin/billing/{model}/?q=x").status_code == 200
    assert superuser.get(f"/admin/billing/{model}/add/").status_code == 403


def test_a_record_opens_but_cannot_be_changed(superuser: Client) -> None:
    tenant = make_tenant()
    for record in (make_event(tenant=tenant), make_invoice(tenant=tenant), make_refund()):
        url = f"/admin/billing/{record._meta.model_name}/{record.pk}/"

        assert superuser.get(f"{url}change/").status_code == 200
        assert superuser.post(f"{url}change/", {"status": "paid"}).status_code == 403
        assert superuser.post(f"{url}delete/", {"post": "yes"}).status_code == 403


def test_tenants_can_be_edited(superuser: Client) -> None:
    tenant = make_tenant("Acme", key="acme")

    response = superuser.post(
        f"/admin/billing/tenant/{tenant.pk}/change/",
        {"key": "acme", "name": "Acme Robotics", "billing_email": "pay@example.com"},
    )

    assert response.status_code == 302
    assert Tenant.objects.get().name == "Acme Robotics"


def test_no_list_counts_in_full() -> None:
    ours = [
        model_admin
        for model, model_admin in admin.site._registry.items()
        if model._meta.app_label == "billing"
    ]

    assert not any(model_admin.show_full_result_count for model_admin in ours)
    assert sum(isinstance(model_admin, ReadOnlyAdmin) for model_admin in ours) == len(ours) - 1
