/**
 * A network that takes its time, by the clock of the world in memory, and breaks where it is told to.
 *
 * ```text
 * a request   20 ms until the answer begins
 * a body      4 KB every 20 ms
 * ```
 *
 * @module
 */

import { getResponse, type HttpHandler } from "msw";
import type { ManualClock } from "../../src/host/memory/clock.ts";
import type { FetchOptions, FetchResponse } from "../../src/host/net.ts";

const LATENCY_MS = 20;
const CHUNK_BYTES = 4096;
const CHUNK_MS = 20;
/** How much slower a slow layer comes. */
const SLOW = 10;

/** A request of one of the two protocols, by what it is for. */
export type Step = "ping" | "index" | "tags" | "ancestry" | "json" | "layer" | "manifest" | "config";

/** How a request can go wrong. */
export const WAYS = ["401", "404", "500", "refused", "cut", "silent", "slow", "corrupt"] as const;

/** One fault: for requests of one kind, so many times. */
export interface Fault {
  readonly step: Step;
  readonly way: (typeof WAYS)[number];
  readonly times: number;
}

/** A request as it was seen on the way. */
export interface Sent {
  readonly client: number;
  readonly step: Step;
  readonly path: string;
  /** `bytes=…` when a body that broke off is taken up again. */
  readonly range: string | undefined;
  readonly from: number;
  /** When the last byte came, or nothing more was to come. */
  to: number;
  status: number | undefined;
  /** Bytes of the body that came. */
  bytes: number;
  /** What the network, not the registry, did to it. */
  failure: "refused" | "cut" | "silent" | "gone" | undefined;
  /** Fault that was planted here. */
  planted: Fault["way"] | undefined;
}

/** What a request is for; configurations are blobs, too, and are known by their digests. */
export function stepOf(path: string, configs: ReadonlySet<string>): Step {
  if (path === "/v2/" || path === "/v1/_ping") return "ping";
  const last = path.split("/").at(-1) ?? "";
  if (path.includes("/manifests/")) return "manifest";
  if (path.includes("/blobs/")) return configs.has(last) ? "config" : "layer";
  return last === "images" ? "index" : (last as Step);
}

/** The wires between the clients of one demonstration and the registry. */
export class Network {
  /** Every request, in the order in which they were sent. */
  readonly sent: Sent[] = [];
  /** Answers that are being made: the clock must not move meanwhile. */
  busy = 0;
  readonly #clock: ManualClock;
  /** Time is counted from the network's making. */
  readonly #begin: number;
  readonly #handlers: readonly HttpHandler[];
  readonly #configs: ReadonlySet<string>;
  readonly #faults: readonly Fault[];
  readonly #left = new Map<Fault, number>();
  #watcher: (sent: Sent) => void = () => undefined;

  constructor(
    clock: ManualClock,
    handlers: readonly HttpHandler[],
    configs: ReadonlySet<string>,
    faults: readonly Fault[],
  ) {
    this.#clock = clock;
    this.#begin = clock.monotonicMs();
    this.#handlers = handlers;
    this.#configs = configs;
    this.#faults = faults;
  }

  /** Milliseconds since the network was made. */
  now(): number {
    return this.#clock.monotonicMs() - this.#begin;
  }

  /** Tells each request when it is sent. */
  onSend(watcher: (sent: Sent) => void): void {
    this.#watcher = watcher;
  }

  /** The `fetch` of one client. */
  fetchOf(client: number): (url: string, options?: FetchOptions) => Promise<FetchResponse> {
    return (url, options = {}) => this.#fetch(client, url, options);
  }

  #plant(step: Step): Fault["way"] | undefined {
    for (const fault of this.#faults) {
      const left = this.#left.get(fault) ?? fault.times;
      if (fault.step !== step || left <= 0) continue;
      this.#left.set(fault, left - 1);
      return fault.way;
    }
    return undefined;
  }

  async #fetch(client: number, url: string, { signal, ...options }: FetchOptions): Promise<FetchResponse> {
    const path = new URL(url).pathname;
    const step = stepOf(path, this.#configs);
    const planted = this.#plant(step);
    const now = this.now();
    const range = new Headers(options.headers).get("range") ?? undefined;
    const sent: Sent = {
      client,
      step,
      path,
      range,
      from: now,
      to: now,
      status: undefined,
      bytes: 0,
      failure: undefined,
      planted,
    };
    this.sent.push(sent);
    this.#watcher(sent);
    const answer = await this.#answer(url, options);
    try {
      await this.#clock.sleep(LATENCY_MS, signal);
    } catch (cause) {
      sent.failure = "gone";
      throw cause;
    } finally {
      sent.to = this.now();
    }
    if (planted === "refused") {
      sent.failure = "refused";
      const { hostname } = new URL(url);
      const cause = Object.assign(new Error("connect"), {
        code: "ECONNREFUSED",
        syscall: "connect",
        address: hostname,
      });
      throw new TypeError("fetch failed", { cause: Object.assign(cause, { port: 443 }) });
    }
    const status = Number(planted);
    if (status >= 400) {
      sent.status = status;
      return new Response("", { status });
    }
    sent.status = answer.response.status;
    const { bytes } = answer;
    if (planted === "corrupt" && bytes.length > 0) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
    return new Response(this.#body(sent, bytes), { status: sent.status, headers: answer.response.headers });
  }

  async #answer(url: string, options: FetchOptions): Promise<{ response: Response; bytes: Uint8Array }> {
    this.busy++;
    try {
      const request = new Request(url, { ...options, redirect: "manual" } as RequestInit);
      const response = (await getResponse([...this.#handlers], request)) ?? new Response("", { status: 404 });
      return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
    } finally {
      this.busy--;
    }
  }

  /** The body, piece by piece; with a fault, half of it. */
  #body(sent: Sent, bytes: Uint8Array): ReadableStream<Uint8Array> {
    const { planted } = sent;
    const broken = planted === "cut" || planted === "silent";
    const end = broken ? bytes.length >> 1 : bytes.length;
    const pause = CHUNK_MS * (planted === "slow" ? SLOW : 1);
    const stop = new AbortController();
    const finish = (failure: Sent["failure"]) => {
      sent.failure = failure;
      sent.to = this.now();
    };
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const piece = bytes.slice(sent.bytes, Math.min(end, sent.bytes + CHUNK_BYTES));
          if (piece.length > 0) {
            // A document fits into the packet that the answer begins with.
            if (bytes.length > CHUNK_BYTES) await this.#clock.sleep(pause, stop.signal).catch(() => undefined);
            sent.bytes += piece.length;
            sent.to = this.now();
            controller.enqueue(piece);
          } else if (planted === "cut") {
            finish("cut");
            controller.error(new Error("terminated"));
          } else if (planted === "silent") {
            await new Promise<void>((resolve) =>
              stop.signal.addEventListener("abort", () => resolve(), { once: true }),
            );
          } else {
            controller.close();
          }
        },
        cancel: () => {
          // A document that nobody cares to read has come all the same.
          if (planted === "silent" && sent.bytes >= end) finish("silent");
          else if (bytes.length > CHUNK_BYTES && sent.bytes < bytes.length) finish(sent.failure ?? "gone");
          stop.abort();
        },
      },
      { highWaterMark: 0 },
    );
  }
}
