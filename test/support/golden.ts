/**
 * Replays recorded answers of Docker 1.2.0 against another daemon and says where they differ.
 *
 * What a record could not know (ids, times, names) is written `<id1>`, `<time>` and so on; a placeholder takes the value
 * it meets first and has to meet the same again.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { TarParser } from "../../src/archive/tar/parser.ts";
import { type Answer, exchange } from "./golden-http.ts";
import { readFrames } from "./websocket.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What was sent. */
export interface GoldenRequest {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: Json | { $file: string } | { $base64: string } | { $tar: TarEntry[]; gzip?: boolean };
  chunked?: boolean;
  stdin?: string;
  stdinHalfClose?: boolean;
  afterHijack?: string;
}

/** A member of an archive to send. */
export interface TarEntry {
  name: string;
  type?: string;
  mode?: number;
  content?: string;
  link?: string;
}

/** One recorded exchange. */
export interface GoldenRecord {
  id: string;
  scenario: string;
  step: number;
  title?: string;
  before?: { sleep?: number; host?: string; daemon?: string; files?: Record<string, string> }[];
  request: GoldenRequest;
  response: {
    status: number | null;
    headers: Record<string, string>;
    bodyType: "json" | "text" | "empty" | "stream" | "frames" | "tar" | "none" | "websocket" | "base64";
    body: Json;
    terminator?: string;
    separators?: string | string[];
    frames?: { stream: number; data: string }[];
    connection?: string;
    endedBy?: string;
  };
  note?: string;
  unstable?: boolean;
  goText?: boolean;
}

const FILE = join(import.meta.dirname, "../golden/records/api-1.14.jsonl");

/** The records of one scenario, in order. */
export function goldenRecords(scenario: string): GoldenRecord[] {
  return readFileSync(FILE, "utf8")
    .split("\n")
    .filter((line) => line.includes(`"scenario": "${scenario}"`))
    .map((line) => JSON.parse(line) as GoldenRecord);
}

/** A message of a record. */
interface WebSocketMessage {
  readonly opcode: number;
  readonly data?: string;
}

/** Messages as the recorder wrote them: data joined, of a close frame only that it came. */
function joined(messages: readonly WebSocketMessage[]): WebSocketMessage[] {
  const data = messages.filter(({ opcode }) => opcode === 1).map((message) => message.data ?? "");
  const others = messages.filter(({ opcode }) => opcode !== 1).map(({ opcode }) => ({ opcode }));
  return [...(data.length > 0 ? [{ opcode: 1, data: data.join("") }] : []), ...others];
}

/** Placeholders without a memory, and what they stand for. */
const FREE: Record<string, string> = {
  time: "(?:\\d{4}-\\d\\d-\\d\\dT[\\d:.]+(?:Z|[+-]\\d\\d:\\d\\d)|\\d+|[\\d:]+|[A-Z][a-z]{2} ?\\d+)",
  dur: "(?:Less than a second|Less than a minute|About a minute|About an hour|\\d+ (?:seconds?|minutes?|hours?|days?|weeks?))",
  pid: "\\d+",
  n: "-?\\d+",
  cputime: "[\\d:]+",
  kernel: ".+?",
  os: ".+?",
  goversion: ".+?",
  initpath: ".*",
  "docker-binary": ".+?",
  nameserver: "[\\d.]+",
  root: "/.+?",
  work: "/.+?",
  rand: ".+?",
  stack: "[\\s\\S]*",
};

const PLACEHOLDER = /<(id\d+|ID\d+|name\d+)(?::(\d+))?>|<([a-z-]+)>/g;

/** A file of a recorded archive. */
interface RecordedFile {
  readonly name: string;
  /** With the bits of its type, octal. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly content?: Json;
}

/** What is in an archive. */
function filesOf(archive: Buffer): { name: string; mode: number; uid: number; gid: number; content: string }[] {
  const files: ReturnType<typeof filesOf> = [];
  const parser = new TarParser({
    entry: ({ name, fullMode, uid, gid }) => files.push({ name, mode: fullMode, uid, gid, content: "" }),
    data: (chunk) => {
      const last = files.at(-1);
      if (last !== undefined) last.content += chunk.toString();
    },
    endEntry: () => undefined,
  });
  parser.feed(archive);
  parser.end();
  return files;
}

/** One scenario on one daemon. */
export class Replay {
  #socket: string;
  readonly #files: (name: string) => Buffer;
  #values = new Map<string, string>();

  /** @param files - contents of the files that requests name; `chosen`: placeholders with a value of our choice */
  constructor(socket: string, files: (name: string) => Buffer, chosen: Readonly<Record<string, string>> = {}) {
    this.#socket = socket;
    this.#files = files;
    this.#values = new Map(Object.entries(chosen));
  }

