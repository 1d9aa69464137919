// <div data-replay>: plays the stored series of a run on the cards of a race.
import { bindCards } from "./cards.js";
import { addEvent, newLane } from "./lanes.js";
import { clock } from "./numbers.js";
import { standing } from "./standing.js";

const FRAME_MS = 100;
const FIELDS = ["tokenPerSec", "latencyMs", "vramUsedMB", "powerW"];

/** Returns seek(position in seconds): the lanes as they stood then. */
function makeRace(data, series) {
  const start = series.x[0];
  const end = series.x.at(-1);
  // Points of a long run lie further apart than its events did.
  const gap_s = Math.max(data.definitions.gap_s, (5 * (end - start)) / series.x.length);
  const definitions = { ...data.definitions, gap_s };
  const columns = series.lanes.map((name) => data.lanes.findIndex((lane) => lane.name === name));
  let next = 0;
  let lanes = [];

  return (position) => {
    const now = start + position;
    if (next === 0 || series.x[next - 1] > now) {
      next = 0;
      lanes = data.lanes.map((lane) => newLane(lane.name, lane));
    }
    for (; next < series.x.length && series.x[next] <= now; next += 1) {
      for (const [index, column] of columns.entries()) {
        if (column < 0) continue;
        const { model, use_case: useCase } = data.lanes[column];
        const event = { ts: series.x[next], model, useCase, evalProgressIdx: null, evalTotal: null };
        for (const field of FIELDS) event[field] = series.fields[field]?.[index][next] ?? null;
        if (event.tokenPerSec !== null) addEvent(lanes[column], event, definitions);
      }
    }
    const newest = Math.max(...lanes.map((lane) => lane.last_s ?? start));
    return standing(lanes, now - newest, definitions);
  };
}

async function begin(root) {
  const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const answer = await fetch(data.series_url);
  const series = answer.ok ? await answer.json() : { x: [] };
  if (!series.x.length) throw new Error("nothing to play");
  const race = makeRace(data, series);
  const show = bindCards(root, data.definitions);
  const [play, seek] = [root.querySelector("[data-play]"), root.querySelector("[data-seek]")];
  const [time, words] = [root.querySelector("[data-clock]"), root.querySelector("[data-replay-state]")];
  const length = series.x.at(-1) - series.x[0];
  let position = 0;
  let timer = 0;
  let drawnAt = 0;

  const say = () => {
    play.textContent = timer ? "Pause" : "Play";
    words.textContent = timer ? "Playing" : position >= length ? "At the end" : "Paused";
  };
  const draw = () => {
    show(race(position));
    seek.value = position;
    time.textContent = `${clock(position)} of ${clock(length)}`;
    seek.setAttribute("aria-valuetext", time.textContent);
  };
  const stop = () => { clearInterval(timer); timer = 0; say(); };
  const tick = () => {
    const now = performance.now();
    position += ((now - drawnAt) / 1000) * Number(root.querySelector("[name=speed]:checked").value);
    drawnAt = now;
    position = Math.min(position, length);
    draw();
    if (position === length) stop();
  };
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (position >= length) position = 0;
    drawnAt = performance.now();
    timer = setInterval(tick, FRAME_MS);
    say();
  });
  seek.max = length;
  seek.addEventListener("input", () => { position = Number(seek.value); draw(); say(); });
  root.querySelector("[data-player]").hidden = false;
  draw();
  say();
}

for (const root of document.querySelectorAll("[data-replay]")) {
  begin(root).catch(() => { root.querySelector("[data-replay-error]").hidden = false; });
}
