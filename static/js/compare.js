// Ticks of results to compare: kept while the table is filtered and sorted, at most eight, and counted on the button.
const MOST = 8;
const form = document.getElementById("compare");
const ticked = new Set();

const boxes = () => [...document.querySelectorAll("input[type=checkbox][form=compare]")];
const show = () => {
  const shown = new Set();
  for (const box of boxes()) {
    box.checked = ticked.has(box.value);
    box.disabled = !box.checked && ticked.size >= MOST;
    shown.add(box.value);
  }
  // Of rows that are not in the table now, the form itself remembers the tick.
  form.replaceChildren(...[...ticked].filter((id) => !shown.has(id)).map((id) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: "result", value: id });
    return input;
  }));
  for (const button of document.querySelectorAll("[data-compare-button]")) {
    button.textContent = ticked.size ? `Compare (${ticked.size})` : "Compare";
  }
};
const read = () => {
  for (const box of boxes()) if (box.checked) ticked.add(box.value);
  show();
};

if (form) {
  // Before the table's own form hears of it: a tick filters nothing.
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.form !== form) return;
    event.stopPropagation();
    ticked[box.checked ? "add" : "delete"](box.value);
    show();
  }, true);
  document.addEventListener("htmx:afterSwap", show);
  // A page that the browser took out of its memory has its ticks still.
  addEventListener("pageshow", read);
  read();
}
