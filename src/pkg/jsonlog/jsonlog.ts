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

/** Lines whose only escape is the end of what was printed: most lines are so, and need no JSON parser. */
class PlainLines {
  readonly #text: string;
  /** The next backslash at or after the line: looked for once, not once a line. */
  #slash: number;
  #quote = 0;
  #close = 0;
  /** Of the line that was taken last. */
  stream: "stdout" | "stderr" = "stdout";
  /** Where the next line begins. */
  next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#slash = text.indexOf("\\");
  }

  /** Takes the line at {@link next}, if it is plain. */
  take(): boolean {
    const [text, start] = [this.#text, this.next];
    if (this.#slash >= 0 && this.#slash < start) this.#slash = text.indexOf("\\", start);
    const slash = this.#slash;
    const quote = slash + 2;
    if (slash < 0 || !text.startsWith(OPEN, start) || text.indexOf('"', start + OPEN.length) !== quote) return false;
    if (text.charCodeAt(slash + 1) !== 0x6e) return false;
    if (text.startsWith(AFTER_LOG.stdout, quote)) this.stream = "stdout";
    else if (text.startsWith(AFTER_LOG.stderr, quote)) this.stream = "stderr";
    else return false;
    const close = text.indexOf('"', quote + AFTER_LOG.stdout.length);
    const following = text.indexOf("\\", quote);
    if (close < 0 || (following >= 0 && following < close)) return false;
    if (text.charCodeAt(close + 1) !== 0x7d || text.charCodeAt(close + 2) !== 0x0a) return false;
    this.#quote = quote;
    this.#close = close;
    this.#slash = following;
    this.next = close + 3;
    return true;
  }

  /** What was printed, without the line's end. @param start - where the line begins */
  printed(start: number): string {
    return this.#text.slice(start + OPEN.length, this.#quote - 2);
  }

  get time(): string {
    return this.#text.slice(this.#quote + AFTER_LOG.stdout.length, this.#close);
  }
}

/**
 * Reads the whole lines in a piece of the file; a broken one is left out.
 *
 * @param text - a byte string that begins with a line; so are the texts of the result
 * @param merged - nobody asks for times: neighbours of one stream may come as one line, without a time
 * @returns the lines, and where the first that is not whole begins
 */
export function decodeJsonLogLines(text: string, merged = false): { lines: JsonLog[]; rest: number } {
  const lines: JsonLog[] = [];
  const plain = new PlainLines(text);
  let run: string[] = [];
  let stream = "";
  const endRun = (): void => {
    if (run.length > 0) lines.push({ log: `${run.join("\n")}\n`, stream, time: "" });
    run = [];
  };
  for (;;) {
    const start = plain.next;
    if (plain.take()) {
      if (!merged) {
        lines.push({ log: `${plain.printed(start)}\n`, stream: plain.stream, time: plain.time });
        continue;
      }
      if (plain.stream !== stream) endRun();
      stream = plain.stream;
      run.push(plain.printed(start));
      continue;
    }
    endRun();
    const end = text.indexOf("\n", start);
    if (end < 0) return { lines, rest: start };
    const line = decodeBytes(text.slice(start, end));
    if (line !== undefined) lines.push(line);
    plain.next = end + 1;
  }
}

function decodeBytes(line: string): JsonLog | undefined {
  const value = decodeJsonLog(Buffer.from(line, "latin1").toString("utf8"));
  if (value === undefined) return undefined;
  const bytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");
  return { log: bytes(value.log), stream: bytes(value.stream), time: bytes(value.time) };
}
