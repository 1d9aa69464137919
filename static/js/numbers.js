// Numbers as leaderboard/format.py and runs/presenting/common.py write them.
const grouped = (text) => text.replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));

/** `value` with that many significant digits, never in scientific notation; "" for null. */
export function number(value, digits) {
  if (value === null || value === undefined) return "";
  if (value === 0) return "0";
  const decimals = Math.min(Math.max(digits - 1 - Math.floor(Math.log10(Math.abs(value))), 0), 12);
  const text = grouped(value.toFixed(decimals));
  return decimals > digits ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

/** A count with its thousands. */
export const whole = (value) => grouped(String(value));

/** tok/s with one decimal below 1,000. */
export function tokens(value) {
  if (value === null || value === undefined) return "";
  return value < 999.95 ? value.toFixed(1) : grouped(value.toFixed(0));
}

/** Seconds as 1:05 or 1:00:05. */
export function clock(total) {
  const all = Math.max(Math.floor(total), 0);
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (part) => String(part).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
