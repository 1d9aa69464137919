"""Weekly digests in plain sentences. What is no longer public is counted, and neither named nor linked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.urls import reverse

from leaderboard import format as fmt
from leaderboard.dump_pages import DigestPage, DigestSection
from leaderboard.metrics import BY_NAME
from leaderboard.models import Dispute, DisputeState, Hardware, LanguageModel, Result, WeeklyDigest
from leaderboard.pages import Link
from leaderboard.presenting.common import (
    SCOPE_WORDS,
    board_url,
    gpu_words,
    hardware_url,
    model_link,
    model_url,
    result_url,
)
from leaderboard.queries.community import public_disputes

BEST_WORDS = (
    "Better than everything published before on the same GPUs, at Published or above. "
    "Energy is compared within one scope."
)
Line = Sequence[Link]
_OUTCOMES = {DisputeState.UPHELD: "upheld", DisputeState.DISMISSED: "dismissed"}


@dataclass(frozen=True, slots=True)
class _Named:
    """What the references of digests lead to today; four queries, however many digests."""

    models: Mapping[int, LanguageModel]
    hardware: Mapping[int, Hardware]
    results: Mapping[str, Result]
    disputes: Mapping[int, Dispute]


def digest_pages(digests: Sequence[WeeklyDigest]) -> list[DigestPage]:
    named = _named([digest.content for digest in digests])
    return [_page(digest, named) for digest in digests]


def digest_url(monday: date) -> str:
    year, week, _ = monday.isocalendar()
    return reverse("leaderboard:digest", args=[year, week])


def week_title(monday: date) -> str:
    year, week, _ = monday.isocalendar()
    return f"Week {week} of {year}"


def summary(content: Mapping[str, Any]) -> str:
    """The week in a sentence or two."""
    if not content["results"]:
        return "No result was published in this week."
    words = f"{fmt.count(content['results'], 'result')} came in with {fmt.count(content['submissions'], 'submission')}."
    if first := content["first_pairs"]:
        words += f" {fmt.count(first, 'pair')} of model and GPU had no result before."
    return words


def _page(digest: WeeklyDigest, named: _Named) -> DigestPage:
    content = digest.content
    sections = (_new(content, named), _bests(content, named), _changes(content, named), _catalogue(content))
    return DigestPage(
        title=week_title(digest.week),
        dates=f"{digest.week:%-d %B %Y} to {digest.week + timedelta(days=6):%-d %B %Y}",
        url=digest_url(digest.week),
        written=fmt.minute(digest.made_at),
        summary=summary(content),
        sections=[section for section in sections if section is not None],
    )


def _new(content: Mapping[str, Any], named: _Named) -> DigestSection | None:
    lines: list[Line] = []
    for model_pk, hardware_pk, n in content["pairs"]:
        model, gpu = named.models.get(model_pk), named.hardware.get(hardware_pk)
        if model and gpu:
            table = board_url(model=model.name, hardware=gpu.slug, view="all", min_trust="T1")
            lines.append([Link(model.title, model_url(model)), Link("on", ""), Link(gpu.name, hardware_url(gpu)),
                          Link(":", ""), Link(fmt.count(n, "result"), table)])  # fmt: skip
    return _section("New results", "", lines, _more(content["more_pairs"], "pair"))


def _bests(content: Mapping[str, Any], named: _Named) -> DigestSection | None:
    lines, gone = [], 0
    for best in content["bests"]:
        result, before = named.results.get(best["result"]), named.results.get(best["before"])
        if result is None or before is None:
            gone += 1
        else:
            lines.append(_best_line(best, result, before))
    words = BEST_WORDS if lines else ""
    more = _more(content["more_bests"], "more")
    if gone:
        more += f" {fmt.count(gone, 'entry', 'entries')} rested on results that are not public any more."
    return _section("New best", words, lines, more.strip())


def _best_line(best: Mapping[str, Any], result: Result, before: Result) -> Line:
    metric = BY_NAME[best["metric"]]
    scope = SCOPE_WORDS.get(result.energy_scope, "") if metric.group == "Efficiency" else ""
    figure = f"{fmt.number(getattr(result, metric.name))} {metric.unit}"
    words = f": {metric.label} {figure}{f' ({scope})' if scope else ''}, {_factor(best['factor'])} times better than"
    return [
        Link(f"{model_link(result).label} on {gpu_words(result)}", result_url(result)),
        Link(words, ""),
        Link(f"{fmt.number(getattr(before, metric.name))} {metric.unit} before", result_url(before)),
    ]


def _factor(value: float) -> str:
    """Three digits, without zeros that say nothing."""
    return fmt.exact(float(f"{value:.3g}"))


def _changes(content: Mapping[str, Any], named: _Named) -> DigestSection | None:
    lines: list[Line] = []
    for pk in content["disputes"]:
        dispute = named.disputes.get(pk)
        if dispute is not None:
            outcome = _OUTCOMES.get(DisputeState(dispute.state), "settled")
            url = reverse("leaderboard:dispute_list")
            lines.append([Link(f"The dispute about {dispute.title} was {outcome}.", url)])
    for name, words in (("withdrawn", "withdrawn by who gave them"), ("invalidated", "invalidated by moderators")):
        if content[name]:
            verb = "was" if content[name] == 1 else "were"
            lines.append([Link(f"{fmt.count(content[name], 'submission')} {verb} {words}.", "")])
    return _section("Changed", "", lines, _more(content["more_disputes"], "dispute"))


def _catalogue(content: Mapping[str, Any]) -> DigestSection | None:
    added = content.get("added", {})
    lines: list[Line] = []
    for kind, words in (("models", "model"), ("hardware", "GPU profile")):
        names = added.get(kind, [])
        if names:
            shown = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
            url = reverse("leaderboard:model_list" if kind == "models" else "leaderboard:hardware_list")
            lines.append([Link(fmt.count(len(names), f"new {words}"), url), Link(f": {shown}", "")])
    return _section("In the catalogue", "", lines, "")


def _section(title: str, words: str, lines: Sequence[Line], more: str) -> DigestSection | None:
    return DigestSection(title, words, lines, more) if lines or more else None


def _more(n: int, one: str) -> str:
    if not n:
        return ""
    return f"{n:,} more." if one == "more" else f"{fmt.count(n, f'more {one}')}."


def _named(contents: Sequence[Mapping[str, Any]]) -> _Named:
    pairs = [pair for content in contents for pair in content["pairs"]]
    results = {pk for content in contents for pk in _result_ids(content)}
    disputes = [pk for content in contents for pk in content["disputes"]]
    rows = Result.objects.ranked().filter(pk__in=results).select_related("model", "hardware")
    return _Named(
        models=LanguageModel.objects.in_bulk({model for model, *_ in pairs}),
        hardware=Hardware.objects.in_bulk({gpu for _, gpu, _ in pairs}),
        results={str(result.pk): result for result in rows},
        disputes={dispute.pk: dispute for dispute in public_disputes().filter(pk__in=disputes)},
    )


def _result_ids(content: Mapping[str, Any]) -> Iterator[str]:
    for best in content["bests"]:
        yield from (pk for pk in (best["result"], best["before"]) if pk)
