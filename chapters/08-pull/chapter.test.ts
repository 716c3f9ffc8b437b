import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PoolBusyError } from "../../src/graph/pool-busy-error.ts";
import { memoryHost } from "../../src/host/memory/memory.ts";
import { resolveRepositoryName, resolveRepositoryPath } from "../../src/registry/names.ts";
import { deferred } from "../../src/sync/deferred.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { docker } from "../../test/support/docker.ts";
import { FakeDaemon } from "../../test/support/fake-daemon.ts";
import { imageStore, runJob } from "../../test/support/image-store.ts";
import { temporaryDirectory } from "../../test/support/temporary.ts";
import { TestServer } from "../../test/unit/api/server/support.ts";
import { start } from "../02-engine/main.ts";
import { claim } from "../lib/claim.ts";
import { RegistryV1, v1Images } from "../lib/registry-v1.ts";
import { tinyImage } from "../lib/tiny-image.ts";
import { argsOf, ask } from "./args.ts";
import { answerOf, demo, follow, report } from "./demo.ts";
import { PlainDriver } from "./driver.ts";
import { live } from "./live.ts";
import { openStore } from "./main.ts";
import { abreast, scaleOf } from "./picture.ts";
import type { Trace } from "./trace.ts";

const home = temporaryDirectory("pull-");

/** What the original answered, by id of the record. */
function recorded(id: string): { request: { path: string }; response: { status: number; body: unknown } } {
  const lines = readFileSync(new URL("../../test/golden/records/api-1.14.jsonl", import.meta.url), "utf8").split("\n");
  const found = lines.find((line) => line.startsWith(`{"id": "${id}"`));
  if (found === undefined) throw new Error(`Nothing is recorded under ${id}`);
  return JSON.parse(found);
}

/** Runs the demonstration's clients. */
const run = (...args: string[]): Promise<Trace> => follow(ask(args));

/** The paths one client asked for, with roles in the place of ids. */
function paths({ sent, shelf }: Trace, client = 1): string[] {
  const name = (path: string) => path.replace(/(?:sha256:)?[0-9a-f]{64}/, (id) => `<${shelf.roles.get(id)}>`);
  return sent.filter((one) => one.client === client).map(({ path }) => name(path));
}

/** A client against a daemon that is only a socket. */
async function typed(...args: string[]) {
  const routes = { "POST /images/create": { headers: { "Content-Type": "application/json" }, body: "" } };
  await using daemon = await FakeDaemon.start(routes);
  const outcome = await docker(["-H", `unix://${daemon.path}`, ...args], { env: { HOME: home } });
  return { ...outcome, lines: daemon.lines, requests: daemon.requests };
}

/** What a client's request becomes: the job's name, arguments and environment. */
async function jobOf(path: string, headers: Record<string, string> = {}) {
  const seen: { args: string[]; env: Record<string, string> }[] = [];
  await using server = await new TestServer()
    .jobs({
      pull: (job) => {
        const env = ["json", "parallel", "authConfig", "metaHeaders"].map((key) => [key, job.getenv(key)]);
        seen.push({ args: job.args, env: Object.fromEntries(env) });
      },
    })
    .start();
  await server.ask(path, { method: "POST", headers });
  return seen[0];
}

claim("003/s8/2", "pull is POST /images/create; its header X-Registry-Auth is JSON in base64 for URLs", async () => {
  // A password whose base64 needs both characters that a URL cannot take.
  const auth = Buffer.from("rig:??>~~~").toString("base64");
  writeFileSync(join(home, ".dockercfg"), JSON.stringify({ "https://my.reg:5000/v1/": { auth, email: "r@x" } }));
  const { lines, requests } = await typed("pull", "my.reg:5000/base");
  expect(lines).toEqual(["POST /images/create?fromImage=my.reg%3A5000%2Fbase&tag="]);
  const header = requests[0]?.headers.find(([name]) => name === "X-Registry-Auth")?.[1] ?? "";
  expect(header).toMatch(/^[A-Za-z0-9_-]+=*$/);
  expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({
    username: "rig",
    password: "??>~~~",
    auth: "",
    email: "r@x",
  });
});

