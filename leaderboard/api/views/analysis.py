"""/api/analysis: one question, one answer, as the page of this name gives it."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard.api.analysis import ANALYSIS_PARAMETERS, PARAMETERS, AnalysisSerializer, analysis_body
from leaderboard.api.caching import etag_of, not_modified, with_etag
from leaderboard.api.parameters import refuse_unknown
from leaderboard.board import BoardQueryError
from leaderboard.queries.analysis import answer
from leaderboard.question import Question, parse_question
from lemsite.lib.api_errors import ApiError
from lemsite.lib.api_schema import UNCHANGED, errors


class Analysis(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="analysis_retrieve",
        summary="The best configuration under your limits",
        description="By tokens per joule, cost or carbon, at your prices: the answer, the Pareto frontier against the "
        "limit that holds back most, the best of each model, what other limits would change, and how many results were "
        "left out and why. A figure that a result does not state is never guessed.",
        parameters=ANALYSIS_PARAMETERS,
        responses={200: AnalysisSerializer, **UNCHANGED, **errors(400, 401)},
        tags=["analysis"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        question = _question(request)
        etag = etag_of(request)
        if (unchanged := not_modified(request, etag)) is not None:
            return unchanged
        body = analysis_body(answer(question), reverse("leaderboard:analysis"), request)
        return with_etag(Response(body), etag)


def _question(request: Request) -> Question:
    refuse_unknown(request.query_params, PARAMETERS)
    try:
        return parse_question(request.query_params)
    except BoardQueryError as error:
        names = ", ".join(error.fields)
        raise ApiError(http.HTTP_400_BAD_REQUEST, f"Not right: {names}.", error.fields) from None
