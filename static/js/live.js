// <div data-live>: goes on from the state that the server rendered, with what the run's socket brings.
import { bindCards } from "./cards.js";
import { addEvent, newLane } from "./lanes.js";
import { connect } from "./socket.js";
import { standing } from "./standing.js";

const FRAME_MS = 100; // at most ten times a second
const CALM_MS = 1000; // how often silence is looked at
const RENEW_MS = 2000; // how long a renewed state must serve
const TRIES = 3; // sockets that fail before the page fetches itself instead

let renewedAt = -Infinity;
let renewing = 0;

function start(root) {
  const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  if (data.is_over) return;
  const lanes = new Map(data.lanes.map((lane) => [lane.name, lane]));
  const show = bindCards(root, data.definitions);
  const [status, words] = [root.querySelector("[data-run-state]"), root.querySelector("[data-state-words]")];
  const viewers = root.querySelector("[data-viewers]");
  let heardAt = performance.now() - data.age_s * 1000;
  let drawnAt = 0;
  let timer = 0;

  const draw = () => {
    timer = 0;
    if (document.hidden) return;
    drawnAt = performance.now();
    const age = (drawnAt - heardAt) / 1000;
    if (lanes.size) show(standing([...lanes.values()], age, data.definitions));
    const hasEvents = [...lanes.values()].some((lane) => lane.last_s !== null);
    const state = hasEvents ? (age > data.definitions.gap_s ? "stalled" : "streaming") : "waiting";
    if (status.classList.contains(state)) return;
    status.className = `status ${state}`;
    words.textContent = data.definitions.state_words[state];
  };
  const drawSoon = () => {
    timer ||= setTimeout(draw, Math.max(drawnAt + FRAME_MS - performance.now(), 0));
  };
  const take = {
    events({ events }) {
      for (const event of events) {
        if (!lanes.has(event.gpuId)) lanes.set(event.gpuId, newLane(event.gpuId));
        addEvent(lanes.get(event.gpuId), event, data.definitions);
      }
      heardAt = performance.now();
      drawSoon();
    },
    viewers({ count }) {
      viewers.textContent = `, ${count.toLocaleString("en")} watching`;
    },
    // Everybody hears of the end at once; a second of chance keeps them from asking at once.
    run: () => renewSoon(Math.random() * 1000),
    resync: () => renewSoon(0),
  };

  const close = data.socket && connect({
    path: data.socket,
    after: data.seq,
    onFrame: (frame) => take[frame.type]?.(frame),
    onLost: (failures, retry) => (failures < TRIES ? retry() : renewSoon(0)),
  });
  const calm = setInterval(draw, CALM_MS);
  document.addEventListener("visibilitychange", draw);

  function renewSoon(wait) {
    renewing ||= setTimeout(renew, Math.max(wait, renewedAt + RENEW_MS - performance.now()));
  }
  async function renew() {
    renewing = 0;
    renewedAt = performance.now();
    const next = await fetchState(root.dataset.key).catch(() => null);
    if (!next) return renewSoon(5 * RENEW_MS);
    if (close) close();
    clearInterval(calm);
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", draw);
    root.replaceWith(next);
    start(next);
  }
  if (!data.socket) renewSoon(5 * RENEW_MS);
}

// By its key: the address without one shows another run once this one is over.
async function fetchState(key) {
  const answer = await fetch(`${location.pathname}?run=${encodeURIComponent(key)}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
}

for (const root of document.querySelectorAll("[data-live]")) start(root);
