from django.urls import path
from django.views.generic import RedirectView

from accounts.views import account, deletion, notifications, sessions, tokens, webhooks
from accounts.views import settings as settings_views

app_name = "accounts"

# /account/
account_urls = [
    path("account/", account.overview, name="account"),
    path("account/settings/", settings_views.settings, name="settings"),
    path("account/delete/", deletion.delete_account, name="delete"),
]

# /account/tokens/
token_urls = [
    path("account/tokens/", tokens.tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke/", tokens.token_revoke, name="token_revoke"),
]

# /account/notifications/
notification_urls = [
    path("account/notifications/", notifications.notifications, name="notifications"),
    path("account/notifications/read/", notifications.notifications_read, name="notifications_read"),
    path("account/notifications/<int:pk>/", notifications.notification_open, name="notification_open"),
]

# /account/webhooks/
webhook_urls = [
    path("account/webhooks/", webhooks.webhooks, name="webhooks"),
    path("account/webhooks/<uuid:pk>/", webhooks.webhook_detail, name="webhook_detail"),
    path("account/webhooks/<uuid:pk>/secret/", webhooks.webhook_rotate, name="webhook_rotate"),
    path("account/webhooks/<uuid:pk>/test/", webhooks.webhook_test, name="webhook_test"),
    path("account/webhooks/<uuid:pk>/enable/", webhooks.webhook_enable, name="webhook_enable"),
    path("account/webhooks/<uuid:pk>/delete/", webhooks.webhook_delete, name="webhook_delete"),
]

# /account/sessions/
session_urls = [
    path("account/sessions/", sessions.sessions, name="sessions"),
    path("account/sessions/<int:pk>/end/", sessions.session_end, name="session_end"),
    path("account/sessions/end/", sessions.sessions_end, name="sessions_end"),
    # The library that keeps them has a page of its own there.
    path("accounts/sessions/", RedirectView.as_view(pattern_name="accounts:sessions")),
]

urlpatterns = [*account_urls, *token_urls, *notification_urls, *webhook_urls, *session_urls]
