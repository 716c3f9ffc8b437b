/**
 * Every refusal of API 1.14, one by one: status, text and type as bytes on the wire; and what our client, and today's,
 * make of it.
 */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { okWith, provideBase } from "../support/commands.ts";
import { hasRoot, startDaemon, type TestDaemon } from "../support/daemon.ts";
import { type LeakOptions, leaks, type Snapshot, snapshot } from "../support/leaks.ts";
import { requestBytes, sendRaw } from "../support/raw-http.ts";

const isRoot = hasRoot("containers need root");

let daemon: TestDaemon;
let before: Snapshot;
/** Ids of the containers that are there the whole time. */
const ids: Record<string, string> = {};

const send = (method: string, path: string, options: Parameters<typeof requestBytes>[2] = {}) =>
  sendRaw(daemon.socket, requestBytes(method, path, options));
const json = (method: string, path: string, body: unknown) =>
  send(method, path, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  await provideBase(daemon);
  await okWith(daemon.docker, "tag", "base", "other:v1");
  for (const [name, more] of [
    ["runs", { Cmd: ["sleep", "1000"] }],
    ["rests", { Cmd: ["true"] }],
    ["frozen", { Cmd: ["sleep", "1000"] }],
    ["child", { Cmd: ["true"] }],
  ] as const) {
    const made = await json("POST", `/containers/create?name=${name}`, { Image: "base", ...more });
    ids[name] = JSON.parse(made.body).Id;
  }
  for (const name of ["runs", "frozen"]) expect((await send("POST", `/containers/${name}/start`)).status).toBe(204);
  expect((await send("POST", "/containers/frozen/pause")).status).toBe(204);
  before = await snapshot(daemon);
});
afterAll(async () => {
  if (!daemon) return;
  // A refusal leaves nothing.
  const tried = /^file containers\/[^/]+\/(hosts|hostname|resolv\.conf|[0-9a-f]+-json\.log)$/;
  const options: LeakOptions = { ignore: tried, slack: { "fd socket": 2 }, timeoutMs: 5000 };
  const left = await leaks(daemon, before, options);
  const bad = daemon.log().match(/.*(?:TypeError|RangeError|Cannot answer).*/g);
  expect(await daemon.remove()).toEqual([]);
  expect([left, bad]).toEqual([[], null]);
});

/** Method and path, what goes with them, status and text. A text without `\n` at its end is given without it. */
type Row = readonly [request: string, options: Parameters<typeof requestBytes>[2], status: number, text: string];

const JSON_TYPE = { "Content-Type": "application/json" };
const MULTIPART = "Multipart upload for build is no longer supported. Please upgrade your docker client.";
const body = (value: unknown) => ({ headers: JSON_TYPE, body: JSON.stringify(value) });
const paused = (verb: string) =>
  `Cannot ${verb} container frozen: Container ID(frozen) is paused. Unpause the container before stopping`;
const started = (text: string) => `Cannot start container rests: ${text}`;

const ROUTING: readonly Row[] = [
  ...["PUT /containers/create", "DELETE /info", "GET /auth", "POST /containers/json", "PATCH /_ping", "GET /nope"].map(
    (request): Row => [request, {}, 404, "404 page not found"],
  ),
  ["GET /containers/json/", {}, 404, "404 page not found"],
  ["GET /v1.14", {}, 404, "404 page not found"],
  ["GET /vx/info", {}, 404, "404 page not found"],
  ["GET //info", {}, 301, ""],
  ["GET /containers//json", {}, 301, ""],
  ["GET /a/../info?x=1", {}, 301, ""],
  ["OPTIONS /whatever", {}, 200, ""],
];

