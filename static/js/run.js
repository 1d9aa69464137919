// <section data-charts="address">: draws the series at that address, one line per lane.
import { drawCharts } from "./plots.js";

async function draw(section) {
  const answer = await fetch(section.dataset.charts);
  if (!answer.ok) throw new Error(answer.statusText);
  const series = await answer.json();
  series.elapsed = series.x.map((time) => time - series.x[0]);
  drawCharts(section, series);
}

for (const section of document.querySelectorAll("[data-charts]")) {
  draw(section).catch(() => { section.querySelector("[data-charts-error]").hidden = false; });
}
