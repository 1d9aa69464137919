"""Markdown of strangers: what is allowed becomes HTML, the rest stays text."""

from __future__ import annotations

import re

import pytest
from django.utils.safestring import SafeString
from hypothesis import given, settings
from hypothesis import strategies as st

from lemsite.lib.markdown import MAX_LENGTH, TAGS, render


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("*a* **b** `c`", "<p><em>a</em> <strong>b</strong> <code>c</code></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>\n'),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
        ("```js\na < b\n```", "<pre><code>a &lt; b\n</code></pre>\n"),
        ("# a", "<p><strong>a</strong></p>\n"),
    ],
    ids=["paragraphs", "lines", "emphasis", "list", "numbers", "quote", "code", "heading"],
)
def test_the_allowed_markdown_becomes_html(written, shown):
    assert render(written) == shown


@pytest.mark.parametrize("url", ["https://example.org/", "http://example.org/", "mailto:a@example.org"])
def test_links_are_followed_by_no_search_engine(url):
    assert render(f"[a]({url})") == f'<p><a href="{url}" rel="nofollow ugc noopener">a</a></p>\n'


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JaVaScript:alert(1)", "data:text/html,x", "//example.org/", "/account/",
     "java&#10;script:x", "javascript&colon;alert(1)", "vbscript:x", "file:///etc/passwd", "#comment-1", "http:"],
)  # fmt: skip
def test_other_addresses_are_no_links(url):
    assert "<a" not in render(f"[a]({url})")
    assert "<a" not in render(f"[a][r]\n\n[r]: {url}")
    assert "<a" not in render(f"![a]({url})")


def test_an_image_becomes_a_link_to_it():
    shown = render("![a *chart*](https://example.org/chart.png)")

    assert shown == '<p><a href="https://example.org/chart.png" rel="nofollow ugc noopener">a *chart*</a></p>\n'


def test_bare_addresses_stay_text():
    assert render("https://example.org") == "<p>https://example.org</p>\n"


@pytest.mark.parametrize(
    "html",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg/onload=alert(1)>', "<!-- a -->", "<a href=x>",
     "<div style=color:red>", "a<b onclick=x>"],
)  # fmt: skip
def test_html_is_shown_as_text(html):
    shown = render(html)

    assert "<" not in re.sub(r"</?p>", "", shown)
    assert "&lt;" in shown


def test_hidden_characters_are_shown():
    assert render("a\u202eb\x00c\ud800d") == "<p>a�b�c�d</p>\n"


def test_a_longer_text_is_shown_as_it_was_written():
    assert render("*" * (MAX_LENGTH + 1)) == f"<pre>{'*' * (MAX_LENGTH + 1)}</pre>"


@pytest.mark.parametrize(
    "piece", ["[", "![", "[a](", "> ", "- ", "`", "*a ", "_a", "<", "&", "|a", "\\", "[]: a\n", "\t", "(", "<http://"]
)
@pytest.mark.parametrize("length", [MAX_LENGTH, 100_000], ids=["rendered", "as written"])
def test_hostile_repetition_is_answered(piece, length):
    assert isinstance(render((piece * length)[:length]), SafeString)


@given(
    st.text(alphabet=st.characters(), max_size=200) | st.text(alphabet="<>[]()!`*_#-&;:/ahtp\n\"'=x\\", max_size=200)
)
@settings(max_examples=200, deadline=None)
def test_no_text_becomes_another_element_or_attribute(text):
    shown = render(text)

    elements = set(re.findall(r"<([a-z0-9]+)", shown))
    attributes = set(re.findall(r"<[a-z0-9]+ ([^>]*)>", shown))
    assert elements <= TAGS
    assert all(re.fullmatch(r'(href="[^"]*" rel="[^"]*")|(start="\d+")', one) for one in attributes)