const IMAGES: readonly Row[] = [
  ["GET /images/viz", {}, 404, "This is now implemented in the client."],
  ["GET /images/nope/json", {}, 404, "No such image: nope"],
  ["GET /images/nope/history", {}, 404, "No such id: nope"],
  ["GET /images/nope/get", {}, 404, "No such id: nope"],
  ["DELETE /images/nope", {}, 404, "No such image: nope"],
  ["DELETE /images/base:nope", {}, 404, "No such image: base:nope"],
  ["POST /images/nope/tag?repo=x", {}, 404, "No such id: nope"],
  ["POST /images/base/tag?repo=x&tag=a:b", {}, 500, "Illegal tag name: a:b"],
  ["POST /images/base/tag", {}, 500, "Repository name can't be empty"],
  [
    "POST /images/create?fromImage=Bad/Name/x",
    {},
    500,
    "Invalid namespace name (Bad), only [a-z0-9_] are allowed, size between 4 and 30",
  ],
  ["POST /images/x/push", {}, 500, "EOF"],
  [
    "POST /images/Bad/Name/x/push",
    { headers: { "X-Registry-Auth": "e30=" } },
    500,
    "Invalid namespace name (Bad), only [a-z0-9_] are allowed, size between 4 and 30",
  ],
  ["POST /build", {}, 500, "EOF"],
  ["POST /v1.2/build", {}, 500, MULTIPART],
  ["POST /commit?container=nope", {}, 404, "No such container: nope"],
  ["POST /commit?repo=x", {}, 404, "No such container: "],
];

const CREATE: readonly Row[] = [
  ["POST /containers/create", {}, 500, "EOF"],
  // A query that cannot be read is answered with nothing.
  ["POST /containers/create?name=%zz", body({ Image: "base", Cmd: ["x"] }), 200, ""],
  [
    "POST /containers/create",
    { headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: "{}" },
    500,
    "EOF",
  ],
  ["POST /containers/create", { body: "{" }, 500, "unexpected EOF"],
  ["POST /containers/create", { body: "nope" }, 500, "invalid character 'o' in literal null (expecting 'u')"],
  [
    "POST /containers/create",
    { body: "[]" },
    500,
    "json: cannot unmarshal array into Go value of type map[string]interface {}",
  ],
  ["POST /containers/create", body({ Image: "nope", Cmd: ["x"] }), 404, "No such image: nope (tag: latest)"],
  ["POST /containers/create", body({ Image: "nope:v9", Cmd: ["x"] }), 404, "No such image: nope:v9 (tag: v9)"],
  [
    "POST /containers/create",
    body({ Image: "base", Cmd: ["x"], Memory: 1 }),
    500,
    "Minimum memory limit allowed is 512k",
  ],
  [
    "POST /containers/create?name=a%20b",
    body({ Image: "base", Cmd: ["x"] }),
    500,
    "Invalid container name (a b), only [a-zA-Z0-9_.-] are allowed",
  ],
  [
    "POST /containers/create?name=runs",
    body({ Image: "base", Cmd: ["x"] }),
    409,
    "Conflict, The name runs is already assigned to SHORT(runs). You have to delete (or rename) that container to be able to assign runs to a container again.",
  ],
];