claim("003/s8/4", "tag is sent only when it is empty, so pull -t 14.04 ubuntu asks for every tag", async () => {
  expect((await typed("pull", "-t", "14.04", "ubuntu")).lines).toEqual(["POST /images/create?fromImage=ubuntu"]);
  expect((await typed("pull", "ubuntu:14.04")).lines).toEqual(["POST /images/create?fromImage=ubuntu%3A14.04&tag="]);
  expect((await jobOf("/images/create?fromImage=ubuntu"))?.args).toEqual(["ubuntu", ""]);
  expect((await jobOf("/images/create?fromImage=ubuntu%3A14.04&tag="))?.args).toEqual(["ubuntu", "14.04"]);
});

claim("004/c/1", "a repository has no capital letters: Ubuntu:14.04 is refused", async () => {
  const text = "Invalid repository name (Ubuntu), only [a-z0-9-_.] are allowed";
  expect(() => resolveRepositoryName("Ubuntu")).toThrow(text);
  expect(resolveRepositoryName("ubuntu").remoteName).toBe("ubuntu");
  const { code, stderr, lines } = await typed("pull", "Ubuntu:14.04");
  expect([code, lines]).toEqual([1, []]);
  expect(stderr).toContain(text);
  expect(recorded("missing.063").response.body).toBe(`${text.replace("Ubuntu", "UPPER")}\n`);
});

claim("004/c/2", "the client finds pull by its name, reads .dockercfg, and sends one request", async () => {
  writeFileSync(join(home, ".dockercfg"), '{"https://index.docker.io/v1/":{"auth":"bWU6cHc=","email":"e@x"}}');
  const { code, lines, requests } = await typed("PULL", "ubuntu:14.04");
  expect([code, lines]).toEqual([0, ["POST /images/create?fromImage=ubuntu%3A14.04&tag="]]);
  const header = requests[0]?.headers.find(([name]) => name === "X-Registry-Auth")?.[1] ?? "";
  expect(Buffer.from(header, "base64").toString()).toContain('"username":"me","password":"pw"');
  expect((await typed("pull")).code).toBe(2);
});

claim("004/d/1", "image and tag come from the form, the credentials from a header", async () => {
  const auth = Buffer.from('{"username":"me","password":"pw"}').toString("base64url");
  const job = await jobOf("/images/create?fromImage=a.b/base&tag=1.0&username=no", { "X-Registry-Auth": auth });
  expect(job?.args).toEqual(["a.b/base", "1.0"]);
  expect(JSON.parse(job?.env["authConfig"] ?? "")).toMatchObject({ username: "me", password: "pw" });
  const broken = await jobOf("/images/create?fromImage=base&tag=1.0", { "X-Registry-Auth": "%%%" });
  expect(JSON.parse(broken?.env["authConfig"] ?? "{}").username ?? "").toBe("");
});