  /** Whether a text fits one with placeholders; what they stand for is kept. */
  fits(expected: string, actual: string): boolean {
    return this.#text(expected, actual);
  }

  /** A text with its placeholders replaced. @throws when one has no value yet */
  fill(text: string): string {
    return String(this.#fill(text));
  }

  /** Sends to another daemon from now on: the one that goes on with the same root. */
  goOn(socket: string): void {
    this.#socket = socket;
  }

  /** Says what a placeholder stands for. */
  bind(name: string, value: string): void {
    this.#values.set(name, value);
  }

  /** Sends a request of its own. */
  ask(method: string, path: string, body?: GoldenRequest["body"]): Promise<Answer> {
    const request = body === undefined ? { method, path } : { method, path, body };
    return exchange(this.#socket, request, this.#files, { status: 200, headers: {}, bodyType: "text", body: "" });
  }

  /** Sends the request of a record. @throws when it needs an id that an earlier step did not give */
  async send(record: GoldenRecord): Promise<Answer> {
    for (const { sleep } of record.before ?? []) {
      if (sleep !== undefined) await new Promise((resolve) => setTimeout(resolve, sleep * 1000));
    }
    const filled = this.#fill(record.request) as unknown as GoldenRequest;
    // The recorder left the type away there; its records tell so in words only.
    const untyped = record.title?.includes("sends no type") === true;
    const request = untyped ? { ...filled, headers: { "Content-Type": "", ...filled.headers } } : filled;
    return exchange(this.#socket, request, this.#files, record.response);
  }

  /** Where the answer differs from the record; empty: nowhere. */
  differences(record: GoldenRecord, answer: Answer): string[] {
    const { response } = record;
    if (response.status === null) return answer.status === 0 ? [] : [`answered with ${answer.status}`];
    const found: string[] = [];
    if (answer.status !== response.status) found.push(`status ${answer.status}, not ${response.status}`);
    if (!record.unstable) found.push(...this.#headers(response.headers, answer, response.bodyType));
    if (record.unstable || record.goText) return found;
    found.push(...this.#body(record, answer));
    return found;
  }

  #headers(expected: Record<string, string>, answer: Answer, bodyType: string): string[] {
    const found: string[] = [];
    for (const [name, value] of Object.entries(expected)) {
      // Whether JSON is longer than the server's buffer depends on the paths in it.
      if (bodyType === "json" && name === "Transfer-Encoding") continue;
      const actual = answer.headers[name.toLowerCase()];
      if (actual === undefined || !this.#text(value, actual)) found.push(`${name}: ${actual}, not ${value}`);
    }
    for (const name of ["content-type", "location", "job-name", "job-args", "access-control-allow-origin"]) {
      const actual = answer.headers[name];
      if (actual === undefined || Object.keys(expected).some((known) => known.toLowerCase() === name)) continue;
      // The original of 2014 gave an empty answer a type; the runtime the records were made with does not.
      if (name === "content-type" && bodyType === "empty") continue;
      found.push(`${name}: ${actual}, not absent`);
    }
    return found;
  }

  #body({ response }: GoldenRecord, answer: Answer): string[] {
    const text = answer.body.toString("utf8");
    switch (response.bodyType) {
      case "empty":
        return text === "" ? [] : [`body ${JSON.stringify(text)}, not empty`];
      case "text":
        // The lines of the image graph were sorted, with other ids in them.
        if (text.startsWith("digraph")) {
          return this.#value(String(response.body).split("\n"), text.split("\n"), "body");
        }
        return this.#text(String(response.body), text)
          ? []
          : [`body ${JSON.stringify(text)}, not ${JSON.stringify(response.body)}`];
      case "json": {
        const terminator = /\s*$/.exec(text)?.[0] ?? "";
        let value: Json;
        try {
          value = JSON.parse(text) as Json;
        } catch {
          return [`body is no JSON: ${JSON.stringify(text)}`];
        }
        const found = this.#value(response.body, value, "body");
        if (terminator !== response.terminator) {
          found.push(`ends with ${JSON.stringify(terminator)}, not ${JSON.stringify(response.terminator)}`);
        }
        return found;
      }
      case "stream": {
        const { objects, separators } = splitStream(text);
        const found = this.#value(joinOutput(response.body), joinOutput(objects), "stream");
        const expected =
          typeof response.separators === "string" ? objects.map(() => response.separators) : response.separators;
        if (found.length === 0 && !isDeepStrictEqual(separators, expected)) found.push("separators differ");
        return found;
      }
      case "frames":
        return this.#frames(response, answer);
      case "websocket": {
        const { frames, rest } = readFrames(answer.body);
        const found = joined(frames.map(({ opcode, payload }) => ({ opcode, data: payload.toString() })));
        const wanted = joined(response.body as unknown as WebSocketMessage[]);
        return rest.length === 0 && isDeepStrictEqual(found, wanted)
          ? []
          : [`messages ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`];
      }
      case "tar":
        return this.#saved(response.body as unknown as RecordedFile[], answer.body);
      default:
        return [];
    }
  }

  /**
   * Compares an archive of images. What came with Docker 1.10 is more than 1.2.0 writes, and layers come as they were,
   * not archived anew: src/graph/export.ts says so. Other archives are compared elsewhere.
   */
  #saved(expected: RecordedFile[], archive: Buffer): string[] {
    if (!expected.some(({ name }) => name.endsWith("/VERSION"))) return [];
    const files = filesOf(archive).filter(({ name }) => !/^(?:manifest|[0-9a-f]{64})\.json$/.test(name));
    const found = files.length === expected.length ? [] : [`${files.length} entries, not ${expected.length}`];
    for (const { name, mode, uid, gid, content } of expected) {
      const file = files.find((one) => this.#text(name, one.name));
      if (file === undefined) {
        found.push(`no ${name}`);
        continue;
      }
      const [got, wanted] = [[file.mode.toString(8), file.uid, file.gid].join(), [mode, uid, gid].join()];
      if (got !== wanted) found.push(`${name}: ${got}, not ${wanted}`);
      if (typeof content === "string" && content !== file.content)
        found.push(`${name}: ${file.content}, not ${content}`);
      if (content !== undefined && isObject(content))
        found.push(...this.#value(content, JSON.parse(file.content) as Json, name));
    }
    return found;
  }

  #frames(response: GoldenRecord["response"], answer: Answer): string[] {
    const expected =
      response.body === null
        ? (response.frames ?? [])
        : mergedFrames(Buffer.from(String(response.body), "base64")).frames;
    const actual = mergedFrames(answer.body);
    if (actual.rest > 0) return [`${actual.rest} bytes are no frame`];
    const ok =
      expected.length === actual.frames.length &&
      expected.every(({ stream, data }, i) => {
        const frame = actual.frames[i];
        return frame !== undefined && frame.stream === stream && this.#text(data, frame.data);
      });
    return ok ? [] : [`frames ${JSON.stringify(actual.frames)}, not ${JSON.stringify(expected)}`];
  }

  /** Compares JSON. Lists whose order says nothing are compared as sets. */
  #value(expected: Json, actual: Json, at: string): string[] {
    if (Array.isArray(expected) && Array.isArray(actual)) {
      if (expected.length !== actual.length) {
        return [`${at}: ${actual.length} items, not ${expected.length}: ${JSON.stringify(actual).slice(0, 300)}`];
      }
      return this.#list(expected, actual, at);
    }
    if (isObject(expected) && isObject(actual)) {
      const found: string[] = [];
      const [theirs, ours] = [Object.keys(expected), Object.keys(actual)];
      const missing = theirs.filter((key) => !ours.includes(key) && !key.includes("<id"));
      const extra = ours.filter((key) => !theirs.includes(key) && !/[0-9a-f]{12}/.test(key));
      if (missing.length > 0) found.push(`${at}: no ${missing.join(", ")}`);
      if (extra.length > 0) found.push(`${at}: unknown ${extra.join(", ")}`);
      if (found.length === 0 && theirs.join() !== ours.join() && !theirs.join().includes("<")) {
        found.push(`${at}: keys in another order`);
      }
      for (const key of theirs) {
        if (ours.includes(key)) found.push(...this.#value(expected[key] as Json, actual[key] as Json, `${at}.${key}`));
      }
      return found;
    }
    const fits =
      typeof expected === "string" && (typeof actual === "string" || typeof actual === "number")
        ? this.#text(expected, String(actual)) && (typeof actual === "string" || expected.startsWith("<"))
        : isDeepStrictEqual(expected, actual);
    return fits ? [] : [`${at}: ${JSON.stringify(actual)?.slice(0, 400)}, not ${JSON.stringify(expected)}`];
  }

  #list(expected: Json[], actual: Json[], at: string): string[] {
    const before = new Map(this.#values);
    const inOrder = expected.flatMap((item, i) => this.#value(item, actual[i] as Json, `${at}[${i}]`));
    if (inOrder.length === 0) return [];
    const free = /(?:RepoTags|Tags|Ports|Names|Processes|body)$/.test(at);
    if (!free) return inOrder;
    this.#values = new Map(before);
    const left = [...actual];
    for (const item of expected) {
      const hit = left.findIndex((candidate) => {
        const saved = new Map(this.#values);
        if (this.#value(item, candidate, at).length === 0) return true;
        this.#values = saved;
        return false;
      });
      if (hit < 0) {
        this.#values = before;
        for (const [i, one] of expected.entries()) this.#value(one, actual[i] as Json, at);
        return inOrder;
      }
      left.splice(hit, 1);
    }
    return [];
  }

  /** Whether a text fits one with placeholders; what they stand for is kept. */
  #text(expected: string, actual: string): boolean {
    const names: { name: string; length: number | undefined }[] = [];
    let source = "";
    let from = 0;
    for (const match of expected.matchAll(PLACEHOLDER)) {
      const [all, name, length, free] = match;
      const place = free === undefined ? undefined : this.#values.get(free);
      const kind = place !== undefined ? escapeRegExp(place) : free === undefined ? undefined : FREE[free];
      if (name === undefined && kind === undefined) continue;
      source += escapeRegExp(expected.slice(from, match.index));
      from = match.index + all.length;
      if (name === undefined) {
        source += kind;
        continue;
      }
      const known = this.#known(name, length);
      if (known !== undefined) source += escapeRegExp(known);
      else {
        names.push({ name, length: length === undefined ? undefined : Number(length) });
        const begin = length === undefined ? (this.#values.get(`${name}:12`) ?? "") : "";
        const digits = Number(length ?? 64) - begin.length;
        source += name.startsWith("name") ? "([a-z]+_[a-z]+\\d?)" : `(${begin}[0-9a-fA-F]{${digits}})`;
      }
    }
    source += escapeRegExp(expected.slice(from));
    const found = new RegExp(`^${source}$`).exec(actual);
    if (!found) return false;
    for (const [i, { name, length }] of names.entries()) {
      this.#values.set(length === undefined ? name : `${name}:${length}`, found[i + 1] ?? "");
    }
    return true;
  }

  #known(name: string, length: string | undefined): string | undefined {
    const lower = name.replace(/^ID/, "id");
    const whole = this.#values.get(lower);
    const value =
      length === undefined
        ? whole
        : (whole?.slice(0, Number(length)) ?? this.#values.get(`${lower}:12`)?.slice(0, Number(length)));
    return name.startsWith("ID") ? value?.toUpperCase() : value;
  }

  /** Puts the values into a request. */
  #fill(value: unknown): unknown {
    if (typeof value === "string") {
      return value.replace(PLACEHOLDER, (all, name?: string, length?: string, free?: string) => {
        if (free === "time") return "2014-05-13T16:53:20Z";
        if (free !== undefined) return this.#values.get(free) ?? all;
        const known = this.#known(name ?? "", length);
        if (known === undefined) throw new Error(`no value for ${all}`);
        return known;
      });
    }
    if (Array.isArray(value)) return value.map((item) => this.#fill(item));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.#fill(key), this.#fill(item)]));
    }
    return value;
  }
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** What a builder says itself. */
const BUILDER = /^(?:Step |(?: --->) |Removing intermediate container |Successfully built )/;

/** Puts together what programs print during a build: which pieces it comes in is a matter of luck. */
function joinOutput(objects: Json): Json {
  if (!Array.isArray(objects)) return objects;
  const joined: Json[] = [];
  const outputOf = (one: Json | undefined): string | undefined => {
    const stream = isObject(one ?? null) ? (one as { stream?: Json }).stream : undefined;
    return typeof stream === "string" && !BUILDER.test(stream) ? stream : undefined;
  };
  for (const object of objects) {
    const [before, now] = [outputOf(joined.at(-1)), outputOf(object)];
    const red = now?.startsWith("\x1b[91m");
    if (before === undefined || now === undefined || before.startsWith("\x1b[91m") !== red) joined.push(object);
    else joined[joined.length - 1] = { stream: red ? before.replace(/\x1b\[0m$/, "") + now.slice(5) : before + now };
  }
  return joined;
}

/** JSON objects one after the other, and what is between them. */
export function splitStream(text: string): { objects: Json[]; separators: string[] } {
  const objects: Json[] = [];
  const separators: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === "{" || c === "[") {
      if (depth++ === 0) {
        if (objects.length > 0) separators.push(text.slice(start, i));
        start = i;
      }
    } else if ((c === "}" || c === "]") && --depth === 0) {
      objects.push(JSON.parse(text.slice(start, i + 1)) as Json);
      start = i + 1;
    }
  }
  if (objects.length > 0) separators.push(text.slice(start));
  return { objects, separators };
}

/** Frames of a multiplexed stream, neighbours of one stream as one. */
export function mergedFrames(bytes: Buffer): { frames: { stream: number; data: string }[]; rest: number } {
  const frames: { stream: number; data: string }[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    const length = bytes.readUInt32BE(at + 4);
    if (at + 8 + length > bytes.length || (bytes[at] ?? 9) > 2) break;
    const [stream, data] = [bytes[at] ?? 0, bytes.toString("utf8", at + 8, at + 8 + length)];
    const last = frames.at(-1);
    if (last?.stream === stream) last.data += data;
    else frames.push({ stream, data });
    at += 8 + length;
  }
  return { frames, rest: bytes.length - at };
}
