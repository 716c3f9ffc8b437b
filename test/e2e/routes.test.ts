/**
 * Every route about containers and every command about them, against a real daemon and a real `runc`: and proof that none
 * is forgotten.
 */

import { mkdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { commands } from "../../src/api/client/commands.ts";
import { ROUTES } from "../../src/api/server/routes.ts";
import { okWith, provide } from "../support/commands.ts";
import { DRYDOCK, hasRoot, type Result, run, startDaemon, type TestDaemon, TODAY } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";
import { openWebSocket } from "../support/websocket.ts";

const isRoot = hasRoot("containers need root");

let daemon: TestDaemon;
let registry: TestRegistry;
let image: string;
let serial = 0;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  registry = await startRegistry(daemon.netns.prefix);
  image = await provide(daemon, registry, "busybox", [BUSYBOX, { "etc/motd": "old\n" }]);
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** One request of the API; `body` is JSON, or bytes as they are. */
function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined || Buffer.isBuffer(body) ? {} : { "Content-Type": "application/json" };
    const sent = request({ socketPath: daemon.socket, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  });
}

const json = <T = Record<string, unknown>>({ body }: Answer): T => JSON.parse(body.toString()) as T;

/** The payload of a stream without a terminal. */
function payload(bytes: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at + 4);
    parts.push(bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return Buffer.concat(parts).toString();
}

/** Takes a connection over, and reads until it ends. */
function hijack(path: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: daemon.socket, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("end", () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString("latin1"));
    });
    socket.end(`POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Type: text/plain\r\n\r\n${input}`);
  });
}

/** The API in one version. */
interface Api {
  readonly version: string;
  readonly today: boolean;
  /** Sends a request under the version's prefix. */
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Makes a container. @returns its name */
  create(cmd: string[], more?: Record<string, unknown>): Promise<string>;
  /** The same, running. */
  start(cmd: string[], more?: Record<string, unknown>): Promise<string>;
  /** Whether it runs, and so on. */
  state(name: string): Promise<Record<string, unknown>>;
}

function api(version: string): Api {
  const prefixed = (method: string, path: string, body?: unknown) => ask(method, `/v${version}${path}`, body);
  const create = async (cmd: string[], more: Record<string, unknown> = {}) => {
    const name = `r${serial++}`;
    const made = await prefixed("POST", `/containers/create?name=${name}`, { Image: image, Cmd: cmd, ...more });
    expect([made.status, made.body.toString()]).toEqual([201, expect.stringMatching(/"Id":"[0-9a-f]{64}"/)]);
    return name;
  };
  return {
    version,
    today: Number(version.split(".")[1]) > 14,
    ask: prefixed,
    create,
    start: async (cmd, more) => {
      const name = await create(cmd, more);
      expect((await prefixed("POST", `/containers/${name}/start`)).status).toBe(204);
      return name;
    },
    state: async (name) => {
      const found = json(await prefixed("GET", `/containers/${name}/json`));
      return found["State"] as Record<string, unknown>;
    },
  };
}

const SLEEP = ["sleep", "300"];
const archive = (name: string, path: string) => `/containers/${name}/archive?path=${path}`;

