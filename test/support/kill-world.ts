/**
 * A daemon that is killed and started again, on one root, in one network with registries; and everything that has to be
 * right after that.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import {
  DRYDOCK,
  leftovers,
  listDir,
  type Result,
  run,
  startDaemon,
  type TestDaemon,
  type TestNetns,
} from "./daemon.ts";
import { ask, idsOnDisk, traces } from "./traces.ts";
import { treeSums } from "./trees.ts";

const STEPS = join(import.meta.dirname, "kill-steps.cjs");
const DIFFS: Readonly<Record<string, (id: string) => string>> = {
  overlay: (id) => `overlay/${id}/diff`,
  vfs: (id) => `vfs/dir/${id}`,
  aufs: (id) => `aufs/diff/${id}`,
  btrfs: (id) => `btrfs/subvolumes/${id}`,
};

/** Made when there is something to put into them, and removed by a boot. */
const COMING_AND_GOING = ["graph/_tmp", "aufs/work"];

/** An image, as far as it is to be the same each time. */
export interface Shown {
  readonly id: string;
  readonly parent: string;
  /** Without `<none>:<none>`. */
  readonly tags: readonly string[];
  /** All of it: how it was made, what is in its layer, and what it stands on. */
  readonly text: string;
}

interface Row {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[];
  readonly Size: number;
}

