// What the cards show of lanes that run: the same texts as runs/presenting/lanes.py writes.
import { number, tokens, whole } from "./numbers.js";

const [WIDTH, HEIGHT, FLOOR] = [240, 30, 0.75];
const lastOf = (lane, field) => lane.figures[field]?.last ?? null;
const mean = (recent) => recent.reduce((total, [, value]) => total + value, 0) / recent.length;

/** One view per lane. `age` is the time in seconds since the last event of any lane arrived. */
export function standing(lanes, age, definitions) {
  const newest = Math.max(...lanes.map((lane) => lane.last_s ?? 0));
  const peak = Math.max(...lanes.map((lane) => lane.figures.tokenPerSec?.high ?? 0));
  const first = leader(lanes);
  return lanes.map((lane) => {
    const rate = lastOf(lane, "tokenPerSec");
    const state = stateOf(lane, age + newest, definitions.gap_s);
    const price = definitions.usd_per_gpu_hour ?? lane.cost_per_hour_usd;
    return {
      state,
      isLeader: lane === first,
      isHot: lane.vram_gb ? lastOf(lane, "vramUsedMB") / 1000 / lane.vram_gb > definitions.hot_share : false,
      gauge: peak ? Math.round((100 * (rate ?? 0)) / peak) : 0,
      spark: spark(lane.recent, definitions),
      texts: {
        name: lane.name,
        type: lane.type === lane.name ? "" : lane.type,
        price: price === null ? "" : `$${price.toFixed(2)}/h`,
        model: lane.model,
        use_case: lane.use_case,
        progress: lane.eval_total ? `${whole(lane.eval_index)} of ${whole(lane.eval_total)}` : "",
        tokens_per_s: tokens(rate) || "–",
        rate_unit: definitions.rate_unit,
        state_words: definitions.state_words[state],
        ...figures(lane, rate, price, definitions),
      },
    };
  });
}

function stateOf(lane, now, gap) {
  if (lane.last_s === null) return "waiting";
  return now - lane.last_s > gap ? "stalled" : "streaming";
}

// By the mean of the last minute, so that one quick tick does not move the mark.
function leader(lanes) {
  const known = lanes.filter((lane) => lane.recent.length);
  if (known.length < 2) return null;
  return known.reduce((best, lane) => (mean(lane.recent) > mean(best.recent) ? lane : best));
}

function figures(lane, rate, price, { gap_s, co2_g_per_kwh, pue }) {
  const power = lane.power_s !== null && lane.last_s - lane.power_s <= gap_s ? lastOf(lane, "powerW") : null;
  const vram = lastOf(lane, "vramUsedMB");
  const values = {
    power_w: power,
    tokens_per_joule: lane.paired_energy_j > 0 ? lane.paired_tokens / lane.paired_energy_j : null,
    latency_ms: lastOf(lane, "latencyMs"),
    vram_gb: vram === null ? null : vram / 1000,
    usd: price !== null && rate ? (price / (rate * 3600)) * 1e6 : null,
    co2_g: power !== null && rate ? ((power / rate) * 1e6) / 3.6e6 * pue * co2_g_per_kwh : null,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, number(value, 3) || "–"]));
}

function spark(recent, { window_s, gap_s }) {
  if (!recent.length) return "";
  const end = recent.at(-1)[0];
  const values = recent.map(([, value]) => value);
  const highest = Math.max(...values);
  const floor = Math.min(...values, FLOOR * highest);
  const height = highest - floor || 1;
  return recent.map(([second, value], index) => {
    const pen = index === 0 || second - recent[index - 1][0] > gap_s ? "M" : "L";
    const x = WIDTH * (1 - (end - second) / window_s);
    return `${pen}${x.toFixed(0)} ${(HEIGHT - 1 - ((HEIGHT - 2) * (value - floor)) / height).toFixed(1)}`;
  }).join(" ");
}