claim("004/d/2", "the session puts agent, meta headers and token on its requests; parallel above API 1.3", async () => {
  const layers = v1Images(tinyImage());
  const registry = new RegistryV1({ user: { username: "rig", password: "pw" }, tokens: true });
  registry.put("library/one", "latest", layers.slice(0, 1));
  const images = await imageStore();
  images.network.set("http://localhost:5000", registry.handle);
  const env = {
    json: "1",
    authConfig: JSON.stringify({ username: "rig", password: "pw" }),
    metaHeaders: JSON.stringify({ "X-Meta-Source": ["here"] }),
  };
  expect((await runJob(images, "pull", ["localhost:5000/one", "latest"], env)).error).toBeUndefined();
  const asked = images.requests.filter(({ url }) => !/_ping|\/v2\/|https:/.test(url)).map(({ headers }) => headers);
  expect(asked).toHaveLength(5);
  for (const headers of asked) {
    expect(headers.get("user-agent")).toMatch(/^docker\/1\.2\.0 go\//);
    expect(headers.get("x-meta-source")).toBe("here");
  }
  expect(asked[0]?.get("authorization")).toMatch(/^Basic /);
  for (const headers of asked.slice(1)) expect(headers.get("authorization")).toMatch(/^Token /);
  expect((await jobOf("/v1.3/images/create?fromImage=x&tag=1"))?.env["parallel"]).toBe("0");
  expect((await jobOf("/v1.4/images/create?fromImage=x&tag=1"))?.env["parallel"]).toBe("1");
});

claim("004/e/1", "tags take two requests: images for ids, tokens and endpoints, then tags", async () => {
  const asked = paths(await run("app:1.0")).filter((path) => path.includes("repositories"));
  expect(asked).toEqual(["/v1/repositories/app/images", "/v1/repositories/library/app/tags"]);
  const missing = await run("app:9");
  expect(missing.clients[0]?.error).toBe("Tag 9 not found in repository registry.test/app");
  expect(paths(missing).at(-1)).toBe("/v1/repositories/library/app/tags");
});

claim("004/e/2", "the pool has three kinds of key; who comes second waits until the work is done", async () => {
  const { holds } = await run("app:1.0", "app:1.0", "app:latest", "--after", "10");
  const short = (key: string) => key.replace(/[0-9a-f]{64}/, "<id>");
  expect(holds.map(({ client, works, sight }) => [client, works ? "works" : "waits", short(sight.key)])).toEqual([
    [1, "works", "registry.test/app:1.0"],
    [2, "waits", "registry.test/app:1.0"],
    [3, "works", "registry.test/app:latest"],
    [1, "works", "img:<id>"],
    [3, "waits", "img:<id>"],
    [1, "works", "layer:<id>"],
    [1, "works", "layer:<id>"],
  ]);
  const [first, second] = holds;
  expect([second?.from, second?.to]).toEqual([10, first?.to]);
});

claim("004/e/3", "one request, ancestry, names the image and all it stands on", async () => {
  const trace = await run("app:1.0");
  expect(paths(trace).filter((path) => path.endsWith("/ancestry"))).toEqual(["/v1/images/<app>/ancestry"]);
  const { handlers: _, registry, ids, roles } = trace.shelf;
  const id = ids.get("app:1.0");
  const response = await registry.handle(new Request(`https://registry.test/v1/images/${id}/ancestry`));
  const line = (await response.json()) as string[];
  expect(line.map((one) => roles.get(one))).toEqual(["app", "base"]);
});

claim(
  "004/e/4",
  "a layer counts as local when index and description are good: a damaged one is fetched again",
  async () => {
    const trace = await run("--have", "base:1.0", "app:1.0");
    expect(paths(trace).filter((path) => path.includes("<base>"))).toEqual([]);
    expect(trace.events.some((event) => event.kind === "has" && trace.shelf.roles.get(event.id) === "base")).toBe(true);

    const layers = v1Images(tinyImage()).slice(0, 1);
    const registry = new RegistryV1();
    registry.put("library/one", "latest", layers);
    const images = await imageStore();
    images.network.set("http://localhost:5000", registry.handle);
    const pull = () => runJob(images, "pull", ["localhost:5000/one", "latest"], { json: "1" });
    await pull();
    const count = registry.requests.length;
    await pull();
    expect(registry.requests.slice(count).filter((line) => line.endsWith("/layer"))).toEqual([]);
    // The directory with the id is there, so that the index knows it; what is in it cannot be read.
    const { id } = layers[0] as { id: string };
    await images.host.fs.writeFile(`/docker/graph/${id}/json`, "{");
    const again = await imageStore({ host: images.host, driver: images.driver });
    again.network.set("http://localhost:5000", registry.handle);
    expect([again.graph.has(id), await again.graph.exists(id)]).toEqual([true, false]);
    await runJob(again, "pull", ["localhost:5000/one", "latest"], { json: "1" });
    expect(registry.requests.at(-1)).toBe(`GET /v1/images/${id}/layer`);
    expect(await again.graph.exists(id)).toBe(true);
  },
);

claim(
  "004/e/5",
  "each layer is json, then layer, oldest first; the size is X-Docker-Size; a json is tried five times",
  async () => {
    const trace = await run("app:1.0");
    expect(paths(trace).slice(-4)).toEqual([
      "/v1/images/<base>/json",
      "/v1/images/<base>/layer",
      "/v1/images/<app>/json",
      "/v1/images/<app>/layer",
    ]);
    const total = trace.events.flatMap((event) => {
      const size = event.kind === "says" ? event.message.progressDetail?.total : undefined;
      return size === undefined ? [] : [size];
    });
    expect([...new Set(total)]).toEqual(trace.sent.filter(({ step }) => step === "layer").map(({ bytes }) => bytes));
    const failing = await run("--fail", "json=500", "base:1.0");
    const tries = failing.sent.filter(({ step }) => step === "json");
    expect(tries.map(({ from }, i) => from - (tries[i - 1]?.to ?? from))).toEqual([0, 500, 1000, 1500, 2000]);
  },
);

claim("004/f/1", "only tags are written down, with the ids they point at", async () => {
  const { names, graph, shelf } = await run("app");
  const id = shelf.ids.get("app:1.0");
  expect(graph).toHaveLength(2);
  expect(JSON.parse(names.content)).toEqual({ Repositories: { "registry.test/app": { "1.0": id, latest: id } } });
});

claim("004/f/2", "the file is repositories-<driver>, JSON, mode 0600, written anew with each name", async () => {
  const host = memoryHost({ env: { HOME: "/root" }, files: { "/var/lib": null } });
  const started = start(["-d"], host);
  if (started === undefined) throw new Error("no daemon");
  const driver = new PlainDriver("/var/lib/docker/layers", host);
  const store = await openStore(started, host, driver);
  const path = "/var/lib/docker/repositories-plain";
  expect(await host.fs.readFile(path, "utf8")).toBe('{"Repositories":{}}');
  const { id } = await store.graph.create({ comment: "", author: "" });
  await store.set("app", "1.0", id);
  const inode = (await host.fs.stat(path)).ino;
  await store.set("app", "2.0", id);
  const { mode, ino } = await host.fs.stat(path);
  expect([mode & 0o777, ino === inode]).toEqual([0o600, false]);
  expect(await host.fs.readFile(path, "utf8")).toBe(`{"Repositories":{"app":{"1.0":"${id}","2.0":"${id}"}}}`);
});

test("a second client reports what the first one's pull came to; 1.2.0 reports success", async () => {
  const { clients, sent } = await run("--fail", "layer=404", "app:1.0", "app:1.0");
  expect(clients[1]?.error).toBe(clients[0]?.error);
  expect(clients[1]?.error).toContain("Server error: Status 404 while fetching image layer");
  expect(sent.filter(({ client }) => client === 2)).toEqual([]);
});

test("a layer request without an answer is tried five times, five seconds longer each time; 1.2.0 crashes", async () => {
  const { sent, clients, layers, graph } = await run("--fail", "layer=refused:5", "base:1.0");
  const tries = sent.filter(({ step }) => step === "layer");
  expect(tries.map(({ from }, i) => from - (tries[i - 1]?.to ?? from))).toEqual([0, 5000, 10000, 15000, 20000]);
  expect(clients[0]?.error).toContain("connection refused");
  expect([layers, graph]).toEqual([[], []]);
  expect((await run("--fail", "layer=refused:4", "base:1.0")).clients[0]?.error).toBeUndefined();
});

test("nobody removes another's key from the pool; in 1.2.0 a client that waited does", async () => {
  const { store } = await imageStore();
  const [first, third] = [deferred(), deferred()];
  const one = store.poolAdd("pull", "layer:x", () => first.promise);
  expect(() => store.poolAdd("pull", "layer:x", async () => undefined)).toThrow(PoolBusyError);
  first.resolve();
  await one.ended();
  await Promise.resolve();
  const three = store.poolAdd("pull", "layer:x", () => third.promise);
  store.poolRemove("pull", "layer:x", one); // the second client's deferred call
  expect(store.pullingPool.get("layer:x")).toBe(three);
  expect(() => store.poolAdd("pull", "layer:x", async () => undefined)).toThrow("pull layer:x is already in progress");
  third.resolve();
});

test("https that fails is no reason for http, but for this machine and --insecure-registry (CVE-2014-5277)", async () => {
  const images = await imageStore();
  const registry = new RegistryV1();
  images.network.set("http://reg.example:5000", registry.handle);
  const { error } = await runJob(images, "pull", ["reg.example:5000/one", "latest"]);
  expect(error?.message).toContain("Invalid Registry endpoint: Get https://reg.example:5000/v1/_ping");
  expect([images.requests.filter(({ url }) => url.startsWith("http:")), registry.requests]).toEqual([[], []]);
  const trusting = await imageStore({ store: { insecureRegistries: ["reg.example:5000"] } });
  trusting.network.set("http://reg.example:5000", registry.handle);
  await runJob(trusting, "pull", ["reg.example:5000/one", "latest"]);
  expect(registry.requests).toContain("GET /v1/_ping");
});

test("an id that is none is never a path: nothing outside is removed (CVE-2014-9358)", async () => {
  const evil = "../../../etc";
  const registry = new RegistryV1();
  registry.put("library/one", "latest", [{ id: evil, json: JSON.stringify({ id: evil }), layer: Buffer.alloc(1024) }]);
  const images = await imageStore();
  await images.host.fs.mkdir("/etc", { recursive: true });
  await images.host.fs.writeFile("/etc/passwd", "root");
  images.network.set("http://localhost:5000", registry.handle);
  const { error } = await runJob(images, "pull", ["localhost:5000/one", "latest"], { parallel: "1" });
  expect(error?.message).toContain("Invalid image id from the registry");
  expect(await images.host.fs.readFile("/etc/passwd", "utf8")).toBe("root");
});

test("a description that speaks of another image is refused", async () => {
  const [image] = v1Images(tinyImage());
  const registry = new RegistryV1();
  const other = "f".repeat(64);
  if (image === undefined) throw new Error("no image");
  registry.put("library/one", "latest", [{ ...image, json: image.json.replace(image.id, other) }]);
  const images = await imageStore();
  images.network.set("http://localhost:5000", registry.handle);
  const { error } = await runJob(images, "pull", ["localhost:5000/one", "latest"], { parallel: "1" });
  expect(error?.message).toContain(`Cannot use the description of ${image.id}`);
  expect(images.graph.ids()).toEqual([]);
});

// The rules that must hold.

test("rule 1: a layer is fetched once, however many pulls want it at the same time", async () => {
  for (const version of ["v1", "v2"]) {
    const { sent } = await run("--registry", version, "app:1.0", "tools:1.0", "base:1.0", "--after", "0");
    const layers = sent.filter(({ step }) => step === "layer").map(({ path }) => path.split("/layer")[0]?.slice(-71));
    expect(layers).toHaveLength(3);
    expect(new Set(layers).size).toBe(3);
  }
});

test("rule 2: nothing of a pull is seen before all of it is there, and of one that fails nothing stays", async () => {
  for (const fault of ["layer=404", "layer=corrupt", "json=500", "layer=silent:9"]) {
    const { names, graph, layers } = await run("--fail", fault, "app:1.0");
    expect([names.content, graph, layers]).toEqual(['{"Repositories":{}}', [], []]);
  }
});

test("rule 3: all who wait for one piece of work are told the same", async () => {
  for (const args of [[], ["--fail", "layer=404"], ["--fail", "index=401"]]) {
    const { clients } = await run(...args, "app:1.0", "app:1.0", "app:1.0", "--after", "10");
    expect(new Set(clients.map(({ error }) => error)).size).toBe(1);
  }
});

test("rule 4: who goes away takes nothing from those who stay, and the last one ends the work", async () => {
  const one = await run("--leave", "1=200");
  expect(one.clients.map(({ gone, error }) => [gone, error])).toEqual([
    [true, "the client went away"],
    [false, undefined],
  ]);
  expect(one.graph.map((id) => one.shelf.roles.get(id))).toEqual(["base", "tools"]);
  const both = await run("--leave", "1=200", "--leave", "2=200");
  expect([both.graph, both.layers]).toEqual([[], []]);
});

test("rule 5: a name is written last, when what it names is complete", async () => {
  const { events } = await run();
  const firstTag = events.findIndex((event) => event.kind === "tags" && event.client === 1);
  const after = events.slice(firstTag).filter((event) => event.client === 1);
  expect(after.map(({ kind }) => kind)).toEqual(["tags", "key", "ends"]);
});

// The answers to "Predict".

test("predict: 3 + 2N requests, and two pings and one question about version 2 for a registry of one's own", async () => {
  const { sent } = await run("app:1.0");
  expect(sent.filter(({ step }) => step === "ping").map(({ path }) => path)).toEqual([
    "/v2/",
    "/v1/_ping",
    "/v1/_ping",
  ]);
  expect(sent.filter(({ step }) => step !== "ping")).toHaveLength(3 + 2 * 2);
});

test("predict: tools waits for base only, and would wait for all of app in 1.2.0", async () => {
  const { holds, clients } = await run();
  const wait = holds.find(({ works }) => !works);
  expect([wait?.client, wait?.from, wait?.worked]).toEqual([2, 150, 280]);
  expect(clients.map(({ to }) => to)).toEqual([380, 400]);
});

test("predict: an error after the first message comes in the stream, with HTTP 200", async () => {
  const { clients } = await run("--fail", "index=401", "app:1.0");
  expect(clients.map((client) => answerOf(client))).toEqual([
    "HTTP 200, and at the end of the stream: Authentication is required.",
  ]);
  expect(recorded("missing.061").response.status).toBe(200);
  expect(recorded("missing.063").response.status).toBe(500);
});

test("of all that may be refused only a layer has the words that 1.2.0's client looks for", async () => {
  for (const step of ["index", "tags", "ancestry", "json", "layer"]) {
    const { clients } = await run("--fail", `${step}=401`, "base:1.0");
    expect([step, clients[0]?.error?.includes("Status 401")]).toEqual([step, step === "layer"]);
  }
});

test("predict: a layer that breaks off is taken up where it broke, and nobody is told", async () => {
  const { sent, clients, events } = await run("--fail", "layer=cut", "base:1.0");
  expect(sent.map(({ range }) => range).filter(Boolean)).toEqual(["bytes=12240-24480"]);
  expect(clients[0]?.error).toBeUndefined();
  expect(events.some((event) => event.kind === "says" && /rror|retries/.test(event.message.status ?? ""))).toBe(false);
});

test("predict: without a tag every tag is pulled, and names that mean one image are one download", async () => {
  const { sent, events } = await run("app");
  expect(sent.filter(({ step }) => step === "layer")).toHaveLength(2);
  expect(events.flatMap((event) => (event.kind === "tags" ? [event.name] : []))).toEqual([
    "registry.test/app:1.0",
    "registry.test/app:latest",
  ]);
});

test("version 2: layers come at once, each by its digest, and what waits is one layer", async () => {
  const trace = await run("--registry", "v2");
  expect(paths(trace)).toEqual([
    "/v2/",
    "/v2/app/manifests/1.0",
    "/v2/app/blobs/<config of app>",
    "/v2/app/blobs/<base>",
    "/v2/app/blobs/<app>",
  ]);
  const layers = trace.sent.filter(({ step, client }) => step === "layer" && client === 1);
  expect(new Set(layers.map(({ from }) => from)).size).toBe(1);
  expect(paths(trace, 2).filter((path) => path.includes("<base>"))).toEqual([]);
  expect((await run("--registry", "v2", "app:9")).clients[0]?.streamed).toBe(false);
});

// The demonstration and the picture.

async function printed(...args: string[]): Promise<[status: number, text: string]> {
  const out = new BufferWriter();
  return [await demo(args, out), out.toString()];
}

test("the demonstration prints this for one image of one layer that is missing", async () => {
  expect(await printed("--fail", "layer=404", "base:1.0")).toEqual([
    1,
    `registry.test speaks version 1.
It holds base:1.0, app:1.0 (which is also app:latest) and tools:1.0.

    ms  client
     0  1  starts   docker pull registry.test/base:1.0
     0  1  takes    registry.test/base:1.0
     0  1  GET      /v2/ -> 404
    20  1  GET      /v1/_ping -> 200
    40  1  GET      /v1/_ping -> 200
    60  1  says     Pulling repository registry.test/base
    60  1  GET      /v1/repositories/base/images -> 200
    80  1  GET      /v1/repositories/library/base/tags -> 200
   100  1  takes    img:c6596ee5007d (base)
   100  1  says     c6596ee5007d: Pulling image (1.0) from registry.test/base
   100  1  says     c6596ee5007d: Pulling image (1.0) from registry.test/base, endpoint: https://registry.test/v1/
   100  1  GET      /v1/images/c6596ee5007d/ancestry (base) -> 200
   120  1  says     c6596ee5007d: Pulling dependent layers
   120  1  takes    layer:c6596ee5007d (base)
   120  1  says     c6596ee5007d: Pulling metadata
   120  1  GET      /v1/images/c6596ee5007d/json (base) -> 200
   140  1  says     c6596ee5007d: Pulling fs layer
   140  1  GET      /v1/images/c6596ee5007d/layer (base) -> 404
   160  1  says     c6596ee5007d: Error pulling dependent layers
   160  1  frees    layer:c6596ee5007d (base)
   160  1  says     c6596ee5007d: Error pulling image (1.0) from registry.test/base, endpoint: https://registry.test/v1/, Server error: Status 404 while fetching image layer (c6596ee5007d)
   160  1  says     c6596ee5007d: Error pulling image (1.0) from registry.test/base, Server error: Status 404 while fetching image layer (c6596ee5007d)
   160  1  frees    img:c6596ee5007d (base)
   160  1  frees    registry.test/base:1.0
   160  1  ends     Error pulling image (1.0) from registry.test/base, Server error: Status 404 while fetching image layer (c6596ee5007d)

client 1: HTTP 200, and at the end of the stream: Error pulling image (1.0) from registry.test/base, Server error: Status 404 while fetching image layer (c6596ee5007d)

requests: 8; layers: none
images in the graph: none; layers of the driver: 0
/var/lib/docker/repositories-plain: {"Repositories":{}}
`,
  ]);
});

test("the demonstration prints the same each time", async () => {
  const [one, other] = [await run(), await run()];
  expect(report(one)).toBe(report(other));
  expect(await printed()).toEqual([0, report(one)]);
});

test.each([
  [["--nope"], "Cannot read --nope: see --help"],
  [["--fail"], "Cannot read --fail: see --help"],
  [
    ["--fail", "tags=404", "--registry", "v2"],
    'A pull from a v2 registry has no step "tags": it has ping, manifest, config, layer',
  ],
  [
    ["--fail", "layer=odd"],
    'Nothing fails in the way "odd": there are 401, 404, 500, refused, cut, silent, slow, corrupt',
  ],
  [["--fail", "layer=404:x"], "x is no number up to 1000: see --help"],
  [["--leave", "4=1"], "Cannot read --leave 4=1: see --help"],
  [["--registry", "v3"], "There is no registry v3: see --help"],
  [["a", "b", "c", "d"], "Three clients are enough"],
])("the demonstration says what is wrong with %j", async (args, text) => {
  expect(await printed(...args)).toEqual([2, `${text}\n`]);
});

test("--help lists what can be given, and the words for what was asked lead back to it", async () => {
  const [status, text] = await printed("--help");
  expect(status).toBe(0);
  for (const word of ["--registry", "--after", "--have", "--leave", "--fail"]) expect(text).toContain(word);
  for (const { args } of live.presets)
    expect(argsOf(ask(args))).toEqual(args.join() === live.example.join() ? [] : args);
});

test("the picture shows each request, who waits, and how it ended, in a wide and in a narrow form", async () => {
  const [wide = "", narrow = ""] = (await live.draw([], "en")).split('<div class="live-narrow">');
  for (const text of ["repositories/app/images", "images/&#60;base&#62;/layer 24 KB", "waits for client 1"]) {
    expect(wide).toContain(`>${text}<`);
  }
  for (const text of ["index", "json base", "layer:base", "waits for 1", "✓ done"])
    expect(narrow).toContain(`>${text}<`);
  expect(wide.match(/class="box k-wait"/g)).toHaveLength(1);
  const failed = await live.draw(["--fail", "layer=404", "app:1.0", "app:1.0"], "zh");
  expect(failed.match(/✗ 失败/g)).toHaveLength(4);
  expect(failed).toContain("HTTP 200，流的末尾是：Error pulling image");
  await expect(live.draw(["--nope"], "en")).rejects.toThrow("Cannot read --nope");
});

test("a click on a request makes its kind fail, and another one mends it", async () => {
  const clicks = (html: string) =>
    [...html.matchAll(/data-args="([^"]*)" aria-label="([^"]*)"/g)].map(([, args = "", name = ""]) => ({
      args: JSON.parse(args.replaceAll("&#34;", '"')) as string[],
      name,
    }));
  const layer = clicks(await live.draw([], "en")).find(({ name }) => name.includes("layer"));
  expect(layer?.args).toEqual(["--fail", "layer=cut"]);
  const broken = clicks(await live.draw(layer?.args ?? [], "en")).find(({ name }) =>
    name.startsWith("let this go well"),
  );
  expect(broken?.args).toEqual([]);
});

test("every control reads what it wrote", () => {
  for (const control of live.controls) {
    if (control.kind === "range") expect(control.read(control.write([], 120))).toBe(120);
    if (control.kind === "switch") expect(control.read(control.write([], true))).toBe(true);
    if (control.kind === "choice") {
      for (const { value } of control.options)
        expect([control.label.en, control.read(control.write([], value))]).toEqual([control.label.en, value]);
    }
  }
});

test("what overlaps stands side by side, and long times are drawn shorter", () => {
  const blocks = [
    { from: 0, to: 10 },
    { from: 5, to: 15 },
    { from: 15, to: 20 },
  ];
  expect(abreast(blocks).map(({ at, of }) => [at, of])).toEqual([
    [0, 2],
    [1, 2],
    [0, 1],
  ]);
  const { y, breaks } = scaleOf([0, 20, 60_000]);
  expect(y(20)).toBeGreaterThan(y(0));
  expect(y(60_000) - y(20)).toBeLessThan(100);
  expect(breaks).toEqual([60_000]);
});

test("names of version 2 may be longer than those of version 1", () => {
  expect(resolveRepositoryPath("registry.test/a/b/c").remoteName).toBe("a/b/c");
  expect(() => resolveRepositoryName("registry.test/a/b/c")).toThrow("Invalid namespace name (a)");
});