/** Brings a port of this side of the network to the other side. @returns what takes it away */
export async function bringPort(netns: TestNetns, port: number, socket: string): Promise<() => Promise<void>> {
  const server = createServer((from) => {
    const to = connect(port, "127.0.0.1").on("error", () => from.destroy());
    from
      .on("error", () => to.destroy())
      .pipe(to)
      .pipe(from);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const script = `require("node:net").createServer((from) => {
    const to = require("node:net").connect(${JSON.stringify(socket)}).on("error", () => from.destroy());
    from.on("error", () => to.destroy()).pipe(to).pipe(from);
  }).listen(${port}, "127.0.0.1", () => console.log("ready"))`;
  const [command = "", ...args] = [...netns.prefix, process.execPath, "-e", script];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return async () => {
    child.kill();
    await once(child, "exit");
    await new Promise((resolve) => server.close(resolve));
  };
}

/** A root, and the daemons that work on it one after the other. */
export class KillWorld {
  readonly dir: string;
  readonly root: string;
  readonly netns: TestNetns;
  readonly driver: string;
  readonly #steps: string;
  readonly #gone: TestDaemon[] = [];
  readonly #containers = new Set<string>();
  #daemon: TestDaemon | undefined;

  /** @param root - on a file system that the driver can use */
  constructor(dir: string, root: string, netns: TestNetns, driver: string) {
    this.dir = dir;
    this.root = root;
    this.netns = netns;
    this.driver = driver;
    this.#steps = join(dir, "steps");
  }

  get daemon(): TestDaemon {
    if (this.#daemon === undefined) throw new Error("no daemon runs");
    return this.#daemon;
  }

  async boot(): Promise<void> {
    const { netns, root, driver } = this;
    const env = { NODE_OPTIONS: `--require ${STEPS}`, DRYDOCK_STEPS: this.#steps };
    this.#daemon = await startDaemon({ netns, root, driver, env });
  }

  /** The same, but it dies before a step of its own. @returns the step; "": it came up, having not so many */
  async bootCutOff(step: number): Promise<string> {
    writeFileSync(`${this.#steps}.log`, "");
    writeFileSync(this.#steps, String(step));
    try {
      await this.boot();
    } catch (cause) {
      expect(String(cause)).toContain("The daemon did not start (SIGKILL)");
      return this.steps()[step - 1] ?? "";
    }
    await this.#killed(Promise.resolve());
    return "";
  }

  /** Ends everything. @returns what is left behind */
  async remove(): Promise<string[]> {
    await this.#daemon?.end();
    const left = leftovers(this.root, this.netns);
    for (const one of this.#gone) await one.remove();
    return [...left, ...((await this.#daemon?.remove()) ?? [])];
  }

  /** Our own client. */
  client(words: string[], input?: Buffer): Promise<Result> {
    const all = [...this.netns.prefix, DRYDOCK, "-H", `unix://${this.daemon.socket}`, ...words];
    return run(all, { ...(input !== undefined && { input }), env: { HOME: this.dir } });
  }

  /** The same, and it succeeds. @returns what it printed */
  async ok(words: string[], input?: Buffer): Promise<string> {
    const { code, stdout, stderr } = await this.client(words, input);
    expect(`${words.join(" ")}: ${code} ${stderr}`).toMatch(/: 0 /);
    return stdout.trim();
  }

  async #rows(): Promise<Row[]> {
    return JSON.parse((await ask(this.daemon, "GET", "/images/json?all=1")).body) as Row[];
  }

  /**
   * All images.
   *
   * @param options - `fixed`: whether ids and times count
   */
  async images({ fixed }: { fixed: boolean }): Promise<Shown[]> {
    const rows = await this.#rows();
    const diff = DIFFS[this.driver] as (id: string) => string;
    const dirs = rows.map(({ Id }) => join(this.root, diff(Id)));
    const sums = new Map(treeSums(dirs, { times: fixed }).map((sum, i) => [rows[i]?.Id ?? "", sum]));
    const byId = new Map(rows.map((row) => [row.Id, row]));
    const textOf = (id: string): string => {
      const row = byId.get(id);
      if (row === undefined) return `${id} is missing`;
      const stored = JSON.parse(readFileSync(join(this.root, "graph", id, "json"), "utf8")) as {
        container_config?: { Cmd?: unknown };
      };
      const made = JSON.stringify([stored.container_config?.Cmd, row.Size, sums.get(id), ...(fixed ? [id] : [])]);
      return row.ParentId === "" ? made : `${made} on ${textOf(row.ParentId)}`;
    };
    return rows.map(({ Id, ParentId, RepoTags }) => ({
      id: Id,
      parent: ParentId,
      tags: RepoTags.filter((name) => name !== "<none>:<none>").sort(),
      text: textOf(Id),
    }));
  }

  /** Removes all images but those with these names and what they stand on. */
  async clear(...keep: string[]): Promise<void> {
    const remove = async (name: string) => {
      const { status, body } = await ask(this.daemon, "DELETE", `/images/${name}`);
      expect(`rmi ${name}: ${status} ${body}`).toMatch(/: 200 /);
    };
    for (const { RepoTags } of await this.#rows()) {
      for (const name of RepoTags) if (name !== "<none>:<none>" && !keep.includes(name)) await remove(name);
    }
    for (;;) {
      const left = await this.#rows();
      const tops = left.filter(
        ({ Id, RepoTags }) => RepoTags[0] === "<none>:<none>" && !left.some(({ ParentId }) => ParentId === Id),
      );
      if (tops.length === 0) return;
      for (const { Id } of tops) await remove(Id);
    }
  }

  /** Every file with its size, but for those whose size says nothing. */
  files(): string[] {
    const found: string[] = [];
    const walk = (dir: string) => {
      for (const entry of readdirSync(join(this.root, dir), { withFileTypes: true })) {
        const path = join(dir, entry.name);
        if (entry.isDirectory()) walk(path);
        if (COMING_AND_GOING.includes(path)) continue;
        const sized = entry.isFile() && !["linkgraph.db", ".drydock", "blobs.json"].includes(entry.name);
        found.push(sized ? `${path} ${readFileSync(join(this.root, path)).length}` : path);
      }
    };
    walk("");
    return found.sort();
  }

  /** Waits until the daemon's log has a text behind an offset. */
  seen(text: string, from: number): Promise<void> {
    const { daemon } = this;
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!daemon.log().includes(text, from)) return;
        stop();
        resolve();
      };
      const ended = () => {
        stop();
        reject(new Error(`the daemon ended before it logged ${text}`));
      };
      const streams = [daemon.process.stdout, daemon.process.stderr];
      const stop = () => {
        for (const stream of streams) stream?.off("data", look);
        daemon.process.off("exit", ended);
      };
      for (const stream of streams) stream?.on("data", look);
      daemon.process.once("exit", ended);
      look();
    });
  }

  #noteContainers(): void {
    for (const id of idsOnDisk(this.root)) this.#containers.add(id);
  }

  /** Lets the daemon count its steps. @param last - before this one it dies; 0: it lives */
  async #count(last: number): Promise<void> {
    writeFileSync(`${this.#steps}.log`, "");
    writeFileSync(this.#steps, String(last));
    this.daemon.process.kill("SIGUSR2");
    while (existsSync(this.#steps)) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Names of the steps since the counting began. */
  steps(): string[] {
    return readFileSync(`${this.#steps}.log`, "utf8").split("\n").slice(0, -1);
  }

  /** How long something takes from the beginning of its job on, in milliseconds, and how many steps it has. */
  async measure(job: string, act: () => Promise<Result>): Promise<{ takes: number; steps: number }> {
    await this.#count(0);
    const from = this.daemon.log().length;
    const done = act();
    await this.seen(job, from);
    const began = performance.now();
    const { code, stderr } = await done;
    expect(`${job} ${code} ${stderr}`).toMatch(/ 0 /);
    return { takes: performance.now() - began, steps: this.steps().length };
  }

  async #killed(done: Promise<unknown>): Promise<void> {
    this.#noteContainers();
    await this.daemon.end("SIGKILL");
    await done;
    this.#noteContainers();
    this.#gone.push(this.daemon);
    this.#daemon = undefined;
  }

  /** Kills the daemon so long after the job has begun. */
  async killAfter(job: string, act: () => Promise<Result>, delay: number): Promise<void> {
    const from = this.daemon.log().length;
    const done = act();
    await this.seen(job, from);
    await new Promise((resolve) => setTimeout(resolve, delay));
    await this.#killed(done);
  }

  /** Kills the daemon before a step, or at the end. @returns the step; "": it has not so many */
  async killBefore(step: number, act: () => Promise<Result>): Promise<string> {
    await this.#count(step);
    const done = act();
    await Promise.race([this.daemon.ended, done]);
    await this.#killed(done);
    return this.steps()[step - 1] ?? "";
  }

  /**
   * Nothing is half done, nobody is left, every name leads to an image, and every image is whole.
   *
   * @param allowed - texts of images there may be
   */
  async check(what: string, allowed: ReadonlySet<string>, options: { fixed: boolean }): Promise<Shown[]> {
    const { daemon, root, driver } = this;
    expect(await traces(daemon, root, this.#containers, driver), what).toEqual([]);
    await expect.poll(() => this.#strays(), { message: what, timeout: 10_000 }).toEqual([]);
    const images = await this.images(options);
    const known = new Set(["", ...images.map(({ id }) => id)]);
    for (const { parent } of images) expect(known, what).toContain(parent);
    for (const name of listDir(root)) {
      if (!/^(repositories|digests)-/.test(name)) continue;
      expect(name, what).not.toMatch(/corrupt|tmp/);
      const names = JSON.parse(readFileSync(join(root, name), "utf8")) as Record<string, object>;
      for (const ids of Object.values(Object.values(names)[0] ?? {})) {
        for (const id of Object.values(ids as Record<string, string>)) expect(known, `${what}: ${name}`).toContain(id);
      }
    }
    expect(
      images.map(({ text }) => text).filter((text) => !allowed.has(text)),
      what,
    ).toEqual([]);
    // Reads all of every layer, and compares it with what was written down.
    if (images.length > 0) expect(await this.#save(images.map(({ id }) => id)), what).toBe("200, to its end");
    return images;
  }

  #save(ids: readonly string[]): Promise<string> {
    const path = `/images/get?${ids.map((id) => `names=${id}`).join("&")}`;
    return new Promise((resolve) => {
      const fail = (cause: Error) => resolve(String(cause));
      const req = request({ socketPath: this.daemon.socket, path, agent: false }, (res) => {
        res.on("error", fail).on("end", () => resolve(`${res.statusCode}, ${res.complete ? "to its end" : "cut off"}`));
        res.resume();
      });
      req.on("error", fail).end();
    });
  }

  /** Processes that work on the root, but for the daemon. */
  #strays(): string[] {
    const own = String(this.daemon.process.pid);
    return readdirSync("/proc").flatMap((pid) => {
      if (!/^\d+$/.test(pid) || pid === own) return [];
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return line.includes(`${this.root}/`) ? [`${pid}: ${line}`] : [];
      } catch {
        return []; // ended meanwhile
      }
    });
  }
}
