import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import goLines from "../../book/data/go-lines.json" with { type: "json" };
import { postImagesCreate } from "../../src/api/server/images.ts";
import { Router } from "../../src/api/server/router.ts";
import { ROUTES } from "../../src/api/server/routes.ts";
import { ApiServer } from "../../src/api/server/server.ts";
import { register } from "../../src/builtins/builtins.ts";
import { mainDaemon } from "../../src/docker/daemon.ts";
import { VERSION } from "../../src/dockerversion/dockerversion.ts";
import { Engine, type Installer } from "../../src/engine/engine.ts";
import type { Job } from "../../src/engine/job.ts";
import { type MemoryHost, type MemoryHostOptions, memoryHost } from "../../src/host/memory/memory.ts";
import type { Net, TlsIdentity } from "../../src/host/net.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { sdNotify } from "../../src/pkg/systemd/sd-notify.ts";
import { deferred } from "../../src/sync/deferred.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { configure } from "../01-config-flags/main.ts";
import { claim } from "../lib/claim.ts";
import { demo, example, read, routeTable, write } from "./demo.ts";
import { live, trial } from "./live.ts";
import { machine, paths } from "./machine.ts";
import { boot } from "./main.ts";
import { type Ask, follow, readAnswer, requestText } from "./trace.ts";

const SOCKET = `unix://${paths.socket}`;
const TCP = "tcp://127.0.0.1:2375";

