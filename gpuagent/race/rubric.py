"""How good an answer is, by fixed rules alone: the same answer always gets the same points, no model judges another.

docs/races.md tells the rules to readers. Every dimension is 0 to 1. An answer is text that somebody's model wrote: it
is cut to a length, parsed without ever being run, and matched with words, never with patterns that it could slow down.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gpuagent.race.suites import Case

WEIGHTS: Mapping[str, float] = {
    "correctness": 0.5,
    "completeness": 0.2,
    "formatQuality": 0.2,
    "conciseness": 0.1,
}
MAX_ANSWER_CHARS = 20_000
#: a finding of a code review that says more than this names everything and points at nothing
MAX_FINDING_WORDS = 30
#: a finding may name the line beside the defect's
LINES_OFF = 1
NUMBER = re.compile(r"\d[\d.,]*")
FINDING = re.compile(r"[-*• ]{0,4}L(?:ine )?(\d{1,4})\s?:(.*)", re.IGNORECASE)
MARKUP = ("#", "- ", "* ", "• ", "|", "```", "1. ", "1) ")


@dataclass(frozen=True, slots=True)
class Grade:
    """Points of one answer."""

    correctness: float = 0.0
    completeness: float = 0.0
    format_quality: float = 0.0
    conciseness: float = 0.0

    @property
    def dimensions(self) -> dict[str, float]:
        """In the live contract's names."""
        return {
            "correctness": round(self.correctness, 4),
            "completeness": round(self.completeness, 4),
            "formatQuality": round(self.format_quality, 4),
            "conciseness": round(self.conciseness, 4),
        }

    @property
    def composite(self) -> float:
        """The mean of the four, weighted by WEIGHTS."""
        return round(sum(WEIGHTS[name] * value for name, value in self.dimensions.items()), 4)


def grade(case: Case, answer: str) -> Grade:
    """Never raises, whatever the answer is."""
    text = answer[:MAX_ANSWER_CHARS].strip()
    if not text:
        return Grade()
    found = RUBRICS[case.check["kind"]](case, text)
    if len(answer) > MAX_ANSWER_CHARS or (found.correctness == 0 and found.completeness == 0):
        # Saying nothing of use, however briefly, is not concise; nor is what had to be cut.
        return Grade(found.correctness, found.completeness, found.format_quality, 0.0)
    return found


def _grade_answer(case: Case, text: str) -> Grade:
    """One line "Answer: …" that holds an accepted phrase, and no other candidate beside it."""
    check = case.check
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    given = [line for line in lines if line.lower().startswith("answer:")]
    said = given[0][len("answer:") :] if given else lines[-1]
    wrong = sum(holds(said, phrase) for phrase in check["reject"])
    is_right = any(holds(said, phrase) for phrase in check["accept"])
    return Grade(
        correctness=1 / (1 + wrong) if is_right else 0.0,
        completeness=_share(any(holds(said, phrase) for phrase in part) for part in check["parts"]),
        format_quality=1.0 if given and len(lines) == 1 else 0.5 if len(given) == 1 else 0.0,
        conciseness=_brevity(text, check["max_words"]),
    )


def _grade_json(case: Case, text: str) -> Grade:
    """One JSON object with the expected keys and values."""
    expected: Mapping[str, Any] = case.check["expected"]
    found, purity = _json_in(text)
    if found is None:
        return Grade()
    right = [key for key, value in expected.items() if key in found and _same(found[key], value)]
    told = [key for key, value in expected.items() if key in found and (found[key] is not None or value is None)]
    compact = len(json.dumps(found, ensure_ascii=False))
    return Grade(
        correctness=len(right) / max(1, len(found)),
        completeness=len(told) / len(expected),
        format_quality=purity * (1.0 if found.keys() == expected.keys() else 0.8),
        conciseness=min(1.0, 2 * compact / len(text)),
    )


def _grade_summary(case: Case, text: str) -> Grade:
    """The facts, no claims that the text contradicts, no figures that are not in it, in so many sentences.

    Facts count as far as the words that were asked for go, and each time that length is exceeded is a fault: to copy
    the text is no summary.
    """
    check, words = case.check, text.split()
    brief = " ".join(words[: check["max_words"]])
    facts = [any(holds(brief, phrase) for phrase in fact) for fact in check["facts"]]
    invented = {_plain(number) for number in NUMBER.findall(text)} - {
        _plain(number) for number in NUMBER.findall(case.prompt)
    }
    faults = len(invented) + sum(holds(text, phrase) for phrase in check["wrong"])
    faults += math.ceil(max(0, len(words) - check["max_words"]) / check["max_words"])
    marks = sum(line.lstrip().startswith(MARKUP) for line in text.splitlines())
    off = abs(_sentences(text) - check["sentences"])
    return Grade(
        correctness=sum(facts) / (sum(facts) + faults) if any(facts) else 0.0,
        completeness=_share(facts),
        format_quality=max(0.0, 1.0 - 0.25 * (off + marks)),
        conciseness=_brevity(text, check["max_words"]),
    )


