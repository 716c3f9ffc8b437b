/**
 * Times as people write them on the command line.
 *
 * @module
 */

/** Go's RFC3339Nano layout by its parts: a text is read by as much of the layout as the text is long. */
const PARTS = [/^(\d{4})/, /^-(\d\d)/, /^-(\d\d)/, /^T(\d\d)/, /^:(\d\d)/, /^:(\d\d)/] as const;

/**
 * Reads a time that may end early: `2014`, `2014-08-20`, `2014-08-20T14:30:05.25`. A zone is understood after nine
 * digits of a fraction, because that is where the layout has it; without one the time is local, by today's offset.
 *
 * @param now - milliseconds since 1970
 * @returns Unix seconds, or `undefined` when it is no such time
 */
export function unixTime(text: string, now: number): number | undefined {
  const fields: number[] = [];
  let rest = text;
  for (const part of PARTS) {
    if (rest === "") break;
    const match = part.exec(rest);
    if (!match) return undefined;
    fields.push(Number(match[1]));
    rest = rest.slice(match[0].length);
  }
  let offset = -new Date(now).getTimezoneOffset();
  if (rest !== "") {
    const match = /^\.(?:\d{1,9}|\d{9}(Z|([+-])(\d\d):(\d\d)))$/.exec(rest);
    if (!match) return undefined;
    if (match[1] !== undefined) {
      offset = match[1] === "Z" ? 0 : (match[2] === "-" ? -1 : 1) * (Number(match[3]) * 60 + Number(match[4]));
    }
  }
  const [year, month = 1, day = 1, hour = 0, minute = 0, second = 0] = fields;
  if (year === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // What is out of range rolls over here and is refused by Go.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59)
    return undefined;
  return date.getTime() / 1000 - offset * 60;
}
