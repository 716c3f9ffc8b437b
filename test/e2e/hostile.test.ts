/**
 * Requests that nobody means well: wrong types in every field, absurd numbers, endless nesting, half and doubled bodies,
 * lies about lengths, connections that stall, stop and vanish. The daemon answers each, stumbles over none, and is
 * afterwards what it was before.
 *
 * The same seed every time; `HOSTILE_RUNS=20000 HOSTILE_SEED=7` sends more, and others, and prints figures.
 */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { provideBase } from "../support/commands.ts";
import { hasRoot, startDaemon, type TestDaemon } from "../support/daemon.ts";
import { leaks, rssMiB, type Snapshot, snapshot } from "../support/leaks.ts";
import { requestBytes, sendRaw } from "../support/raw-http.ts";
import { ask, usage } from "../support/traces.ts";

const isRoot = hasRoot("containers need root");
const vm = test.runIf(isRoot);

const RUNS = Number(process.env["HOSTILE_RUNS"] ?? 700);
const SEED = Number(process.env["HOSTILE_SEED"] ?? 1_200);
/** Requests under way at once. */
const AT_ONCE = 8;
/** What only a programming mistake of ours says. */
const OURS =
  /TypeError|RangeError|SyntaxError|ReferenceError|is not a function|is not iterable|Cannot read prop|JSON at position|\[object |of undefined|ERR_[A-Z]/;

let daemon: TestDaemon;
let before: Snapshot;
let image: string;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  await provideBase(daemon);
  image = (await ask(daemon, "GET", "/images/base/json")).body;
  expect((await daemon.docker("run", "--rm", "-v", "/data", "base", "true")).code).toBe(0);
  before = await snapshot(daemon);
});
afterAll(async () => {
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const made = async (name: string, more: object) =>
  expect((await ask(daemon, "POST", `/containers/create?name=${name}`, { Image: "base", ...more })).status).toBe(201);

/** Two containers to aim at: one that runs, whatever it is told, and one that does not. */
async function targets(): Promise<void> {
  await made("rests", { Cmd: ["true"] });
  await made("runs", { Cmd: ["sh", "-c", "trap '' TERM; while :; do echo tick; sleep 1; done"] });
  expect((await ask(daemon, "POST", "/containers/runs/start")).status).toBe(204);
}

/** Everything that came by the way is taken away, and the daemon is as it was. */
async function isAsBefore(): Promise<void> {
  const rows = JSON.parse((await ask(daemon, "GET", "/containers/json?all=1")).body) as { Id: string }[];
  for (const { Id } of rows) {
    expect(await ask(daemon, "DELETE", `/containers/${Id}?force=1&v=1`)).toEqual({ status: 204, body: "" });
  }
  const images = JSON.parse((await ask(daemon, "GET", "/images/json")).body) as { RepoTags: string[]; Id: string }[];
  for (const { RepoTags, Id } of images) {
    for (const tag of RepoTags) {
      const name = tag === "<none>:<none>" ? Id : tag;
      if (!/^(?:127\.0\.0\.1:\d+\/)?base:latest$/.test(name))
        await ask(daemon, "DELETE", `/images/${encodeURIComponent(name)}?force=1`);
    }
  }
  expect((await ask(daemon, "GET", "/images/base/json")).body).toBe(image);
  expect(await leaks(daemon, before, { timeoutMs: 15_000, slack: { threads: 4, "fd socket": 2 } })).toEqual([]);
  expect(daemon.log().match(/.*(?:TypeError|RangeError|Cannot answer|nhandled|Warning: ).*/g)).toBeNull();
}

/** Names of paths on the host are taken from here only: a bind makes its source. */
const notAPath = (text: string) => text.replace(/^\/+/, "");
const text = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "\0",
    "a\0b",
    "true",
    "null",
    "5",
    "1e3",
    "[",
    "{}",
    "../../etc",
    "..",
    ".",
    "%00",
    "\ud800",
    "é漢🐳",
  ),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "x".repeat(300),
    "x".repeat(70_000),
    "a=b",
    "=",
    "a:b:c",
    ":",
    "80/tcp",
    "-1",
    "\r\nX: y",
  ),
  fc.constantFrom("host", "none", "container:runs", "container:", "rests", "runs:x", "ALL", "@HUGE", "@NAN", "base"),
  fc.string({ maxLength: 30 }).map(notAPath),
  fc.string({ unit: "binary", maxLength: 30 }).map(notAPath),
);
const number = fc.oneof(
  fc.constantFrom(0, -0, -1, 1, 0.5, -1e300, 1e300, 2 ** 31, 2 ** 53, 2 ** 62, 2 ** 63, -(2 ** 63), 2 ** 64, 524_288),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const deep = (brackets: [string, string], depth: number) =>
  `@RAW${brackets[0].repeat(depth)}1${brackets[1].repeat(depth)}RAW@`;
const value: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: text, weight: 4 },
  { arbitrary: number, weight: 3 },
  fc.constantFrom(null, true, false, [], {}, [[]], [null], [{}], { "": null }, "@NAN", "@HUGE"),
  fc.constantFrom(deep(["[", "]"], 5000), deep(['{"a":', "}"], 5000), deep(["[", "]"], 20_000)),
  fc.array(text, { maxLength: 4 }),
  fc.dictionary(text, fc.oneof(text, number, fc.constant({}), fc.array(fc.dictionary(text, text), { maxLength: 2 })), {
    maxKeys: 3,
  }),
  fc.constantFrom(
    { "80/tcp": [{ HostIp: "x", HostPort: "y" }] },
    { "80/tcp": [{ HostPort: 80 }] },
    { "99999/tcp": {} },
    [{ PathOnHost: 5 }],
    { Name: "always", MaximumRetryCount: "many" },
    { Type: 5, Config: [] },
  ),
);

