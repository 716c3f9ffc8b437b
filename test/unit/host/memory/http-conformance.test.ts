/** The same raw requests to the same API server, over Node's HTTP and over the one in memory: the same bytes come back. */

import { promises as fs, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiHost, ApiServer } from "../../../../src/api/server/server.ts";
import { Engine } from "../../../../src/engine/engine.ts";
import type { Handler } from "../../../../src/engine/job.ts";
import { linuxNet } from "../../../../src/host/linux/net.ts";
import { memoryHost } from "../../../../src/host/memory/memory.ts";
import type { Net } from "../../../../src/host/net.ts";
import { Logger } from "../../../../src/pkg/log/log.ts";
import { readAll } from "../../../../src/sync/io.ts";

const clock = {
  now: () => 1_400_000_000_000,
  nowNs: () => 1_400_000_000_000_000_000n,
  monotonicMs: () => 0,
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};

const big = "x".repeat(300_000);

const jobs: Record<string, Handler> = {
  version: (job) => job.printf('{"Version":"1.2.0"}\n'),
  info: (job) => job.errorf("disk on fire"),
  containers: (job) => job.printf("[]\n"),
  search: async (job) => {
    await job.stdout.write(`[{"name":"${big}"}]\n`);
  },
  create: (job) => job.printf(`${job.getenv("Image")}\n`),
  tag: () => undefined,
  load: async (job) => {
    await job.stdout.write(`${(await readAll(job.stdin)).length} bytes\n`);
  },
  container_inspect: (job) => {
    if (job.args[0] !== "abc") return job.errorf(`No such container: ${job.args[0]}`);
    return job.printf('{"Id":"abc","Config":{"Tty":true},"State":{"Running":true}}\n');
  },
  attach: async (job) => {
    for await (const chunk of job.stdin) await job.stdout.write(chunk);
    await job.stdout.write("bye\n");
  },
};

interface Site {
  readonly api: ApiServer;
  readonly log: () => string;
  dial(): Promise<Duplex>;
}

/** An API server with made-up jobs. */
async function site(host: object, net: Pick<Net, "createHttpServer" | "listen" | "dial">, path: string): Promise<Site> {
  const world = memoryHost();
  const log = new Logger({ ...world, clock });
  const engine = new Engine({ ...world, clock });
  engine.logging = false;
  const api = new ApiServer({ ...world, ...host, clock, net } as unknown as ApiHost, log);
  engine.register("serveapi", api.serveApi);
  engine.register("acceptconnections", api.acceptConnections);
  for (const [name, handler] of Object.entries(jobs)) engine.register(name, handler);
  const job = engine.job("serveapi", `unix://${path}`);
  job.setenv("Version", "1.2.0");
  job.setenv("Logging", "1");
  job.setenv("BufferRequests", "1");
  void job.run().catch(() => undefined);
  for (let i = 0; i < 400; i++) {
    const listens = await net.dial("unix", path).then(
      (socket) => !socket.destroy().readable,
      () => false,
    );
    if (listens) break;
    await clock.sleep(5);
  }
  await engine.job("acceptconnections").run();
  return { api, log: () => world.stdout.text, dial: () => net.dial("unix", path) };
}

/** Sends pieces one after the other and gives all that comes back. An empty piece waits for the first answer. */
async function talk(to: Site, pieces: readonly string[]): Promise<string> {
  const socket = await to.dial();
  let all = "";
  let wake: () => void = () => undefined;
  socket.on("data", (chunk: Buffer) => {
    all += chunk.toString("latin1");
    wake();
  });
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => socket.once("end", resolve).once("close", resolve));
  for (const piece of pieces) {
    if (piece === "") await new Promise<void>((resolve) => (all === "" ? (wake = resolve) : resolve()));
    else if (piece === "FIN") socket.end();
    else socket.write(Buffer.from(piece, "latin1"));
    await clock.sleep(2);
  }
  await ended;
  socket.destroy();
  return all.replace(/^Date: .*$/gm, "Date: …");
}

const CLOSE = "Host: x\r\nConnection: close\r\n";
const JSON_TYPE = "Content-Type: application/json\r\n";
const body = '{"Image":"busybox"}';
const chunked = (...chunks: string[]) =>
  `${chunks.map((c) => `${c.length.toString(16)}\r\n${c}\r\n`).join("")}0\r\n\r\n`;
const attach = (headers = "") =>
  `POST /v1.14/containers/abc/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: x\r\n${headers}`;
const UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n";