/** What each route is asked for, and what must come of it; containers are removed behind it. */
const EXERCISES: Record<string, (on: Api) => Promise<void>> = {
  "GET /events": async ({ ask, create }) => {
    const name = await create(["true"]);
    const now = Math.floor(Date.now() / 1000) + 1;
    const { status, body } = await ask("GET", `/events?since=1&until=${now}`);
    const { Id } = json(await ask("GET", `/containers/${name}/json`));
    expect(status).toBe(200);
    expect(body.toString()).toContain(`"status":"create","id":"${String(Id)}"`);
  },
  "GET /containers/ps": ({ ask, start }) => listed("/containers/ps", ask, start),
  "GET /containers/json": ({ ask, start }) => listed("/containers/json", ask, start),
  "GET /containers/{name:.*}/export": async ({ ask, create }) => {
    const { status, body } = await ask("GET", `/containers/${await create(["true"])}/export`);
    expect([status, body.includes("etc/motd"), body.length % 512]).toEqual([200, true, 0]);
  },
  "GET /containers/{name:.*}/changes": async ({ ask, start }) => {
    const name = await start(["sh", "-c", "echo new > /etc/motd; touch /made"]);
    await ask("POST", `/containers/${name}/wait`);
    const changes = json<{ Path: string; Kind: number }[]>(await ask("GET", `/containers/${name}/changes`));
    expect(changes).toEqual(
      expect.arrayContaining([
        { Path: "/etc/motd", Kind: 0 },
        { Path: "/made", Kind: 1 },
      ]),
    );
  },
  "GET /containers/{name:.*}/json": async ({ ask, create, today }) => {
    const name = await create(["true"]);
    const found = json(await ask("GET", `/containers/${name}/json`));
    // To 1.2.0's table of texts this is no text.
    expect(found).toMatchObject({ Name: `/${name}`, Path: today ? "true" : true, State: { Running: false } });
    expect("Mounts" in found).toBe(today);
  },
  "GET /containers/{name:.*}/top": async ({ ask, start }) => {
    const { Titles, Processes } = json<{ Titles: string[]; Processes: string[][] }>(
      await ask("GET", `/containers/${await start(SLEEP)}/top?ps_args=-o%20pid,comm`),
    );
    expect([Titles, Processes.map((columns) => columns.at(-1))]).toEqual([["PID", "COMMAND"], ["sleep"]]);
  },
  "GET /containers/{name:.*}/logs": async ({ ask, start }) => {
    const name = await start(["sh", "-c", "echo one; echo two"]);
    await ask("POST", `/containers/${name}/wait`);
    const { status, body } = await ask("GET", `/containers/${name}/logs?stdout=1&tail=1`);
    expect([status, payload(body)]).toEqual([200, "two\n"]);
  },
  "GET /containers/{name:.*}/attach/ws": async ({ start, version }) => {
    const name = await start(["sh", "-c", "read a; echo got $a"], { OpenStdin: true });
    const path = `/v${version}/containers/${name}/attach/ws?logs=1&stream=1&stdin=1&stdout=1`;
    const client = await openWebSocket(daemon.socket, path, { headers: { Origin: "http://localhost" } });
    client.send(Buffer.from([0x81, 0x83, 0, 0, 0, 0, 0x68, 0x69, 0x0a]));
    await expect.poll(() => client.close, { timeout: 15_000 }).toEqual([1000, ""]);
    expect(client.text).toBe("got hi\n");
    client.socket.destroy();
  },
  "POST /commit": async ({ ask, start, today }) => {
    const name = await start(["sh", "-c", "echo kept > /kept"]);
    await ask("POST", `/containers/${name}/wait`);
    const made = await ask("POST", `/commit?container=${name}&repo=${name}&comment=why`, {});
    const { Id } = json<{ Id: string }>(made);
    expect([made.status, Id]).toEqual([201, expect.stringMatching(/^(?:sha256:)?[0-9a-f]{64}$/)]);
    expect(Id.startsWith("sha256:")).toBe(today && Id.startsWith("sha256:"));
    const comment = json(await ask("GET", `/images/${name}/json`));
    expect(comment["Comment"] ?? comment["comment"]).toBe("why");
    expect((await daemon.docker("run", "--rm", name, "cat", "/kept")).stdout).toBe("kept\n");
    await daemon.docker("rmi", name);
  },
  "POST /containers/create": async ({ create, state }) => {
    expect(await state(await create(["true"]))).toMatchObject({ Running: false, ExitCode: 0 });
  },
  "POST /containers/{name:.*}/kill": async ({ ask, start, state }) => {
    const name = await start(SLEEP);
    expect((await ask("POST", `/containers/${name}/kill`)).status).toBe(204);
    expect((await state(name))["Running"]).toBe(false);
  },
  "POST /containers/{name:.*}/pause": async ({ ask, start, state }) => {
    const name = await start(SLEEP);
    expect((await ask("POST", `/containers/${name}/pause`)).status).toBe(204);
    expect((await state(name))["Paused"]).toBe(true);
    expect((await ask("POST", `/containers/${name}/unpause`)).status).toBe(204);
  },
  "POST /containers/{name:.*}/unpause": async ({ ask, start, state, today }) => {
    const name = await start(SLEEP);
    expect((await ask("POST", `/containers/${name}/unpause`)).status).toBe(today ? 409 : 500);
    await ask("POST", `/containers/${name}/pause`);
    expect((await ask("POST", `/containers/${name}/unpause`)).status).toBe(204);
    expect((await state(name))["Paused"]).toBe(false);
  },
  "POST /containers/{name:.*}/restart": async ({ ask, start, state }) => {
    const name = await start(SLEEP);
    const { Pid } = await state(name);
    expect((await ask("POST", `/containers/${name}/restart?t=0`)).status).toBe(204);
    const after = await state(name);
    expect([after["Running"], after["Pid"] === Pid]).toEqual([true, false]);
  },
  "POST /containers/{name:.*}/start": async ({ ask, start, state }) => {
    const name = await start(SLEEP);
    expect((await state(name))["Running"]).toBe(true);
    expect((await ask("POST", `/containers/${name}/start`)).status).toBe(304);
  },
  "POST /containers/{name:.*}/stop": async ({ ask, start, state }) => {
    const name = await start(["sh", "-c", "trap 'exit 4' TERM; while true; do sleep 0.1; done"]);
    expect((await ask("POST", `/containers/${name}/stop?t=30`)).status).toBe(204);
    expect(await state(name)).toMatchObject({ Running: false });
    expect((await ask("POST", `/containers/${name}/stop?t=1`)).status).toBe(304);
  },
  "POST /containers/{name:.*}/wait": async ({ ask, start, today }) => {
    const name = await start(["sh", "-c", "exit 7"]);
    const answer = await ask("POST", `/containers/${name}/wait`);
    expect(json(answer)).toEqual(today ? { StatusCode: 7, Error: null } : { StatusCode: 7 });
  },
  "POST /containers/{name:.*}/resize": async ({ ask, start, today }) => {
    const script = "trap 'stty size; exit' WINCH; echo ready; while true; do sleep 0.1; done";
    const name = await start(["sh", "-c", script], { Tty: true });
    const output = async () => (await ask("GET", `/containers/${name}/logs?stdout=1`)).body.toString();
    await expect.poll(output, { timeout: 15_000 }).toContain("ready");
    expect((await ask("POST", `/containers/${name}/resize?h=31&w=97`)).status).toBe(200);
    await expect.poll(output, { timeout: 15_000 }).toContain("31 97");
    const bad = await ask("POST", `/containers/${name}/resize?h=x&w=1`);
    expect([bad.status, bad.body.toString()]).toEqual([
      today ? 400 : 500,
      expect.stringMatching(/strconv\.ParseInt: parsing \\?"x\\?": invalid syntax/),
    ]);
    await ask("POST", `/containers/${name}/wait`);
    const late = await ask("POST", `/containers/${name}/resize?h=1&w=1`);
    expect([late.status, late.body.toString()]).toEqual(
      today ? [409, expect.stringMatching(/Container [0-9a-f]{64} is not running/)] : [200, ""],
    );
  },
  "POST /containers/{name:.*}/attach": async ({ create, ask, version }) => {
    const name = await create(["cat"], { OpenStdin: true, StdinOnce: true, AttachStdin: true });
    const path = `/v${version}/containers/${name}/attach?stream=1&stdin=1&stdout=1`;
    const done = hijack(path, "through\n");
    await ask("POST", `/containers/${name}/start`);
    const answer = await done;
    expect(answer.slice(0, answer.indexOf("\r\n"))).toBe("HTTP/1.1 200 OK");
    expect(answer).toContain("application/vnd.docker.raw-stream");
    expect(answer.endsWith("\x01\0\0\0\0\0\0\x08through\n")).toBe(true);
  },
  "POST /containers/{name:.*}/copy": async ({ ask, create }) => {
    const { status, body } = await ask("POST", `/containers/${await create(["true"])}/copy`, { Resource: "/etc/motd" });
    expect([status, body.toString("latin1", 0, 4), body.toString("latin1", 512, 516)]).toEqual([200, "motd", "old\n"]);
  },
  "DELETE /containers/{name:.*}": async ({ ask, create }) => {
    const name = await create(["true"]);
    expect((await ask("DELETE", `/containers/${name}`)).status).toBe(204);
    expect((await ask("GET", `/containers/${name}/json`)).status).toBe(404);
  },
  "HEAD /containers/{name:.*}/archive": async ({ ask, create }) => {
    const { status, headers } = await ask("HEAD", archive(await create(["true"]), "/etc/motd"));
    const header = Buffer.from(String(headers["x-docker-container-path-stat"]), "base64").toString();
    expect([status, JSON.parse(header)]).toEqual([200, expect.objectContaining({ name: "motd", size: 4 })]);
  },
  "GET /containers/{name:.*}/archive": async ({ ask, create }) => {
    const { status, body } = await ask("GET", archive(await create(["true"]), "/etc/motd"));
    expect([status, body.toString("latin1", 512, 516)]).toEqual([200, "old\n"]);
  },
  "PUT /containers/{name:.*}/archive": async ({ ask, create }) => {
    const name = await create(["true"]);
    const { body } = await ask("GET", archive(name, "/etc/motd"));
    expect((await ask("PUT", archive(name, "/tmp"), body)).status).toBe(200);
    expect((await ask("HEAD", archive(name, "/tmp/motd"))).status).toBe(200);
  },
};

