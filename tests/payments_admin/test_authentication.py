"""What a user may do, by own permissions and by those of groups."""

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from pytest_django import DjangoAssertNumQueries

from payments_admin.authentication import OneStatementBackend

pytestmark = pytest.mark.django_db


def make_user(**fields: bool) -> User:
    user = User.objects.create(username="reader", **fields)
    user.user_permissions.add(Permission.objects.get(codename="view_invoice"))
    group = Group.objects.create(name="Finance")
    group.permissions.set(Permission.objects.filter(codename__in=["view_invoice", "view_tenant"]))
    user.groups.add(group)
    return User.objects.get(pk=user.pk)


def test_own_permissions_and_those_of_groups_in_one_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    user = make_user()

    with django_assert_num_queries(1):
        assert user.has_perms(["billing.view_invoice", "billing.view_tenant"])
        assert not user.has_perm("billing.view_paymentevent")
        assert user.has_module_perms("billing")


@pytest.mark.parametrize(
    "fields", [{}, {"is_superuser": True}, {"is_active": False}], ids=["plain", "super", "inactive"]
)
def test_they_are_those_that_django_finds(fields: dict[str, bool]) -> None:
    user = make_user(**fields)
    found = OneStatementBackend().get_all_permissions(user)

    assert found == ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))
    assert OneStatementBackend().get_all_permissions(user, obj=user) == set()


def test_nobody_may_do_nothing() -> None:
    assert OneStatementBackend().get_all_permissions(AnonymousUser()) == set()
