// <b data-countdown="seconds">: counts down; data-then="reload" loads the page once it is over.
// Fragments bring new ones, so each second looks for what is there.
const ends = new WeakMap();

function words(seconds) {
  const [d, h, m, s] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const two = (value) => String(value).padStart(2, "0");
  if (d) return `${d} d ${two(h)} h`;
  if (h) return `${h} h ${two(m)} min`;
  return m ? `${m} min ${two(s)} s` : `${s} s`;
}

function tick() {
  for (const place of document.querySelectorAll("[data-countdown]")) {
    // Seconds from now on, by a clock that nobody sets.
    if (!ends.has(place)) ends.set(place, performance.now() + Number(place.dataset.countdown) * 1000);
    const left = Math.max(0, Math.round((ends.get(place) - performance.now()) / 1000));
    place.textContent = left ? words(left) : "a moment";
    if (!left && place.dataset.then === "reload") {
      delete place.dataset.then;
      setTimeout(() => location.reload(), 2000);
    }
  }
}

tick();
setInterval(tick, 1000);