/** What is sent, by what it is. */
const REQUESTS: Readonly<Record<string, readonly string[]>> = {
  "a ping": [`GET /_ping HTTP/1.1\r\n${CLOSE}\r\n`],
  "a request without Host": ["GET /version HTTP/1.1\r\nConnection: close\r\n\r\n"],
  "HTTP/1.0": ["GET /version HTTP/1.0\r\n\r\n"],
  "HTTP/1.0 that keeps the connection": [
    "GET /version HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET /_ping HTTP/1.0\r\n\r\n",
  ],
  "HTTP/1.0 and an answer of unknown length": ["GET /images/search?term=x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"],
  "a HEAD": [`HEAD /_ping HTTP/1.1\r\n${CLOSE}\r\n`],
  "a version that is too new": [`GET /v1.99/version HTTP/1.1\r\n${CLOSE}\r\n`],
  "a client of today": [`GET /v1.30/version HTTP/1.1\r\n${CLOSE}\r\n`],
  "a job that fails": [`GET /v1.30/info HTTP/1.1\r\n${CLOSE}\r\n`],
  "a job of old that fails": [`GET /info HTTP/1.1\r\n${CLOSE}\r\n`],
  "no such path": [`GET /nothing HTTP/1.1\r\n${CLOSE}\r\n`],
  "another method": [`PUT /version HTTP/1.1\r\n${CLOSE}\r\n`],
  "a path to be cleaned": [`GET //version/../_ping?x=1 HTTP/1.1\r\n${CLOSE}\r\n`],
  "a broken escape": [`GET /%zz HTTP/1.1\r\n${CLOSE}\r\n`],
  OPTIONS: [`OPTIONS /anything HTTP/1.1\r\n${CLOSE}\r\n`],
  "an answer of many chunks": [`GET /images/search?term=x HTTP/1.1\r\n${CLOSE}\r\n`],
  "two requests on one connection": ["GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n", `GET /version HTTP/1.1\r\n${CLOSE}\r\n`],
  "three at once": [
    `GET /_ping HTTP/1.1\r\nHost: x\r\n\r\nGET /version HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\n${CLOSE}\r\n`,
  ],
  "a request byte by byte": [...`GET /_ping HTTP/1.1\r\n${CLOSE}\r\n`],
  "blank lines before the request": [`\r\n\r\nGET /_ping HTTP/1.1\r\n${CLOSE}\r\n`],
  "a body with its length": [
    `POST /containers/create HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}`,
  ],
  "a body in chunks": [
    `POST /containers/create HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`,
    chunked(body.slice(0, 5), body.slice(5)),
  ],
  "a body after 100-continue": [
    `POST /containers/create HTTP/1.1\r\n${CLOSE}${JSON_TYPE}Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    "",
    body,
  ],
  "another expectation": [`POST /containers/create HTTP/1.1\r\n${CLOSE}Expect: miracles\r\nContent-Length: 0\r\n\r\n`],
  "a body of another type": [`POST /containers/create HTTP/1.1\r\n${CLOSE}Content-Length: 3\r\n\r\nabc`],
  "a large body": [`POST /images/load HTTP/1.1\r\n${CLOSE}Content-Length: ${big.length}\r\n\r\n${big}`],
  "a large body in chunks": [
    `POST /images/load HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n${chunked(big, big)}`,
  ],
  "a body nobody wants, and another request": [
    `GET /_ping HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcdeGET /version HTTP/1.1\r\n${CLOSE}\r\n`,
  ],
  "an answer without a body": [`POST /images/a/tag?repo=b HTTP/1.1\r\n${CLOSE}Content-Length: 0\r\n\r\n`],
  "no HTTP": ["hello\r\n\r\n"],
  "the first bytes of TLS": ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  "an unknown method": ["FETCH /version HTTP/1.1\r\nHost: x\r\n\r\n"],
  "a future protocol": ["GET /version HTTP/3.7\r\nHost: x\r\n\r\n"],
  "a header without a colon": ["GET /version HTTP/1.1\r\nHost\r\n\r\n"],
  "a blank in a header's name": ["GET /version HTTP/1.1\r\nHo st: x\r\n\r\n"],
  "two lengths": ["POST /build HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"],
  "a length that is no number": ["POST /build HTTP/1.1\r\nContent-Length: one\r\n\r\nx"],
  "a length and chunks": ["POST /build HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  "an unknown encoding": ["POST /build HTTP/1.1\r\nTransfer-Encoding: zip\r\n\r\n0\r\n\r\n"],
  "a head that is too long": [`GET /version HTTP/1.1\r\nX: ${"y".repeat(20_000)}\r\n\r\n`],
  "a head that never ends": ["GET /version HTTP/1.1\r\nHost:", "FIN"],
  "a connection that is closed without a word": ["FIN"],
  "a client that closes its half after an answer": ["GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n", "", "FIN"],
  "attach, and input": [attach("Content-Length: 0\r\n\r\n"), "", "hi\n", "FIN"],
  "attach, upgraded": [attach(`${UPGRADE}Content-Length: 0\r\n\r\n`), "", "hi\n", "FIN"],
  "attach, with input behind its head": [attach("Content-Length: 0\r\n\r\nhi\n"), "FIN"],
  "attach, upgraded, with input behind its head": [attach(`${UPGRADE}\r\nhi\n`), "FIN"],
  "attach to nothing": [attach("Content-Length: 0\r\n\r\n").replace("abc", "nix"), "FIN"],
  "an upgrade that is not ours": ["GET /version HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"],
};

let directory: string;
let real: Site;
let memory: Site;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "http-"));
  real = await site({ fs }, linuxNet, join(directory, "docker.sock"));
  const host = memoryHost({ files: { "/var/run": null } });
  memory = await site({ fs: host.fs }, host.net, "/var/run/docker.sock");
});

afterAll(async () => {
  await Promise.all([real.api.close(), memory.api.close()]);
  rmSync(directory, { recursive: true, force: true });
});

test.each(Object.keys(REQUESTS))("MemoryHttpServer answers as Node's does: %s", async (name) => {
  const pieces = REQUESTS[name] ?? [];
  const [ours, nodes] = [await talk(memory, pieces), await talk(real, pieces)];
  expect(ours).toBe(nodes);
  if (!pieces.every((piece) => piece === "FIN")) expect(nodes).toMatch(/^HTTP\/1\.1 \d{3} /);
});

test("both servers ran the same jobs and wrote the same log", () => {
  const lines = (log: string) => log.split("\n").filter((line) => / (GET|POST|PUT|HEAD|OPTIONS) /.test(line));
  expect(lines(memory.log())).toEqual(lines(real.log()));
  expect(lines(memory.log()).length).toBeGreaterThan(20);
});
