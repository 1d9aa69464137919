from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import ApiToken, Notification, User
from accounts.services.notifications import absolute


class ProfileSerializer(serializers.ModelSerializer[User]):
    """What everyone may know of a person."""

    name = serializers.CharField(source="username")
    joined_at = serializers.DateTimeField(source="date_joined")

    class Meta:
        model = User
        fields = ("name", "display_name", "joined_at")


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """The token that the request bears; its secret is never shown again."""

    scopes: Any = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ApiToken
        fields = ("name", "scopes", "created_at", "expires_at")


class MeSerializer(ProfileSerializer):
    """One's own account, and the token in use."""

    token = serializers.SerializerMethodField()

    class Meta(ProfileSerializer.Meta):
        fields = (*ProfileSerializer.Meta.fields, "email", "is_moderator", "token")  # type: ignore[assignment]  # longer

    def get_token(self, user: User) -> dict[str, Any]:
        return dict(TokenSerializer(self.context["request"].auth).data)


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    """One thing that the person was told; `event_id` is the webhook-id of the same event."""

    url = serializers.SerializerMethodField(help_text="address of what it is about, or empty")

    class Meta:
        model = Notification
        fields = ("id", "event_id", "kind", "title", "text", "url", "created_at", "read_at")

    def get_url(self, notification: Notification) -> str:
        return absolute(notification.url)


class MarkReadSerializer(serializers.Serializer[Any]):
    upto = serializers.IntegerField(
        required=False, min_value=0, max_value=2**63 - 1, help_text="the newest id to mark; all when left out"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError({unknown[0][:80]: "There is no such field; upto is the only one."})
        return attrs


class MarkedReadSerializer(serializers.Serializer[Any]):
    marked = serializers.IntegerField(help_text="how many were unread")
