from accounts.api import notifications, views
from lemsite.lib.api_paths import api_path

urlpatterns = [
    *api_path("users/me", views.Me.as_view(), "user-me"),
    *api_path("users/<word:name>", views.Profile.as_view(), "user"),
    *api_path("notifications", notifications.NotificationList.as_view(), "notifications"),
    *api_path("notifications/read", notifications.NotificationsRead.as_view(), "notifications-read"),
]