def _grade_review(case: Case, text: str) -> Grade:
    """Findings "L3: …" that name a planted defect by its line and one of its words; the rest are false alarms."""
    defects: Sequence[Mapping[str, Any]] = case.check["defects"]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    findings = [match for match in map(FINDING.fullmatch, lines) if match]
    says_none = holds(text, "no defects")
    if not defects:
        is_right = says_none and not findings
        quality = 1.0 if is_right and len(lines) == 1 else 0.5 if is_right else 0.0
        return Grade(float(is_right), float(is_right), quality, _brevity(text, case.check["max_words"]))
    found = [any(_names(finding, defect) for finding in findings) for defect in defects]
    return Grade(
        correctness=min(1.0, sum(found) / len(findings)) if findings else 0.0,
        completeness=_share(found),
        format_quality=len(findings) / len(lines),
        conciseness=_brevity(text, case.check["max_words"]),
    )


RUBRICS: Mapping[str, Callable[[Case, str], Grade]] = {
    "answer": _grade_answer,
    "json": _grade_json,
    "summary": _grade_summary,
    "review": _grade_review,
}


def holds(text: str, phrase: str) -> bool:
    """Whether the phrase stands in the text as whole words, whatever the case, the quotes or the spaces."""
    return f" {_words(phrase)} " in f" {_words(text)} "


@lru_cache(maxsize=64)
def _words(text: str) -> str:
    """Lower case, one space between words; a comma between digits and a point in a number stay."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("−", "-")
    kept = [
        sign if sign.isalnum() or sign in "%€£()+-_/" or _is_within_number(folded, place) else " "
        for place, sign in enumerate(folded)
    ]
    return " ".join("".join(kept).replace("()", "() ").split())


def _is_within_number(text: str, place: int) -> bool:
    return text[place] in ".,:" and text[place - 1 : place].isdigit() and text[place + 1 : place + 2].isdigit()


def _names(finding: re.Match[str], defect: Mapping[str, Any]) -> bool:
    said = finding[2]
    if len(said.split()) > MAX_FINDING_WORDS or abs(int(finding[1]) - defect["line"]) > LINES_OFF:
        return False
    folded = said.casefold()
    return any(word.casefold() in folded for word in defect["any"])


def _json_in(text: str) -> tuple[dict[str, Any] | None, float]:
    """The object, and 1 if nothing stands around it, 0.7 in a code fence, 0.3 in other text; None if there is none."""
    fenced = text.removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    start, end = text.find("{"), text.rfind("}")
    for candidate, purity in ((text, 1.0), (fenced, 0.7), (text[start : end + 1] if start >= 0 else "", 0.3)):
        try:
            found = json.loads(candidate, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            continue
        return (found, purity) if isinstance(found, dict) else (None, 0.0)
    return None, 0.0


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _same(given: Any, wanted: Any) -> bool:
    """Numbers as numbers, text whatever its case and punctuation, lists in any order."""
    if isinstance(wanted, bool) or wanted is None:
        return given is wanted
    if isinstance(wanted, int | float):
        return isinstance(given, int | float) and not isinstance(given, bool) and _close(given, wanted)
    if isinstance(wanted, list):
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            return False
        return sorted(map(_words, given)) == sorted(map(_words, wanted))
    return isinstance(given, str) and _words(given) == _words(wanted)


def _close(given: float, wanted: float) -> bool:
    # An integer of hundreds of digits has no float to compare.
    return -1e15 < given < 1e15 and abs(given - wanted) < 1e-6


def _sentences(text: str) -> int:
    """Ends of sentences: a point, a question or an exclamation mark before a space or at the end."""
    padded = text + " "
    ends = sum(padded.count(f"{mark} ") + padded.count(f"{mark}\n") for mark in ".!?")
    return max(1, ends)


def _plain(number: str) -> str:
    return number.rstrip(".,").replace(",", "")


def _share(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0


def _brevity(text: str, max_words: int) -> float:
    """1 up to the length that was asked for, falling to 0 at three times as many words."""
    excess = len(text.split()) - max_words
    return 1.0 if excess <= 0 else max(0.0, 1.0 - excess / (2 * max_words))
