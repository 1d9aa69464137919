"""The state of the leaderboard as its URL says it: view, filters, limits, sort, columns, the reader's own prices.

Pages, API and exports parse the same parameters with `parse_board_query`.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from leaderboard import metrics
from leaderboard.metrics import Better, Metric
from leaderboard.models import Trust

if TYPE_CHECKING:
    from django.http import QueryDict

VIEWS = ("best", "all")
#: whose prices count where the address names none: those of the reader's settings, or the catalogue's for all
PRICES_OF = ("reader", "catalogue")
DEFAULT_MIN_TRUST = Trust.PUBLISHED
DEFAULT_LIMIT, MAX_LIMIT = 50, 500
MAX_FACET_VALUES, MAX_Q = 100, 200
#: of a price, a power usage effectiveness or a carbon intensity, so that what is computed with them stays finite
MAX_PRICE = 1e9
#: a longer one is none of ours, and could nest too deeply for the JSON reader
MAX_CURSOR, MAX_ROWS_BEFORE = 200, 10**9
DEFAULT_PUE = 1.2

#: facet parameter -> label; the order of the page
FACETS: dict[str, str] = {
    "hardware": "Hardware",
    "gpu_count": "GPU count",
    "family": "Model family",
    "size": "Model size",
    "model": "Model",
    "backend": "Backend",
    "precision": "Precision",
    "batch_size": "Batch size",
    "trust": "Trust",
    "energy_scope": "Energy scope",
}
INTEGER_FACETS = frozenset({"gpu_count", "batch_size"})
#: bucket -> (from, below) 10^9 parameters in all
SIZES: dict[str, tuple[float, float]] = {
    "under-1b": (0, 1),
    "1b-4b": (1, 4),
    "4b-10b": (4, 10),
    "10b-35b": (10, 35),
    "35b-80b": (35, 80),
    "over-80b": (80, math.inf),
}
SIZE_LABELS = {
    "under-1b": "under 1B",
    "1b-4b": "1B to 4B",
    "4b-10b": "4B to 10B",
    "10b-35b": "10B to 35B",
    "35b-80b": "35B to 80B",
    "over-80b": "80B and more",
}
LIMITED = tuple(metric.name for metric in metrics.METRICS if metric.name != "co2_g_per_million_tokens")
DEFAULT_COLUMNS = (
    "tokens_per_joule",
    "throughput_tokens_per_s",
    "energy_per_output_token_j",
    "tpot_ms_mean",
    "cost_per_million_tokens_usd",
)


#: what a query string leaves out
DEFAULT_PARAMETERS = frozenset(
    {
        ("view", "best"),
        ("sort", f"-{metrics.PRIMARY}"),
        ("q", ""),
        ("min_trust", DEFAULT_MIN_TRUST.code),
        ("limit", str(DEFAULT_LIMIT)),
        ("prices", PRICES_OF[0]),
    }
)


class BoardQueryError(ValueError):
    """Some parameters cannot be understood; `fields` says which, and what would be right."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields
        super().__init__("; ".join(f"{name}: {message}" for name, message in fields.items()))