const CONFIG =
  "Hostname Domainname User Memory MemorySwap CpuShares Cpuset AttachStdin AttachStdout PortSpecs ExposedPorts Tty OpenStdin StdinOnce Env Cmd Image Volumes WorkingDir Entrypoint NetworkDisabled OnBuild Labels StopSignal Healthcheck hostname";
const HOST =
  "Binds ContainerIDFile LxcConf Privileged PortBindings Links PublishAllPorts Dns DnsSearch VolumesFrom Devices NetworkMode CapAdd CapDrop RestartPolicy AutoRemove ReadonlyRootfs SecurityOpt Ulimits PidsLimit Tmpfs ShmSize Sysctls OomScoreAdj NanoCpus CpuQuota MemorySwappiness LogConfig PidMode Mounts";
const field = (names: string) => fc.constantFrom(...names.split(" "), "__proto__", "", "Nope");

/** JSON text, with what `JSON.stringify` cannot say. */
const textOf = (body: unknown) =>
  JSON.stringify(body)
    .replaceAll('"@HUGE"', "1e999")
    .replaceAll('"@NAN"', "NaN")
    .replace(/"@RAW(.*?)RAW@"/gs, (_, raw: string) => raw.replaceAll('\\"', '"'));
const bodyOf = (names: string, base: object) =>
  fc.dictionary(field(names), value, { minKeys: 1, maxKeys: 3 }).map((odd) => textOf({ ...base, ...odd }));
