/**
 * Times as Go prints and reads them: to the nanosecond, without zeros at the end.
 *
 * @module
 */

/** How Go prints a time that was never set. */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

/** {@link ZERO_TIME} in nanoseconds since 1970. */
export const ZERO_TIME_NS = -62_135_596_800n * 1_000_000_000n;

const SECOND = 1_000_000_000n;
const LAYOUT = "2006-01-02T15:04:05Z07:00";
const PATTERN = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/**
 * A moment in UTC as Go's `time.RFC3339Nano`.
 *
 * @param ns - nanoseconds since 1970
 * @throws RangeError outside the years 1 to 9999
 */
export function rfc3339Nano(ns: bigint): string {
  let seconds = ns / SECOND;
  let rest = ns % SECOND;
  if (rest < 0n) {
    seconds -= 1n;
    rest += SECOND;
  }
  if (ns < ZERO_TIME_NS || seconds >= 253_402_300_800n) throw new RangeError(`Cannot print ${ns} ns: no such year`);
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (rest === 0n) return `${base}Z`;
  return `${base}.${rest.toString().padStart(9, "0").replace(/0+$/, "")}Z`;
}

/**
 * Reads a time in RFC 3339 form with any offset; digits beyond the ninth are cut off.
 *
 * @returns nanoseconds since 1970
 * @throws RangeError with the beginning of Go's text when it is none
 */
export function parseRfc3339(text: string): bigint {
  const found = PATTERN.exec(text);
  if (found === null) throw new RangeError(`parsing time ${JSON.stringify(text)} as "${LAYOUT}": cannot parse`);
  const [, year, month, day, hour, minute, second, fraction = "", sign, offsetHour = "0", offsetMinute = "0"] = found;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`);
  // JavaScript rolls 30 February over to March and takes 24:00; Go takes neither.
  if (Number.isNaN(ms) || new Date(ms).getUTCDate() !== Number(day) || hour === "24" || Number(offsetMinute) > 59) {
    throw new RangeError(`parsing time ${JSON.stringify(text)}: out of range`);
  }
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === "-" ? -60 : 60);
  const nanos = BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return (BigInt(ms / 1000) - BigInt(offset)) * SECOND + nanos;
}
