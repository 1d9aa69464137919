"""/api/notifications: what the person behind the token was told."""

from __future__ import annotations

from typing import cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.permissions import CanRead
from accounts.api.serializers import MarkedReadSerializer, MarkReadSerializer, NotificationSerializer
from accounts.models import Notification, User
from accounts.services.notifications import mark_read
from lemsite.lib.api_errors import ApiError
from lemsite.lib.api_schema import errors
from lemsite.lib.pagination import Pages

UNREAD = OpenApiParameter("unread", OpenApiTypes.STR, enum=["1", "0"], description="1: those alone that are unread")
PARAMETERS = frozenset({"unread", "cursor", "limit"})


class NewestFirst(Pages):
    ordering = ("-created_at", "-pk")


class NotificationList(GenericAPIView[Notification]):
    permission_classes = [CanRead]
    pagination_class = NewestFirst
    queryset = Notification.objects.none()
    serializer_class = NotificationSerializer

    @extend_schema(
        operation_id="notifications_list",
        summary="Your notifications, newest first",
        parameters=[UNREAD],
        responses={200: NotificationSerializer(many=True), **errors(400, 401, 403)},
        tags=["notifications"],
    )
    def get(self, request: Request) -> Response:
        for name in request.query_params:
            if name not in PARAMETERS:
                known = f"known are {', '.join(sorted(PARAMETERS))}"
                raise ApiError(http.HTTP_400_BAD_REQUEST, f"There is no parameter {name[:80]!r}.", {name[:80]: known})
        unread = request.query_params.get("unread", "0")
        if unread not in ("0", "1"):
            raise ApiError(http.HTTP_400_BAD_REQUEST, "unread must be 1 or 0.", {"unread": "1 or 0"})
        rows = cast(User, request.user).notifications.all()
        page = self.paginate_queryset(rows.unread() if unread == "1" else rows)
        return self.get_paginated_response(NotificationSerializer(page, many=True).data)


class NotificationsRead(APIView):
    permission_classes = [CanRead]

    @extend_schema(
        operation_id="notifications_read",
        summary="Mark your notifications read",
        description="All of them, or those up to the id `upto`: what came since you read the list stays unread.",
        request=MarkReadSerializer,
        responses={200: MarkedReadSerializer, **errors(400, 401, 403, 413, 415, 429)},
        tags=["notifications"],
    )
    def post(self, request: Request) -> Response:
        given = MarkReadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        marked = mark_read(user=cast(User, request.user), upto=given.validated_data.get("upto"))
        return Response({"marked": marked})