@dataclass(frozen=True, slots=True)
class Prices:
    """The reader's own figures; None means the catalogue's price, or no such column."""

    usd_per_gpu_hour: float | None = None
    usd_per_kwh: float | None = None
    pue: float | None = None
    co2_g_per_kwh: float | None = None

    @property
    def effective_pue(self) -> float:
        return DEFAULT_PUE if self.pue is None else self.pue

    @property
    def is_electricity_only(self) -> bool:
        return self.usd_per_kwh is not None and self.usd_per_gpu_hour is None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins: after this score and result."""

    score: float
    result: uuid.UUID
    #: how many rows came before, so that a page numbers its own from there
    rows_before: int = 0

    def encode(self) -> str:
        plain = [self.score, self.result.hex, self.rows_before]
        return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Raises ValueError for anything that `encode` did not write."""
        try:
            score, result, rows_before = json.loads(base64.urlsafe_b64decode(text.encode()))
            if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
                raise ValueError(text)
            if type(rows_before) is not int or not 0 <= rows_before < MAX_ROWS_BEFORE:
                raise ValueError(text)
            return cls(float(score), uuid.UUID(result), rows_before)
        except (binascii.Error, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(text) from error


@dataclass(frozen=True, slots=True)
class BoardQuery:
    view: str = "best"
    sort: str = metrics.PRIMARY
    descending: bool = True
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: (column, "min" or "max") -> limit
    limits: Mapping[tuple[str, str], float] = field(default_factory=dict)
    q: str = ""
    min_trust: Trust = DEFAULT_MIN_TRUST
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    prices: Prices = Prices()
    prices_of: str = PRICES_OF[0]
    #: the prices are those of the reader's settings: used, but in no address, since addresses are shared
    are_prices_private: bool = False
    limit: int = DEFAULT_LIMIT
    cursor: Cursor | None = None

    @property
    def metric(self) -> Metric:
        return metrics.BY_NAME[self.sort]

    @property
    def ranking(self) -> str:
        """The stored column whose order this sort asks for."""
        if self.sort == "cost_per_million_tokens_usd":
            if self.prices.is_electricity_only:
                return metrics.PRIMARY
            if self.prices.usd_per_gpu_hour is not None:
                return metrics.GPU_SECONDS
        return self.metric.ranking

    @property
    def rows_before(self) -> int:
        return self.cursor.rows_before if self.cursor else 0

    @property
    def best_first(self) -> bool:
        return self.descending == (self.metric.better == Better.HIGHER)

    def parameters(self) -> Iterator[tuple[str, str]]:
        """The query string of this state, without what is the default, and without the cursor."""
        shown = Prices() if self.are_prices_private else self.prices
        prices = [(name, getattr(shown, name)) for name in Prices.__slots__]
        columns = () if self.columns == DEFAULT_COLUMNS else self.columns
        pairs = [
            ("view", self.view),
            ("sort", f"{'-' if self.descending else ''}{self.sort}"),
            ("q", self.q),
            *((name, value) for name, values in self.facets.items() for value in values),
            ("min_trust", self.min_trust.code),
            *((f"{column}_{edge}", f"{limit:.15g}") for (column, edge), limit in self.limits.items()),
            *(("columns", column) for column in columns),
            *((name, f"{price:.15g}") for name, price in prices if price is not None),
            ("limit", str(self.limit)),
            ("prices", self.prices_of),
        ]
        yield from (pair for pair in pairs if pair not in DEFAULT_PARAMETERS)

    def url(self, path: str = "", cursor: Cursor | None = None) -> str:
        pairs = list(self.parameters())
        if cursor is not None:
            pairs.append(("cursor", cursor.encode()))
        return f"{path}?{urlencode(pairs)}" if pairs else path or "?"

    def with_settings(self, own: Prices) -> BoardQuery:
        """This state as a reader sees it who has these prices in their settings; what the address says goes first."""
        if own == Prices() or self.prices != Prices() or self.prices_of != PRICES_OF[0]:
            return self
        return replace(self, prices=own, are_prices_private=True)

    def without_settings(self) -> BoardQuery:
        """This state with the catalogue's prices, whoever reads."""
        return replace(self, prices=Prices(), are_prices_private=False, prices_of="catalogue", cursor=None)

    def spelled_out(self) -> BoardQuery:
        """This state so that its address gives the same figures to anyone, as a download needs it."""
        return replace(self, are_prices_private=False, prices_of=PRICES_OF[0])

    def sorted_by(self, metric: Metric) -> BoardQuery:
        """This state sorted by `metric`, best first; by the worst first when it is sorted so already."""
        best_is_high = metric.better == Better.HIGHER
        flip = metric.name == self.sort and self.best_first
        return replace(self, sort=metric.name, descending=best_is_high != flip, cursor=None)

    def without_facet(self, name: str, value: str | None = None) -> BoardQuery:
        kept = () if value is None else tuple(v for v in self.facets.get(name, ()) if v != value)
        facets = {key: values for key, values in self.facets.items() if key != name}
        return replace(self, facets={**facets, name: kept} if kept else facets, cursor=None)

    def without_limit(self, key: tuple[str, str]) -> BoardQuery:
        return replace(self, limits={k: v for k, v in self.limits.items() if k != key}, cursor=None)


def parse_board_query(params: QueryDict) -> BoardQuery:
    """The state that the parameters describe. Raises BoardQueryError naming every field that is wrong."""
    reader = _Reader(params)
    query = BoardQuery(
        view=reader.choice("view", VIEWS, "best"),
        q=reader.text("q"),
        facets=reader.facets(),
        limits=reader.limits(),
        min_trust=reader.trust("min_trust"),
        columns=reader.columns(),
        prices=Prices(**{name: reader.not_negative(name) for name in Prices.__slots__}),
        prices_of=reader.choice("prices", PRICES_OF, PRICES_OF[0]),
        limit=reader.limit(),
        cursor=reader.cursor(),
        **reader.sort(),  # type: ignore[arg-type]  # two keyword arguments of different types
    )
    if reader.errors:
        raise BoardQueryError(reader.errors)
    return query


class _Reader:
    """Reads one parameter after the other and collects what is wrong with them."""

    def __init__(self, params: QueryDict) -> None:
        self.params = params
        self.errors: dict[str, str] = {}

    def text(self, name: str) -> str:
        text = self.params.get(name, "").strip()
        if len(text) > MAX_Q or "\x00" in text:
            self.errors[name] = f"at most {MAX_Q} characters, without control characters"
            return ""
        return text

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(name) or default
        if value not in choices:
            self.errors[name] = f"{value!r} is not one of {', '.join(choices)}"
            return default
        return value

    def trust(self, name: str) -> Trust:
        code = self.text(name)
        if code and not _is_trust(code):
            self.errors[name] = f"{code!r} is not one of T1, Published, T2, T3, T4"
            return DEFAULT_MIN_TRUST
        return Trust.from_code(code) if code else DEFAULT_MIN_TRUST

    def sort(self) -> dict[str, object]:
        text = self.text("sort") or f"-{metrics.PRIMARY}"
        name = text.removeprefix("-")
        metric = metrics.BY_NAME.get(name)
        if metric is None or not metric.is_sortable:
            sortable = ", ".join(m.name for m in metrics.SORTABLE)
            self.errors["sort"] = f"{name!r} is not a metric to sort by; choose from {sortable}"
            return {}
        return {"sort": name, "descending": text.startswith("-")}

    def facets(self) -> dict[str, tuple[str, ...]]:
        found = {}
        for name in FACETS:
            values = tuple(dict.fromkeys(value for value in self.params.getlist(name) if value != ""))
            if values and self._facet_is_right(name, values):
                found[name] = tuple(Trust.from_code(code).code for code in values) if name == "trust" else values
        return found

    def _facet_is_right(self, name: str, values: tuple[str, ...]) -> bool:
        if len(values) > MAX_FACET_VALUES or any(len(value) > MAX_Q or "\x00" in value for value in values):
            self.errors[name] = f"at most {MAX_FACET_VALUES} values of {MAX_Q} characters"
        elif name in INTEGER_FACETS and any(not _is_count(value) for value in values):
            self.errors[name] = "a whole number, or unknown"
        elif name == "size" and any(value not in SIZES and value != "unknown" for value in values):
            self.errors[name] = f"one of {', '.join(SIZES)}, unknown"
        elif name == "trust" and any(not _is_trust(value) for value in values):
            self.errors[name] = "T1, Published, T2, T3 or T4"
        return name not in self.errors

    def limits(self) -> dict[tuple[str, str], float]:
        found = {}
        for column in LIMITED:
            for edge in ("min", "max"):
                value = self._number(f"{column}_{edge}")
                if value is not None:
                    found[column, edge] = value
        return found

    def columns(self) -> tuple[str, ...]:
        asked = [name for text in self.params.getlist("columns") for name in text.split(",") if name]
        unknown = [name for name in asked if name not in metrics.BY_NAME]
        if unknown:
            self.errors["columns"] = f"{unknown[0][:40]!r} is not a column; choose from {', '.join(metrics.BY_NAME)}"
        return tuple(dict.fromkeys(asked)) if asked and not unknown else DEFAULT_COLUMNS

    def not_negative(self, name: str) -> float | None:
        value = self._number(name)
        if value is not None and not 0 <= value <= MAX_PRICE:
            self.errors[name] = f"{value:g} is not from 0 to {MAX_PRICE:g}"
        return value

    def limit(self) -> int:
        text = self.text("limit") or str(DEFAULT_LIMIT)
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_LIMIT or len(text) > 9:
            self.errors["limit"] = f"a whole number from 1 to {MAX_LIMIT}"
            return DEFAULT_LIMIT
        return int(text)

    def cursor(self) -> Cursor | None:
        text = self.params.get("cursor", "")
        try:
            if len(text) > MAX_CURSOR:
                raise ValueError(text)
            return Cursor.decode(text) if text else None
        except ValueError:
            self.errors["cursor"] = "take it from the `next` of a previous answer"
            return None

    def _number(self, name: str) -> float | None:
        text = self.text(name)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.errors[name] = f"{text[:40]!r} is not a number"
            return None
        return value


def _is_count(value: str) -> bool:
    return value == "unknown" or (value.isascii() and value.isdigit() and len(value) <= 9)


def _is_trust(value: str) -> bool:
    """Drafts are never listed, so T0 is no level to ask for."""
    try:
        return Trust.from_code(value) != Trust.DRAFT
    except KeyError:
        return False
