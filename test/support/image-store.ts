/**
 * A graph and its tags in memory, with an engine in front and registries behind.
 */

import { Engine } from "../../src/engine/engine.ts";
import { Graph } from "../../src/graph/graph.ts";
import { TagStore, type TagStoreOptions } from "../../src/graph/tags.ts";
import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import type { FetchOptions } from "../../src/host/net.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { BufferWriter, readAll } from "../../src/sync/io.ts";
import { type JSONMessage, readMessages } from "../../src/utils/json-message.ts";
import { FakeDriver } from "./fake-driver.ts";

/** Answers requests for one host. */
export type Served = (request: Request) => Promise<Response>;

/** Everything a test of images looks at. */
export interface ImageStore {
  readonly host: MemoryHost;
  readonly driver: FakeDriver;
  readonly graph: Graph;
  readonly store: TagStore;
  readonly engine: Engine;
  /** By `host[:port]` or `scheme://host[:port]`; what is not here refuses the connection. */
  readonly network: Map<string, Served>;
  /** Every request that left the engine. */
  readonly requests: { url: string; headers: Headers }[];
}

const ROOT = "/docker";

function refused(url: URL): TypeError {
  const cause = Object.assign(new Error("connect"), {
    code: "ECONNREFUSED",
    syscall: "connect",
    address: url.hostname,
    port: Number(url.port) || (url.protocol === "https:" ? 443 : 80),
  });
  return new TypeError("fetch failed", { cause });
}

/** A streamed body, whole. */
async function bodyOf({ body }: FetchOptions): Promise<{ body?: Uint8Array }> {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return {};
  return { body: await readAll(body) };
}

/** Makes one. @param driver - what holds the layers; with `host`, what was there before is opened again */
export async function imageStore(
  options: { driver?: FakeDriver; host?: MemoryHost; store?: TagStoreOptions } = {},
): Promise<ImageStore> {
  const network = new Map<string, Served>();
  const requests: ImageStore["requests"] = [];
  const answer = async (text: string, init: FetchOptions = {}): Promise<Response> => {
    const url = new URL(text);
    const serve = network.get(url.origin) ?? network.get(url.host);
    const request = new Request(text, { ...init, ...(await bodyOf(init)), redirect: "manual" } as RequestInit);
    requests.push({ url: text, headers: request.headers });
    if (serve === undefined) throw refused(url);
    return serve(request);
  };
  const host = options.host ?? memoryHost({ fetch: answer });
  if (options.host !== undefined) host.net.fetch = answer;
  const driver = options.driver ?? new FakeDriver();
  const log = new Logger(host);
  await host.fs.mkdir(ROOT, { recursive: true });
  const graph = await Graph.open(`${ROOT}/graph`, driver, host, log);
  const store = await TagStore.open(`${ROOT}/repositories-fake`, graph, host, log, options.store);
  const engine = new Engine(host);
  engine.logging = false;
  store.install(engine);
  return { host, driver, graph, store, engine, network, requests };
}

/** How a job ended. */
export interface JobRun {
  readonly output: string;
  /** Set when it failed. */
  readonly error: Error | undefined;
  messages(): Promise<JSONMessage[]>;
}

/** Runs a job to its end. Clocks that stand still are moved on. */
export async function runJob(
  images: Pick<ImageStore, "engine" | "host">,
  name: string,
  args: string[],
  env: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<JobRun> {
  const job = images.engine.job(name, ...args);
  for (const [key, value] of Object.entries(env)) job.setenv(key, value);
  const out = new BufferWriter();
  job.stdout.add(out);
  let error: Error | undefined;
  let ended = false;
  const run = job.run(signal === undefined ? {} : { signal }).then(
    () => {
      ended = true;
    },
    (cause: Error) => {
      error = cause;
      ended = true;
    },
  );
  while (!ended) await images.host.clock.advance(1000);
  await run;
  const output = out.toString();
  return {
    output,
    error,
    messages: async () => {
      const all: JSONMessage[] = [];
      for await (const message of readMessages(
        (async function* () {
          yield Buffer.from(output);
        })(),
      ))
        all.push(message);
      return all;
    },
  };
}
