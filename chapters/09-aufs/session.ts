/**
 * A machine with an image of some layers and a container on it, and a session with the container's files: everything
 * that becomes of them is noted.
 *
 * It knows files and the storage driver alone, so it runs in memory and on a Linux of flesh and blood.
 *
 * @module
 */

import { join } from "node:path/posix";
import type { Change } from "../../src/archive/changes.ts";
import type { Header } from "../../src/archive/tar/header.ts";
import { AufsDriver } from "../../src/daemon/graphdriver/aufs/aufs.ts";
import { VfsDriver } from "../../src/daemon/graphdriver/vfs/driver.ts";
import type { Host } from "../../src/host/host.ts";
import { type TarFile, tar } from "../lib/tar.ts";
import { act, type Call } from "./calls.ts";
import {
  differences,
  type Entry,
  entriesOf,
  type Hidden,
  headersOf,
  type Layer,
  layerOf,
  look,
  type Shown,
} from "./disk.ts";
import { addContainer, addImage, openStores, type Stores } from "./main.ts";

const long = (start: string) => start.padEnd(64, "0");

/** The lowest layer, the one on top of the image, and the container's. */
export const BASE = long("ba5e");
export const ADD = long("0add");
export const CODE = long("c0de");

/** An id as people write it. */
export const short = (id: string): string => `${id.slice(0, 4)}…`;

/** What the layers of the image bring. */
const BRINGS: Readonly<Record<string, readonly TarFile[]>> = {
  [BASE]: [
    { name: "bin/", type: "dir" },
    { name: "bin/ls", content: "a program\n", mode: 0o755 },
    { name: "bin/sh", content: "another program\n", mode: 0o755 },
    { name: "etc/", type: "dir" },
    { name: "etc/motd", content: "welcome to the base\n" },
    { name: "etc/passwd", content: "root:x:0:0::/root:/bin/sh\n", mode: 0o600 },
    { name: "tmp/", type: "dir", mode: 0o1777 },
    { name: "tmp/cache", content: "left behind\n" },
  ],
  [ADD]: [
    { name: "etc/", type: "dir" },
    { name: "etc/motd", content: "welcome to the app\n" },
    { name: "srv/", type: "dir" },
    { name: "srv/index.html", content: "<h1>one</h1>\n" },
    { name: "srv/style.css", content: "h1 { color: teal }\n" },
    { name: "tmp/", type: "dir", mode: 0o1777 },
    { name: "tmp/.wh.cache" },
  ],
};

/** Ids of an image's layers, the lowest first: base, empty ones, and what was added. */
export function imageIds(depth: number): string[] {
  if (depth === 1) return [BASE];
  const between = Array.from({ length: depth - 2 }, (_, n) => long(`1a${(n + 1).toString(16).padStart(2, "0")}`));
  return [BASE, ...between, ADD];
}

/** A line of the session, and what came of it. */
export interface Step {
  readonly line: string;
  readonly said: readonly string[];
  readonly error: string;
  /** What it did to `diff/<container>`: `+`, `~` or `-`, and the path. */
  readonly changes: readonly string[];
  /** What it asked of mount(2) and umount(2). */
  readonly mounts: readonly string[];
  /** Users of the directory that was asked for or given back, afterwards. */
  readonly references: number | undefined;
  /** Whether the container's layer was mounted when the call was made. */
  readonly mounted: boolean;
}

/** All of it. */
export interface Trace {
  readonly root: string;
  /** The container's layer first. */
  readonly layers: readonly Layer[];
  readonly steps: readonly Step[];
  readonly mounted: boolean;
  readonly shown: readonly Shown[];
  readonly hidden: readonly Hidden[];
  /** Headers of the layer's archive, as `Diff` gives it. */
  readonly archive: readonly Header[];
  readonly changes: readonly Change[];
  readonly diffSize: number;
  /** Why there is no container, if there is none. */
  readonly end: string;
}

/** Paths without what everybody knows. */
const shorten = (root: string, text: string) => text.replaceAll(`${root}/aufs/`, "").replace(/0{60}/g, "…");

/** Notes what is asked of mount(2) and umount(2). */
function listen({ kernel }: Host, root: string): string[] {
  const calls: string[] = [];
  const [mount, unmount] = [kernel.mount.bind(kernel), kernel.unmount.bind(kernel)];
  const note = (call: string, work: () => void) => {
    let end = "";
    try {
      work();
    } catch (cause) {
      end = ` = ${(cause as { code?: string }).code}`;
      throw cause;
    } finally {
      calls.push(shorten(root, call) + end);
    }
  };
  kernel.mount = (source, target, fstype, flags, data = "", cwd) =>
    note(`mount("${source}", "${target}", "${fstype}", ${flags.join("|") || 0}, "${data}")`, () =>
      mount(source, target, fstype, flags, data, cwd),
    );
  kernel.unmount = (target, options) => note(`umount("${target}")`, () => unmount(target, options));
  return calls;
}

/** One session. */
export class Session {
  readonly root: string;
  readonly #host: Host;
  readonly #stores: Stores;
  readonly #mounts: string[];
  readonly #steps: Step[] = [];
  readonly #users = new Map<string, number>();
  readonly #image: readonly string[];

