// The state of a run's lanes, folded from events as runs/snapshot.py does; names are those of its JSON.
const seconds = (moment) => (typeof moment === "number" ? moment : Date.parse(moment) / 1000);
const isGiven = (value) => value !== null && value !== undefined;

export function newLane(name, known = {}) {
  return {
    name, type: "", vram_gb: null, cost_per_hour_usd: null, model: "", use_case: "", eval_index: null, eval_total: null,
    last_s: null, figures: {}, power_s: null, tokens: null, energy_j: null,
    paired_tokens: 0, paired_energy_j: 0, pending_tokens: 0, recent: [], ...known,
  };
}

const lastOf = (lane, field) => lane.figures[field]?.last ?? null;

/** Fold one event of the contract in; `definitions` are those of snapshot.py. */
export function addEvent(lane, event, definitions) {
  const now = seconds(event.ts);
  const isLate = lane.last_s !== null && now < lane.last_s;
  if (isLate) {
    addLate(lane, event);
  } else {
    addEnergy(lane, event, now, definitions.gap_s);
    addLast(lane, event, now, definitions.window_s);
  }
  for (const field of ["tokenPerSec", "latencyMs", "vramUsedMB", "powerW"]) {
    if (!isGiven(event[field])) continue;
    const figure = (lane.figures[field] ??= { high: null, last: null });
    figure.high = Math.max(figure.high ?? event[field], event[field]);
    if (!isLate) figure.last = event[field];
  }
}

function addLate(lane, event) {
  sum(lane, event.outputTokens, event.energyJ);
  if (!isGiven(event.outputTokens) || !isGiven(event.energyJ)) return;
  lane.paired_tokens += event.outputTokens;
  lane.paired_energy_j += event.energyJ;
}

// Given where given, else the trapezoid over the time since the last value, unless that was a gap ago.
function addEnergy(lane, event, now, gap) {
  const tokens = event.outputTokens ?? trapezoid(lane.last_s, lastOf(lane, "tokenPerSec"), now, event.tokenPerSec, gap);
  const energy = event.energyJ ?? trapezoid(lane.power_s, lastOf(lane, "powerW"), now, event.powerW, gap);
  sum(lane, tokens, energy);
  lane.pending_tokens = lane.pending_tokens === null || tokens === null ? null : lane.pending_tokens + tokens;
  if (energy !== null && lane.pending_tokens !== null) {
    lane.paired_tokens += lane.pending_tokens;
    lane.paired_energy_j += energy;
  }
  if (energy !== null || isGiven(event.powerW)) lane.pending_tokens = 0;
}

function addLast(lane, event, now, window) {
  lane.model = event.model;
  lane.use_case = event.useCase;
  lane.eval_index = event.evalProgressIdx;
  lane.eval_total = event.evalTotal;
  lane.last_s = now;
  if (isGiven(event.powerW)) lane.power_s = now;
  const second = Math.floor(now);
  if (lane.recent.at(-1)?.[0] === second) lane.recent.pop();
  lane.recent.push([second, event.tokenPerSec]);
  while (lane.recent[0][0] <= second - window) lane.recent.shift();
}

function sum(lane, tokens, energy) {
  if (isGiven(tokens)) lane.tokens = (lane.tokens ?? 0) + tokens;
  if (isGiven(energy)) lane.energy_j = (lane.energy_j ?? 0) + energy;
}

function trapezoid(then, before, now, value, gap) {
  if (then === null || before === null || !isGiven(value) || now - then > gap) return null;
  return ((before + value) / 2) * (now - then);
}
