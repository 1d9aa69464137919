// What makes a drawn chart another: the theme of the page, and the width of its place.
import { isNarrow } from "./chart_theme.js";

export function onThemeChange(act) {
  // The page shows its new colours first: a chart takes longer than a click may.
  const soon = () => requestAnimationFrame(() => setTimeout(act));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
  new MutationObserver(soon).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

/** A new width needs a new layout where it crosses the phone's, and new sizes else. */
export function onWidthChange(place, Plotly, render) {
  let width = place.clientWidth;
  let wasNarrow = isNarrow(place);
  new ResizeObserver(() => {
    if (place.clientWidth === width || place.clientWidth === 0) return;
    width = place.clientWidth;
    if (isNarrow(place) === wasNarrow) Plotly.Plots.resize(place);
    else render();
    wasNarrow = isNarrow(place);
  }).observe(place);
}