const CONTAINERS: readonly Row[] = [
  ...["json", "export", "changes", "top", "logs?stdout=1", "attach/ws"].map(
    (what): Row => [`GET /containers/nope/${what}`, {}, 404, "No such container: nope"],
  ),
  ...["kill", "pause", "unpause", "restart", "start", "stop", "resize?h=1&w=1", "attach"].map(
    (what): Row => [`POST /containers/nope/${what}`, {}, 404, "No such container: nope"],
  ),
  ["POST /containers/nope/wait", {}, 500, "wait: no such container: nope"],
  ["DELETE /containers/nope", {}, 404, "No such container: nope"],
  ["DELETE /containers/nope?link=1", {}, 404, "No such link: nope"],
  ["DELETE /containers/rests?link=1", {}, 409, "Conflict, cannot remove the default name of the container"],
  [
    "DELETE /containers/runs",
    {},
    500,
    "You cannot remove a running container. Stop the container before attempting removal or use -f",
  ],
  ["GET /containers/json?since=nope", {}, 500, "Could not find container with name or id nope"],
  ["GET /containers/json?before=nope", {}, 500, "Could not find container with name or id nope"],
  ["GET /containers/json?filters=%7B", {}, 500, "unexpected end of JSON input"],
  ["GET /v1.3/containers/runs/top", {}, 500, "top was improved a lot since 1.3, Please upgrade your docker client."],
  ["GET /containers/rests/top", {}, 500, "Container rests is not running"],
  // Before it is looked whether there is such a container.
  ["GET /containers/nope/logs", {}, 400, "Bad parameters: you must choose at least one stream"],
  ["GET /containers/runs/logs?stdout=0&stderr=no", {}, 400, "Bad parameters: you must choose at least one stream"],
  ["POST /containers/runs/kill?signal=NOPE", {}, 500, "Invalid signal: NOPE"],
  ["POST /containers/runs/kill?signal=0", {}, 500, "Invalid signal: 0"],
  ["POST /containers/runs/kill?signal=99", {}, 500, "Invalid signal: 99"],
  ["POST /containers/runs/kill?signal=%zz", {}, 500, 'invalid URL escape "%zz"'],
  ["POST /containers/runs/resize?h=a&w=1", {}, 500, 'strconv.ParseInt: parsing "a": invalid syntax'],
  ["POST /containers/runs/resize?h=1", {}, 500, 'strconv.ParseInt: parsing "": invalid syntax'],
  ["POST /containers/runs/resize?h=999999&w=-1", {}, 200, ""],
  ["GET /containers/json?limit=abc&size=maybe", {}, 200, ""],
  ["POST /containers/runs/start", {}, 304, ""],
  ["POST /containers/rests/stop", {}, 304, ""],
  ["POST /containers/rests/pause", {}, 500, "Cannot pause container rests: Container ID(rests) is not running"],
  ["POST /containers/frozen/pause", {}, 500, "Cannot pause container frozen: Container ID(frozen) is already paused"],
  ["POST /containers/runs/unpause", {}, 500, "Cannot unpause container runs: Container ID(runs) is not paused"],
  ["POST /containers/frozen/stop?t=1", {}, 500, paused("stop")],
  ["POST /containers/frozen/kill", {}, 500, paused("kill")],
  ["POST /containers/frozen/restart", {}, 500, paused("restart")],
  ["POST /containers/runs/copy", { body: "{}" }, 500, "Content-Type not supported: "],
  [
    "POST /containers/runs/copy",
    { headers: { "Content-Type": "text/json" }, body: "{}" },
    500,
    "Content-Type not supported: text/json",
  ],
  ["POST /containers/runs/copy", body({}), 500, "Path cannot be empty"],
  ["POST /containers/runs/copy", body({ Resource: "/nope" }), 500, "Could not find the file /nope in container runs"],
  ["POST /containers/runs/copy", { headers: JSON_TYPE }, 500, "EOF"],
];

const START: readonly Row[] = [
  ["POST /containers/rests/start", { body: "{}" }, 500, "Content-Type of application/json is required"],
  ["POST /containers/rests/start", { headers: JSON_TYPE, body: "{" }, 500, "unexpected EOF"],
  [
    "POST /containers/rests/start",
    body({ Binds: ["rel:/m"] }),
    500,
    started("cannot bind mount volume: rel volume paths must be absolute."),
  ],
  ["POST /containers/rests/start", body({ Binds: ["/tmp:/"] }), 500, started("Illegal bind destination: /")],
  ["POST /containers/rests/start", body({ Binds: ["a:b:c:d"] }), 500, started("Invalid volume specification: a:b:c:d")],
  [
    "POST /containers/rests/start",
    body({ Binds: [""] }),
    500,
    "Could not create local directory '' for bind mount: mkdir : no such file or directory!",
  ],
  [
    "POST /containers/rests/start",
    body({ VolumesFrom: ["nope"] }),
    406,
    started("Container nope not found. Impossible to mount its volumes"),
  ],
  [
    "POST /containers/rests/start",
    body({ VolumesFrom: ["child:bogus"] }),
    500,
    started("Malformed volumes-from specification: child:bogus"),
  ],
  [
    "POST /containers/rests/start",
    body({ NetworkMode: "container:nope" }),
    500,
    started("no such container to join network: nope"),
  ],
  [
    "POST /containers/rests/start",
    body({ NetworkMode: "container:child" }),
    500,
    started("cannot join network of a non running container: child"),
  ],
  ["POST /containers/rests/start", body({ NetworkMode: "nonsense" }), 500, started("invalid network mode: nonsense")],
  ["POST /containers/rests/start", body({ Links: ["nope:x"] }), 500, "Could not find entity for nope"],
  [
    "POST /containers/rests/start",
    body({ Links: ["child"] }),
    500,
    "Invalid format to parse.  child should match template name:alias",
  ],
  ["POST /containers/rests/start", body({ Links: ["rests:self"] }), 500, "Cannot set self as child"],
  ["POST /containers/rests/start", body({ CapAdd: ["BOGUS"] }), 500, started('Unknown capability to add: "BOGUS"')],
  ["POST /containers/rests/start", body({ CapDrop: ["BOGUS"] }), 500, started('Unknown capability drop: "BOGUS"')],
];

