// A chart by keyboard: arrows move through its points and read them out, Enter opens the result of one.
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** Text as Plotly writes it, back to what a person reads. */
const readable = (text) => String(text).replaceAll("<br>", ", ").replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]);

/** A point without a text of its own: the figure and where it stands, in the units that the trace names. */
function plainly({ name = "", meta = {} }, x, y) {
  const figure = typeof y === "number" ? Number(y.toPrecision(4)) : y ?? "nothing";
  return `${name}, ${figure} ${meta.y_unit ?? ""} at ${typeof x === "number" ? Number(x.toPrecision(6)) : x} ${meta.x_unit ?? ""}`.trim();
}

const list = (values) => (values && typeof values === "object" ? Array.from(values) : []);

/** The points of one trace that have a row in the table. Those of a heatmap are numbered by row and column. */
function pointsOf(trace, curveNumber) {
  const points = allOf(trace, curveNumber);
  // Marks alone have no order of their own: they are walked through from left to right.
  const isOrdered = trace.mode !== "markers" || points.some(({ x }) => typeof x !== "number");
  return isOrdered ? points : points.sort((one, other) => one.x - other.x);
}

function allOf(trace, curveNumber) {
  return list(trace.customdata).flatMap((row, i) => {
    const cells = Array.isArray(row) && Array.isArray(list(trace.z)[i]) ? row.map((cell, j) => [cell, [i, j]]) : [[row, i]];
    return cells.filter(([cell]) => cell !== null).map(([customdata, number]) => {
      const [j, k] = Array.isArray(number) ? number : [number];
      const texts = Array.isArray(trace.hovertext) ? trace.hovertext : list(trace.text);
      const text = k === undefined ? texts[j] : texts[j]?.[k];
      const [x, y] = k === undefined ? [trace.x?.[j], trace.y?.[j]] : [trace.x?.[k], trace.y?.[j]];
      return { curveNumber, pointNumber: number, customdata, x, y, text: text ?? plainly(trace, x, y) };
    });
  });
}

/** The series of the figure, each a list of points, in the order of the legend. */
const seriesOf = (place) => place.data
  .map((trace, curve) => (trace.visible === "legendonly" || trace.visible === false ? [] : pointsOf(trace, curve)))
  .filter((points) => points.length);

const nearest = (points, x) => {
  if (typeof x !== "number") return Math.max(points.findIndex((point) => point.x === x), 0);
  const distances = points.map((point) => Math.abs(point.x - x));
  return distances.indexOf(Math.min(...distances));
};

function moved({ series, point }, key, all) {
  const last = all[series].length - 1;
  const other = Math.min(Math.max(series + (key === "ArrowDown" ? 1 : -1), 0), all.length - 1);
  switch (key) {
    case "ArrowRight": return { series, point: Math.min(point + 1, last) };
    case "ArrowLeft": return { series, point: Math.max(point - 1, 0) };
    case "Home": return { series, point: 0 };
    case "End": return { series, point: last };
    default: return { series: other, point: other === series ? point : nearest(all[other], all[series][point].x) };
  }
}

export function bindKeys(place, Plotly, open) {
  const line = place.closest("figure").querySelector("[data-chart-read]");
  let at = null;

  const show = (all) => {
    const { curveNumber, pointNumber, text } = all[at.series][at.point];
    Plotly.Fx.hover(place, [{ curveNumber, pointNumber }]);
    line.textContent = `${readable(text)}. Point ${at.point + 1} of ${all[at.series].length}${all.length > 1 ? `, series ${at.series + 1} of ${all.length}` : ""}.`;
  };

  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const all = seriesOf(place);
    if (event.key === "Enter" && at) open(all[at.series][at.point]);
    else if (event.key === "Escape") leave();
    else if (all.length && /^(?:Arrow(?:Left|Right|Up|Down)|Home|End)$/.test(event.key)) {
      event.preventDefault();
      at = at && all[at.series]?.[at.point] ? moved(at, event.key, all) : { series: 0, point: 0 };
      show(all);
    }
  });

  function leave() {
    at = null;
    line.textContent = "";
    Plotly.Fx.unhover(place);
  }
  place.addEventListener("blur", leave);
}
