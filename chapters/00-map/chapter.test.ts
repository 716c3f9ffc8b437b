import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import goLines from "../../book/data/go-lines.json" with { type: "json" };
import { ApiServer } from "../../src/api/server/server.ts";
import { DryDriver } from "../../src/daemon/execdriver/dry/driver.ts";
import { Engine } from "../../src/engine/engine.ts";
import { Job } from "../../src/engine/job.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { parts } from "../05-main-daemon/main.ts";
import { claim } from "../lib/claim.ts";
import { memoryNames } from "../lib/memory-names.ts";
import { demo, example, help, read, visits, write } from "./demo.ts";
import { live } from "./live.ts";
import { hub, socket, startDaemon, world } from "./main.ts";
import { type ModuleName, modules, ownerOf } from "./modules.ts";
import { follow, type Trace } from "./trace.ts";

const run = ["run", "busybox", "echo", "hi"];
const ways = ({ steps }: Trace) => steps.map(({ path }) => path.join(" "));
const reached = ({ steps }: Trace) => [...visits(steps).keys()];

/** A daemon that serves, its host, and the names of its jobs. */
async function daemon() {
  const host = world(hub(), () => undefined);
  const engines: Engine[] = [];
  const { register, newDaemon } = parts({
    openGraph: async () => memoryNames(),
    execDriver: async (root) => new DryDriver(root, host),
  });
  await startDaemon(host, {
    register(eng, ...given) {
      engines.push(eng);
      register(eng, ...given);
    },
    newDaemon,
  });
  return { host, jobs: engines[0]?.commands() ?? [] };
}

claim("001/2/1", "a request comes by the server to the engine, and the engine makes a job of it", async () => {
  const trace = await follow(["version"], false);
  expect(ways(trace)).toEqual(["client server", "server engine builtins"]);
  // What the article groups under one word are a class each.
  expect([ApiServer, Engine, Job].map(({ name }) => name)).toEqual(["ApiServer", "Engine", "Job"]);
});

claim("001/2/2", "most requests are one job; /_ping is none, and attach is two", async () => {
  const { host } = await daemon();
  const before = host.stderr.text;
  const connection = await host.net.dial("unix", socket);
  connection.write("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
  let answer = "";
  for await (const chunk of connection) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nOK$/);
  expect(host.stderr.text).toBe(before);
  const { steps } = await follow(run, true);
  const attach = steps.findIndex(({ what }) => what.includes("/attach?"));
  expect(steps.slice(attach + 1, attach + 3).map(({ what }) => what.split("(")[0])).toEqual([
    "container_inspect",
    "attach",
  ]);
});

claim("001/2/3", "jobs use the registry and the three drivers, and besides them names, tags and events", async () => {
  const trace = await follow(run, false);
  const all: ModuleName[] = ["registry", "graphdriver", "networkdriver", "execdriver", "names", "graph", "events"];
  expect(reached(trace)).toEqual(expect.arrayContaining(all));
});

test("rule 1: the client speaks to the server only, and every request but one goes through the engine", async () => {
  for (const command of [["pull", "busybox"], run, ["ps", "-a"], ["version"], ["rmi", "busybox"]]) {
    const { steps } = await follow(command, true);
    const requests = steps.filter(({ path }) => path[0] === "client");
    expect(requests.map(({ path }) => path[1])).toEqual(requests.map(() => "server"));
    const jobs = steps.filter(({ path }) => path[0] === "server");
    expect(jobs.length).toBeGreaterThanOrEqual(requests.length);
    expect(jobs.every(({ path }) => path[1] === "engine")).toBe(true);
  }
});

test("rule 2: the drivers never call each other, and nobody but the registry module speaks to another machine", async () => {
  const { steps } = await follow(run, false);
  const below: ModuleName[] = ["graphdriver", "execdriver", "networkdriver", "names"];
  for (const { path } of steps) {
    expect(below).not.toContain(path[0]);
    const out = path.indexOf("outside");
    if (out >= 0) expect(path[out - 1]).toBe("registry");
  }
});

test("rule 3: a pull never touches a container, and a run of what is there never touches the registry", async () => {
  const pull = reached(await follow(["pull", "busybox"], false));
  for (const name of ["daemon", "execdriver", "networkdriver", "names", "container"]) expect(pull).not.toContain(name);
  expect(reached(await follow(run, true))).not.toContain("registry");
});

