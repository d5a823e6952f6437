"""Where the gateways post."""

from django.urls import path

from webhooks.views import receive

app_name = "webhooks"
urlpatterns = [
    path("<slug:gateway_name>/", receive, name="receive"),
    # Without the slash too: a redirect would lose the post.
    path("<slug:gateway_name>", receive),
]
