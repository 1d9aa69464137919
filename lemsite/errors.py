"""How an error is worded, wherever it is found."""

from django.conf import settings

TITLES = {
    400: "That request cannot be read",
    403: "You may not do that",
    404: "There is nothing here",
    413: "That is too much at once",
    429: "That is too often",
    500: "Something broke on our side",
    503: "Away for a moment",
    507: "There is no room left",
}


def too_large_message() -> str:
    return f"A request may carry up to {settings.LEMSITE_MAX_UPLOAD_MB} MB. Send fewer or smaller files."
