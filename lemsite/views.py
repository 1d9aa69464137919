"""What a visitor gets when something is wrong: a page, or JSON where a program asked."""

import logging
import sys

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.shortcuts import render

from lemsite.errors import TITLES, too_large_message
from lemsite.lib import request_ids
from lemsite.lib.api_errors import error_body
from lemsite.lib.outages import outage_of
from lemsite.outages import outage_response

logger = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return too_large(request)
    return error_response(request, 400, "The request is malformed.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 403, str(exception) or "This needs a permission that you do not have.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 404, "The address is wrong, or what was here is private or gone.")


def too_large(request: HttpRequest) -> HttpResponse:
    return error_response(request, 413, too_large_message())


def server_error(request: HttpRequest) -> HttpResponse:
    if outage := outage_of(sys.exception()):
        # It came from a middleware, past that which answers for views.
        return outage_response(request, outage)
    try:
        return error_response(request, 500, "The error has been written to the log.")
    except Exception:
        # The template or what it loads may be the broken part.
        logger.exception("The error page failed")
        text = f"Server error {request_ids.current()}".rstrip()
        return HttpResponseServerError(text, content_type="text/plain")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_response(
        request, 403, "The form is too old or came from another site. Reload the page and send it again."
    )


def error_response(request: HttpRequest, status: int, message: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse(error_body(status, message), status=status)
    context = {"status": status, "title": TITLES[status], "message": message, "request_id": request_ids.current()}
    return render(request, "errors/error.html", context, status=status)
