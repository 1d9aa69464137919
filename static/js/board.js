// The leaderboard's form on top of htmx: short addresses, no request twice, nothing that was open or scrolled lost.
const form = document.querySelector("[data-board-form]");
const status = document.querySelector("[data-board-status]");
let lastAddress = location.href;
let openDetails = [];
let scrolled = 0;

const scroller = () => document.querySelector("#board [data-scroller]");
const say = (text, isError = false) => {
  status.textContent = text;
  status.classList.toggle("visually-hidden", !isError);
};

// The default columns are not spelled out until the reader changes one.
const areColumnsUntouched = () =>
  !new URLSearchParams(location.search).has("columns") &&
  [...form.elements].every((input) => input.name !== "columns" || input.checked === input.defaultChecked);

form.addEventListener("htmx:configRequest", ({ detail }) => {
  for (const [name, value] of [...detail.formData]) if (value === "") detail.formData.delete(name);
  if (areColumnsUntouched()) detail.formData.delete("columns");
});
// A field that was typed into fires once more when it is left.
form.addEventListener("htmx:beforeRequest", (event) => {
  const address = new URL(event.detail.pathInfo.finalRequestPath, location.href).href;
  if (address === lastAddress) event.preventDefault();
  lastAddress = address;
});
form.addEventListener("htmx:beforeSwap", () => {
  openDetails = [...document.querySelectorAll("#board details[open][id]")].map((details) => details.id);
  scrolled = scroller()?.scrollLeft ?? 0;
});
document.body.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id !== "board") return;
  for (const id of openDetails) document.getElementById(id)?.setAttribute("open", "");
  scroller()?.scrollTo({ left: scrolled, behavior: "instant" });
});
document.body.addEventListener("htmx:afterSettle", () => {
  say(document.querySelector("#board [data-board-summary]")?.textContent ?? "");
});
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  form.addEventListener(name, () => {
    lastAddress = "";
    say("The table could not be loaded: the server did not answer as expected. Try again or reload the page.", true);
  });
}
// Without htmx the form is sent as any other, so its buttons come back.
if (!window.htmx) document.documentElement.classList.remove("js");