async function listed(path: string, ask: Api["ask"], start: Api["start"]): Promise<void> {
  const name = await start(SLEEP);
  const rows = json<{ Names: string[]; Status: string }[]>(await ask("GET", `${path}?limit=1`));
  expect(rows).toMatchObject([{ Names: [`/${name}`], Status: expect.stringMatching(/^Up /) }]);
}

const aboutContainers = ROUTES.filter(({ path }) => /^\/(?:containers|commit|events)\b/.test(path));
const titleOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

/** Whether a version of the API has the route. */
function has(version: string, { since = "1.0" }: { since?: string | undefined }): boolean {
  return Number(version.split(".")[1]) >= Number(since.split(".")[1]);
}

test("each route about containers has its exercise, and there is none for what is no route", () => {
  expect(aboutContainers.map(titleOf).sort()).toEqual(Object.keys(EXERCISES).sort());
});

describe.runIf(isRoot).each(["1.14", "1.24", "1.30"])("API %s", (version) => {
  test.each(aboutContainers.filter((route) => has(version, route)).map(titleOf))("%s", async (title) => {
    const first = serial;
    try {
      await EXERCISES[title]?.(api(version));
    } finally {
      await Promise.all(
        Array.from({ length: serial - first }, (_, i) => ask("DELETE", `/v1.14/containers/r${first + i}?force=1`)),
      );
    }
  });

  const named = aboutContainers.filter((route) => has(version, route) && route.path.includes("{name"));
  test.each(named.map(titleOf))("%s without such a container", async (title) => {
    const [method = "", path = ""] = title.split(" ");
    const query = { archive: "?path=/", logs: "?stdout=1", resize: "?h=1&w=1" }[path.split("/").at(-1) ?? ""] ?? "";
    const body = path.endsWith("/copy") ? { Resource: "/x" } : undefined;
    const target = `/v${version}${path.replace("{name:.*}", "nobody")}${query}`;
    const { status, body: text } = await ask(method, target, body);
    // What 1.2.0 says of it is in the records: a wait that names the job, and a copy without a word.
    const quirk = version === "1.14" && path.endsWith("/wait");
    expect([
      status,
      method === "HEAD" || path.endsWith("/copy") || text.includes(quirk ? "no such" : "No such"),
    ]).toEqual([quirk ? 500 : 404, true]);
  });
});

