// <section data-strip="address">: shows the live run there while there is one. Its height never changes.
const EVERY_MS = 10_000;

function bind(place) {
  const quiet = [...place.childNodes];

  async function refresh() {
    if (document.hidden) return;
    const answer = await fetch(place.dataset.strip).catch(() => null);
    if (answer?.status === 200) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...page.body.childNodes);
    } else if (answer?.status === 204) {
      place.replaceChildren(...quiet);
    }
  }
  refresh();
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);
}

for (const place of document.querySelectorAll("[data-strip]")) bind(place);
