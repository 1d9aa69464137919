"""/api/benchmarks/<id>/comments and /disputes, /api/comments/<id>."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.permissions import CanSubmit
from leaderboard.api.access import PublicReads, find_visible, owner, reader
from leaderboard.api.community import (
    CommentSerializer,
    CommentTextSerializer,
    DisputeReasonSerializer,
    DisputeSerializer,
    comment_body,
    dispute_body,
    refuse_words,
)
from leaderboard.models import Comment, Dispute, Result
from leaderboard.services.comments import add_comment, delete_comment, edit_comment
from leaderboard.services.disputes import open_dispute
from lemsite.lib.api_schema import errors
from lemsite.lib.pagination import Pages


class OldestFirst(Pages):
    ordering = ("created_at", "pk")


class NewestFirst(Pages):
    ordering = ("-created_at", "-pk")


class BenchmarkComments(PublicReads, GenericAPIView[Comment]):
    pagination_class = OldestFirst
    queryset = Comment.objects.select_related("author")
    serializer_class = CommentSerializer

    @extend_schema(
        operation_id="comments_list",
        summary="Comments on a result, oldest first",
        responses={200: CommentSerializer(many=True), **errors(400, 401, 403, 404)},
        tags=["community"],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        result = find_visible(request, Result.objects.all(), pk)
        page = self.paginate_queryset(self.get_queryset().filter(result=result)) or ()
        return self.get_paginated_response([comment_body(row, request, reader(request)) for row in page])

    @extend_schema(
        operation_id="comments_create",
        summary="Comment on a public or shared result",
        description="Its owner and the others of the thread are told. Scope: submit.",
        request=CommentTextSerializer,
        responses={201: CommentSerializer, **errors(400, 401, 403, 404, 409, 413, 415, 429)},
        tags=["community"],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        result = find_visible(request, Result.objects.select_related("submission"), pk)
        given = CommentTextSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with refuse_words():
            comment = add_comment(result=result, by=owner(request), text=given.validated_data["text"])
        body = comment_body(comment, request, owner(request))
        return Response(body, http.HTTP_201_CREATED, headers={"Location": body["url"]})


class CommentDetail(GenericAPIView[Comment]):
    permission_classes = [CanSubmit]
    queryset = Comment.objects.select_related("author")
    serializer_class = CommentSerializer

    @extend_schema(
        operation_id="comments_update",
        summary="Change your own comment",
        description="Everyone sees when it was changed. Scope: submit.",
        request=CommentTextSerializer,
        responses={200: CommentSerializer, **errors(400, 401, 403, 404, 409, 413, 415, 429)},
        tags=["community"],
    )
    def patch(self, request: Request, pk: int) -> Response:
        comment = self._own(request, pk)
        given = CommentTextSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with refuse_words():
            edit_comment(comment=comment, by=owner(request), text=given.validated_data["text"])
        return Response(comment_body(comment, request, owner(request)))

    @extend_schema(
        operation_id="comments_delete",
        summary="Delete your own comment",
        description="The text goes for good, the place stays. Scope: submit.",
        responses={204: None, **errors(401, 403, 404, 409, 429)},
        tags=["community"],
    )
    def delete(self, request: Request, pk: int) -> Response:
        with refuse_words():
            delete_comment(comment=self._own(request, pk), by=owner(request))
        return Response(status=http.HTTP_204_NO_CONTENT)

    def _own(self, request: Request, pk: int) -> Comment:
        return get_object_or_404(self.get_queryset(), pk=pk, author=owner(request))


class BenchmarkDisputes(PublicReads, GenericAPIView[Dispute]):
    pagination_class = NewestFirst
    queryset = Dispute.objects.select_related("raised_by", "resolved_by")
    serializer_class = DisputeSerializer

    @extend_schema(
        operation_id="disputes_list",
        summary="Disputes about a result, newest first, and how they ended",
        responses={200: DisputeSerializer(many=True), **errors(400, 401, 403, 404)},
        tags=["community"],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        result = find_visible(request, Result.objects.all(), pk)
        page = self.paginate_queryset(self.get_queryset().filter(result=result)) or ()
        return self.get_paginated_response([dispute_body(row, request) for row in page])

    @extend_schema(
        operation_id="disputes_create",
        summary="Dispute a published result",
        description="It stays ranked, marked as disputed, until a moderator takes the dispute up. One running dispute "
        "per reader and result, none about one's own. Scope: submit.",
        request=DisputeReasonSerializer,
        responses={201: DisputeSerializer, **errors(400, 401, 403, 404, 409, 413, 415, 429)},
        tags=["community"],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        result = find_visible(request, Result.objects.select_related("submission"), pk)
        given = DisputeReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with refuse_words():
            dispute = open_dispute(result=result, by=owner(request), **given.validated_data)
        body = dispute_body(dispute, request)
        return Response(body, http.HTTP_201_CREATED, headers={"Location": body["url"]})