type Client = (...args: string[]) => Promise<Result>;

/** Both clients; `today`: whether it is the unmodified one. */
const CLIENTS: readonly (readonly [string, Client, boolean])[] = [
  ["our client", (...args) => daemon.docker(...args), false],
  ["today's client", (...args) => daemon.today(...args), true],
];

/** A container for a command to be tried on. */
interface On {
  readonly client: Client;
  readonly today: boolean;
  /** Runs a command that must succeed. @returns what it prints */
  ok(...args: string[]): Promise<string>;
  /** Starts a container in the background, with what else `run` is given. @returns its name */
  started(cmd: string[], ...options: string[]): Promise<string>;
}

/** What each command is tried on. */
const COMMANDS: Record<string, (on: On) => Promise<void>> = {
  attach: async ({ client, started, ok }) => {
    const name = await started(["sh", "-c", "read a; echo got $a; exit 3"], "-i");
    const program = client === CLIENTS[0]?.[1] ? DRYDOCK : TODAY;
    // The end of the input would be the end of the attachment.
    const line = `(echo hello; sleep 1) | ${program} -H unix://${daemon.socket} attach ${name}; exit \${PIPESTATUS[1]}`;
    const done = await run([...daemon.netns.prefix, "bash", "-c", line], { env: { HOME: daemon.dir } });
    expect([done.code, done.stdout]).toEqual([3, "got hello\n"]);
    expect((await ok("logs", name)).trim()).toBe("got hello");
  },
  commit: async ({ ok, started }) => {
    const name = await started(["sh", "-c", "echo kept > /kept"]);
    await ok("wait", name);
    expect(await ok("commit", name, name)).toMatch(/^(?:sha256:)?[0-9a-f]{64}\n$/);
    expect(await ok("run", "--rm", name, "cat", "/kept")).toBe("kept\n");
    await ok("rmi", name);
  },
  cp: async ({ ok, started }) => {
    const to = join(daemon.dir, `cp${serial}`);
    mkdirSync(to);
    await ok("cp", `${await started(SLEEP)}:/etc/motd`, to);
    expect(readFileSync(join(to, "motd"), "utf8")).toBe("old\n");
  },
  diff: async ({ ok, started }) => {
    const name = await started(["touch", "/made"]);
    await ok("wait", name);
    expect(await ok("diff", name)).toBe("A /made\n");
  },
  events: async ({ ok, started }) => {
    const name = await started(["true"]);
    const id = (await ok("inspect", "-f", "{{.Id}}", name)).trim();
    await ok("wait", name);
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const lines = (await ok("events", "--since", "1", "--until", until))
      .split("\n")
      .filter((line) => line.includes(id));
    expect(lines.join("\n")).toMatch(/create[\s\S]*start[\s\S]*die/);
  },
  export: async ({ client, started }) => {
    const name = await started(SLEEP);
    expect((await client("export", name)).stdout).toContain("etc/motd");
  },
  inspect: async ({ ok, started }) => {
    const name = await started(SLEEP);
    expect(await ok("inspect", "-f", "{{.Name}} {{.State.Running}} {{index .Config.Cmd 0}}", name)).toBe(
      `/${name} true sleep\n`,
    );
  },
  kill: async ({ ok, started }) => {
    const name = await started(SLEEP);
    expect(await ok("kill", name)).toBe(`${name}\n`);
    expect(await ok("inspect", "-f", "{{.State.Running}}", name)).toBe("false\n");
  },
  logs: async ({ ok, started }) => {
    const name = await started(["sh", "-c", "echo one; echo two"]);
    await ok("wait", name);
    expect([await ok("logs", name), await ok("logs", "--tail", "1", name)]).toEqual(["one\ntwo\n", "two\n"]);
    expect(await ok("logs", "-t", name)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z one\n/);
  },
  pause: async ({ ok, started }) => {
    const name = await started(SLEEP);
    await ok("pause", name);
    expect(await ok("ps")).toMatch(new RegExp(`\\(Paused\\).*${name}`));
    await ok("unpause", name);
  },
  port: async ({ ok, started }) => {
    const name = await started(SLEEP, "-p", "127.0.0.1::80");
    expect(await ok("port", name, "80")).toMatch(/^127\.0\.0\.1:\d+\n$/);
  },
  ps: async ({ ok, started }) => {
    const name = await started(SLEEP);
    const id = await ok("inspect", "-f", "{{.Id}}", name);
    expect(await ok("ps", "-q")).toContain(id.slice(0, 12));
    expect(await ok("ps", "-a", "--no-trunc")).toContain(id.trim());
  },
  restart: async ({ ok, started }) => {
    const name = await started(SLEEP);
    const pid = await ok("inspect", "-f", "{{.State.Pid}}", name);
    await ok("restart", "-t", "0", name);
    expect(await ok("inspect", "-f", "{{.State.Pid}}", name)).not.toBe(pid);
  },
  rm: async ({ ok, client, started }) => {
    const name = await started(SLEEP);
    expect((await client("rm", name)).code).toBe(1);
    expect(await ok("rm", "-f", name)).toBe(`${name}\n`);
    expect((await client("inspect", name)).code).toBe(1);
  },
  run: async ({ client }) => {
    const script = "echo out; echo err >&2; exit 5";
    const done = await client("run", "--rm", image, "sh", "-c", script);
    expect(done).toEqual({ code: 5, stdout: "out\n", stderr: "err\n" });
  },
  start: async ({ ok, started }) => {
    const name = await started(["echo", "again"]);
    await ok("wait", name);
    expect(await ok("start", "-a", name)).toMatch(/^again\n/);
    await ok("start", name);
    await ok("wait", name);
    expect(await ok("logs", name)).toBe("again\nagain\nagain\n");
  },
  stop: async ({ ok, started }) => {
    const name = await started(SLEEP);
    expect(await ok("stop", "-t", "0", name)).toBe(`${name}\n`);
    expect(await ok("inspect", "-f", "{{.State.Running}}", name)).toBe("false\n");
  },
  top: async ({ ok, started }) => {
    expect(await ok("top", await started(SLEEP), "-o", "pid,comm")).toMatch(/^PID +COMMAND *\n\d+ +sleep *\n$/);
  },
  unpause: async ({ ok, client, started }) => {
    const name = await started(SLEEP);
    expect((await client("unpause", name)).stderr).toContain("is not paused");
    await ok("pause", name);
    await ok("unpause", name);
    expect(await ok("ps")).not.toContain("(Paused)");
  },
  wait: async ({ ok, client, started }) => {
    const name = await started(["sh", "-c", "exit 6"]);
    expect(await ok("wait", name)).toBe("6\n");
    expect((await client("wait", "nobody")).code).toBe(1);
  },
};

