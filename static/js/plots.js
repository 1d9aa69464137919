// Charts with uPlot: one line per lane, one shared cursor, colours of the page's theme. Pages bring the series.
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
  return (token) => {
    probe.className = "";
    probe.classList.add("probe", token);
    return getComputedStyle(probe).color;
  };
}

/** The columns of one place, in its unit: times, then a line per lane. */
function columns(place, series) {
  const divisor = Number(place.dataset.divisor);
  const lines = series.fields[place.dataset.chart];
  return [series.elapsed, ...lines.map((line) => line.map((value) => (value === null ? null : value / divisor)))];
}

function chart(place, series, colour) {
  const { unit } = place.dataset;
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
  return new uPlot(options, columns(place, series), place);
}

/** Draws `series` ({lanes, elapsed, fields}) at each [data-chart] of the section. Returns {update(series), remove()}. */
export function drawCharts(section, series) {
  const colour = palette(section);
  const places = [...section.querySelectorAll("[data-chart]")].filter((place) => series.fields[place.dataset.chart]);
  const charts = places.map((place) => chart(place, series, colour));
  let whole;
  let isZoomed = false;

  const out = section.querySelector("[data-zoom-out]");
  const measure = ({ elapsed }) => { whole = { min: elapsed[0], max: elapsed.at(-1) }; };
  measure(series);
  const zoomOut = () => { for (const one of charts) one.setScale("x", whole); };
  out.addEventListener("click", zoomOut);
  charts[0].hooks.setScale = [(one) => {
    isZoomed = one.scales.x.min > whole.min || one.scales.x.max < whole.max;
    out.disabled = !isZoomed;
  }];
  section.querySelector("[data-charts-note]").hidden = false;

  const sizes = new ResizeObserver(() => {
    for (const [index, one] of charts.entries()) one.setSize({ width: places[index].clientWidth, height: HEIGHT });
  });
  sizes.observe(section);
  const redraw = () => { for (const one of charts) one.redraw(false); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  const theme = new MutationObserver(redraw);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });

  return {
    update(next) {
      const stays = isZoomed;
      measure(next);
      for (const [index, one] of charts.entries()) one.setData(columns(places[index], next), !stays);
      if (stays) redraw();
    },
    remove() {
      sizes.disconnect();
      theme.disconnect();
      out.removeEventListener("click", zoomOut);
      for (const one of charts.splice(0)) one.destroy();
    },
  };
}
