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

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => ESCAPES[sign]);

function element(name, attributes, text = "") {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  return `<${name}${pairs.join("")}>${escaped(text)}</${name}>`;
}

/** Where the figure is from: the site on the left, its address on the right. */
function foot(figure, place) {
  const font = { "font-family": "system-ui, sans-serif", "font-size": 14, y: HEIGHT + 14, fill: colourOf(place, "muted") };
  const address = figure.address.length > 130 ? `${figure.address.slice(0, 129)}…` : figure.address;
  return [
    element("rect", { x: 0, y: HEIGHT, width: WIDTH, height: FOOT, fill: colourOf(place, "surface") }),
    element("text", { ...font, x: 24, "font-weight": 600 }, place.closest("figure").dataset.site),
    element("text", { ...font, x: WIDTH - 24, "text-anchor": "end" }, address),
  ].join("");
}

/** The SVG text of the figure with its foot. It stays text: a parser would apply the page's policy to its styles. */
async function svgText(Plotly, figure, place) {
  const url = await Plotly.toImage(exported(figure, place), { format: "svg", width: WIDTH, height: HEIGHT });
  const text = decodeURIComponent(url.slice(url.indexOf(",") + 1));
  const inner = text.slice(text.indexOf(">", text.indexOf("<svg")) + 1, text.lastIndexOf("</svg>"));
  const size = `width="${WIDTH}" height="${HEIGHT + FOOT}" viewBox="0 0 ${WIDTH} ${HEIGHT + FOOT}"`;
  const root = `<svg xmlns="${XMLNS}" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>`;
  return `${root}${inner}${foot(figure, place)}</svg>`;
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

/** `loaded` brings Plotly, which the first file may need before the page does. */
export function bindFiles(place, loaded, figureOf) {
  for (const button of place.closest("figure").querySelectorAll("[data-chart-file]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const kind = button.dataset.chartFile;
      button.disabled = true;
      try {
        const figure = figureOf();
        const text = await svgText(await loaded(), figure, place);
        save(kind === "svg" ? new Blob([text], { type: "image/svg+xml" }) : await png(text), `${figure.slug}.${kind}`);
      } finally {
        button.disabled = false;
      }
    });
  }
}
