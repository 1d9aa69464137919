// The search of a log: lines that hold the words are marked, buttons and Enter go from one to the next.

/** Binds the search of `tools` to the lines of `pre`. `onGo(line)` brings one into view. Returns {renew()}. */
export function bindSearch(tools, pre, onGo) {
  const [search, found] = [tools.querySelector("[type=search]"), tools.querySelector("[data-log-found]")];
  const steps = tools.querySelectorAll("[data-log-step]");
  let hits = [];
  let at = -1;

  function look() {
    for (const line of hits) line.classList.remove("hit");
    const wanted = search.value.toLowerCase();
    hits = wanted ? [...pre.children].filter((line) => line.textContent.toLowerCase().includes(wanted)) : [];
    for (const line of hits) line.classList.add("hit");
    for (const button of steps) button.disabled = !hits.length;
    found.textContent = wanted ? `${hits.length.toLocaleString("en")} lines` : "";
  }
  function go(index) {
    if (!hits.length) return;
    pre.querySelector(".here")?.classList.remove("here");
    at = (index + hits.length) % hits.length;
    hits[at].classList.add("here");
    found.textContent = `${at + 1} of ${hits.length.toLocaleString("en")} lines`;
    onGo(hits[at]);
  }

  tools.addEventListener("submit", (event) => {
    event.preventDefault();
    go(at + 1);
  });
  search.addEventListener("input", () => {
    pre.querySelector(".here")?.classList.remove("here");
    look();
    go(hits.length - 1);
  });
  for (const button of steps) button.addEventListener("click", () => go(at + Number(button.dataset.logStep)));
  return { renew: () => { if (search.value) look(); } };
}
