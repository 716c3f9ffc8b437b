/**
 * What happened to containers and images: the last 64 events, and everybody who wants to hear of the next.
 *
 * @origin events/events.go
 * @article 001/5.4.3
 * @module
 */

import type { Engine, Installer } from "../engine/engine.ts";
import { Env } from "../engine/env.ts";
import type { Handler, Job } from "../engine/job.ts";
import { BadRequestError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { actorJson, type Event, eventJson, typeOf } from "./event.ts";
import { eventFilter } from "./filter.ts";
import { Subscriber } from "./subscriber.ts";

/** How many events are remembered. @origin events/events.go eventsLimit */
export const EVENTS_LIMIT = 64;

/** Waiting for a far `until` looks at the clock this often: it may have been set meanwhile. */
const LOOK_AGAIN_MS = 3_600_000;
const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;

/** What clients of today learn beside the event itself. */
export interface LogOptions {
  /** Default: by the action. */
  type?: string | undefined;
  attributes?: Readonly<Record<string, string>> | undefined;
}

/**
 * The store of events and its three jobs: `events`, `log`, `subscribers_count`.
 *
 * @origin events/events.go Events
 * @deviation A subscriber that does not read delays nobody: its events wait in a queue of its own, and it loses what
 *   does not fit. 1.2.0 makes everybody wait 100 ms for each such subscriber, and has no queue.
 */
export class Events implements Installer {
  readonly #clock: Host["clock"];
  readonly #events: Event[] = [];
  readonly #subscribers = new Set<Subscriber>();

  /** @param host - the time of the events */
  constructor(host: Pick<Host, "clock">) {
    this.#clock = host.clock;
  }

  /**
   * @origin events/events.go (*Events).Install
   * @article 001/5.4.3
   */
  install(engine: Engine): void {
    engine.register("events", (job) => this.#get(job));
    engine.register("log", this.#log);
    engine.register("subscribers_count", this.#subscribersCount);
  }

  /** Remembers an event and hands it to all subscribers. @origin events/events.go (*Events).log */
  log(action: string, id: string, from: string, { type = typeOf(action), attributes = {} }: LogOptions = {}): void {
    const timeNano = this.#clock.nowNs();
    const all = new Map(Object.entries(attributes));
    if (type === "container" && from !== "" && !all.has("image")) all.set("image", from);
    const time = Number(timeNano / NS_PER_SECOND);
    const event: Event = { status: action, id, from, type, time, timeNano, attributes: all };
    if (this.#events.push(event) > EVENTS_LIMIT) this.#events.shift();
    for (const subscriber of this.#subscribers) subscriber.offer(event);
  }

  /** Begins to collect events; `close` what is returned to end it. */
  subscribe(): Subscriber {
    const subscriber = new Subscriber(() => this.#clock.monotonicMs());
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  /** Ends a subscription. */
  unsubscribe(subscriber: Subscriber): void {
    subscriber.close();
    this.#subscribers.delete(subscriber);
  }

  /** How many read events now. @origin events/events.go (*Events).subscribersCount */
  subscribersCount(): number {
    return this.#subscribers.size;
  }

  /** @origin events/events.go (*Events).Log */
  readonly #log: Handler = (job) => {
    const [action, id, from, ...rest] = job.args;
    if (action === undefined || id === undefined || from === undefined || rest.length > 0) {
      return job.errorf(`usage: ${job.name} ACTION ID FROM`);
    }
    const attributes = job.getenvJson<Record<string, string>>("attributes");
    this.log(action, id, from, { type: job.getenv("type") || undefined, attributes });
    return undefined;
  };

  /** @origin events/events.go (*Events).SubscribersCount */
  readonly #subscribersCount: Handler = async (job) => {
    const env = new Env();
    env.setInt("count", this.subscribersCount());
    await env.writeTo(job.stdout);
  };

  /**
   * Writes remembered events since `since`, then new ones up to `until`, or until the caller leaves. With the
   * environment `format=actor` in today's form; `filters` chooses among them.
   *
   * @origin events/events.go (*Events).Get
   */
  async #get(job: Job): Promise<void> {
    const actor = job.getenv("format") === "actor";
    const [since, until] = [moment(job, "since", actor), moment(job, "until", actor)];
    if (actor && since !== undefined && until !== undefined && until < since) {
      const [from, to] = [job.getenv("since"), job.getenv("until")];
      throw new BadRequestError(`\`since\` time (${from}) cannot be after \`until\` time (${to})`);
    }
    const wanted = eventFilter(job.getenvJson("filters"));
    const write = actor ? (event: Event) => `${actorJson(event)}\n` : eventJson;
    // Both in one step, so that no event is missed between the memory and the subscription, and none comes twice.
    const subscriber = this.subscribe();
    const remembered = since === undefined ? [] : this.#events.filter((event) => isWithin(event, since, until, actor));
    const leave = () => this.unsubscribe(subscriber);
    const stop = new AbortController();
    job.signal.addEventListener("abort", leave, { once: true });
    try {
      if (job.signal.aborted) return;
      await job.stdout.write("");
      for (const event of remembered) if (wanted(event)) await job.printf(write(event));
      if (until !== undefined) this.#waitUntil(until, stop.signal).then(leave, () => undefined);
      for await (const event of subscriber) if (wanted(event)) await job.printf(write(event));
    } finally {
      stop.abort();
      job.signal.removeEventListener("abort", leave);
      leave();
    }
  }

  /** Waits for a moment of the wall clock. */
  async #waitUntil(ns: bigint, signal: AbortSignal): Promise<void> {
    for (;;) {
      const left = Number((ns - this.#clock.nowNs()) / NS_PER_MS) + 1;
      if (ns <= this.#clock.nowNs()) return;
      await this.#clock.sleep(Math.min(left, LOOK_AGAIN_MS), signal);
    }
  }
}

/**
 * A moment of the request, in nanoseconds; `undefined` when there is none.
 *
 * @param fine - accept a fraction, `1408565614.5`, as clients of today send it; otherwise it counts as nothing
 */
function moment(job: Job, key: string, fine: boolean): bigint | undefined {
  if (!fine) {
    const seconds = job.getenvInt64(key);
    return seconds === 0n ? undefined : seconds * NS_PER_SECOND;
  }
  const text = job.getenv(key);
  if (text === "") return undefined;
  const found = /^(-?\d{1,15})(?:\.(\d{1,9}))?$/.exec(text);
  if (found === null) throw new BadRequestError(`invalid ${key}: ${JSON.stringify(text)}`);
  return BigInt(found[1] ?? 0) * NS_PER_SECOND + BigInt((found[2] ?? "").padEnd(9, "0"));
}

/** Compares by seconds, as 1.2.0 does, unless the client asked for more. */
function isWithin(event: Event, since: bigint, until: bigint | undefined, fine: boolean): boolean {
  const time = fine ? event.timeNano : BigInt(event.time) * NS_PER_SECOND;
  return time >= since && (until === undefined || time <= until);
}