const garbage = fc.oneof(
  fc.constantFrom(
    "",
    "{",
    "[]",
    "null",
    "5",
    '"x"',
    "{}{}",
    "\0",
    '{"Image":',
    '{"a":1,}',
    "\ufeff{}",
    "a=b&c=%zz",
    "-",
    "nul",
  ),
  fc.constantFrom(
    `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":${i}`).join(",")}}`,
    "[".repeat(100_000),
    `"${"x".repeat(5 << 20)}"`,
  ),
  fc.string({ unit: "binary", maxLength: 200 }),
);

const name = fc.oneof(
  { arbitrary: fc.constantFrom("rests", "runs", "base", "nope"), weight: 3 },
  text.map((odd) => encodeURIComponent(Buffer.from(odd).toString())),
  fc.constantFrom(
    "..",
    "%2e%2e%2f%2e%2e",
    "%zz",
    "%",
    "a/b",
    "a/../b",
    "rests/json",
    "base:latest",
    "%ff%fe",
    "x".repeat(9000),
  ),
);
const query = (keys: string) =>
  fc
    .dictionary(fc.constantFrom(...keys.split(" ")), fc.oneof(text, number.map(String)), { maxKeys: 4 })
    .map((pairs) => {
      const parts = Object.entries(pairs).map(
        ([key, odd]) => `${key}=${encodeURIComponent(Buffer.from(odd).toString())}`,
      );
      return parts.length === 0 ? "" : `?${parts.join("&")}`;
    });

interface Shot {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  /** Whether an answer may take for ever: it is a stream. */
  readonly endless: boolean;
}

const TYPES = [
  "application/json",
  "application/json",
  "application/json",
  "text/plain",
  "",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/json; charset=\0",
  "APPLICATION/JSON",
];
const VERSIONS = ["", "", "", "/v1.14", "/v1.0", "/v1.24", "/v1.30", "/v1.6", "/v9.9", "/v1.", "/v.", "/v1.2.3.4"];

/** `{name}` in the path is an odd name. */
function route(
  method: string,
  path: string,
  keys: string,
  body: fc.Arbitrary<string | undefined> = fc.constant(undefined),
  endless = false,
) {
  return fc
    .record({
      name,
      keys: query(keys || "x"),
      body,
      version: fc.constantFrom(...VERSIONS),
      type: fc.constantFrom(...TYPES),
    })
    .map((odd): Shot => {
      const headers: Record<string, string> =
        odd.body === undefined ? {} : { "Content-Type": odd.type.replace("\0", "x") };
      const target = `${odd.version}${path.replace("{name}", odd.name)}${odd.keys}`;
      return { method, path: target, headers, endless, ...(odd.body === undefined ? {} : { body: odd.body }) };
    });
}

const createBody = fc.oneof(
  { arbitrary: bodyOf(`${CONFIG} HostConfig`, { Image: "base", Cmd: ["true"] }), weight: 4 },
  garbage,
  bodyOf(HOST, {}).map((host) => `{"Image":"base","Cmd":["true"],"HostConfig":${host}}`),
);
const startBody = fc.oneof({ arbitrary: bodyOf(HOST, {}), weight: 4 }, garbage, fc.constant(undefined));
const SHOTS = fc.oneof(
  { arbitrary: route("POST", "/containers/create", "name", createBody), weight: 12 },
  { arbitrary: route("POST", "/containers/{name}/start", "x", startBody), weight: 5 },
  route("POST", "/containers/{name}/stop", "t", fc.constant(undefined), true),
  route("POST", "/containers/rests/stop", "t"),
  route("POST", "/containers/{name}/kill", "signal"),
  route("POST", "/containers/rests/restart", "t"),
  route("POST", "/containers/{name}/pause", ""),
  route("POST", "/containers/{name}/unpause", ""),
  route("POST", "/containers/{name}/resize", "h w"),
  route("POST", "/containers/rests/wait", "condition", fc.constant(undefined), true),
  route("POST", "/containers/{name}/attach", "stream stdin stdout stderr logs", fc.constant(undefined), true),
  route(
    "POST",
    "/containers/{name}/copy",
    "x",
    fc.oneof(bodyOf("Resource HostPath", { Resource: "/etc/passwd" }), garbage),
  ),
  route("GET", "/containers/{name}/json", "size"),
  route("GET", "/containers/{name}/top", "ps_args"),
  route("GET", "/containers/{name}/changes", ""),
  route("GET", "/containers/{name}/export", ""),
  route("GET", "/containers/{name}/logs", "stdout stderr tail timestamps since", fc.constant(undefined), true),
  route("GET", "/containers/json", "all size since before limit filters"),
  route("GET", "/containers/{name}/attach/ws", "stream stdin logs", fc.constant(undefined), true),
  route("DELETE", "/containers/{name}", "link v"),
  route("GET", "/images/json", "filters filter all"),
  route("GET", "/images/{name}/json", ""),
  route("GET", "/images/{name}/history", ""),
  route("GET", "/images/{name}/get", ""),
  route("POST", "/images/base/tag", "repo tag force"),
  route("POST", "/images/load", "", garbage),
  route("POST", "/images/create", "fromSrc repo tag", garbage),
  route("POST", "/build", "t q nocache rm forcerm", garbage),
  route("POST", "/commit", "container repo tag comment author pause", bodyOf(CONFIG, {})),
  route("GET", "/events", "since until", fc.constant(undefined), true),
  route("GET", "/info", "a"),
  route("GET", "/version", "a"),
  route("OPTIONS", "/{name}", ""),
  route("GET", "/{name}", ""),
  route("PUT", "/containers/{name}", "", garbage),
);

/** Sends one, and says what is wrong with the answer. */
async function shoot({ method, path, headers, body, endless }: Shot): Promise<string | undefined> {
  const bytes = requestBytes(method, path, { headers, ...(body === undefined ? {} : { body }) });
  const answer = await sendRaw(daemon.socket, bytes, { timeoutMs: endless ? 300 : 30_000 });
  const what = `${method} ${path.slice(0, 200)} ${headers["Content-Type"] ?? ""} ${body?.slice(0, 300) ?? ""}`;
  if (answer.timedOut) return endless ? undefined : `no answer: ${what}`;
  if (answer.status === 0) return `no status: ${what}: ${answer.body.slice(0, 200)}`;
  if (OURS.test(answer.body.slice(0, 2000)) && !path.includes("/get") && !path.includes("/export"))
    return `${answer.status} ${answer.body.slice(0, 300)}: ${what}`;
  if (
    answer.status >= 400 &&
    answer.body === "" &&
    method !== "HEAD" &&
    !path.includes("/copy") &&
    !path.includes("/ws")
  )
    return `${answer.status} without a word: ${what}`;
  return undefined;
}

vm(
  "wrong types, absurd values and broken bodies on every route: answered, and nothing is left",
  { timeout: 60_000 + RUNS * 60 },
  async () => {
    await targets();
    const shots = fc.sample(SHOTS, { seed: SEED, numRuns: RUNS });
    const start = { ...usage(daemon) };
    const began = performance.now();
    const bad: string[] = [];
    const queue = shots.values();
    const gunner = async () => {
      for (const shot of queue) {
        const wrong = await shoot(shot);
        if (wrong !== undefined) bad.push(wrong);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, gunner));
    expect(bad).toEqual([]);
    const seconds = (performance.now() - began) / 1000;
    await isAsBefore();
    const { fds, threads, rss } = usage(daemon);
    if (process.env["HOSTILE_RUNS"] !== undefined) {
      console.log(`${RUNS} requests in ${seconds.toFixed(1)} s; before → after:`);
      console.log(
        `fds ${start.fds} → ${fds}, threads ${start.threads} → ${threads}, RSS ${start.rss.toFixed(0)} → ${rss.toFixed(0)} MiB`,
      );
    }
    expect(rss).toBeLessThan(start.rss + 250);
  },
);

const head = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const post = (...lines: string[]) => head("POST /containers/create HTTP/1.1", "Host: x", "Connection: close", ...lines);

/** No HTTP, half HTTP, lies in HTTP. An answer or a closed connection; the status where there is one. */
const FRAMES: Record<string, readonly [bytes: string | Buffer, status: RegExp]> = {
  "a negative length": [post("Content-Length: -1"), /^400$/],
  "a length that is no number": [post("Content-Length: abc"), /^400$/],
  "a length of twenty digits": [post("Content-Length: 99999999999999999999"), /^400$/],
  "two lengths": [`${post("Content-Length: 2", "Content-Length: 3")}{}`, /^400$/],
  "a length and chunks": [`${post("Content-Length: 2", "Transfer-Encoding: chunked")}0\r\n\r\n`, /^400$/],
  "a chunk without a size": [`${post("Transfer-Encoding: chunked")}zz\r\n{}\r\n0\r\n\r\n`, /^400$/],
  "a chunk of an absurd size": [`${post("Transfer-Encoding: chunked")}${"F".repeat(30)}\r\n{}\r\n`, /^400$/],
  "an encoding nobody has": [`${post("Transfer-Encoding: rot13")}`, /^(400|500|501)$/],
  "a header without a colon": [post("nonsense"), /^400$/],
  "a null byte in a header": [post("X: a\0b"), /^400$/],
  "five thousand headers": [post(...Array.from({ length: 5000 }, (_, i) => `X-${i}: y`)), /^(431|400|500)$/],
  "a header of a megabyte": [post(`X: ${"y".repeat(1 << 20)}`), /^(431|0)$/],
  "a path of a megabyte": [head(`GET /${"y".repeat(1 << 20)} HTTP/1.1`, "Host: x"), /^(431|414|0)$/],
  "a line with a bare line feed": ["GET /_ping HTTP/1.1\nHost: x\n\n", /^(200|400)$/],
  "HTTP of 1991": ["GET /_ping\r\n\r\n", /^(200|400|0)$/],
  "HTTP of 2015": ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^(400|0)$/],
  "the first bytes of TLS": [Buffer.from("1603010200010001fc0303", "hex"), /^(400|0)$/],
  "a method nobody has": [head("BREW /_ping HTTP/1.1", "Host: x", "Connection: close"), /^(400|404)$/],
  "a proxy's request": [head("CONNECT example.com:80 HTTP/1.1", "Host: x"), /^(400|404|0)$/],
  "a whole address": [
    head("GET http://example.com/_ping HTTP/1.1", "Host: x", "Connection: close"),
    /^(200|301|400|404)$/,
  ],
  "a path without its slash": [head("GET _ping HTTP/1.1", "Host: x", "Connection: close"), /^(301|400|404)$/],
  "an expectation that nobody meets": [post("Expect: a-miracle", "Content-Length: 0"), /^(417|500)$/],
  "an upgrade to nothing": [
    post("Connection: Upgrade", "Upgrade: h2c", "Content-Length: 2").concat("{}"),
    /^(404|500)$/,
  ],
  "no host": [head("GET /_ping HTTP/1.1", "Connection: close"), /^(200|400)$/],
};

vm.each(Object.keys(FRAMES))("%s: refused or closed, and the others are served", async (what) => {
  const [bytes, status] = FRAMES[what] as (typeof FRAMES)[string];
  const answer = await sendRaw(daemon.socket, bytes, {
    timeoutMs: 5000,
    meanwhile: (socket) => what.includes("megabyte") || socket.end(),
  });
  expect([String(answer.status), answer.timedOut]).toEqual([expect.stringMatching(status), false]);
  expect(answer.body).not.toMatch(OURS);
  expect((await ask(daemon, "GET", "/_ping")).body).toBe("OK");
});

vm("a client that says it will send and asks first is told to go on", async () => {
  let got = "";
  const socket = connect(daemon.socket).on("data", (data) => {
    got += data;
    if (got.endsWith("100 Continue\r\n\r\n")) socket.write("{}");
  });
  socket.write(post("Expect: 100-continue", "Content-Type: application/json", "Content-Length: 2"));
  await once(socket, "close");
  expect(got).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 500 /);
});

vm("fifty requests in one packet get fifty answers, in order", async () => {
  const paths = Array.from({ length: 50 }, (_, i) => `/containers/none${i}/json`);
  let got = "";
  const socket = connect(daemon.socket).on("data", (data) => {
    got += data;
  });
  socket.write(paths.map((path) => head(`GET ${path} HTTP/1.1`, "Host: x")).join(""));
  await expect.poll(() => got.match(/No such container: none\d+/g)?.length).toBe(50);
  expect(got.match(/No such container: (none\d+)/g)).toEqual(paths.map((_, i) => `No such container: none${i}`));
  socket.destroy();
});

/** Connections that are opened and never finished. */
const open = (n: number, bytes: string): Socket[] =>
  Array.from({ length: n }, () => {
    const socket = connect(daemon.socket).on("error", () => undefined);
    socket.write(bytes);
    return socket;
  });

vm("connections that stall, drip, break off and vanish hold up nobody and leave nothing", async () => {
  await targets();
  const live = (path: string) => head(`POST /containers/runs/${path} HTTP/1.1`, "Host: x");
  const stalled = [
    ...open(100, "GET /_ping HTTP/1.1\r\nX: "),
    ...open(50, "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n{"),
    ...open(50, `${post("Transfer-Encoding: chunked")}5\r\n{"a"`),
    ...open(50, live("attach?stream=1&stdout=1&stdin=1")),
    ...open(50, head("GET /containers/runs/logs?stdout=1&follow=1 HTTP/1.1", "Host: x")),
    ...open(50, head("GET /events HTTP/1.1", "Host: x")),
    ...open(20, live("wait")),
    ...open(20, `${live("attach?stream=1&stdin=1")}garbage GET / HTTP/1.1\r\n\r\n`),
    ...open(20, head("POST /build HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")),
    ...open(20, head("POST /images/load HTTP/1.1", "Host: x", "Content-Length: 99999")),
  ];
  const drip = setInterval(() => {
    for (const socket of stalled.slice(0, 100)) socket.write("x");
  }, 20);
  const began = performance.now();
  for (let i = 0; i < 20; i++) expect((await ask(daemon, "GET", "/_ping")).body).toBe("OK");
  expect((await daemon.docker("run", "--rm", "base", "echo", "served")).stdout).toBe("served\n");
  expect(performance.now() - began).toBeLessThan(10_000);
  clearInterval(drip);
  for (const socket of stalled) socket.destroy();
  await isAsBefore();
});

vm("a body is read up to 4 MiB, one that goes on is cut off, and memory is not filled", async () => {
  const start = rssMiB(daemon);
  const million = Buffer.alloc(1 << 20, 0x20);
  const flood = async () => {
    const socket = connect(daemon.socket).on("error", () => undefined);
    socket.write(post("Content-Type: application/json", `Content-Length: ${1 << 30}`));
    let sent = 0;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    while (sent < 64 && !socket.destroyed) {
      if (!socket.write(million)) await Promise.race([once(socket, "drain").catch(() => undefined), closed]);
      sent++;
    }
    socket.destroy();
    return sent;
  };
  const sent = await Promise.all(Array.from({ length: 10 }, flood));
  expect(Math.max(...sent)).toBeLessThan(64);
  expect(rssMiB(daemon)).toBeLessThan(start + 150);
  const body = `{"Image":"${"x".repeat(5 << 20)}"}`;
  expect(await ask(daemon, "POST", "/containers/create", body)).toEqual({
    status: 400,
    body: "Bad parameter: the body is too long\n",
  });
  await isAsBefore();
});
