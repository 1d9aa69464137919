// <section data-charts="address">: draws the series at that address with uPlot, one line per lane, one shared cursor.
import { clock, number } from "./numbers.js";

const HEIGHT = 220;
const DASHES = [[], [9, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 5]];
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400, 604_800];
const FROM_ZERO = { range: { min: { soft: 0, mode: 1 }, max: { pad: 0.1, mode: 2 } } };
const BORDERS = ["solid", "dashed", "dotted", "double", "dashed", "dotted"]; // of the legend's marks

/** Colours are read when a chart is drawn, so that a change of theme needs a redraw only. */
function palette(section) {
  const probe = section.appendChild(document.createElement("i"));
  probe.hidden = true;
  const read = (token) => {
    probe.className = "";
    probe.classList.add("probe", token);
    return getComputedStyle(probe).color;
  };
  return read;
}

function chart(place, series, colour) {
  const { chart: name, unit } = place.dataset;
  const divisor = Number(place.dataset.divisor);
  const lines = series.fields[name].map((line) => line.map((value) => (value === null ? null : value / divisor)));
  const axis = { stroke: () => colour("axis"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false } };
  const options = {
    width: place.clientWidth,
    height: HEIGHT,
    scales: { x: { time: false }, y: place.dataset.fromZero ? FROM_ZERO : {} },
    legend: { markers: { width: 3, dash: (_, index) => BORDERS[(index - 1) % BORDERS.length] } },
    cursor: { sync: { key: "run" }, drag: { x: true, y: false }, points: { size: 6 } },
    axes: [
      { ...axis, incrs: STEPS_S, values: (_, ticks) => ticks.map(clock) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => String(Number(tick.toPrecision(6)))) },
    ],
    series: [
      { label: "Time", value: (_, x) => (x === null ? "–" : clock(x)) },
      ...series.lanes.map((label, index) => ({
        label,
        stroke: () => colour(`s${(index % DASHES.length) + 1}`),
        dash: DASHES[index % DASHES.length],
        width: 1.5,
        spanGaps: false,
        points: { show: false },
        value: (_, value) => (value === null ? "–" : `${number(value, 3)} ${unit}`),
      })),
    ],
  };
  return new uPlot(options, [series.elapsed, ...lines], place);
}

async function draw(section) {
  const answer = await fetch(section.dataset.charts);
  if (!answer.ok) throw new Error(answer.statusText);
  const series = await answer.json();
  series.elapsed = series.x.map((time) => time - series.x[0]);
  const colour = palette(section);
  const places = [...section.querySelectorAll("[data-chart]")].filter((place) => series.fields[place.dataset.chart]);
  const charts = places.map((place) => chart(place, series, colour));

  const out = section.querySelector("[data-zoom-out]");
  const whole = { min: series.elapsed[0], max: series.elapsed.at(-1) };
  out.addEventListener("click", () => { for (const one of charts) one.setScale("x", whole); });
  charts[0].hooks.setScale = [(one) => { out.disabled = one.scales.x.min <= whole.min && one.scales.x.max >= whole.max; }];
  section.querySelector("[data-charts-note]").hidden = false;

  new ResizeObserver(() => {
    for (const [index, one] of charts.entries()) one.setSize({ width: places[index].clientWidth, height: HEIGHT });
  }).observe(section);
  const redraw = () => { for (const one of charts) one.redraw(false); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

for (const section of document.querySelectorAll("[data-charts]")) {
  draw(section).catch(() => { section.querySelector("[data-charts-error]").hidden = false; });
}
