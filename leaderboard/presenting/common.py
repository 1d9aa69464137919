"""Words that several pages share: trust, precision, names and where they link."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from accounts.models import User
from leaderboard.models import Hardware, LanguageModel, Result, Trust
from leaderboard.normal import Origin
from leaderboard.pages import Link, TrustBadge

TRUST_TITLES = {
    Trust.DRAFT: "Parsed; only its owner sees it.",
    Trust.SELF_REPORTED: "Given by its owner; units and physics were checked, and something is open for judgement.",
    Trust.PUBLISHED: "Carried over from a named public source, with date and link. Checked, not verified.",
    Trust.CHECKS_PASSED: "Consistent and physically possible, with the raw file and the machine's own description.",
    Trust.RUN_HERE: "Measured by this site's own harness on a registered machine.",
    Trust.REPRODUCED: "Measured again, by this site or by someone else, within tolerance.",
}
ORIGIN_WORDS = {
    Origin.FILE: "from the file",
    Origin.COMPUTED: "computed",
    Origin.STATED: "stated by the uploader",
    Origin.MISSING: "missing",
}
PRECISION_UNKNOWN = "not stated"
SCOPE_WORDS = {"node": "node energy", "wall": "wall energy"}
SCOPE_SENTENCES = {
    "gpu": "Energy is that of the GPUs alone: CPU, memory, fans and power supply are not in it.",
    "node": "Energy is that of the node: GPUs, CPU and memory as its meter saw them. "
    "Not comparable with GPU energy without saying so.",
    "wall": "Energy is measured at the wall socket, losses and cooling of the machine included. "
    "Not comparable with GPU energy without saying so.",
    "": "The file does not say what its energy meter saw.",
}


def trust_badge(level: int) -> TrustBadge:
    trust = Trust(level)
    return TrustBadge(code=trust.code, label=trust.label, title=TRUST_TITLES[trust])


SIMULATED = TrustBadge(
    code="simulated",
    label="Simulated",
    title="Its figures are made up by a host without a GPU, to try things out. It is never ranked.",
)


def result_badge(result: Result) -> TrustBadge:
    """What a page says beside the figures of one result."""
    return SIMULATED if result.submission.is_simulated else trust_badge(result.trust)


def model_link(result: Result) -> Link:
    return Link(model_words(result), model_url(result.model) if result.model else "")


def model_words(result: Result) -> str:
    return result.model.title if result.model else result.model_name or "model not stated"


def model_url(model: LanguageModel) -> str:
    organisation, _, name = model.name.partition("/")
    return _address("leaderboard:model", organisation, name)


def hardware_link(result: Result) -> Link:
    return Link(_hardware_words(result), hardware_url(result.hardware) if result.hardware else "")


def _hardware_words(result: Result) -> str:
    return result.hardware.name if result.hardware else result.hardware_name or "GPU not stated"


def hardware_url(hardware: Hardware) -> str:
    return _address("leaderboard:hardware", hardware.slug)


def result_url(result: Result) -> str:
    return url_of_result(result.pk)


def url_of_result(pk: UUID) -> str:
    return _address("leaderboard:result", pk)


@lru_cache(maxsize=10_000)
def _address(view: str, *names: str | UUID) -> str:
    """A page has hundreds of the same few addresses, and matching each against its route takes as long as its row."""
    return reverse(view, args=names)


def person_link(person: User | None) -> Link:
    """The page of a person; of a deleted account nothing is left but that it was there."""
    if person is None or person.deleted_at is not None:
        return Link("a deleted account", "")
    return Link(str(person), reverse("leaderboard:person", args=[person.username]))


def board_url(**facets: str) -> str:
    return f"{reverse('leaderboard:list')}?{urlencode(facets)}"


def backend_words(result: Result) -> str:
    name = result.backend.name if result.backend else result.backend_name
    return f"{name} {result.backend_version}".strip()


def gpu_words(result: Result) -> str:
    """ "2 x H100 SXM", or the hardware alone where the count is not known."""
    name = _hardware_words(result)
    return f"{result.gpu_count} x {name}" if result.gpu_count else name


def batch_words(result: Result) -> str:
    if result.batch_size is not None:
        return f"{result.batch_size:,}"
    return f"{result.concurrency:,} concurrent" if result.concurrency is not None else ""
