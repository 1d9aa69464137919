// The buttons "PNG" and "SVG": the figure as a file, with its title above, the site and its address below.
import { colourOf, dressed } from "./chart_theme.js";

const WIDTH = 1200;
const HEIGHT = 675;
const FOOT = 36;
const SCALE = 2;
const XMLNS = "http://www.w3.org/2000/svg";

/** The figure at a fixed size, on the surface of the page's theme. */
function exported(figure, place) {
  const { data, layout } = dressed(figure, place, false);
  const surface = colourOf(place, "surface");
  return {
    data,
    layout: {
      ...layout,
      paper_bgcolor: surface,
      plot_bgcolor: surface,
      margin: { ...layout.margin, t: 96, r: 32 },
      title: { text: figure.title, x: 0.02, xanchor: "left", y: 0.965, yanchor: "top", font: { size: 20, color: colourOf(place, "text") } },
    },
    config: { staticPlot: true },
  };
}

function add(svg, name, attributes, text = "") {
  const element = document.createElementNS(XMLNS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  svg.append(element);
}

/** The SVG text of the figure, with a foot that says where it is from. */
async function svgText(Plotly, figure, place) {
  const url = await Plotly.toImage(exported(figure, place), { format: "svg", width: WIDTH, height: HEIGHT });
  const parsed = new DOMParser().parseFromString(decodeURIComponent(url.slice(url.indexOf(",") + 1)), "image/svg+xml");
  const svg = parsed.documentElement;
  const tall = HEIGHT + FOOT;
  svg.setAttribute("height", tall);
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${tall}`);
  const site = place.closest("figure").dataset.site;
  const font = { "font-family": "system-ui, sans-serif", "font-size": 14, fill: colourOf(place, "muted") };
  add(svg, "rect", { x: 0, y: HEIGHT, width: WIDTH, height: FOOT, fill: colourOf(place, "surface") });
  add(svg, "text", { ...font, x: 24, y: HEIGHT + 14, "font-weight": 600 }, site);
  const address = figure.address.length > 130 ? `${figure.address.slice(0, 129)}…` : figure.address;
  add(svg, "text", { ...font, x: WIDTH - 24, y: HEIGHT + 14, "text-anchor": "end" }, address);
  return new XMLSerializer().serializeToString(svg);
}

/** Plotly would draw its PNG from a blob: address, which the page's policy refuses as an image. */
function png(text) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.addEventListener("error", reject);
    image.addEventListener("load", () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH * SCALE, height: (HEIGHT + FOOT) * SCALE });
      const context = canvas.getContext("2d");
      context.scale(SCALE, SCALE);
      context.drawImage(image, 0, 0, WIDTH, HEIGHT + FOOT);
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no image"))), "image/png");
    });
    image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
  });
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function bindFiles(place, Plotly, figure) {
  for (const button of place.closest("figure").querySelectorAll("[data-chart-file]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const kind = button.dataset.chartFile;
      button.disabled = true;
      try {
        const text = await svgText(Plotly, figure, place);
        save(kind === "svg" ? new Blob([text], { type: "image/svg+xml" }) : await png(text), `${figure.slug}.${kind}`);
      } finally {
        button.disabled = false;
      }
    });
  }
}
