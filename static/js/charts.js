// Draws every [data-figure] with Plotly, and again when the theme or its width changes. What the server drew already is
// left until the reader turns to it; the rest is drawn when it comes near the window.
import { onThemeChange, onWidthChange } from "./chart_changes.js";
import { bindFiles } from "./chart_files.js";
import { bindKeys } from "./chart_keys.js";
import { dressed } from "./chart_theme.js";

const CONFIG = { displayModeBar: false, responsive: false, showTips: false, scrollZoom: false };
const source = document.querySelector("script[data-plotly]").dataset.plotly;
let plotly;

/** Plotly, fetched once, and only where a chart is looked at. */
function loaded() {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", reject);
    script.src = source;
    document.head.append(script);
  });
  return plotly;
}

const whenIdle = window.requestIdleCallback ?? ((act) => setTimeout(act, 200));

const figureOf = (place) => JSON.parse(document.getElementById(place.dataset.figure).textContent);

/** The address behind a point: that of its row's result, or "". */
function addressOf(figure, point) {
  const row = Array.isArray(point.customdata) ? point.customdata[0] : point.customdata;
  return figure.urls[row] ?? "";
}

async function draw(place) {
  const figure = figureOf(place);
  const Plotly = await loaded();
  const open = (point) => {
    const url = addressOf(figure, point);
    if (!url) return;
    if (window.top === window) location.assign(url);
    else window.open(url, "_blank", "noopener");
  };
  const render = () => {
    const { data, layout } = dressed(figure, place);
    return Plotly.react(place, data, layout, CONFIG);
  };
  place.querySelector(".still")?.remove();
  await render();
  place.dataset.drawn = "1";
  place.on("plotly_click", ({ points, event }) => {
    const url = addressOf(figure, points[0]);
    if (url && (event.ctrlKey || event.metaKey)) window.open(url, "_blank", "noopener");
    else open(points[0]);
  });
  bindKeys(place, Plotly, open);
  onThemeChange(render);
  onWidthChange(place, Plotly, render);
}

function failed(place) {
  place.hidden = !place.querySelector(".still");
  place.closest("figure").querySelector("[data-chart-failed]").hidden = false;
}

/** Text is read first, and clicks are answered: the library alone keeps the main thread for a while. */
const drawSoon = (place) => whenIdle(() => draw(place).catch(() => failed(place)));

const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    drawSoon(target);
  }
});

const TURNS = ["pointerenter", "pointerdown", "focus"];

function whenTurnedTo(place) {
  const turned = () => {
    for (const turn of TURNS) place.removeEventListener(turn, turned);
    drawSoon(place);
  };
  for (const turn of TURNS) place.addEventListener(turn, turned);
}

/** Takes care of the charts inside `root`, which htmx may have brought. */
function find(root) {
  for (const place of root.querySelectorAll("[data-figure]:not([data-found])")) {
    place.dataset.found = "1";
    bindFiles(place, loaded, () => figureOf(place));
    if (place.querySelector(".still")) whenTurnedTo(place);
    else near.observe(place);
  }
}
find(document);
document.addEventListener("htmx:load", ({ target }) => find(target));
