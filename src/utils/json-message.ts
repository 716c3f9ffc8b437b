/**
 * The messages of pull, push and build: one small JSON object after the other, and how a terminal shows them.
 *
 * @origin utils/jsonmessage.go
 * @module
 */

import { EngineError } from "../errdefs/errdefs.ts";
import { printable } from "../pkg/term/printable.ts";
import { humanSize } from "../pkg/units/size.ts";
import type { Reader, Writer } from "../sync/io.ts";
import { goJson } from "./go-json.ts";
import { unmarshal } from "./go-json-decode.ts";
import { JsonSplitter } from "./json-splitter.ts";

/** @origin utils/jsonmessage.go JSONError */
export interface JSONError {
  code?: number;
  message?: string;
}

/**
 * How far something has come.
 *
 * @origin utils/jsonmessage.go JSONProgress
 */
export interface JSONProgress {
  /** Bytes. */
  current?: number;
  /** Bytes; −1 when unknown. */
  total?: number;
  /** Unix seconds. */
  start?: number;
}

/** Wire shape; what is empty is left out. @origin utils/jsonmessage.go JSONMessage */
export interface JSONMessage {
  stream?: string;
  status?: string;
  progressDetail?: JSONProgress;
  /** The bar as text, for clients that do not draw their own. */
  progress?: string;
  id?: string;
  from?: string;
  /** Unix seconds. */
  time?: number;
  errorDetail?: JSONError;
  error?: string;
}

/** What a stream of messages ended with. */
export class JSONStreamError extends EngineError {
  readonly statusCode: number;
  /** Exit status of a build step, an HTTP status, or 0. */
  readonly code: number;

  /** @param code - see {@link code} */
  constructor(message: string, code = 0) {
    super(message);
    this.code = code;
    this.statusCode = code >= 400 && code < 600 ? code : 500;
  }
}

/** Writes a message as Go does: keys in the order of the struct, empty ones left out. */
export function encodeMessage(m: JSONMessage): string {
  const progress = m.progressDetail && {
    current: m.progressDetail.current || undefined,
    total: m.progressDetail.total || undefined,
    start: m.progressDetail.start || undefined,
  };
  const error = m.errorDetail && {
    code: m.errorDetail.code || undefined,
    message: m.errorDetail.message || undefined,
  };
  return goJson({
    stream: m.stream || undefined,
    status: m.status || undefined,
    progressDetail: progress,
    progress: m.progress || undefined,
    id: m.id || undefined,
    from: m.from || undefined,
    time: m.time || undefined,
    errorDetail: error,
    error: m.error || undefined,
  });
}

/** A length of time in whole seconds as Go prints it: `1h2m3s`. */
function durationText(seconds: number): string {
  const sign = seconds < 0 ? "-" : "";
  const s = Math.abs(seconds);
  const hours = Math.floor(s / 3600);
  const minutes = Math.floor(s / 60) % 60;
  if (hours > 0) return `${sign}${hours}h${minutes}m${s % 60}s`;
  return minutes > 0 ? `${sign}${minutes}m${s % 60}s` : `${sign}${s}s`;
}

/** More read than announced makes the bar longer, as in the original, but not without end. */
const MAX_BAR = 1000;

/**
 * The bar, the numbers and the time left, as far as the terminal is wide enough: above 110 columns all of it, above 50
 * without the bar, below only the numbers.
 *
 * @param terms - `width` in columns, default 200; `now` in milliseconds since 1970
 * @origin utils/jsonmessage.go (*JSONProgress).String
 */
export function progressText(progress: JSONProgress, terms: { width?: number | undefined; now: number }): string {
  const { current = 0, total = 0, start = 0 } = progress;
  const width = terms.width ?? 200;
  if (current <= 0 && total <= 0) return "";
  const size = humanSize(current).padStart(8);
  if (total <= 0) return size;

  const half = Math.trunc(Math.trunc((current / total) * 100) / 2);
  const bar =
    width > 110 ? `[${"=".repeat(Math.min(Math.max(0, half), MAX_BAR))}>${" ".repeat(Math.max(0, 50 - half))}] ` : "";
  let left = "";
  if (current > 0 && start > 0 && half < 50 && width > 50) {
    // Nanoseconds for each byte, cut to a whole number before they are multiplied: the original's arithmetic.
    const elapsed = BigInt(Math.trunc(terms.now)) * 1_000_000n - BigInt(Math.trunc(start)) * 1_000_000_000n;
    const perByte = elapsed / BigInt(Math.trunc(current));
    left = ` ${durationText(Number((BigInt(Math.trunc(total - current)) * perByte) / 1_000_000_000n))}`;
  }
  return `${bar}${size}/${humanSize(total)}${left}`;
}

