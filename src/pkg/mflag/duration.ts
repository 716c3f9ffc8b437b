/**
 * Lengths of time as Go's `time.Duration` reads and shows them.
 *
 * @module
 */

const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5 micro sign
  μs: 1e-3, // U+03BC Greek letter
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Longest duration Go's 64 bits of nanoseconds hold, in milliseconds. */
const longestMs = 2 ** 63 / 1e6;

/**
 * Reads `1h15m30.5s`, `-3ms`, `0`.
 *
 * @returns milliseconds
 * @throws Error with the text of Go 1.3
 */
export function parseDuration(text: string): number {
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0;
  if (body === "") throw new Error(`time: invalid duration ${text}`);
  let total = 0;
  let rest = body;
  while (rest !== "") {
    const [amount = ""] = /^[0-9]*\.?[0-9]*/.exec(rest) ?? [];
    if (!/[0-9]/.test(amount)) throw new Error(`time: invalid duration ${text}`);
    rest = rest.slice(amount.length);
    const [unit = ""] = /^[^0-9.]*/.exec(rest) ?? [];
    if (unit === "") throw new Error(`time: missing unit in duration ${text}`);
    const ms = Object.hasOwn(unitMs, unit) ? unitMs[unit] : undefined;
    if (ms === undefined) throw new Error(`time: unknown unit ${unit} in duration ${text}`);
    total += Number(amount) * ms;
    rest = rest.slice(unit.length);
  }
  if (total >= longestMs) throw new Error(`time: invalid duration ${text}`);
  return text.startsWith("-") ? -total : total;
}

/** A number without exponent or trailing zeros. */
function plain(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, "");
}

/** Shows milliseconds as `1h2m3.5s`; less than a second as `1.5ms`, `20us`, `3ns`; zero as `0`. */
export function formatDuration(ms: number): string {
  const sign = ms < 0 ? "-" : "";
  const ns = Math.round(Math.abs(ms) * 1e6);
  if (ns === 0) return "0";
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${plainOf(ns / 1e3, 3)}us`;
  if (ns < 1e9) return `${sign}${plainOf(ns / 1e6, 6)}ms`;
  const hours = Math.floor(ns / 3.6e12);
  const minutes = Math.floor(ns / 6e10) % 60;
  const seconds = plainOf((ns % 6e10) / 1e9, 9);
  const head = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : "";
  return `${sign}${head}${seconds}s`;
}

function plainOf(value: number, digits: number): string {
  return Number.isInteger(value) ? String(value) : plain(value, digits);
}
