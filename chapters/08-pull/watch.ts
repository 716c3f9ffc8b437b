/**
 * The store as one client's pull sees it: the same store, and somebody who writes down which keys it takes.
 *
 * @module
 */

import { Engine } from "../../src/engine/engine.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { PoolBusyError } from "../../src/graph/pool-busy-error.ts";
import { install } from "../../src/graph/service.ts";
import type { SharedWork } from "../../src/graph/shared-work.ts";
import type { TagStore } from "../../src/graph/tags.ts";
import type { LayerTransfers } from "../../src/graph/transfers.ts";
import type { Host } from "../../src/host/host.ts";
import type { Net } from "../../src/host/net.ts";

/** What a pull did with a key of the pool. */
export interface KeySight {
  readonly kind: "name" | "image" | "layer";
  readonly key: string;
  /** `takes`: it does the work; `waits`: somebody else does; `ends`: the work is over; `leaves`: it needs it no more. */
  readonly what: "takes" | "waits" | "ends" | "leaves";
}

/** Somebody who is told. */
export interface Watcher {
  key(sight: KeySight): void;
  /** A layer needs no fetching. */
  has(id: string): void;
  /** A name was given. */
  tag(name: string, tag: string, id: string): void;
}

/** The object with some of its members replaced; all others are its own, and run on it. */
function instead<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in members) return Reflect.get(members, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** An engine of one client's own, whose `pull` works on the store that all share. */
export function watchedEngine(store: TagStore, host: Host, watcher: Watcher, fetch: Net["fetch"]): Engine {
  const kindOf = (key: string): KeySight["kind"] => (key.startsWith("img:") ? "image" : "name");
  const poolAdd: TagStore["poolAdd"] = (kind, key, work) => {
    const see = (what: KeySight["what"]) => watcher.key({ kind: kindOf(key), key, what });
    const until = (shared: SharedWork<unknown>) => void shared.ended().then(() => see("ends"));
    try {
      const shared = store.poolAdd(kind, key, work);
      see("takes");
      until(shared);
      return shared;
    } catch (cause) {
      if (!(cause instanceof PoolBusyError)) throw cause;
      see("waits");
      until(cause.shared);
      throw cause;
    }
  };
  const layers: Partial<LayerTransfers> = {
    enter(key, steps) {
      const see = (what: KeySight["what"]) => watcher.key({ kind: "layer", key, what });
      // Said before: a transfer that begins speaks at once.
      see(store.layers.find(key) === undefined ? "takes" : "waits");
      const entered = store.layers.enter(key, steps);
      void entered.transfer.work.ended().then(() => see("ends"));
      const leave = () => {
        see("leaves");
        return entered.leave();
      };
      return { ...entered, leave };
    },
  };
  const graph: Partial<Graph> = {
    hold(id) {
      watcher.has(id);
      store.graph.hold(id);
    },
  };
  const view = instead<TagStore>(store, {
    poolAdd,
    layers: instead(store.layers, layers),
    graph: instead(store.graph, graph),
    host: { ...store.host, net: { ...store.host.net, fetch } },
    async set(name, tag, image) {
      await store.set(name, tag, image);
      watcher.tag(name, tag, image);
    },
  });
  const eng = new Engine(host);
  eng.logging = false;
  install(view, eng);
  return eng;
}
