"""Markdown of strangers as HTML that runs nothing.

Paragraphs, emphasis, lists, quotes, code and links. HTML is shown as text, an image becomes a link to it,
a heading becomes a bold line, so that no text can pass for a part of the page. No tables: a short text can be
a large one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lemsite.lib.hidden_characters import shown_characters

#: longer texts are shown as they were written: the time that Markdown takes can grow with the square of the length
MAX_LENGTH = 10_000
MAX_NESTING = 12
SCHEMES = ("http", "https", "mailto")
TAGS = frozenset({"a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "strong", "ul"})


@lru_cache(maxsize=256)
def render(text: str) -> SafeString:
    """HTML of a Markdown text. Never raises, whatever the text is.

    The worst 5,000 characters take a tenth of a second, and a page shows fifty comments: what was rendered is kept.
    """
    text = shown_characters(text.replace("\r\n", "\n").replace("\r", "\n"))
    html = _MARKDOWN.render(text) if len(text) <= MAX_LENGTH else f"<pre>{escape(text)}</pre>"
    # The one mark_safe of the project: nh3 parses the HTML like a browser and writes only what is allowed here.
    return mark_safe(_CLEANER.clean(html))  # noqa: S308 - cleaned on this line


def _is_allowed(url: str) -> bool:
    scheme, _, rest = url.partition(":")
    return scheme.strip().lower() in SCHEMES and bool(rest)


def _image_as_link(_: object, tokens: Sequence[Token], at: int, *__: Any) -> str:
    address = str(tokens[at].attrs["src"])
    return f'<a href="{escape(address)}">{escape(tokens[at].content or address)}</a>'


def _make_markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_NESTING})
    markdown.disable(["html_block", "html_inline"])
    markdown.validateLink = _is_allowed  # type: ignore[method-assign]  # as its documentation says
    markdown.add_render_rule("image", _image_as_link)
    markdown.add_render_rule("heading_open", lambda *_: "<p><strong>")
    markdown.add_render_rule("heading_close", lambda *_: "</strong></p>\n")
    return markdown


_MARKDOWN = _make_markdown()
_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes={"a": {"href"}, "ol": {"start"}},
    url_schemes=set(SCHEMES),
    url_relative="deny",
    link_rel="nofollow ugc noopener",
)