/** What the original did, by the id of the record. */
const records = new Map<string, { request: { path: string }; response: { status: number; body: unknown } }>(
  readFileSync(new URL("../../test/golden/records/api-1.14.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map((record) => [record.id, record]),
);
const recorded = (id: string) => records.get(id)?.response ?? expect.unreachable(`no record ${id}`);
const bootLog = readFileSync(new URL("../../test/golden/records/boot-log.txt", import.meta.url), "utf8").split("\n");

/** An engine with its builtins, and an API that answers what they can. */
function world(options: MemoryHostOptions = {}) {
  const host = memoryHost({ files: { "/var/run": null, "/etc/group": "root:x:0:\ndocker:x:106:\n" }, ...options });
  const eng = new Engine(host);
  register(eng, host, new Logger(host));
  return { host, eng };
}

/** Runs `serveapi` on these addresses; the result tells how it ended, or that it has not. */
async function serve({ host, eng }: { host: MemoryHost; eng: Engine }, addresses: string[], env: object = {}) {
  const job = eng.job("serveapi", ...addresses);
  for (const [key, value] of Object.entries({ Version: VERSION, BufferRequests: "1", ...env })) job.setenv(key, value);
  const state = { ended: "" };
  void job.run().then(
    () => (state.ended = "OK"),
    (cause: Error) => (state.ended = cause.message),
  );
  for (let i = 0; i < 10; i++) await host.clock.advance(0);
  return state;
}

/** Sends a request; the first line of the answer is there as soon as it is. */
async function visit(host: MemoryHost, via = SOCKET, target = "/_ping") {
  const [proto = "", addr = ""] = via.split("://");
  const socket = await host.net.dial(proto as "unix", addr);
  socket.write(requestText({ method: "GET", target, early: false }));
  const state = { line: "" };
  socket.on("data", (chunk: Buffer) => (state.line ||= readAnswer(chunk)?.statusLine ?? ""));
  for (let i = 0; i < 10; i++) await host.clock.advance(0);
  return state;
}

const accept = async ({ host, eng }: { host: MemoryHost; eng: Engine }) => {
  await eng.job("acceptconnections").run();
  for (let i = 0; i < 10; i++) await host.clock.advance(0);
};

const ask = (method: string, target: string, body?: string, early = false): Ask => ({ method, target, body, early });

/** Sends requests to a booted daemon. */
const sent = async (...asks: Ask[]) => (await follow({ flags: [], boot: 0, asks })).visits;
const statusOf = (line: string | undefined) => Number(line?.split(" ")[1]);

async function printed(...args: string[]): Promise<{ text: string; status: number }> {
  const out = new BufferWriter();
  const status = await demo(args, out);
  return { text: out.toString(), status };
}

/** The job `serveapi` as mainDaemon makes it for a command line. */
async function serveJob(...args: string[]): Promise<Job> {
  const host = await machine();
  const { promise, resolve } = deferred<Job>();
  const daemon: Installer = { install: () => undefined };
  void boot(["-d", ...args], host, {
    register: (eng) => {
      eng.register("serveapi", (job) => resolve(job));
      eng.register("acceptconnections", () => undefined);
    },
    newDaemon: async () => daemon,
  });
  return promise;
}

claim("001/5.4.2/2", "serveapi serves each of its addresses by itself, two of one protocol too", async () => {
  const at = world();
  await serve(at, [TCP, "tcp://127.0.0.1:2376", SOCKET]);
  await accept(at);
  const lines = await Promise.all([TCP, "tcp://127.0.0.1:2376", SOCKET].map((via) => visit(at.host, via)));
  expect(lines.map(({ line }) => line)).toEqual(Array(3).fill("HTTP/1.1 200 OK"));
  expect(at.host.stdout.lines.filter((line) => line.includes("Listening for HTTP"))).toEqual([
    "[info] Listening for HTTP on tcp (127.0.0.1:2375)",
    "[info] Listening for HTTP on tcp (127.0.0.1:2376)",
    "[info] Listening for HTTP on unix (/var/run/docker.sock)",
  ]);
});

claim("001/5.4.2/3", "acceptconnections opens the gate; without an init there is nobody to tell", async () => {
  const at = world();
  await serve(at, [SOCKET]);
  const early = await visit(at.host);
  expect(early.line).toBe("");
  await accept(at);
  expect([early.line, at.host.kernel.datagrams]).toEqual(["HTTP/1.1 200 OK", []]);
});

claim("001/5.5.3/1", "acceptconnections does two things: it tells init, and lets those in who wait", async () => {
  const at = world({ env: { NOTIFY_SOCKET: "/run/systemd/notify" } });
  await serve(at, [SOCKET]);
  const early = await visit(at.host);
  await accept(at);
  expect(at.host.kernel.datagrams.map(({ data }) => data)).toEqual(["READY=1"]);
  expect(early.line).toBe("HTTP/1.1 200 OK");
});

claim("001/5.5.3/2", "a job is run by Run(), once", async () => {
  const { eng } = world();
  const job = eng.job("acceptconnections");
  await job.run();
  await expect(job.run()).rejects.toThrow("acceptconnections: job has already completed");
});

claim("001/5.5.3/3", "a job of an unknown name is made without complaint and fails when it is run", async () => {
  const { eng } = world();
  const known = eng.job("acceptconnections");
  expect([known.eng, known.name, known.args, known.env().len()]).toEqual([eng, "acceptconnections", [], 0]);
  const unknown = eng.job("acceptconections");
  await expect(unknown.run()).rejects.toThrow("acceptconections: command not found");
  expect(unknown.statusCode()).toBe(127);
});

claim(
  "001/5.5.3/4",
  "run() comes back when the job is done: at once here, with the last listener for serveapi",
  async () => {
    const at = world();
    const state = await serve(at, [SOCKET]);
    await at.eng.job("acceptconnections").run();
    expect(state.ended).toBe("");
  },
);

claim("001/5.5.3/5", "the handler's status becomes an error with the last line of its standard error", async () => {
  const { eng } = world();
  eng.register("fail", (job) => {
    job.errorf("first line");
    job.errorf("last line");
    return 3;
  });
  const job = eng.job("fail");
  await expect(job.run()).rejects.toThrow(/^last line$/);
  expect(job.statusCode()).toBe(3);
});

claim("001/5.5.3/6", "AcceptConnections wants no arguments, opens what is shut, and says OK", async () => {
  const host = memoryHost({ files: { "/var/run": null } });
  const server = new ApiServer(host, new Logger(host));
  const eng = new Engine(host);
  eng.register("acceptconnections", server.acceptConnections);
  const before = server.active;
  const job = eng.job("acceptconnections");
  await job.run();
  expect([before, server.active, job.statusCode()]).toEqual([false, true, 0]);
});

claim("001/5.5.3/7", "sd_notify.go is in pkg/systemd; there is no pkg/system with such a file", () => {
  const files = Object.keys(goLines.files);
  expect(files.filter((file) => file.endsWith("/sd_notify.go"))).toEqual(["pkg/systemd/sd_notify.go"]);
  expect(existsSync(new URL("../../src/pkg/systemd/sd-notify.ts", import.meta.url))).toBe(true);
});

claim(
  "001/5.5.3/8",
  "without NOTIFY_SOCKET telling init fails, nobody reads the error, and the daemon serves",
  async () => {
    const at = world();
    expect(() => sdNotify(at.host, "READY=1")).toThrow("No socket");
    await serve(at, [SOCKET]);
    await accept(at);
    expect((await visit(at.host)).line).toBe("HTTP/1.1 200 OK");
  },
);

claim("001/5.7/1", "serveapi begins right after the banner, and the process stays in it", async () => {
  const after = (lines: readonly string[]) => {
    const at = lines.findIndex((line) => line.includes(" docker daemon: 1.2.0 "));
    return lines.slice(at + 1).find((line) => line.includes("job serveapi"));
  };
  expect(after(bootLog)).toBe("[<engine>] +job serveapi(unix:///var/run/docker.sock)");
  const trace = await follow({ flags: [], boot: 0, asks: [ask("GET", "/_ping")] });
  const lines = trace.log.map(({ text }) => text);
  expect(after(lines)).toMatch(/^\[[0-9a-f]{8}\] \+job serveapi\(unix:\/\/\/var\/run\/docker\.sock\)$/);
  expect([lines.filter((line) => line.includes("-job serveapi")), trace.ended]).toEqual([[], undefined]);
});

claim(
  "001/5.7/2",
  "the addresses of -H become the arguments of the job; without -H it is the unix socket",
  async () => {
    expect((await serveJob()).args).toEqual(["unix:///var/run/docker.sock"]);
    expect((await serveJob("-H", ":2375", "-H", "fd://")).args).toEqual([TCP, "fd://"]);
  },
);

const environment = "Logging EnableCors Version SocketGroup Tls TlsVerify TlsCa TlsCert TlsKey BufferRequests".split(
  " ",
);

claim("001/5.7/3", "ten values are set in the job's environment", async () => {
  const job = await serveJob("--tlsverify", "-G", "ops");
  expect(Object.fromEntries(job.environ())).toEqual({
    Logging: "1",
    EnableCors: "0",
    Version: "1.2.0",
    SocketGroup: "ops",
    Tls: "0",
    TlsVerify: "1",
    TlsCa: "/root/.docker/ca.pem",
    TlsCert: "/root/.docker/cert.pem",
    TlsKey: "/root/.docker/key.pem",
    BufferRequests: "1",
  });
});

claim("001/5.7/4", "ServeApi makes one HTTP server for each address, not one for each protocol", async () => {
  let made = 0;
  const inner = memoryHost();
  const net: Partial<Net> = {
    createHttpServer: (tls) => {
      made++;
      return inner.net.createHttpServer(tls);
    },
    listen: inner.net.listen,
  };
  await serve(world({ net }), [TCP, "tcp://127.0.0.1:2376", "tcp://127.0.0.1:2377"]);
  expect(made).toBe(3);
});

claim(
  "001/5.7/5",
  "one listener that fails ends the job and the process; a gate opened early stays open here",
  async () => {
    const at = world();
    await accept(at);
    const state = await serve(at, [SOCKET]);
    expect([(await visit(at.host)).line, state.ended]).toEqual(["HTTP/1.1 200 OK", ""]);
    const failed = await follow({ flags: ["-H", TCP, "-H", TCP], boot: 3000, asks: [] });
    expect(failed.ended).toEqual({ at: 0, status: 1, text: "listen tcp 127.0.0.1:2375: address already in use" });
  },
);

claim(
  "001/5.7/6",
  "a client that comes before acceptconnections is connected and waits; it is not refused",
  async () => {
    const { visits, opened } = await follow({ flags: [], boot: 3000, asks: [ask("GET", "/version", undefined, true)] });
    expect(opened).toBe(3000);
    expect(visits[0]).toMatchObject({ at: 500, letIn: 3000, failure: "", answer: { statusLine: "HTTP/1.1 200 OK" } });
  },
);

claim("002/1-8/18", "the init daemon is told READY=1 on the socket it named", async () => {
  const at = world({ env: { NOTIFY_SOCKET: "/run/systemd/notify" } });
  await accept(at);
  expect(at.host.kernel.datagrams).toEqual([{ socketPath: "/run/systemd/notify", data: "READY=1" }]);
});

claim("002/1-8/20", "pkg/systemd has sd_notify.go and listendfd.go at v1.2.0", () => {
  const files = Object.keys(goLines.files).filter((file) => /^pkg\/systemd?\//.test(file));
  expect(files).toEqual(expect.arrayContaining(["pkg/systemd/listendfd.go", "pkg/systemd/sd_notify.go"]));
});

claim("002/1-8/23", "line 66 of docker/daemon.go lies inside the file: the job is made there", () => {
  const at = bootLog.findIndex((line) => line.includes("+job serveapi("));
  expect(goLines.files["docker/daemon.go"]).toBeGreaterThan(66);
  expect(bootLog[at - 1]).toContain("docker daemon: 1.2.0 fa7b24f");
});

claim("004/b/2", "unix, tcp and fd are understood; a socket of init is served by its descriptor", async () => {
  const at = world({ env: { LISTEN_PID: "4242", LISTEN_FDS: "1" } });
  at.host.network.inherit(3, { kind: "tcp", host: "127.0.0.1", port: 4243 });
  await serve(at, [SOCKET, TCP, "fd://3"]);
  await accept(at);
  const lines = await Promise.all([SOCKET, TCP, "tcp://127.0.0.1:4243"].map((via) => visit(at.host, via)));
  expect(lines.map(({ line }) => line)).toEqual(Array(3).fill("HTTP/1.1 200 OK"));
  expect((await serve(world(), ["udp://127.0.0.1:1"])).ended).toBe("Invalid protocol format.");
  expect((await serve(world(), ["fd://"])).ended).toBe("No sockets found");
});

claim("004/b/3", "TLS is for tcp only: unix and fd are served without, whatever the flags say", async () => {
  const asked: (TlsIdentity | undefined)[] = [];
  const inner = memoryHost({ files: { "/var/run": null } });
  inner.network.inherit(3, { kind: "tcp", host: "127.0.0.1", port: 4243 });
  const net: Partial<Net> = {
    createHttpServer: (tls) => {
      asked.push(tls);
      return inner.net.createHttpServer();
    },
    listen: inner.net.listen,
  };
  const files = { "/c.pem": "cert", "/k.pem": "key" };
  const env = { LISTEN_PID: "4242", LISTEN_FDS: "1" };
  const tls = { Tls: "1", TlsCert: "/c.pem", TlsKey: "/k.pem" };
  await serve(world({ net, env, files }), ["fd://"], tls);
  expect(asked).toEqual([undefined]);
  asked.length = 0;
  await serve(world({ net, files }), [TCP], tls);
  expect(asked.at(-1)).toEqual({ cert: "cert", key: "key", ca: undefined, verify: false });
  const unix = world();
  await serve(unix, [SOCKET], { ...tls, TlsVerify: "1" });
  await accept(unix);
  expect((await visit(unix.host)).line).toBe("HTTP/1.1 200 OK");
});

claim("004/b/4", "POST /images/create leads to postImagesCreate, and so to the job pull", () => {
  const router = new Router(ROUTES, { commands: () => ["pull"] });
  const match = router.match("POST", "/v1.14/images/create");
  expect([match?.route.handle, match?.route.jobs]).toEqual([postImagesCreate, ["pull"]]);
});

claim("000/1/1", "1.2.0's 39 routes are here, each with and without a version in front", () => {
  const jobs = ROUTES.flatMap((route) => route.jobs);
  const router = new Router(ROUTES, { commands: () => jobs });
  const old = ROUTES.filter((route) => route.since === undefined && route.path !== "/images/get");
  const counted = (method: string) => old.filter((route) => route.method === method).length;
  expect(["GET", "POST", "DELETE", "OPTIONS", "HEAD"].map(counted)).toEqual([18, 18, 2, 1, 1]);
  for (const { method, path } of old.filter((route) => route.path !== "")) {
    const target = path.replace("{name:.*}", "a/b");
    const [plain, versioned] = [router.match(method, target), router.match(method, `/v1.14${target}`)];
    expect([plain?.route.path, plain?.version]).toEqual([path, undefined]);
    expect([versioned?.route, versioned?.version]).toEqual([plain?.route, "1.14"]);
  }
});

test("a route that came later is found by the versions that have it, and by no others", () => {
  const jobs = ROUTES.flatMap((route) => route.jobs);
  const router = new Router(ROUTES, { commands: () => jobs });
  for (const route of ROUTES.filter(({ since }) => since !== undefined)) {
    const found = (prefix: string) =>
      router.match(route.method, prefix + route.path.replace("{name:.*}", "web"))?.route;
    expect([found(`/v${route.since}`), found("/v1.30"), found("/v1.14"), found("")]).toEqual([
      route,
      route,
      undefined,
      undefined,
    ]);
  }
});

claim("000/1/3", "names of jobs are compared letter by letter: Serveapi is unknown", async () => {
  const { eng } = world();
  await expect(eng.job("Serveapi").run()).rejects.toThrow("Serveapi: command not found");
  expect(eng.commands()).toContain("serveapi");
});

claim("000/1.0/1", "a job is made, given its environment, and run; before that nothing happens", async () => {
  const { host, eng } = world();
  const job = eng.job("serveapi", SOCKET);
  job.setenvBool("BufferRequests", true);
  for (let i = 0; i < 5; i++) await host.clock.advance(0);
  expect([host.stderr.text, host.volume.existsSync(paths.socket)]).toEqual(["", false]);
  void job.run();
  for (let i = 0; i < 5; i++) await host.clock.advance(0);
  expect(host.stderr.text).toContain("+job serveapi(unix:///var/run/docker.sock)");
  expect(host.volume.existsSync(paths.socket)).toBe(true);
});

claim("000/1.1/1", "the code is that of 1.2.0: the original says so itself", () => {
  expect(recorded("system.004").body).toMatchObject({ Version: VERSION, GitCommit: "fa7b24f" });
});

claim("000/1.1/2", "mainDaemon makes the job", async () => {
  expect((await serveJob()).name).toBe("serveapi");
  expect(goLines.files["docker/daemon.go"]).toBe(81);
  expect(mainDaemon).toBeTypeOf("function");
});

claim("000/1.1/3", "its handler is the API server's ServeApi, registered by the builtins", async () => {
  const { eng } = world();
  const job = eng.job("serveapi");
  await expect(job.run()).rejects.toThrow("usage: serveapi PROTO://ADDR [PROTO://ADDR ...]");
  await expect(eng.job("serveapi", "/var/run/docker.sock").run()).rejects.toThrow("usage: serveapi PROTO://ADDR");
});

claim(
  "000/1.2/1",
  "keys of the environment are compared letter by letter: Enablecors switches nothing on",
  async () => {
    const answers = await Promise.all(
      ["EnableCors", "Enablecors"].map(async (key) => {
        const at = world();
        await serve(at, [SOCKET], { [key]: "1" });
        await accept(at);
        const socket = await at.host.net.dial("unix", paths.socket);
        socket.write(requestText(ask("GET", "/_ping")));
        let bytes = "";
        for await (const chunk of socket) bytes += String(chunk);
        return bytes.includes("Access-Control-Allow-Origin: *");
      }),
    );
    expect(answers).toEqual([true, false]);
  },
);

claim("000/1.2/2", "four more values follow TlsVerify, and then the job is run", async () => {
  const keys = [...(await serveJob()).environ().keys()];
  expect(keys).toEqual(environment);
  expect(keys.slice(keys.indexOf("TlsVerify") + 1)).toEqual(["TlsCa", "TlsCert", "TlsKey", "BufferRequests"]);
});

test("rule: the gate opens once, for all addresses", async () => {
  const flags = ["-H", SOCKET, "-H", TCP];
  const asks = [SOCKET, TCP].map((via): Ask => ({ ...ask("GET", "/_ping", undefined, true), via }));
  const { visits } = await follow({ flags, boot: 3000, asks });
  expect(visits.map(({ at, letIn }) => [at, letIn])).toEqual([
    [500, 3000],
    [1000, 3000],
  ]);
});

test("rule: nothing asks for the version before a route was found", async () => {
  const [unknown, tooNew] = await sent(ask("GET", "/v1.99/nothing"), ask("GET", "/v1.99/version"));
  expect([unknown?.answer?.body, statusOf(tooNew?.answer?.statusLine)]).toEqual(["404 page not found\n", 400]);
});

test("rule: the text of a failure decides on its status, and the first words that fit count", async () => {
  const create = ask("POST", "/containers/create?name=web", '{"Image":"busybox","Cmd":["true"]}');
  const volumes = '{"VolumesFrom":["nobody"]}';
  const visits = await sent(
    create,
    ask("GET", "/containers/nobody/json"),
    create,
    ask("POST", "/containers/web/start", volumes),
    ask("GET", "/containers/web/logs"),
    ask("GET", "/containers/web/top"),
    ask("POST", "/containers/nobody/wait"),
    ask("POST", "/containers/web/resize?h=No%20such&w=1"),
    ask("POST", "/containers/web/resize?h=Conflict&w=1"),
  );
  expect(visits.map(({ answer }) => statusOf(answer?.statusLine))).toEqual([
    201, 404, 409, 406, 400, 500, 500, 404, 409,
  ]);
  expect(visits[3]?.answer?.body).toContain("Impossible to mount its volumes");
  expect(recorded("volumes.035")).toMatchObject({ status: 406 });
  expect(visits[7]?.answer?.body).toBe('strconv.ParseInt: parsing "No such": invalid syntax\n');
});

test("predict: what the original answered to other methods, and to a version that is too new", async () => {
  expect(recorded("system.022")).toMatchObject({ status: 404, body: "404 page not found\n" });
  const [put] = await sent(ask("PUT", "/_ping"));
  expect(put?.answer).toMatchObject({ statusLine: "HTTP/1.1 404 Not Found", body: "404 page not found\n" });
  expect(recorded("system.069")).toMatchObject({
    status: 404,
    body: "client and server don't have same version (client : 1.15, server: 1.14)\n",
  });
  const [newer, refused] = await sent(ask("GET", "/v1.15/version"), ask("GET", "/v1.31/version"));
  expect(newer?.answer?.statusLine).toBe("HTTP/1.1 200 OK");
  expect(refused?.answer?.body).toBe(
    '{"message":"client version 1.31 is too new. Maximum supported API version is 1.30"}\n',
  );
});

test("predict: certificates are not looked for when there is only a unix socket", async () => {
  const { ended, visits } = await follow({ flags: ["--tls"], boot: 0, asks: [ask("GET", "/_ping")] });
  expect([ended, visits[0]?.answer?.body]).toEqual([undefined, "OK"]);
  const tcp = await follow({ flags: ["-H", "tcp://127.0.0.1:2376", "--tls"], boot: 0, asks: [] });
  expect(tcp.ended?.text).toBe(
    "Couldn't load X509 key pair (/root/.docker/cert.pem, /root/.docker/key.pem): " +
      "open /root/.docker/cert.pem: no such file or directory. Key encrypted?",
  );
});

test("predict: the socket belongs to root and to the group docker, and nobody else may connect", async () => {
  expect((await follow({ flags: [], boot: 0, asks: [] })).doors).toEqual([
    { address: SOCKET, given: SOCKET, file: "srw-rw---- 0:106" },
  ]);
  expect((await follow({ flags: ["-G", "ops"], boot: 0, asks: [] })).doors[0]?.file).toBe("srw-rw---- 0:1001");
  expect((await follow({ flags: ["-G", "nobody"], boot: 0, asks: [] })).ended?.text).toBe("Group nobody not found");
});

test("a machine without the group docker has a socket of root's alone", async () => {
  const at = world({ files: { "/var/run": null, "/etc/group": "root:x:0:\n" }, env: { DEBUG: "1" } });
  const state = await serve(at, [SOCKET], { SocketGroup: "docker" });
  const { gid, mode } = await at.host.fs.lstat(paths.socket);
  expect([state.ended, gid, mode & 0o777]).toEqual(["", 0, 0o660]);
  expect(at.host.stderr.text).toContain(
    "Warning: could not chgrp /var/run/docker.sock to docker: Group docker not found",
  );
});

test("a client of another version is served, and noted", async () => {
  const at = world({ env: { DEBUG: "1" } });
  await serve(at, [SOCKET]);
  await accept(at);
  const socket = await at.host.net.dial("unix", paths.socket);
  socket.write("GET /version HTTP/1.1\r\nHost: /var/run/docker.sock\r\nUser-Agent: Docker-Client/1.1.0\r\n\r\n");
  socket.resume();
  for (let i = 0; i < 10; i++) await at.host.clock.advance(0);
  expect(at.host.stderr.text).toContain(
    "[debug] server.go:1045 Warning: client and server don't have the same version (client: 1.1.0, server: 1.2.0)",
  );
});

test("the demonstration sends the requests of its example", async () => {
  const { text, status } = await printed();
  expect(status).toBe(0);
  expect(text).toBe((await printed(...example)).text);
  expect(text).toMatchInlineSnapshot(`
    "docker -d   (its own half takes 3 s)

        ms
         0  listens on unix:///var/run/docker.sock  srw-rw---- 0:106
       500  1 GET /_ping: connects, and waits
      1000  2 GET /version: connects, and waits
      3000  acceptconnections: the gate opens
      3000  1 GET /_ping: let in after 2500 ms
      3000  2 GET /version: let in after 2000 ms
      3500  3 GET /containers/json: let in at once
      4000  4 DELETE /containers/nobody: let in at once

    1  GET /_ping HTTP/1.1   unix:///var/run/docker.sock
       waited at the gate for 2500 ms · route GET /_ping · no job
       HTTP/1.1 200 OK
       Api-Version: 1.30
       Docker-Experimental: false
       Ostype: linux
       Server: Docker/1.2.0 (linux)
       Cache-Control: no-cache, no-store, must-revalidate
       Pragma: no-cache
       Content-Type: text/plain; charset=utf-8
       Content-Length: 2
       Date: Wed, 20 Aug 2014 20:20:17 GMT

       OK

    2  GET /version HTTP/1.1   unix:///var/run/docker.sock
       waited at the gate for 2000 ms · route GET /version · job version()
       HTTP/1.1 200 OK
       Content-Type: application/json
       Job-Name: version
       Content-Length: 136
       Date: Wed, 20 Aug 2014 20:20:17 GMT

       {"ApiVersion":"1.14","Arch":"amd64","GitCommit":"fa7b24f","GoVersion":"memory","KernelVersion":"3.16…

    3  GET /containers/json HTTP/1.1   unix:///var/run/docker.sock
       let in at once · route GET /containers/json · job containers()
       HTTP/1.1 200 OK
       Content-Type: application/json
       Content-Length: 2
       Date: Wed, 20 Aug 2014 20:20:17 GMT

       []

    4  DELETE /containers/nobody HTTP/1.1   unix:///var/run/docker.sock
       let in at once · route DELETE /containers/{name:.*} · job delete(nobody)
       HTTP/1.1 404 Not Found
       Content-Type: text/plain; charset=utf-8
       Content-Length: 26
       Date: Wed, 20 Aug 2014 20:20:18 GMT

       No such container: nobody
    "
  `);
});

test("the demonstration shows why a daemon does not serve", async () => {
  const { text } = await printed("-H", TCP, "-H", TCP, "--boot", "1", "--before-gate", "GET", "/_ping");
  expect(text).toBe(`docker -d -H ${TCP} -H ${TCP}   (its own half takes 1 s)

    ms
     0  the daemon ends with status 1: listen tcp 127.0.0.1:2375: address already in use
   500  1 GET /_ping: connect ECONNREFUSED 127.0.0.1:2375

1  GET /_ping HTTP/1.1   tcp://127.0.0.1:2375
   connect ECONNREFUSED 127.0.0.1:2375
`);
});

test("the demonstration serves what init has opened, and tells it", async () => {
  const { text } = await printed("-H", "fd://", "--before-gate", "GET", "/version");
  expect(text.split("\n").slice(2, 10)).toEqual([
    "    ms",
    "     0  listens on unix:///var/run/docker.sock  srw-rw---- 0:106  (fd://, descriptor 3)",
    "     0  listens on tcp://127.0.0.1:2375  (fd://, descriptor 4)",
    "   500  1 GET /version: connects, and waits",
    "  3000  acceptconnections: the gate opens",
    "  3000  init is told: READY=1",
    "  3000  1 GET /version: let in after 2500 ms",
    "",
  ]);
});

test.each([
  [["get", "/x"], "There is no get: a request is METHOD PATH [BODY]."],
  [["GET"], "GET wants a path that begins with /."],
  [["GET", "version"], "GET wants a path that begins with /."],
  [["--boot", "x"], "--boot wants seconds from 0 to 60, not x."],
  [["--via", "udp://x"], "--via wants unix://PATH or tcp://HOST:PORT."],
  [["-H"], "-H wants a value."],
  [Array(13).fill(["GET", "/_ping"]).flat(), "At most 12 requests, not 13."],
])("the demonstration refuses %j", async (args, text) => {
  const out = await printed(...args);
  expect([out.status, out.text.split("\n")[0]]).toEqual([2, text]);
});

test("the demonstration lists its arguments, and the routes", async () => {
  expect((await printed("--help")).text).toContain("--before-gate");
  const { text } = await printed("--routes");
  expect(text.split("\n")).toHaveLength(ROUTES.length + 1);
  expect(routeTable()).toContainEqual(expect.stringMatching(/^POST +\/images\/create +pull$/));
});

test("write() gives arguments that read() understands", () => {
  const args = [
    "-H",
    TCP,
    "--boot",
    "1",
    "--before-gate",
    "GET",
    "/_ping",
    "--after-gate",
    "POST",
    "/containers/create",
    "{}",
  ];
  expect(write(read(args))).toEqual(args);
});

test("live.draw() shows who waits, the gate, the answers, and the route that was taken", async () => {
  for (const language of ["en", "zh"] as const) {
    const html = await live.draw(live.example, language);
    expect(html).toContain(language === "en" ? "waits 2.5 s, then 200 OK" : "等待 2.5 s, 随后 200 OK");
    expect(html).toContain(language === "en" ? "waited at the gate for 2.5 s" : "在门外等了 2.5 s");
    expect(html).toContain("404 Not Found");
    expect(html).toContain("▶ 2");
    expect(html).toContain("No such container: nobody");
    expect(html.match(/data-args=/g)?.length).toBe(ROUTES.length);
  }
});

test("live.draw() works for every preset, and its controls write what they read", async () => {
  for (const { args } of live.presets) {
    expect(await live.draw(args, "en")).toContain("<svg");
    for (const control of live.controls) {
      if (control.kind === "button") expect(read(control.press(args)).asks.length).toBeGreaterThan(0);
      else if (control.kind === "switch") expect(control.read(control.write(args, true))).toBe(true);
      else if (control.kind === "range") expect(control.read(control.write(args, 7))).toBe(7);
      else if (control.kind === "text") expect(control.read(control.write(args, "POST /x {}"))).toBe("POST /x {}");
      else for (const { value } of control.options) expect(control.read(control.write(args, value))).toBe(value);
    }
  }
});

test("a click on a route sends a request that fits it", async () => {
  for (const route of ROUTES) {
    const asks = trial(route);
    const { visits, served } = await follow({ flags: [], boot: 0, asks });
    const last = visits.at(-1);
    if (!served.has(`${route.method} ${route.path}`)) expect(last?.answer?.body).toBe("404 page not found\n");
    else expect(last?.route).toMatchObject({ method: route.method, path: route.path });
  }
});

test("configure() and boot() are those of the chapters before", () => {
  const host = memoryHost({ env: { HOME: "/root" } });
  expect(configure(["-d"], host).flags.hosts.value.getAll()).toEqual([SOCKET]);
  expect(boot).toBeTypeOf("function");
});