/** Commands about images, registries, the daemon and the client itself. */
const OTHERS = "build help history images import info load login logout pull push rmi save search tag version".split(
  " ",
);

test("each command about containers is tried, and the others are known", () => {
  expect([...commands.values()].map(({ name }) => name).sort()).toEqual([...Object.keys(COMMANDS), ...OTHERS].sort());
});

describe.runIf(isRoot).each(CLIENTS)("%s", (_who, client, today) => {
  const ok = (...args: string[]) => okWith(client, ...args);

  async function trying(what: (on: On) => Promise<void>): Promise<void> {
    const first = serial;
    const started = async (cmd: string[], ...options: string[]) => {
      const name = `r${serial++}`;
      await ok("run", "-d", "--name", name, ...options, image, ...cmd);
      return name;
    };
    try {
      await what({ client, today, ok, started });
    } finally {
      await Promise.all(
        Array.from({ length: serial - first }, (_, i) => ask("DELETE", `/v1.14/containers/r${first + i}?force=1`)),
      );
    }
  }

  test.each(Object.keys(COMMANDS))("docker %s", (name) => trying(COMMANDS[name] as (on: On) => Promise<void>));

  test("kill sends any signal, by name and by number", () =>
    trying(async ({ started }) => {
      const script =
        'for s in HUP INT USR1 USR2 TERM WINCH; do trap "echo $s" $s; done; echo ready; while true; do sleep 0.05; done';
      const name = await started(["sh", "-c", script]);
      const output = () => ok("logs", name);
      await expect.poll(output, { timeout: 15_000 }).toBe("ready\n");
      const names = today ? ["usr1", "SIGHUP", "10"] : ["USR1", "SIGHUP", "10"];
      let seen = "ready\n";
      for (const [signal, trap] of [
        [names[0], "USR1"],
        [names[1], "HUP"],
        [names[2], "USR1"],
        ["WINCH", "WINCH"],
        ["2", "INT"],
        ["SIGTERM", "TERM"],
      ] as const) {
        expect(await ok("kill", "-s", String(signal), name)).toBe(`${name}\n`);
        seen += `${trap}\n`;
        await expect.poll(output, { timeout: 15_000 }).toBe(seen);
      }
      for (const bad of today ? ["FOO", "0", "SIGRTMIN+16"] : ["FOO", "0", "32", "99", "-1", "usr1", "RTMIN"]) {
        const refused = await client("kill", "-s", bad, name);
        expect([bad, refused.code, refused.stderr]).toEqual([
          bad,
          1,
          expect.stringContaining(`Invalid signal: ${bad}`),
        ]);
      }
      if (today) {
        expect((await client("kill", "-s", "99", name)).stderr).toContain(
          "The linux daemon does not support signal 99",
        );
        // Of a real-time signal an init that does not handle it hears nothing, but it is sent.
        await ok("kill", "-s", "RTMIN+3", name);
      }
      await ok("kill", "-s", "SIGKILL", name);
      await ok("wait", name);
      const again = await client("kill", name);
      if (today) expect(again.stderr).toMatch(/Cannot kill container: r\d+: Container [0-9a-f]{64} is not running/);
      else expect(again).toMatchObject({ code: 0, stdout: `${name}\n` });
      expect((await client("kill", "nobody")).stderr).toContain("No such container: nobody");
    }));

  test("wait prints the code of every end: of many, of one that is over, of one that was killed", () =>
    trying(async ({ started }) => {
      const names = await Promise.all([3, 4].map((code) => started(["sh", "-c", `sleep 0.${code}; exit ${code}`])));
      expect(await ok("wait", ...names)).toBe("3\n4\n");
      expect(await ok("wait", names[0] ?? "")).toBe("3\n");
      const killed = await started(SLEEP);
      const waiting = [ok("wait", killed), ok("wait", killed)];
      await ok("kill", killed);
      expect(await Promise.all(waiting)).toEqual(today ? ["137\n", "137\n"] : ["-1\n", "-1\n"]);
    }));

  test("a terminal's size follows ours", () =>
    trying(async ({ started }) => {
      const name = await started(["sh", "-c", "while true; do stty size; sleep 0.1; done"], "-t");
      const program = today ? TODAY : DRYDOCK;
      const [command = "", ...args] = [
        ...daemon.netns.prefix,
        program,
        "-H",
        `unix://${daemon.socket}`,
        "attach",
        name,
      ];
      const pty = spawn(command, args, { cols: 88, rows: 22, env: { ...process.env, HOME: daemon.dir } });
      let screen = "";
      pty.onData((data) => {
        screen += data;
      });
      await expect.poll(() => screen, { timeout: 15_000 }).toContain("22 88");
      pty.resize(133, 44);
      await expect.poll(() => screen, { timeout: 15_000 }).toContain("44 133");
      pty.kill();
    }));

  test("events: a span of time, and live ones", () =>
    trying(async ({ started }) => {
      const before = Math.floor(Date.now() / 1000);
      const name = await started(["true"]);
      const id = (await ok("inspect", "-f", "{{.Id}}", name)).trim();
      await ok("wait", name);
      const lines = async (...args: string[]) =>
        (await ok("events", ...args)).split("\n").filter((line) => line.includes(id)).length;
      const now = String(Math.floor(Date.now() / 1000) + 1);
      expect(await lines("--since", String(before), "--until", now)).toBe(3);
      expect(await lines("--since", new Date(before * 1000).toISOString().slice(0, 19), "--until", now)).toBe(3);
      expect(await lines("--until", String(before - 10))).toBe(0);
      expect(await lines("--since", String(before - 100), "--until", String(before - 50))).toBe(0);
      // A client that listens hears of the next.
      const asked = () => daemon.log().match(/GET \S*\/events/g)?.length ?? 0;
      const earlier = asked();
      const listening = ok("events", "--until", String(Math.floor(Date.now() / 1000) + 4));
      await vi.waitUntil(() => asked() > earlier, 10_000);
      const later = await started(["true"]);
      const laterId = (await ok("inspect", "-f", "{{.Id}}", later)).trim();
      expect(await listening).toMatch(new RegExp(`create.*${laterId}|${laterId}.*create`));
    }));
});

