/**
 * Lets clients pull at once, and writes down what every one of them did, saw and waited for.
 *
 * @module
 */

import { messageOf } from "../../src/errdefs/errdefs.ts";
import type { TagStore } from "../../src/graph/tags.ts";
import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import { parseRepositoryTag } from "../../src/pkg/parsers/parsers.ts";
import type { JSONMessage } from "../../src/utils/json-message.ts";
import { start } from "../02-engine/main.ts";
import type { Asked } from "./args.ts";
import { PlainDriver } from "./driver.ts";
import { openStore } from "./main.ts";
import { Network, type Sent } from "./network.ts";
import { fillShelf, REGISTRY, type Shelf } from "./shelf.ts";
import { type KeySight, type Watcher, watchedEngine } from "./watch.ts";

/** One thing that happened. */
export type Event = { readonly at: number; readonly client: number } & (
  | { readonly kind: "starts"; readonly image: string }
  | { readonly kind: "sends"; readonly sent: Sent }
  | { readonly kind: "key"; readonly sight: KeySight }
  | { readonly kind: "says"; readonly message: JSONMessage }
  | { readonly kind: "has"; readonly id: string }
  | { readonly kind: "tags"; readonly name: string; readonly id: string }
  | { readonly kind: "goes" }
  | { readonly kind: "ends"; readonly error: string | undefined }
);

/** One key of the pool in the hand of one client. */
export interface Hold {
  readonly client: number;
  readonly sight: Pick<KeySight, "kind" | "key">;
  /** Whether it did the work, or waited for whoever did. */
  readonly works: boolean;
  readonly from: number;
  /** End of the work. */
  worked: number;
  /** When it was given back. */
  to: number;
}

/** What became of a client. */
export interface Outcome {
  readonly image: string;
  readonly from: number;
  readonly to: number;
  readonly error: string | undefined;
  /** `false`: nothing was written before the error, so that the answer is a status and not a stream. */
  readonly streamed: boolean;
  readonly gone: boolean;
}

/** Everything that happened. */
export interface Trace {
  readonly asked: Asked;
  readonly shelf: Shelf;
  readonly events: readonly Event[];
  readonly sent: readonly Sent[];
  readonly holds: readonly Hold[];
  readonly clients: readonly Outcome[];
  /** The file of names. */
  readonly names: { readonly path: string; readonly content: string };
  /** Ids in the graph. */
  readonly graph: readonly string[];
  /** Layers of the driver. */
  readonly layers: readonly string[];
}

/** When something hangs, the clock runs on and on. */
const MAX_MS = 3_600_000;
/** How often nothing must have happened before time passes: streams hand on what they have in turns of their own. */
const QUIET_TURNS = 3;

/** Counts calls of the file system that are on their way: the clock must not move meanwhile. */
function counted<T extends object>(target: T, busy: { count: number }): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const result: unknown = value.apply(target, args);
        if (!(result instanceof Promise)) return result;
        busy.count++;
        return result
          .then((got: unknown) =>
            name === "open" && typeof got === "object" && got !== null ? counted(got, busy) : got,
          )
          .finally(() => busy.count--);
      };
    },
  });
}

/** The world of one demonstration. */
interface World {
  readonly host: MemoryHost;
  readonly store: TagStore;
  readonly network: Network;
  /** How many things are on their way that do not wait for the clock. */
  busy(): number;
}

/** Lets run what is ready to run. */
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** Lets time pass until all have come to their end, and never while something runs that does not wait for it. */
async function playOut<T>({ host, busy }: World, all: Promise<T>): Promise<T> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  all.then(end, end);
  while (!ended) {
    for (let calm = 0; calm < QUIET_TURNS && !ended; ) {
      await turn();
      calm = busy() === 0 ? calm + 1 : 0;
    }
    if (ended) break;
    if (host.clock.monotonicMs() > MAX_MS || !host.clock.skip()) throw new Error("Cannot go on: everybody waits");
  }
  return all;
}

