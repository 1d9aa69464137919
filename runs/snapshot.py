"""The state of a run's lanes, folded from its events. Pure: it knows no Django and no clock.

static/js/lanes.js folds the same way from the state that the page holds; a browser test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Protocol

JOULES_PER_KWH = 3.6e6
#: a lane without an event for longer is stalled, and nothing is integrated over the silence
GAP_S = 10.0
#: what the sparkline shows
WINDOW_S = 60
#: memory in use above this share of what the lane has is hot
HOT_SHARE = 0.85
#: senders may name a new model with every event; beyond this many only the lane's mean counts them
MAX_MODELS = 50
#: grams of CO2 per kWh where nobody says which grid: the world's average, International Energy Agency 2019, as
#: codecarbon 3.3.2 (MIT) carries it in data/private_infra/carbon_intensity_per_source.json
WORLD_CO2_G_PER_KWH = 475.0
#: the figures of an event that are summarised and charted
FIELDS = ("tokenPerSec", "latencyMs", "vramUsedMB", "powerW", "temperatureC")


class LaneLike(Protocol):
    """What a lane is told to be before its first event."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def vram_gb(self) -> float | None: ...
    @property
    def cost_per_hour_usd(self) -> float | None: ...


@dataclass(slots=True)
class Figure:
    """One figure of a lane over all its events."""

    n: int = 0
    total: float = 0.0
    low: float | None = None
    high: float | None = None
    last: float | None = None

    def add(self, value: float, *, is_late: bool) -> None:
        self.n += 1
        self.total += value
        self.low = value if self.low is None or value < self.low else self.low
        self.high = value if self.high is None or value > self.high else self.high
        if not is_late:
            self.last = value

    @property
    def mean(self) -> float | None:
        return self.total / self.n if self.n else None


@dataclass(slots=True)
class LaneState:
    """One lane as it stands after the events so far. Times are seconds since 1970."""

    name: str
    type: str = ""
    vram_gb: float | None = None
    cost_per_hour_usd: float | None = None
    model: str = ""
    use_case: str = ""
    eval_index: int | None = None
    eval_total: int | None = None
    last_s: float | None = None
    figures: dict[str, Figure] = field(default_factory=lambda: {name: Figure() for name in FIELDS})
    #: tok/s per model
    by_model: dict[str, Figure] = field(default_factory=dict)
    power_s: float | None = None
    #: all output tokens and all joules that are known
    tokens: float | None = None
    energy_j: float | None = None
    #: tokens and joules of the stretches for which both are known
    paired_tokens: float = 0.0
    paired_energy_j: float = 0.0
    #: tokens since the last known joule; None when some of them are not known
    pending_tokens: float | None = 0.0
    #: (whole second, tok/s) of the last 60 s, the last value of each second
    recent: list[tuple[int, float]] = field(default_factory=list)

    @property
    def events(self) -> int:
        return self.figures["tokenPerSec"].n

    @property
    def tokens_per_s(self) -> float | None:
        return self.figures["tokenPerSec"].last

    @property
    def mean_tokens_per_s(self) -> float | None:
        return self.figures["tokenPerSec"].mean

    @property
    def recent_tokens_per_s(self) -> float | None:
        """Mean of the sparkline: what the leader is judged by, so that one quick tick does not move the mark."""
        return sum(value for _, value in self.recent) / len(self.recent) if self.recent else None

    @property
    def power_w(self) -> float | None:
        """The last known power, unless it is older than a gap."""
        if self.power_s is None or self.last_s is None or self.last_s - self.power_s > GAP_S:
            return None
        return self.figures["powerW"].last

    def vram_share(self, *, peak: bool) -> float | None:
        """Memory in use now or at most, as a share of the lane's memory; MB and GB are decimal."""
        figure = self.figures["vramUsedMB"]
        used = figure.high if peak else figure.last
        return used / 1000 / self.vram_gb if used is not None and self.vram_gb else None

    @property
    def tokens_per_joule(self) -> float | None:
        return self.paired_tokens / self.paired_energy_j if self.paired_energy_j > 0 else None

    def add(self, event: Mapping[str, Any]) -> None:
        """Fold one event in. One that is older than the newest counts in means and sums and moves nothing else."""
        now_s = seconds(event["ts"])
        is_late = self.last_s is not None and now_s < self.last_s
        if is_late:
            self._add_late(event)
        else:
            self._add_energy(event, now_s)
            self._add_last(event, now_s)
        for name in FIELDS:
            value = event.get(name)
            if value is not None:
                self.figures[name].add(value, is_late=is_late)
        model = event["model"]
        if model in self.by_model or len(self.by_model) < MAX_MODELS:
            self.by_model.setdefault(model, Figure()).add(event["tokenPerSec"], is_late=is_late)

    def _add_late(self, event: Mapping[str, Any]) -> None:
        tokens, energy = event.get("outputTokens"), event.get("energyJ")
        self._sum(tokens, energy)
        if tokens is not None and energy is not None:
            self.paired_tokens += tokens
            self.paired_energy_j += energy

    def _add_energy(self, event: Mapping[str, Any], now_s: float) -> None:
        """Given where given, else the trapezoid over the time since the last value, unless that was a gap ago."""
        tokens, energy, power = event.get("outputTokens"), event.get("energyJ"), event.get("powerW")
        if tokens is None:
            tokens = _trapezoid(self.last_s, self.tokens_per_s, now_s, event["tokenPerSec"])
        if energy is None:
            energy = _trapezoid(self.power_s, self.figures["powerW"].last, now_s, power)
        self._sum(tokens, energy)
        pending = self.pending_tokens
        self.pending_tokens = None if pending is None or tokens is None else pending + tokens
        if energy is not None and self.pending_tokens is not None:
            self.paired_tokens += self.pending_tokens
            self.paired_energy_j += energy
        if energy is not None or power is not None:
            self.pending_tokens = 0.0

    def _add_last(self, event: Mapping[str, Any], now_s: float) -> None:
        self.model, self.use_case = event["model"], event["useCase"]
        self.eval_index, self.eval_total = event["evalProgressIdx"], event["evalTotal"]
        self.last_s = now_s
        if event.get("powerW") is not None:
            self.power_s = now_s
        second = int(now_s)
        if self.recent and self.recent[-1][0] == second:
            self.recent[-1] = (second, event["tokenPerSec"])
            return
        self.recent.append((second, event["tokenPerSec"]))
        while self.recent[0][0] <= second - WINDOW_S:
            del self.recent[0]

    def _sum(self, tokens: float | None, energy_j: float | None) -> None:
        if tokens is not None:
            self.tokens = (self.tokens or 0.0) + tokens
        if energy_j is not None:
            self.energy_j = (self.energy_j or 0.0) + energy_j


