// A job's page: <section data-telemetry="address"> draws what the GPUs did and goes on while the attempt runs;
// the state is said once when it changes, not with every look.
import { drawCharts } from "./plots.js";

const EVERY_MS = 3000;
const MOST_POINTS = 4000; // then the whole is fetched anew, in fewer points

const bound = new WeakSet(); // htmx tells of one swap several times

function bind(section) {
  if (bound.has(section)) return;
  bound.add(section);
  let series = null;
  let charts = null;
  let timer = 0;

  const ask = async (after) => {
    const answer = await fetch(`${section.dataset.telemetry}?after=${after}`);
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  };
  const show = () => {
    series.elapsed = series.x;
    section.querySelector("[data-charts-empty]").hidden = series.x.length > 0;
    section.querySelector("[data-charts-grid]").hidden = !series.x.length;
    if (!series.x.length) return;
    if (charts) charts.update(series);
    else charts = drawCharts(section, series);
  };
  async function look() {
    if (!section.isConnected) return charts?.remove();
    if (document.hidden && series) return later();
    const goesOn = series && series.every === 1 && series.x.length < MOST_POINTS;
    const next = await ask(goesOn ? series.next : 1).catch(() => null);
    section.querySelector("[data-charts-error]").hidden = next !== null;
    if (!next) return later();
    const isNew = !goesOn || next.x.length > 0;
    if (goesOn && (!next.x.length || sameLanes(series, next))) series = joined(series, next);
    else if (goesOn) series = await ask(1); // a GPU appeared or went
    else {
      charts?.remove();
      charts = null;
      series = next;
    }
    if (isNew) show();
    if (!series.over) later();
  }
  function later() {
    clearTimeout(timer);
    timer = setTimeout(look, EVERY_MS);
  }
  look();
}

const sameLanes = (one, other) => String(one.lanes) === String(other.lanes);

function joined(series, next) {
  const fields = {};
  for (const [name, lines] of Object.entries(series.fields)) {
    fields[name] = lines.map((line, index) => line.concat(next.fields[name][index] ?? []));
  }
  return { ...series, x: series.x.concat(next.x), fields, next: next.next, over: next.over };
}

function bindAll(root) {
  for (const section of root.querySelectorAll("[data-telemetry]")) bind(section);
}

function announce(status) {
  const place = document.querySelector("[data-job-announce]");
  if (place.textContent !== status.dataset.words) place.textContent = status.dataset.words;
  document.title = document.title.replace(/: [^·]*/, `: ${status.dataset.words} `);
}

document.body.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id === "job-status") announce(target);
});
document.body.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id === "job-record") bindAll(document.querySelector("#job-record"));
});
bindAll(document);