/** A time as Go's RFC3339 prints it in the local zone. */
function localTime(unixSeconds: number): string {
  const offset = -new Date(unixSeconds * 1000).getTimezoneOffset();
  const text = new Date(unixSeconds * 1000 + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${text}Z`;
  const two = (n: number) => String(Math.trunc(n)).padStart(2, "0");
  return `${text}${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
}

/** What the reader of a stream looks at. */
interface Display {
  readonly isTerminal: boolean;
  /** Columns; default 200. */
  readonly terminalWidth?: number | undefined;
  /** Milliseconds since 1970; for the time left. */
  readonly now?: () => number;
}

/**
 * One message as text.
 *
 * @origin utils/jsonmessage.go (*JSONMessage).Display
 * @deviation On a terminal, what a registry may have written goes out without control characters. The output of a build
 *   step keeps them, like that of a container.
 */
function displayed(m: JSONMessage, display: Display): string {
  if (m.errorDetail) {
    if (m.errorDetail.code === 401) throw new JSONStreamError("Authentication is required.", 401);
    throw new JSONStreamError(m.errorDetail.message ?? "", m.errorDetail.code);
  }
  const shown = (part: string) => (display.isTerminal ? printable(part) : part);
  let text = "";
  let end = "";
  if (m.progressDetail) {
    if (!display.isTerminal || m.stream) return "";
    text = "\x1b[2K\r";
    end = "\r";
  }
  if (m.time) text += `${localTime(m.time)} `;
  if (m.id) text += `${shown(m.id)}: `;
  if (m.from) text += `(from ${shown(m.from)}) `;
  const status = shown(m.status ?? "");
  if (m.progressDetail) {
    const now = (display.now ?? Date.now)();
    return `${text}${status} ${progressText(m.progressDetail, { width: display.terminalWidth, now })}${end}`;
  }
  if (m.progress) return `${text}${status} ${shown(m.progress)}${end}`;
  if (m.stream) return `${text}${m.stream}${end}`;
  return `${text}${status}${end}\n`;
}

/** Reads one message; unknown keys are ignored. @throws Error with Go's text for what is no message */
export function decodeMessage(text: string): JSONMessage {
  const value = unmarshal(text);
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
    throw new Error(`json: cannot unmarshal ${kind} into Go value of type utils.JSONMessage`);
  }
  return value as JSONMessage;
}

/** The messages of a stream, in order. @throws Error `unexpected EOF` when it ends within a message */
export async function* readMessages(reader: Reader): AsyncGenerator<JSONMessage> {
  const splitter = new JsonSplitter();
  for await (const chunk of reader) {
    for (const text of splitter.push(chunk)) yield decodeMessage(text);
  }
  const last = splitter.end();
  if (last !== undefined) yield decodeMessage(last);
  else if (splitter.pending) throw new Error("unexpected EOF");
}

/**
 * Shows a stream of messages. On a terminal each id keeps a line of its own and the cursor travels there and back.
 *
 * @throws {JSONStreamError} the error that the stream reports
 * @origin utils/jsonmessage.go DisplayJSONMessagesStream
 */
export async function displayJSONMessagesStream(reader: Reader, writer: Writer, display: Display): Promise<void> {
  const lines = new Map<string, number>();
  // Kept from message to message, as in the original: a message with an id but no progress moves down as far as the
  // one before it.
  let diff = 0;
  for await (const m of readMessages(reader)) {
    let before = "";
    if (m.id && (m.progressDetail || m.progress)) {
      const line = lines.get(m.id);
      if (line === undefined) {
        lines.set(m.id, lines.size);
        before = "\n";
        diff = 0;
      } else {
        diff = lines.size - line;
      }
      if (display.isTerminal) before += `\x1b[${diff}A`;
    }
    const after = m.id && display.isTerminal ? `\x1b[${diff}B` : "";
    let text: string;
    try {
      text = displayed(m, display);
    } catch (cause) {
      await writer.write(before + after);
      throw cause;
    }
    await writer.write(before + text + after);
  }
}