test("the answers to Predict", async () => {
  const requests = (trace: Trace) => trace.steps.filter(({ path }) => path[0] === "client").map(({ what }) => what);
  // 1: one request; the rest is the daemon's.
  expect(requests(await follow(["pull", "busybox"], false))).toEqual(["POST /images/create?fromImage=busybox&tag="]);
  // 2: attach comes before start.
  expect(requests(await follow(run, true)).map((what) => what.replace(/.*\/(\w+)(?:\?.*)?$/, "$1"))).toEqual([
    ...["create", "attach", "start", "wait"],
  ]);
  // 3: what asks for a missing image is the client.
  const trace = await follow(run, false);
  expect(requests(trace)[1]).toContain("/images/create?fromImage=busybox&tag=latest");
  expect(trace.output).toContain("Unable to find image 'busybox' locally");
  // 4: nobody hears of it.
  expect([(await follow(["nope"], false)).steps, (await follow(["nope"], false)).status]).toEqual([[], 0]);
});

test("every module is in Docker's tree and in ours, with the files and chapters it names", () => {
  const go = Object.keys(goLines.files);
  const places = new Set<string>();
  for (const [name, module] of Object.entries(modules)) {
    places.add(module.at.join());
    if (module.go === "") continue;
    expect([name, go.some((file) => file.startsWith(`${module.go}/`))]).toEqual([name, true]);
    for (const file of module.files) expect([file, existsSync(`${module.here}/${file}`)]).toEqual([file, true]);
    expect(module.files.length).toBeGreaterThan(0);
    expect(module.chapters.length).toBeGreaterThan(0);
  }
  expect(places.size).toBe(Object.keys(modules).length);
});

test("ownerOf() knows every job that a daemon has", async () => {
  const { jobs } = await daemon();
  const by = (module: ModuleName) => jobs.filter((job) => ownerOf(job) === module);
  expect(by("networkdriver")).toEqual(["allocate_interface", "allocate_port", "link", "release_interface"]);
  expect(by("events")).toEqual(["events", "log", "subscribers_count"]);
  expect(by("engine")).toEqual(["commands"]);
  expect(by("daemon")).toEqual(expect.arrayContaining(["create", "start", "wait", "containers", "image_delete"]));
  expect(by("daemon")).not.toContain("pull");
});

/** What the demonstration prints. */
async function printed(...args: string[]): Promise<{ text: string; status: number }> {
  const out = new BufferWriter();
  const status = await demo(args, out);
  return { text: out.toString(), status };
}

test("the demonstration shows the way of a pull", async () => {
  expect(await printed()).toEqual(await printed(...example));
  expect((await printed()).text).toBe(`docker pull busybox

  1  client > server             POST /images/create?fromImage=busybox&tag=
  2  server > engine > graph     pull(busybox, )
  3  graph > registry > outside  GET /v2/
  4  graph > registry > outside  GET /v1/repositories/busybox/images
  5  graph > registry > outside  GET /v1/repositories/library/busybox/tags
  6  graph > registry > outside  GET /v1/images/13bb1aa2ca00/ancestry
  7  graph > registry > outside  GET /v1/images/0245c969ab7c/json
  8  graph > graphdriver         remove(0245c969ab7c)
  9  graph > graphdriver         create(0245c969ab7c)
 10  graph > registry > outside  GET /v1/images/0245c969ab7c/layer
 11  graph > graphdriver         applyDiff(0245c969ab7c)
 12  graph > registry > outside  GET /v1/images/fac9a001d2f5/json
 13  graph > graphdriver         remove(fac9a001d2f5)
 14  graph > graphdriver         create(fac9a001d2f5, 0245c969ab7c)
 15  graph > registry > outside  GET /v1/images/fac9a001d2f5/layer
 16  graph > graphdriver         applyDiff(fac9a001d2f5, 0245c969ab7c)
 17  graph > registry > outside  GET /v1/images/13bb1aa2ca00/json
 18  graph > graphdriver         remove(13bb1aa2ca00)
 19  graph > graphdriver         create(13bb1aa2ca00, fac9a001d2f5)
 20  graph > registry > outside  GET /v1/images/13bb1aa2ca00/layer
 21  graph > graphdriver         applyDiff(13bb1aa2ca00, fac9a001d2f5)

reached: client 1, server 1, engine 1, graph 1, registry 10, outside 10, graphdriver 9

Pulling repository busybox
exit status 0
`);
});

