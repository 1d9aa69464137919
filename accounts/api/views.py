from __future__ import annotations

from typing import cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.permissions import CanRead
from accounts.api.serializers import MeSerializer, ProfileSerializer
from accounts.models import User
from lemsite.lib.api_schema import errors


class Me(APIView):
    """The account behind the token."""

    permission_classes = [CanRead]

    @extend_schema(operation_id="users_me", responses={200: MeSerializer, **errors(401, 403)}, tags=["users"])
    def get(self, request: Request) -> Response:
        return Response(MeSerializer(cast(User, request.user), context={"request": request}).data)


class Profile(APIView):
    """A person's public profile."""

    permission_classes = [AllowAny]

    @extend_schema(operation_id="users_profile", responses={200: ProfileSerializer, **errors(401, 404)}, tags=["users"])
    def get(self, request: Request, name: str) -> Response:
        user = get_object_or_404(User, username=name, is_active=True, deleted_at=None)
        return Response(ProfileSerializer(user).data)
