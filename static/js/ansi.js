// Terminal text as spans with classes: colours, bold and faint are kept, whatever else a terminal would do is left out.
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
// CSI, OSC, and single escapes; the parameters of a CSI that ends in "m" say how to paint.
const ESCAPE = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\|$)|[@-Z\\^_]|[ -/][0-~])/g;
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

export const newPen = () => ({ colour: "", bold: false, faint: false });

/** Append one line's text to `place`, and leave `pen` as the line left it. */
export function paint(place, line, pen) {
  let last = 0;
  for (const match of line.matchAll(ESCAPE)) {
    write(place, line.slice(last, match.index), pen);
    last = match.index + match[0].length;
    if (match[2] === "m") turn(pen, match[1]);
  }
  write(place, line.slice(last), pen);
}

function write(place, text, pen) {
  // A bar that draws over itself shows what stood last.
  const back = text.lastIndexOf("\r");
  if (back >= 0) place.replaceChildren();
  const clean = text.slice(back + 1).replace(CONTROL, "");
  if (!clean) return;
  const names = [pen.colour && `ansi-${pen.colour}`, pen.bold && "ansi-bold", pen.faint && "ansi-faint"].filter(Boolean);
  if (!names.length) return place.append(clean);
  const span = document.createElement("span");
  span.classList.add(...names);
  span.textContent = clean;
  place.append(span);
}

function turn(pen, parameters) {
  const codes = parameters.split(/[;:]/).map(Number);
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index];
    if (code === 38 || code === 48) index += codes[index + 1] === 2 ? 4 : 2; // colours of their own are not kept
    else if (code === 0) Object.assign(pen, newPen());
    else if (code === 1) pen.bold = true;
    else if (code === 2) pen.faint = true;
    else if (code === 22) pen.bold = pen.faint = false;
    else if (code === 39) pen.colour = "";
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) pen.colour = NAMES[code % 10];
  }
}
