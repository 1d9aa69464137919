"""Power and temperature over time, of one result or of two side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard import format as fmt
from leaderboard.analysis.traces import GpuTrace, thin
from leaderboard.charts import look
from leaderboard.charts.base import Chart, Column, Table, Value
from leaderboard.charts.panels import Panels

SLUG = "power"
TITLE = "Power and temperature over time"
MOST_RESULTS = 2
#: of one result, over all its GPUs
MAX_POINTS = 2_000


@dataclass(frozen=True, slots=True)
class Quantity:
    #: of GpuTrace
    name: str
    label: str
    unit: str


QUANTITIES = (Quantity("power_w", "Power", "W"), Quantity("temperature_c", "Temperature", "°C"))


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded while a result was measured."""

    title: str
    detail: str
    url: str
    traces: Sequence[GpuTrace]

    def thinned(self) -> Recording:
        most = max(MAX_POINTS // max(len(self.traces), 1), 8)
        return Recording(self.title, self.detail, self.url, [thin(trace, most) for trace in self.traces])


def power(recordings: Sequence[Recording], notes: Sequence[str] = ()) -> Chart:
    """At most MOST_RESULTS recordings, each a column; power above, temperature below where any GPU told it."""
    shown = [recording.thinned() for recording in recordings if recording.traces][:MOST_RESULTS]
    quantities = _quantities(shown)
    panels = Panels(len(quantities), max(len(shown), 1))
    table, urls = _rows(shown)
    return Chart(
        slug=SLUG,
        title=TITLE,
        summary=" ".join(_sentence(recording) for recording in shown) or "Nothing was recorded over time.",
        traces=list(_traces(shown, quantities, panels)),
        layout=_layout(shown, quantities, panels),
        table=Table(
            (
                Column("result", "Result"),
                Column("gpu", "GPU"),
                Column("time_s", "Time", "s"),
                Column("power_w", "Power", "W"),
                Column("temperature_c", "Temperature", "°C"),
            ),
            table,
            urls,
        ),
        notes=[*_thinning_notes(shown), *notes],
    )


def _quantities(shown: Sequence[Recording]) -> list[Quantity]:
    """Those that any GPU told."""
    traces = [trace for recording in shown for trace in recording.traces]
    told = [one for one in QUANTITIES if any(value is not None for t in traces for value in getattr(t, one.name))]
    return told or [QUANTITIES[0]]


def _rows(shown: Sequence[Recording]) -> tuple[list[list[Value]], list[str]]:
    rows: list[list[Value]] = []
    urls = []
    for recording in shown:
        for trace in recording.traces:
            rows += [
                [recording.title, trace.gpu, moment, watts, degrees]
                for moment, watts, degrees in zip(trace.t_s, trace.power_w, trace.temperature_c, strict=True)
            ]
            urls += [recording.url] * len(trace.t_s)
    return rows, urls


def _traces(shown: Sequence[Recording], quantities: Sequence[Quantity], panels: Panels) -> Iterator[dict[str, Any]]:
    first_row = 0
    for column, recording in enumerate(shown):
        for number, trace in enumerate(recording.traces):
            rows = list(range(first_row, first_row + len(trace.t_s)))
            for row, quantity in enumerate(quantities):
                key = panels.key(row, column)
                yield _line(trace, quantity, number) | {
                    "xaxis": f"x{key}",
                    "yaxis": f"y{key}",
                    "customdata": rows,
                    # The GPUs of both results have the same marks, so one legend serves.
                    "showlegend": row == 0 and column == _most_gpus(shown),
                }
            first_row += len(trace.t_s)


def _most_gpus(shown: Sequence[Recording]) -> int:
    return max(range(len(shown)), key=lambda column: len(shown[column].traces))


def _line(trace: GpuTrace, quantity: Quantity, number: int) -> dict[str, Any]:
    mark = look.mark(number)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": look.plain(trace.gpu),
        "legendgroup": f"gpu-{number}",
        "x": list(trace.t_s),
        "y": list(getattr(trace, quantity.name)),
        "line": {"color": mark.color, "dash": mark.dash, "width": 1.5},
        "connectgaps": False,
        "meta": {"x_unit": "s", "y_unit": quantity.unit},
        "hovertemplate": f"%{{fullData.name}}<br>%{{y:.4~r}} {quantity.unit} at %{{x:.1f}} s<extra></extra>",
    }


def _layout(shown: Sequence[Recording], quantities: Sequence[Quantity], panels: Panels) -> dict[str, Any]:
    axes = panels.axes("Time (s)", [look.with_unit(one.label, one.unit) for one in quantities])
    for column in range(panels.columns):
        axes[f"yaxis{panels.key(0, column)}"]["rangemode"] = "tozero"
    places = panels.rows * panels.columns
    height = look.MEDIUM if places == 1 else look.LARGE if panels.columns == 1 else look.TALL
    x, y = axes.pop("xaxis"), axes.pop("yaxis")
    layout = look.layout(x=x, y=y, height=height, **axes)
    narrow: dict[str, Any] = panels.narrow_axes()
    if panels.columns > 1:
        # The legend makes room for the titles of the columns.
        layout["legend"] = {**layout["legend"], "y": 1.05}
        layout["annotations"] = panels.titles([f"{one.title}, {one.detail}" for one in shown])
        narrow["margin"] = {"t": 26}
        narrow["annotations"] = panels.titles([one.title for one in shown], is_narrow=True)
    return {**layout, "narrow": narrow}


def _sentence(recording: Recording) -> str:
    figures = []
    traces = recording.traces
    known = [trace.mean_w for trace in traces if trace.mean_w is not None]
    if known:
        figures.append(f"{fmt.number(sum(known), 4)} W on average over {fmt.count(len(known), 'GPU')}")
        figures.append(f"one GPU at most {fmt.number(_greatest(trace.power_w for trace in traces), 4)} W")
    hottest = _greatest(trace.temperature_c for trace in traces)
    if hottest is not None:
        figures.append(f"at most {fmt.number(hottest, 3)} °C")
    seconds = max((trace.t_s[-1] - trace.t_s[0] for trace in traces if len(trace.t_s)), default=0.0)
    return f"{recording.title}: {', '.join(figures)}, in {fmt.number(float(seconds), 4)} s."


def _greatest(lines: Iterator[Sequence[float | None]]) -> float | None:
    return max((float(value) for line in lines for value in line if value is not None), default=None)


def _thinning_notes(shown: Sequence[Recording]) -> list[str]:
    drawn = sum(len(trace.t_s) for recording in shown for trace in recording.traces)
    samples = sum(trace.samples for recording in shown for trace in recording.traces)
    if drawn >= samples:
        return []
    words = f"{drawn:,} of {samples:,} samples are drawn: of every stretch the least and the greatest power and "
    return [words + "temperature, so no peak is lost. Means are over all samples."]
