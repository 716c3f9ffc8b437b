/**
 * Shows a pull, or several at once: every request in its order, every key of the pool, every word to the clients.
 *
 * @module
 */

import type { Writer } from "../../src/sync/io.ts";
import type { Language } from "../lib/live.ts";
import { ArgumentError, type Asked, ask, HELP } from "./args.ts";
import type { Sent } from "./network.ts";
import { REGISTRY, type Shelf } from "./shelf.ts";
import { type Event, follow, type Trace } from "./trace.ts";

export { ask, example } from "./args.ts";
export { follow, type Trace } from "./trace.ts";

/** Ids and digests as people write them: twelve digits. */
const short = (text: string): string => text.replace(/([0-9a-f]{12})[0-9a-f]{52}/g, "$1");

/** A path or key with its ids shortened, and in brackets what they stand for. */
export function named(text: string, shelf: Shelf): string {
  const id = /(?:sha256:)?[0-9a-f]{64}/.exec(text)?.[0];
  const role = id === undefined ? undefined : shelf.roles.get(id);
  return role === undefined ? short(text) : `${short(text)} (${role})`;
}

/** How a request ended, in words. */
export function endOf({ status, failure, bytes, from, to, planted }: Sent): string {
  const time = to - from;
  if (failure === "refused") return "connection refused";
  if (failure === "gone") return "given up";
  const body = bytes > 1000 ? `, ${bytes} bytes in ${time} ms` : "";
  if (failure === "cut") return `${status}, breaks off after ${bytes} bytes`;
  if (failure === "silent")
    return `${status}, silent after ${bytes} bytes, given up after ${Math.round(time / 1000)} s`;
  return `${status}${body}${planted === "corrupt" ? ", one byte is wrong" : ""}`;
}

const VERBS = { takes: "takes", waits: "waits", ends: "", leaves: "" };

/** One line; `undefined` for what is not worth one. */
function lineOf(event: Event, trace: Trace): [verb: string, text: string] | undefined {
  const { shelf } = trace;
  switch (event.kind) {
    case "starts":
      return ["starts", `docker pull ${REGISTRY}/${event.image}`];
    case "sends": {
      const { path, range } = event.sent;
      return ["GET", `${named(path, shelf)}${range === undefined ? "" : ` ${range}`} -> ${endOf(event.sent)}`];
    }
    case "key": {
      const { what, key, kind } = event.sight;
      const hold = trace.holds.find(
        (one) => one.client === event.client && one.sight.key === key && one.from <= event.at && one.to >= event.at,
      );
      const shown = kind === "layer" && !key.startsWith("layer:") ? `layer ${named(key, shelf)}` : named(key, shelf);
      if (what === "ends" || what === "leaves") {
        // Who did the work keeps a layer until its pull ends; who waited goes on when the work is over.
        if (kind === "layer" && (what === "ends") === hold?.works) return undefined;
        return [hold?.works === true ? "frees" : "goes on", shown];
      }
      const other = trace.holds.find(
        (one) => one.works && one.sight.key === key && one.from <= event.at && one.worked >= event.at,
      );
      return [VERBS[what], what === "waits" ? `${shown}, which client ${other?.client} is at` : shown];
    }
    case "says": {
      const { id, status, progressDetail } = event.message;
      const detail = progressDetail?.current === undefined ? "" : ` ${progressDetail.current}/${progressDetail.total}`;
      return ["says", `${id === undefined ? "" : `${id}: `}${short(status ?? "")}${detail}`];
    }
    case "has":
      return ["has", named(event.id, shelf)];
    case "tags":
      return ["tags", `${event.name} = ${short(event.id)}`];
    case "goes":
      return ["goes", "away"];
    case "ends":
      return ["ends", event.error === undefined ? "well" : short(event.error)];
  }
}

/** Of the numbers of a download only the last. */
function isWorthALine(event: Event, i: number, events: readonly Event[]): boolean {
  if (event.kind !== "says" || event.message.progressDetail?.current === undefined) return true;
  const { client, message } = event;
  return !events
    .slice(i + 1)
    .some(
      (later) =>
        later.kind === "says" &&
        later.client === client &&
        later.message.id === message.id &&
        later.message.status === message.status &&
        later.message.progressDetail?.current !== undefined,
    );
}

const ANSWERS = {
  gone: { en: "nobody is there to hear an answer", zh: "没有人听答复了" },
  well: { en: "HTTP 200, and a stream without an error", zh: "HTTP 200，流中没有错误" },
  stream: { en: "HTTP 200, and at the end of the stream: ", zh: "HTTP 200，流的末尾是：" },
  status: { en: "no stream but an HTTP error: ", zh: "没有流，直接是 HTTP 错误：" },
} as const;

/** What a client is told in the end: a stream cannot take its status back. */
export function answerOf({ streamed, error, gone }: Trace["clients"][number], language: Language = "en"): string {
  if (gone) return ANSWERS.gone[language];
  if (error === undefined) return ANSWERS.well[language];
  return `${ANSWERS[streamed ? "stream" : "status"][language]}${short(error)}`;
}

function summary(trace: Trace): string[] {
  const { clients, sent, shelf, names, graph, layers, asked } = trace;
  const came = ({ step, status = 0, failure }: Sent) =>
    step === "layer" && status < 300 && (failure === undefined || failure === "cut");
  const fetched = sent.filter(came);
  const who = fetched.map(({ path, client, range }) => {
    const role = shelf.roles.get(/(?:sha256:)?[0-9a-f]{64}/.exec(path)?.[0] ?? "");
    return `${role} by client ${client}${range === undefined ? "" : " (the rest)"}`;
  });
  const known = asked.images.length === 1 ? "" : ` for ${clients.length} clients`;
  return [
    "",
    ...clients.map((client, i) => `client ${i + 1}: ${answerOf(client)}`),
    "",
    `requests: ${sent.length}${known}; layers: ${who.join(", ") || "none"}`,
    `images in the graph: ${graph.map((id) => shelf.roles.get(id) ?? short(id)).join(", ") || "none"}; layers of the driver: ${layers.length}`,
    `${names.path}: ${short(names.content)}`,
  ];
}

const SHELF = "It holds base:1.0, app:1.0 (which is also app:latest) and tools:1.0.";

/** Everything that is printed. */
export function report(trace: Trace): string {
  const { asked, events } = trace;
  const head = `${REGISTRY} speaks version ${asked.version.slice(1)}.\n${SHELF}\n`;
  const lines = events.filter(isWorthALine).flatMap((event) => {
    const line = lineOf(event, trace);
    if (line === undefined) return [];
    const [verb, text] = line;
    return `${String(event.at).padStart(6)}  ${event.client}  ${verb.padEnd(9)}${text}`;
  });
  return `${[head, "    ms  client", ...lines, ...summary(trace)].join("\n")}\n`;
}

/** Lets clients pull, and writes what happened. */
export async function demo(args: readonly string[], out: Writer): Promise<number> {
  if (args.includes("--help")) {
    await out.write(HELP);
    return 0;
  }
  let asked: Asked;
  try {
    asked = ask(args);
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    await out.write(`${cause.message}\n`);
    return 2;
  }
  const trace = await follow(asked);
  await out.write(report(trace));
  return trace.clients.every(({ error }) => error === undefined) ? 0 : 1;
}
