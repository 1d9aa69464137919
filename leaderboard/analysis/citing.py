"""How to cite what the site shows, as BibTeX and in the style of the APA."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

_BIBTEX_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
MAX_KEY = 60


@dataclass(frozen=True, slots=True)
class Cited:
    """One thing to cite. A corporate author, such as the site, is one name without a comma."""

    #: what the key of the BibTeX entry is made of
    key: str
    title: str
    authors: Sequence[str]
    publisher: str
    #: when it was published; None where it is not known
    year: int | None
    #: such as "data version 412"
    version: str
    url: str
    accessed: date


def bibtex(cited: Cited) -> str:
    """An @misc entry, which every style knows."""
    fields = [
        ("author", " and ".join(f"{{{escaped(author)}}}" for author in cited.authors)),
        ("title", f"{{{escaped(cited.title)}}}"),
        ("year", str(cited.year) if cited.year else ""),
        ("howpublished", f"{escaped(cited.publisher)}, \\url{{{_url(cited.url)}}}"),
        ("note", f"{escaped(cited.version[:1].upper() + cited.version[1:])}, accessed {cited.accessed:%Y-%m-%d}"),
    ]
    lines = [f"  {name} = {{{value}}}" for name, value in fields if value]
    return f"@misc{{{key_of(cited.key)},\n" + ",\n".join(lines) + "\n}"


def apa(cited: Cited) -> str:
    """APA 7, a data set: Authors (year). Title (Version) [Data set]. Publisher. Retrieved date, from URL"""
    authors = _joined([_one_line(author) for author in cited.authors]).rstrip(".")
    year = cited.year or "n.d."
    # An author that is the publisher too is named once.
    publisher = "" if list(cited.authors) == [cited.publisher] else f" {_one_line(cited.publisher)}."
    day = f"{cited.accessed:%B} {cited.accessed.day}, {cited.accessed.year}"
    title = f"{_one_line(cited.title)} ({_one_line(cited.version)}) [Data set]."
    return f"{authors}. ({year}). {title}{publisher} Retrieved {day}, from {cited.url}"


def escaped(text: str) -> str:
    """`text` so that LaTeX prints it: on one line, without control characters, its signs escaped."""
    return "".join(_BIBTEX_SIGNS.get(sign, sign) for sign in _one_line(text))


def key_of(text: str) -> str:
    """A key of ASCII letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_KEY].rstrip("-") or "entry"


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _url(url: str) -> str:
    r"""Inside \url only these signs would end it or be taken for a comment in a moving argument."""
    return url.replace("\\", "%5C").replace("{", "%7B").replace("}", "%7D").replace("%", r"\%").replace("#", r"\#")


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, & {names[-1]}"