  private constructor(root: string, host: Host, stores: Stores, mounts: string[], image: readonly string[]) {
    this.root = root;
    this.#host = host;
    this.#stores = stores;
    this.#mounts = mounts;
    this.#image = image;
  }

  /** Opens the stores of a daemon and registers an image of `depth` layers. */
  static async open(root: string, host: Host, depth: number): Promise<Session> {
    const stores = await openStores(root, host);
    const ids = imageIds(depth);
    for (const [n, id] of ids.entries()) {
      const parent = ids[n - 1];
      const json = JSON.stringify({ id, ...(parent !== undefined && { parent }), created: "2014-08-20T20:20:14Z" });
      const layer = tar(BRINGS[id] ?? []);
      await addImage(
        stores,
        json,
        (async function* () {
          yield layer;
        })(),
      );
    }
    return new Session(root, host, stores, listen(host, root), ids);
  }

  get stores(): Stores {
    return this.#stores;
  }

  /** Makes the container's layer and does all that is asked. */
  async run(calls: readonly Call[]): Promise<Trace> {
    const end = await addContainer(this.#stores, CODE, this.#image.at(-1) ?? "").then(
      () => "",
      (cause: Error) => cause.message,
    );
    if (end === "") for (const call of calls) await this.#step(call);
    return this.#trace(end);
  }

  /** What the driver vfs makes of the same archives: every layer a whole tree, whiteouts carried out. */
  async underVfs(): Promise<Entry[]> {
    const root = `${this.root}-vfs`;
    const vfs = await VfsDriver.init(root, [], this.#host);
    const ids = [...this.#image, CODE];
    for (const [n, id] of ids.entries()) {
      await vfs.create(id, ids[n - 1]);
      await vfs.applyDiff(id, ids[n - 1], this.#stores.driver.diff(id, ids[n - 1]));
    }
    return entriesOf(this.#host.fs, await vfs.get(CODE));
  }

  /** Unmounts everything. */
  async close(): Promise<void> {
    await this.#stores.driver.cleanup();
  }

  async #step(call: Call): Promise<void> {
    const { fs } = this.#host;
    const diff = join(this.root, "aufs/diff", CODE);
    const before = await entriesOf(fs, diff);
    const from = this.#mounts.length;
    const mounted = this.#mounted();
    let [said, error]: [string[], string] = [[], ""];
    try {
      said = await this.#do(call);
    } catch (cause) {
      const { code, syscall, message } = cause as { code?: string; syscall?: string; message: string };
      error = code === undefined || syscall === undefined ? shorten(this.root, message) : `${syscall}: ${code}`;
    }
    const id = call.name === "get" || call.name === "put" ? this.#idOf(call) : undefined;
    this.#steps.push({
      line: call.line,
      said: said.map((text) => shorten(this.root, text)),
      error,
      changes: differences(before, await entriesOf(fs, diff)),
      mounts: this.#mounts.slice(from),
      references: id === undefined ? undefined : this.#users.get(id),
      mounted,
    });
  }

  async #do(call: Call): Promise<string[]> {
    const { driver, graph } = this.#stores;
    if (call.name === "image") {
      const { id, parent, size } = await graph.get(call.words[0] ?? "");
      return [`${id}, parent ${parent || "none"}, Size ${size}`];
    }
    if (call.name !== "get" && call.name !== "put") return act(this.#host.fs, join(this.root, "aufs/mnt", CODE), call);
    const id = this.#idOf(call);
    const users = this.#users.get(id) ?? 0;
    if (call.name === "put") await driver.put(id);
    const said = call.name === "get" ? [`returns ${await driver.get(id)}`] : [];
    this.#users.set(id, call.name === "get" ? users + 1 : Math.max(users - 1, 0));
    return said;
  }

  /** The layer that `get` or `put` means: the container's unless it names another by the start of its id. */
  #idOf({ words: [word = CODE] }: Call): string {
    return [CODE, ...this.#image].find((one) => one.startsWith(word)) ?? word;
  }

  #mounted(): boolean {
    const mnt = join(this.root, "aufs/mnt", CODE);
    return this.#host.kernel.mounts().some(({ mountpoint }) => mountpoint === mnt);
  }

  async #trace(end: string): Promise<Trace> {
    const { fs } = this.#host;
    const { driver } = this.#stores;
    const mnt = join(this.root, "aufs/mnt", CODE);
    const ids = [...(end === "" ? [CODE] : []), ...this.#image.toReversed()];
    const layers: Layer[] = [];
    for (const id of ids) layers.push(await layerOf(fs, this.root, id));
    const mounted = this.#mounted();
    const view = end === "" ? await entriesOf(fs, mnt) : [];
    const common = { root: this.root, layers, steps: this.#steps, mounted, end };
    if (end !== "") return { ...common, shown: [], hidden: [], archive: [], changes: [], diffSize: 0 };
    return {
      ...common,
      ...(mounted ? look(view, layers) : { shown: [], hidden: [] }),
      archive: await headersOf(driver.diff(CODE, this.#image.at(-1))),
      changes: driver instanceof AufsDriver ? await driver.changes(CODE) : [],
      diffSize: await driver.diffSize(CODE, this.#image.at(-1)),
    };
  }
}