test("the demonstration shows the way of a run, and what one module did in it", async () => {
  expect((await printed("--prepared", "--module", "names", ...run)).text).toBe(`docker run busybox echo hi

  1  client > server                  POST /v1.14/containers/create
  2  server > engine > daemon         create()
  3  daemon > names                   set(/ecstatic_bardeen, b4acb94e5ad2)
  4  daemon > graphdriver             create(b4acb94e5ad2-init, 13bb1aa2ca00)
  5  daemon > graphdriver             get(b4acb94e5ad2-init)
  6  daemon > graphdriver             put(b4acb94e5ad2-init)
  7  daemon > graphdriver             create(b4acb94e5ad2, b4acb94e5ad2-init)
  8  daemon > engine > events         log(create, b4acb94e5ad2, busybox:latest)
  9  client > server                  POST /v1.14/containers/b4acb94e5ad2/attach?stderr=1&stdout=1&stream=1
 10  server > engine > daemon         container_inspect(b4acb94e5ad2)
 11  server > engine > daemon         attach(b4acb94e5ad2)
 12  client > server                  POST /v1.14/containers/b4acb94e5ad2/start
 13  server > engine > daemon         start(b4acb94e5ad2)
 14  daemon > graphdriver             get(b4acb94e5ad2)
 15  daemon > engine > networkdriver  allocate_interface(b4acb94e5ad2)
 16  daemon > engine > events         log(start, b4acb94e5ad2, busybox:latest)
 17  daemon > execdriver > container  run()
 18  daemon > engine > events         log(die, b4acb94e5ad2, busybox:latest)
 19  client > server                  POST /v1.14/containers/b4acb94e5ad2/wait
 20  server > engine > daemon         wait(b4acb94e5ad2)
 21  daemon > engine > networkdriver  release_interface(b4acb94e5ad2)
 22  daemon > graphdriver             put(b4acb94e5ad2)

reached: client 4, server 4, engine 10, daemon 5, names 1, graphdriver 6, events 3, networkdriver 2, execdriver 1, container 1

graphdb: A small database with the names of the containers and the links between them. In spite of its name it has nothing to do with images.
  in Go     pkg/graphdb
  here      src/pkg/graphdb: graphdb.ts, conn-sqlite3.ts
  chapter   05

What passed through it:
  set(/ecstatic_bardeen, b4acb94e5ad2)

dry run: would run "echo hi" from the bundle /var/lib/docker/execdriver/dry/b4acb94e5ad279ce0f406a2afec7eb6f4174fecb8f76659a1b079f9b2a37731c
exit status 0
`);
});

test("the demonstration stops where it is told, and at a command that does not end", async () => {
  const { text } = await printed("--up-to", "2", "pull", "busybox");
  expect(text).toContain("  2  server > engine > graph  pull(busybox, )\n     and 19 more\n");
  expect((await printed("events")).text).toContain("and it goes on\n");
  expect((await printed("nope")).text).toContain("The daemon hears nothing of it.");
});

test("the demonstration explains itself, and what is wrong with the arguments", async () => {
  expect(await printed("--help")).toEqual({ text: help, status: 0 });
  for (const [args, complaint] of [
    [["--fast", "pull"], "There is no --fast."],
    [["--up-to", "all"], "--up-to wants a number, not all."],
    [["--module", "kernel"], `--module wants one of ${Object.keys(modules).join(", ")}, not kernel.`],
  ] as const) {
    expect(await printed(...args)).toEqual({ text: `${complaint}\n\n${help}`, status: 2 });
  }
});

test("write() is the way back of read()", () => {
  const args = ["--prepared", "--up-to", "3", "--module", "graph", "ps", "-a"];
  expect(write(read(args))).toEqual(args);
  expect(write(read([]))).toEqual(example);
});

test("the map has every module, and the way of the command over it", async () => {
  const drawn = await live.draw(live.example, "en");
  for (const { name } of Object.values(modules)) expect(drawn).toContain(`>${name.en}</text>`);
  // client → server → engine → graph → registry → outside, and graph → graphdriver
  expect(drawn.match(/<line /g)).toHaveLength(6);
  expect(drawn).toMatch(/>graphdriver<\/text><text[^>]*>×9</);
  expect(drawn).toContain("Server → Engine → Graph");
});

test("the map marks the current step and opens a module", async () => {
  const drawn = await live.draw(["--prepared", "--up-to", "2", "--module", "daemon", ...run], "zh");
  expect(drawn.match(/class="line k-pick"/g)).toHaveLength(2);
  expect(drawn).toContain('href="https://github.com/moby/moby/tree/v1.2.0/daemon"');
  expect(drawn).toContain("掌管容器");
  for (const preset of live.presets) expect(await live.draw(preset.args, "zh")).toContain("命令的输出");
});

test("each control writes what it reads, and leaves the rest alone", () => {
  const [upTo, command, prepared] = live.controls;
  const busy = ["--prepared", "--up-to", "3", "--module", "graph", "ps"];
  if (upTo?.kind === "range") expect(read(upTo.write(busy, 0))).toEqual({ ...read(busy), upTo: undefined });
  if (command?.kind === "text") expect(command.read(command.write(busy, "images -q"))).toBe("images -q");
  if (prepared?.kind === "switch") expect(prepared.read(prepared.write(busy, false))).toBe(false);
  expect(live.controls).toHaveLength(3);
});