/** Writes down what happens. */
class Book {
  readonly events: Event[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(event: Unstamped): void {
    this.events.push({ ...event, at: this.#now() } as Event);
  }
}

type Unstamped = Event extends infer One ? (One extends Event ? Omit<One, "at"> : never) : never;

/** `docker pull <image>`, as far as the daemon is concerned. */
async function client(world: World, book: Book, asked: Asked, number: number, image: string): Promise<Outcome> {
  const { host, store, network } = world;
  const add = (event: Unstamped) => book.add(event);
  const watcher: Watcher = {
    key: (sight) => add({ client: number, kind: "key", sight }),
    has: (id) => add({ client: number, kind: "has", id }),
    tag: (name, tag, id) => add({ client: number, kind: "tags", name: `${name}:${tag}`, id }),
  };
  const eng = watchedEngine(store, host, watcher, network.fetchOf(number));
  const away = new AbortController();
  const leaves = asked.leave.get(number);
  if (leaves !== undefined) {
    void host.clock.sleep(leaves).then(() => {
      add({ client: number, kind: "goes" });
      away.abort(new Error("the client went away"));
    });
  }
  await host.clock.sleep(asked.afterMs * (number - 1));
  const from = network.now();
  add({ client: number, kind: "starts", image });
  const [name, tag] = parseRepositoryTag(image);
  const job = eng.job("pull", `${REGISTRY}/${name}`, tag);
  job.setenvBool("json", true);
  job.setenvBool("parallel", true); // as the server does for every client since API 1.4
  let streamed = false;
  job.stdout.add({
    write(chunk) {
      streamed = true;
      add({ client: number, kind: "says", message: JSON.parse(Buffer.from(chunk as Uint8Array).toString()) });
    },
  });
  const error = await job.run({ signal: away.signal }).then(
    () => undefined,
    (cause: unknown) => messageOf(cause),
  );
  add({ client: number, kind: "ends", error });
  return { image, from, to: network.now(), error, streamed, gone: away.signal.aborted };
}

/** Follows what the arguments ask for, to the end. */
export async function follow(asked: Asked): Promise<Trace> {
  const calls = { count: 0 };
  const memory = memoryHost({ env: { HOME: "/root" }, files: { "/var/lib": null } });
  const host: MemoryHost = { ...memory, fs: counted(memory.fs, calls) };
  const shelf = fillShelf(asked.version, host.hash);
  const configs = new Set([...shelf.roles].filter(([, role]) => role.startsWith("config of")).map(([id]) => id));
  const started = start(["-d"], host);
  if (started === undefined) throw new TypeError("A daemon was to start");
  const driver = new PlainDriver("/var/lib/docker/layers", host);
  const store = await openStore(started, host, driver);
  /** A network of its own for what happened before, so that nothing of it is counted. */
  const act = async (faults: Asked["faults"], play: (world: World, book: Book) => Promise<Outcome>[]) => {
    const network = new Network(host.clock, shelf.handlers, configs, faults);
    const book = new Book(() => network.now());
    network.onSend((sent) => book.add({ client: sent.client, kind: "sends", sent }));
    const world: World = { host, store, network, busy: () => calls.count + network.busy };
    return { network, book, clients: await playOut(world, Promise.all(play(world, book))) };
  };
  const alone = { ...asked, leave: new Map<number, number>() };
  for (const image of asked.have) await act([], (world, book) => [client(world, book, alone, 1, image)]);
  const { network, book, clients } = await act(asked.faults, (world, book) =>
    asked.images.map((image, i) => client(world, book, asked, i + 1, image)),
  );
  const names = `/var/lib/docker/repositories-${driver.name}`;
  return {
    asked,
    shelf,
    events: book.events,
    sent: network.sent,
    holds: holdsOf(book.events),
    clients,
    names: { path: names, content: await memory.fs.readFile(names, "utf8") },
    graph: store.graph.ids(),
    layers: await driver.ids(),
  };
}

/** Puts together what was seen of each key. */
export function holdsOf(events: readonly Event[]): Hold[] {
  const open = new Map<string, Hold>();
  const holds: Hold[] = [];
  for (const event of events) {
    if (event.kind !== "key") continue;
    const { at, client, sight } = event;
    const id = `${client} ${sight.key}`;
    const hold = open.get(id);
    if (sight.what === "takes" || sight.what === "waits") {
      const fresh = { client, sight, works: sight.what === "takes", from: at, worked: at, to: at };
      open.set(id, fresh);
      holds.push(fresh);
    } else if (hold !== undefined) {
      if (sight.what === "ends") hold.worked = at;
      hold.to = at;
    }
  }
  return holds;
}
