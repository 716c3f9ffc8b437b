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

/** @origin pkg/jsonlog/jsonlog.go JSONLog */
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
