"""Citations as BibTeX and APA."""

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.analysis.citing import Cited, apa, bibtex, escaped, key_of

CITED = Cited(
    key="lemsite-result-0a1b",
    title="Measured efficiency of Gemma 2 9B on 2 x H100",
    authors=["Ada Lovelace"],
    publisher="lemsite",
    year=2026,
    version="data version 412",
    url="https://example.org/results/0a1b/?a=1&b=2",
    accessed=date(2026, 11, 21),
)


def test_a_bibtex_entry_names_author_title_year_address_version_and_day():
    assert bibtex(CITED) == (
        "@misc{lemsite-result-0a1b,\n"
        "  author = {{Ada Lovelace}},\n"
        "  title = {{Measured efficiency of Gemma 2 9B on 2 x H100}},\n"
        "  year = {2026},\n"
        "  howpublished = {lemsite, \\url{https://example.org/results/0a1b/?a=1&b=2}},\n"
        "  note = {Data version 412, accessed 2026-11-21}\n"
        "}"
    )


def test_apa_names_the_same_in_its_order():
    assert apa(CITED) == (
        "Ada Lovelace. (2026). Measured efficiency of Gemma 2 9B on 2 x H100 (data version 412) [Data set]. lemsite. "
        "Retrieved November 21, 2026, from https://example.org/results/0a1b/?a=1&b=2"
    )


def test_a_publisher_that_is_the_author_is_named_once():
    assert "[Data set]. Retrieved" in apa(replace(CITED, authors=["lemsite"]))


def test_without_a_year_it_is_no_date():
    cited = replace(CITED, year=None)

    assert "(n.d.)" in apa(cited)
    assert "year" not in bibtex(cited)


def test_several_authors_are_joined_as_each_style_wants():
    cited = replace(CITED, authors=["A", "B", "C"])

    assert apa(cited).startswith("A, B, & C. (2026)")
    assert "author = {{A} and {B} and {C}}" in bibtex(cited)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 % & more", r"50 \% \& more"),
        ("a_b #1 $2", r"a\_b \#1 \$2"),
        ("{x}", r"\{x\}"),
        ("back\\slash", r"back\textbackslash{}slash"),
        ("~ ^", r"\textasciitilde{} \textasciicircum{}"),
        ("two\nlines\x00", "two lines"),
        ("Müller", "Müller"),
    ],
)
def test_what_latex_would_read_is_escaped(text, expected):
    assert escaped(text) == expected


@given(st.text())
def test_no_title_can_end_its_field_early(title):
    plain = re.sub(r"\\[{}]", "", escaped(title))
    depth = 0
    for sign in plain:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0

    assert depth == 0


def test_a_percent_sign_in_an_address_is_no_comment():
    assert r"\url{https://example.org/?q=a\%20b}" in bibtex(replace(CITED, url="https://example.org/?q=a%20b"))


def test_braces_in_an_address_cannot_close_the_url():
    assert r"\url{https://example.org/\%7Bx\%7D}" in bibtex(replace(CITED, url="https://example.org/{x}"))


@given(st.text())
def test_a_key_is_plain_ascii(text):
    assert re.fullmatch(r"[a-z0-9-]+", key_of(text))
