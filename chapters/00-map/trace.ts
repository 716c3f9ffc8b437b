/**
 * One command of the client, followed through the modules.
 *
 * Client, daemon and registry are the real ones of this project. What is written down is what crosses a border: a
 * request that the server logs, a job that the engine logs, a call of a driver, a request to the registry.
 *
 * @module
 */

import { DryDriver } from "../../src/daemon/execdriver/dry/driver.ts";
import { newGraphDriver } from "../../src/daemon/graphdriver/graphdriver.ts";
import type { DaemonParts } from "../../src/docker/daemon.ts";
import { memoryHost } from "../../src/host/memory/memory.ts";
import { parts } from "../05-main-daemon/main.ts";
import { memoryNames } from "../lib/memory-names.ts";
import { docker, hub, startDaemon, world } from "./main.ts";
import { type ModuleName, ownerOf } from "./modules.ts";

/** Something that crosses borders: from the first module to the last. */
export interface Step {
  readonly path: readonly ModuleName[];
  /** What the last one is asked for. */
  readonly what: string;
}

/** A command and what it led to. */
export interface Trace {
  readonly command: readonly string[];
  readonly steps: readonly Step[];
  /** What the command printed, both streams. */
  readonly output: string;
  /** `undefined`: it was still running when the record stopped. */
  readonly status: number | undefined;
}

/** Who runs a job: these are run by the daemon for itself, all others because of a request. */
const internal = /^(?:log|allocate_interface|release_interface|allocate_port|link|init_networkdriver)$/;

/** Calls that are worth a line; the others only look something up. */
const calls = {
  graphdriver: new Set(["create", "remove", "get", "put", "applyDiff", "diff", "changes"]),
  execdriver: new Set(["run", "kill", "pause", "unpause"]),
  names: new Set(["set", "purge", "rename", "delete"]),
};

/** Whatever has not ended by then goes on for ever: `events`, `logs -f`. */
const limitMs = 3_000;

const short = (value: unknown): string =>
  typeof value === "string" ? value.replace(/[0-9a-f]{64}/g, (id) => id.slice(0, 12)) : "…";

/** An object some of whose calls are told to somebody. */
function watched<T extends object>(target: T, worth: ReadonlySet<string>, tell: (call: string) => void): T {
  return new Proxy(target, {
    get(_, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        // Ids and names: where a file lies says nothing about the way.
        const texts = args.filter((arg) => typeof arg === "string" && arg !== "" && !/^\/.*\//.test(arg)).map(short);
        if (worth.has(String(name))) tell(`${String(name)}(${texts.join(", ")})`);
        return (value as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

/**
 * Runs a command on a machine of its own and writes down its way.
 *
 * @param prepared - whether the image is on the machine before
 */
export async function follow(command: readonly string[], prepared: boolean): Promise<Trace> {
  const steps: Step[] = [];
  let recording = false;
  /** The module that works for the last job but those the daemon runs for itself. */
  let at: ModuleName = "daemon";
  const note = (path: readonly ModuleName[], what: string) => {
    if (recording) steps.push({ path, what });
  };
  const host = world(hub(), (request) =>
    note(at === "registry" ? ["registry", "outside"] : [at, "registry", "outside"], short(request)),
  );
  const watchedParts: DaemonParts = {
    ...parts(),
    newDaemon: (config, eng, itsHost, log) =>
      parts({
        openGraph: async () => watched(memoryNames(), calls.names, (call) => note([at, "names"], call)),
        graphDriver: async (root) =>
          watched(await newGraphDriver(root, { name: "vfs", env: {} }, itsHost, log), calls.graphdriver, (call) =>
            note([at, "graphdriver"], call),
          ),
        execDriver: async (root) =>
          watched(new DryDriver(`${root}/execdriver/dry`, itsHost), calls.execdriver, (call) =>
            note([at, "execdriver", "container"], call),
          ),
      }).newDaemon(config, eng, itsHost, log),
  };
  const heard = (line: string) => {
    const request = /^\[info\] ((?:GET|POST|DELETE|HEAD) .*)$/.exec(line);
    if (request !== null) note(["client", "server"], short(request[1]));
    const job = /^\[[0-9a-f]{8}\] \+job ((\w+)\(.*\))$/.exec(line);
    if (job === null) return;
    const [, call, name = ""] = job;
    const own = internal.test(name);
    note([own ? "daemon" : "server", "engine", ownerOf(name)], short(call));
    if (!own) at = ownerOf(name);
  };
  for (const stream of [host.stdout, host.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (chunk) => {
      for (const line of String(chunk).split("\n")) heard(line);
      write(chunk);
    };
  }
  await startDaemon(host, watchedParts);
  const terminal = memoryHost();
  const client = { ...host, stdout: terminal.stdout, stderr: terminal.stderr, stdin: terminal.stdin };
  const run = async (words: readonly string[]): Promise<number | undefined> => {
    let status: number | undefined;
    void docker(words, client).then((code) => {
      status = code;
    });
    const end = host.clock.monotonicMs() + limitMs;
    while (status === undefined && host.clock.monotonicMs() < end) await host.clock.advance(30);
    return status;
  };
  if (prepared) {
    await run(["pull", "busybox"]);
    terminal.stdout.clear();
  }
  recording = true;
  const status = await run(command);
  recording = false;
  return { command, steps, output: terminal.stdout.text + terminal.stderr.text, status };
}