/** Ids are known only when the daemon runs. */
const filled = (text: string) =>
  text
    .replace(/ID\((\w+)\)/g, (_, name: string) => ids[name] ?? "")
    .replace(/SHORT\((\w+)\)/g, (_, name: string) => (ids[name] ?? "").slice(0, 12));
const titled = (rows: readonly Row[]) =>
  rows.map(
    ([request, options, status, text]) =>
      [`${request} ${options?.body ?? ""} → ${status}`, { request, options, status, text }] as const,
  );

describe.runIf(isRoot)("on the wire", () => {
  test.each(titled([...ROUTING, ...IMAGES, ...CREATE, ...CONTAINERS, ...START]))("%s", async (_, row) => {
    const [method = "", path = ""] = row.request.split(" ");
    const answer = await send(method, path, row.options);
    const text = filled(row.text);
    expect(answer.status).toBe(row.status);
    if (text !== "" || row.status !== 200) expect(answer.body).toBe(text === "" ? "" : `${text}\n`);
    if (row.status >= 400) expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    // The same with the version in front, and without the body on the way.
    if (!path.startsWith("/v1.") && row.status >= 400 && !text.startsWith("404 page")) {
      expect((await send(method, `/v1.14${path}`, row.options)).status).toBe(row.status);
    }
  });

  test("a path that is not clean is redirected to the clean one, query and all", async () => {
    const location = async (path: string) => (await send("GET", path)).headers["location"];
    expect(await location("//info")).toBe("/info");
    expect(await location("/containers//json?all=1")).toBe("/containers/json?all=1");
    expect(await location("/a/../info")).toBe("/info");
  });

  test("versions are compared number by number; above the newest nothing is served", async () => {
    for (const version of ["1.14.0", "1.9", "0.1", "1"])
      expect((await send("GET", `/v${version}/version`)).status).toBe(200);
    // Deviation: 1.15 to 1.30 are served.
    expect((await send("GET", "/v1.31/version")).status).toBe(400);
    expect((await send("GET", "/v99/version")).body).toContain("is too new. Maximum supported API version is 1.30");
  });

  test("a failure behind the head becomes the last of the body", async () => {
    const answer = await send("GET", "/containers/json?size=1&since=nope");
    expect([answer.status, answer.body]).toEqual([500, "Could not find container with name or id nope\n"]);
    const logs = await send("GET", "/containers/runs/logs?stdout=1&tail=abc");
    expect(logs.status).toBe(200);
  });

  test("absurd numbers of lines are all lines, or none", async () => {
    await json("POST", "/containers/create?name=lines", { Image: "base", Cmd: ["seq", "5"] });
    await send("POST", "/containers/lines/start");
    await send("POST", "/containers/lines/wait");
    const lines = async (tail: string) =>
      (await send("GET", `/v1.5/containers/lines/logs?stdout=1&tail=${tail}`)).body.split("\n").length - 1;
    for (const tail of ["-1", "abc", "1e9", "99999999999999999999", "all"])
      expect([tail, await lines(tail)]).toEqual([tail, 5]);
    expect([await lines("0"), await lines("2")]).toEqual([0, 2]);
    expect((await send("DELETE", "/containers/lines")).status).toBe(204);
  });

  test("a chunked body of a start is not read, as in 1.2.0", async () => {
    await json("POST", "/containers/create?name=chunked", { Image: "base", Cmd: ["true"] });
    const headers = { ...JSON_TYPE, "Transfer-Encoding": "chunked" };
    const answer = await send("POST", "/containers/chunked/start", { headers, body: '9\r\n{"Binds":\r\n0\r\n\r\n' });
    expect(answer.status).toBe(204);
    await send("POST", "/containers/chunked/wait");
    expect((await send("DELETE", "/containers/chunked")).status).toBe(204);
  });
});

