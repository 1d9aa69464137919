// A figure names colours by tokens ("series-1", "text", "line/0.5"); here they become those of the page's theme.
const NARROW_PX = 600;
const TOKEN = /^(?:series-[1-6]|text|muted|faint|line|line-soft|control|page|surface|accent|accent-soft|good|warn|link)(?:\/[\d.]+)?$/;
const IS_COLOUR = /colou?r(?:s|scale|way)?$/;

export const isNarrow = (place) => place.clientWidth < NARROW_PX;

/** Colours are read when a figure is drawn, so that a change of theme needs a new drawing only. */
function palette(place) {
  const probe = place.appendChild(document.createElement("i"));
  probe.hidden = true;
  const known = new Map();
  const read = (token) => {
    const [name, opacity] = token.split("/");
    probe.dataset.token = name;
    const colour = getComputedStyle(probe).color;
    return opacity ? colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${opacity})`) : colour;
  };
  const colour = (token) => {
    if (!known.has(token)) known.set(token, read(token));
    return known.get(token);
  };
  return { colour, done: () => probe.remove() };
}

function paint(value, colour, isColour) {
  if (typeof value === "string") return isColour && TOKEN.test(value) ? colour(value) : value;
  if (Array.isArray(value)) return isColour ? value.map((one) => paint(one, colour, true)) : value.map((one) => paint(one, colour, false));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, paint(one, colour, IS_COLOUR.test(key))]));
}

function merged(base, over) {
  const whole = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const isPlain = value !== null && typeof value === "object" && !Array.isArray(value);
    whole[key] = isPlain ? merged(whole[key] ?? {}, value) : value;
  }
  return whole;
}

/** What a phone needs: little beside the drawing, the legend below the title of the axis. */
const phone = (place) => ({
  margin: { l: 44, r: 8, t: 8, b: 44 },
  font: { size: 11.5 },
  legend: { x: 0, xanchor: "left", y: -58 / (place.clientHeight - 110), yanchor: "top" },
  dragmode: false,
});

/** The data and the layout of `figure` for the theme and the width of `place`; new objects, for Plotly writes on them. */
export function dressed(figure, place, narrow = isNarrow(place)) {
  const { height, narrow: own = {}, ...base } = figure.layout;
  const layout = narrow ? merged(merged(base, phone(place)), own) : base;
  const { colour, done } = palette(place);
  const font = getComputedStyle(place).fontFamily;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const whole = merged(layout, {
    autosize: true,
    uirevision: figure.slug,
    font: { family: font },
    hoverlabel: { font: { family: font } },
    ...(still ? { transition: { duration: 0 } } : {}),
  });
  const painted = { data: paint(figure.data, colour, false), layout: paint(whole, colour, false) };
  done();
  return painted;
}

/** The colour of one token at `place`, for what is drawn outside the figure. */
export function colourOf(place, token) {
  const { colour, done } = palette(place);
  const found = colour(token);
  done();
  return found;
}
