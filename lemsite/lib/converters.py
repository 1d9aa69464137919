"""Path converters of the site, registered on import."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class WordConverter(StringConverter):
    """A part of a path without control characters: PostgreSQL refuses NUL in a comparison."""

    regex = r"[^/\x00-\x1f\x7f]+"


register_converter(WordConverter, "word")