def fold(lanes: Iterable[LaneLike | LaneState], events: Iterable[Mapping[str, Any]]) -> list[LaneState]:
    """The state of every lane after `events`, which are the contract's ProgressEvents in order of seq.

    `lanes` may be states to go on with. A lane that only its events name comes behind the others.
    """
    states = {lane.name: lane if isinstance(lane, LaneState) else _new_lane(lane) for lane in lanes}
    for event in events:
        state = states.get(event["gpuId"])
        if state is None:
            state = states[event["gpuId"]] = LaneState(event["gpuId"])
        state.add(event)
    return list(states.values())


def closing(states: Iterable[LaneState]) -> dict[str, Any]:
    """`states` as JSON, for `Run.snapshot`, for the cache and for the page's script; `restore` reads it."""
    return {"lanes": [asdict(state) for state in states]}


def restore(snapshot: Mapping[str, Any]) -> list[LaneState]:
    known = {entry.name for entry in fields(LaneState)}
    states = []
    for lane in snapshot.get("lanes", []):
        values = {name: value for name, value in lane.items() if name in known}
        values["figures"] = {name: Figure(**value) for name, value in lane["figures"].items()}
        values["by_model"] = {name: Figure(**value) for name, value in lane["by_model"].items()}
        values["recent"] = [(second, value) for second, value in lane["recent"]]
        states.append(LaneState(**values))
    return states


def usd_per_million_tokens(cost_per_hour_usd: float | None, tokens_per_s: float | None) -> float | None:
    """Price of 10^6 output tokens at that rate: cost_per_hour / (tok/s x 3600) x 10^6."""
    if cost_per_hour_usd is None or not tokens_per_s:
        return None
    return cost_per_hour_usd / (tokens_per_s * 3600) * 1e6


def co2_g_per_million_tokens(joules_per_token: float | None, *, co2_g_per_kwh: float, pue: float) -> float | None:
    """Grams of CO2 for 10^6 output tokens: J/token x 10^6 / 3.6x10^6 x PUE x g/kWh."""
    return None if joules_per_token is None else joules_per_token * 1e6 / JOULES_PER_KWH * pue * co2_g_per_kwh


def joules_per_token(state: LaneState, *, is_over: bool) -> float | None:
    """While it runs W / (tok/s) of the last events; over the whole run once it is over."""
    if is_over:
        return 1 / state.tokens_per_joule if state.tokens_per_joule else None
    return state.power_w / state.tokens_per_s if state.power_w is not None and state.tokens_per_s else None


def leader(states: Sequence[LaneState], *, is_over: bool) -> str | None:
    """Name of the lane with the highest mean tok/s, of the last 60 s or of the whole run; None with fewer than two."""
    rates = {
        state.name: rate
        for state in states
        if (rate := state.mean_tokens_per_s if is_over else state.recent_tokens_per_s) is not None
    }
    return max(rates, key=lambda name: rates[name]) if len(rates) > 1 else None


def seconds(moment: Any) -> float:
    """Seconds since 1970 of an event's `ts`."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)


def _new_lane(lane: LaneLike) -> LaneState:
    return LaneState(lane.name, lane.type, lane.vram_gb, lane.cost_per_hour_usd)


def _trapezoid(then_s: float | None, then: float | None, now_s: float, now: float | None) -> float | None:
    """Integral over the time since the last value; None without both values or over a gap."""
    if then_s is None or then is None or now is None or now_s - then_s > GAP_S:
        return None
    return (then + now) / 2 * (now_s - then_s)