test.runIf(isRoot)("today's filters of events choose by container, image, event, type and label", async () => {
  const { today } = daemon;
  const ok = (...args: string[]) => okWith(today, ...args);
  const since = String(Math.floor(Date.now() / 1000));
  await ok("run", "--name", "filtered", "--label", "who=me", image, "true");
  await ok("run", "--name", "unfiltered", image, "true");
  await ok("tag", image, "other:1");
  await ok("run", "--name", "third", "other:1", "true");
  await ok("rm", "filtered", "unfiltered", "third");
  await ok("rmi", "other:1");
  const until = String(Math.floor(Date.now() / 1000) + 1);
  const events = async (...filters: string[]) => {
    const words = filters.flatMap((filter) => ["-f", filter]);
    const format = ["--format", "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}"];
    const lines = (await ok("events", "--since", since, "--until", until, ...words, ...format)).trim().split("\n");
    return lines.filter((line) => line !== "" && !/attach|resize/.test(line));
  };
  const life = (name: string) => ["create", "start", "die", "destroy"].map((action) => `container ${action} ${name}`);
  expect((await events("container=filtered")).sort()).toEqual(life("filtered").sort());
  expect((await events("container=filtered", "container=third")).length).toBe(8);
  const dead = (await events("event=die")).filter((line) => !/ r\d+$/.test(line));
  expect(dead).toEqual(["filtered", "unfiltered", "third"].map((name) => `container die ${name}`));
  expect(await events("event=die", "container=third")).toEqual(["container die third"]);
  expect((await events("image=other:1", "type=container")).sort()).toEqual(life("third").sort());
  expect((await events("label=who=me")).sort()).toEqual(life("filtered").sort());
  expect(await events("label=who=you")).toEqual([]);
  expect((await events("type=image")).map((line) => line.split(" ")[1])).toEqual(["untag"]);
  expect(await events("type=volume")).toEqual([]);
  const bad = await today("events", "--since", since, "--until", until, "-f", "nonsense=1");
  expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining("invalid filter 'nonsense'")]);
  const turned = await today("events", "--since", until, "--until", since);
  expect(turned.stderr).toContain(`\`since\` time (${until}`);
  // Which signal it was is an attribute of the event.
  const soon = () => String(Math.floor(Date.now() / 1000) + 1);
  await ok("run", "-d", "--name", "signalled", image, "sleep", "300");
  await ok("kill", "-s", "KILL", "signalled");
  const kill = await ok(
    "events",
    "--since",
    since,
    "--until",
    soon(),
    "-f",
    "event=kill",
    "--format",
    "{{json .Actor.Attributes}}",
  );
  expect(kill).toContain('"signal":"9"');
  await ok("rm", "signalled");
});

test.runIf(isRoot)("wait tells of the next end and of the removal, to those who ask for them", async () => {
  const on = api("1.30");
  const name = await on.create(["sh", "-c", "exit 9"]);
  const waits = ["not-running", "next-exit", "removed"].map((condition) =>
    on.ask("POST", `/containers/${name}/wait?condition=${condition}`),
  );
  expect(json(await (waits[0] as Promise<Answer>))).toEqual({ Error: null, StatusCode: 0 });
  await on.ask("POST", `/containers/${name}/start`);
  expect(json(await (waits[1] as Promise<Answer>))).toEqual({ Error: null, StatusCode: 9 });
  expect((await on.ask("DELETE", `/containers/${name}?force=1`)).status).toBe(204);
  expect(json(await (waits[2] as Promise<Answer>))).toEqual({ Error: null, StatusCode: 9 });
  const bad = await on.ask("POST", `/containers/${name}/wait?condition=whenever`);
  expect(bad.status).toBe(400);
});