/** Words of a command, exit status, standard error of our client; a pattern for today's where it speaks to the feature. */
const LINES: readonly (readonly [args: string, code: number, stderr: string, today?: RegExp])[] = [
  [
    "start nope",
    1,
    "Error response from daemon: No such container: nope\nError: failed to start one or more containers\n",
    /No such container: nope/,
  ],
  [
    "stop nope",
    1,
    "Error response from daemon: No such container: nope\nError: failed to stop one or more containers\n",
    /No such container: nope/,
  ],
  [
    "restart nope",
    1,
    "Error response from daemon: No such container: nope\nError: failed to restart one or more containers\n",
    /No such container: nope/,
  ],
  [
    "kill nope",
    1,
    "Error response from daemon: No such container: nope\nError: failed to kill one or more containers\n",
    /No such container: nope/,
  ],
  [
    "kill -s NOPE runs",
    1,
    "Error response from daemon: Invalid signal: NOPE\nError: failed to kill one or more containers\n",
    /[Ii]nvalid signal: NOPE/,
  ],
  [
    "wait nope",
    1,
    "Error response from daemon: wait: no such container: nope\nError: failed to wait one or more containers\n",
    /[Nn]o such container: nope/,
  ],
  [
    "rm nope",
    1,
    "Error response from daemon: No such container: nope\nError: failed to remove one or more containers\n",
    /No such container: nope/,
  ],
  [
    "rm runs",
    1,
    "Error response from daemon: You cannot remove a running container. Stop the container before attempting removal or use -f\nError: failed to remove one or more containers\n",
    /You cannot remove a running container/,
  ],
  [
    "pause nope",
    1,
    "Error response from daemon: No such container: nope\nError: failed to pause container named nope\n",
    /No such container: nope/,
  ],
  [
    "unpause runs",
    1,
    "Error response from daemon: Cannot unpause container runs: Container ID(runs) is not paused\nError: failed to unpause container named runs\n",
    /is not paused/,
  ],
  [
    "rmi nope",
    1,
    "Error response from daemon: No such image: nope\nError: failed to remove one or more images\n",
    /No such image: nope/,
  ],
  ["inspect nope", 1, "Error: No such image or container: nope\n", /[Nn]o such object: nope/],
  ["logs nope", 1, "Error response from daemon: No such container: nope\n", /No such container: nope/],
  [
    "attach rests",
    1,
    "You cannot attach to a stopped container, start it first\n",
    /cannot attach to a stopped container/,
  ],
  ["attach nope", 1, "Error response from daemon: No such container: nope\n", /No such container: nope/],
  ["top rests", 1, "Error response from daemon: Container rests is not running\n", /is not running/],
  ["diff nope", 1, "Error response from daemon: No such container: nope\n", /No such container: nope/],
  ["export nope", 1, "Error: No such container: nope\n"],
  [
    "port runs 80",
    1,
    "Error: No public port '80' published for runs\n",
    /[Nn]o public port '80(\/tcp)?' published for runs/,
  ],
  ["cp nope:/x DIR", 1, "No such container: nope\n", /No such container: nope/],
  [
    "cp runs:/nope DIR",
    1,
    "Error response from daemon: Could not find the file /nope in container runs\n",
    /Could not find the file \/nope in container runs/,
  ],
  ["cp runs DIR", 1, "Error: Path not specified\n"],
  ["commit nope x", 1, "Error response from daemon: No such container: nope\n", /No such container: nope/],
  ["tag nope x", 1, "Error response from daemon: No such id: nope\n", /No such (id|image): nope/],
  ["history nope", 1, "Error response from daemon: No such id: nope\n", /No such (id|image): nope/],
  ["ps --since nope", 1, "Error response from daemon: Could not find container with name or id nope\n"],
  [
    "run --name runs base true",
    1,
    "Error response from daemon: Conflict, The name runs is already assigned to SHORT(runs). You have to delete (or rename) that container to be able to assign runs to a container again.\n",
    /Conflict.* The (container )?name "?\/?runs"? is already/,
  ],
  [
    "run -m 1k base true",
    1,
    "Error response from daemon: Minimum memory limit allowed is 512k\n",
    /[Mm]inimum memory limit/,
  ],
  [
    "run --name a/b base true",
    1,
    "Error response from daemon: Invalid container name (a/b), only [a-zA-Z0-9_.-] are allowed\n",
    /Invalid container name \(a\/b\)/,
  ],
];

describe.runIf(isRoot)("on the command line", () => {
  test.each(LINES.map((line) => [line[0], line] as const))("docker %s", async (_, [words, code, stderr, today]) => {
    const args = words.split(" ").map((word) => (word === "DIR" ? daemon.dir : word));
    const ours = await daemon.docker(...args);
    const text = ours.stderr.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /gm, "");
    expect([ours.code, text]).toEqual([code, filled(stderr)]);
    if (today === undefined) return;
    const theirs = await daemon.today(...args);
    expect([theirs.code === 0, theirs.stderr]).toEqual([false, expect.stringMatching(today)]);
  });
});
