"""What a user may do."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Q


class OneStatementBackend(ModelBackend):
    """Django's own, but a user's permissions and those of their groups are read together."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        if not hasattr(user_obj, "_all_permissions"):
            theirs = Permission.objects.filter(Q(user=user_obj) | Q(group__user=user_obj))
            names = theirs.values_list("content_type__app_label", "codename").order_by()
            user_obj._all_permissions = {f"{app}.{codename}" for app, codename in names}
        found: set[str] = user_obj._all_permissions
        return found
