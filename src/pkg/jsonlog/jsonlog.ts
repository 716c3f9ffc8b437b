/**
 * A line of a container's log as it is on disk.
 *
 * ```text
 * {"log":"hi\n","stream":"stdout","time":"2026-11-20T23:52:03.947578859Z"}
 * ```
 *
 * @origin pkg/jsonlog/jsonlog.go
 * @module
 */

/**
 * Texts here may be *byte strings*: one character (U+0000–U+00FF) for each byte of UTF-8. A log that is read and sent on
 * is never decoded and encoded again; ASCII is the same either way.
 *
 * @origin pkg/jsonlog/jsonlog.go JSONLog
 */
export interface JsonLog {
  /** The line with its end. */
  readonly log: string;
  readonly stream: string;
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
}

const escapes: Record<string, string> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** A line as bytes of the log file, its end included; characters that mean something to HTML are escaped as Go does. */
export function encodeJsonLog(line: JsonLog): string {
  // An absent text or stream is left out, as in 1.2.0.
  const text = JSON.stringify({ log: line.log || undefined, stream: line.stream || undefined, time: line.time });
  return `${/[<>&\u2028\u2029]/.test(text) ? text.replace(/[<>&\u2028\u2029]/g, (c) => escapes[c] ?? c) : text}\n`;
}

/** Reads one line of the file; `undefined` for one that is broken, as a crash leaves it. */
export function decodeJsonLog(text: string): JsonLog | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { log, stream, time } = value as Record<string, unknown>;
    return {
      log: typeof log === "string" ? log : "",
      stream: typeof stream === "string" ? stream : "",
      time: typeof time === "string" ? time : "",
    };
  } catch {
    return undefined;
  }
}

/** What JSON escapes, the line end aside, and what is not ASCII. */
const NOT_PLAIN = /[^\n\x20\x21\x23-\x25\x27-\x3b\x3d\x3f-\x5b\x5d-\x7e]/;

/**
 * Many lines at once, if none of them has a character to escape: most output is so, and this is one pass over it.
 *
 * @param text - whole lines, each with its end
 * @param limit - bytes of the longest line, its end included
 * @returns the lines of the file; `undefined` when each line has to go through {@link encodeJsonLog}
 */
export function encodePlainLines(text: string, limit: number, stream: string, time: string): string | undefined {
  if (NOT_PLAIN.test(text)) return undefined;
  const lines = text.slice(0, -1).split("\n");
  if (text.length > limit && lines.some((line) => line.length >= limit)) return undefined;
  const [open, close] = ['{"log":"', `\\n","stream":"${stream}","time":"${time}"}\n`];
  return `${open}${lines.join(close + open)}${close}`;
}

const OPEN = '{"log":"';
const AFTER_LOG = { stdout: '","stream":"stdout","time":"', stderr: '","stream":"stderr","time":"' };

/**
 * Reads the whole lines in a piece of the file; a broken one is left out.
 *
 * @param text - a byte string that begins with a line; so are the texts of the result
 * @returns the lines, and where the first that is not whole begins
 */
export function decodeJsonLogLines(text: string): { lines: JsonLog[]; rest: number } {
  const lines: JsonLog[] = [];
  let start = 0;
  // The next backslash is looked for once, not once a line.
  let slash = text.indexOf("\\");
  for (;;) {
    if (slash >= 0 && slash < start) slash = text.indexOf("\\", start);
    const plain = slash < 0 ? undefined : plainLine(text, start, slash);
    if (plain !== undefined) {
      lines.push(plain.line);
      start = plain.next;
      slash = plain.slash;
      continue;
    }
    const end = text.indexOf("\n", start);
    if (end < 0) return { lines, rest: start };
    const line = decodeBytes(text.slice(start, end));
    if (line !== undefined) lines.push(line);
    start = end + 1;
  }
}

/** The line at `start`, if its only escape, at `slash`, is the end of what was printed: most lines are so. */
function plainLine(
  text: string,
  start: number,
  slash: number,
): { line: JsonLog; next: number; slash: number } | undefined {
  const quote = slash + 2;
  if (!text.startsWith(OPEN, start) || text.indexOf('"', start + OPEN.length) !== quote) return undefined;
  if (text.charCodeAt(slash + 1) !== 0x6e) return undefined;
  const stream = text.startsWith(AFTER_LOG.stdout, quote) ? "stdout" : "stderr";
  if (stream === "stderr" && !text.startsWith(AFTER_LOG.stderr, quote)) return undefined;
  const time = quote + AFTER_LOG.stdout.length;
  const end = text.indexOf('"', time);
  const following = text.indexOf("\\", quote);
  if (end < 0 || text.charCodeAt(end + 1) !== 0x7d || (following >= 0 && following < end)) return undefined;
  if (text.indexOf("\n", start) !== end + 2) return undefined;
  const log = `${text.slice(start + OPEN.length, slash)}\n`;
  return { line: { log, stream, time: text.slice(time, end) }, next: end + 3, slash: following };
}

function decodeBytes(line: string): JsonLog | undefined {
  const value = decodeJsonLog(Buffer.from(line, "latin1").toString("utf8"));
  if (value === undefined) return undefined;
  const bytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");
  return { log: bytes(value.log), stream: bytes(value.stream), time: bytes(value.time) };
}
