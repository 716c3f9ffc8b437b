/**
 * A container's streams over a WebSocket: with a client made by hand, and in a real browser.
 */

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { executable } from "../site/browser.ts";
import { okWith, provide } from "../support/commands.ts";
import { hasRoot, startDaemon, type TestDaemon } from "../support/daemon.ts";
import { BUSYBOX, freePort, startRegistry, type TestRegistry } from "../support/images.ts";
import { ACCEPT, frame, openWebSocket, type TestWebSocket } from "../support/websocket.ts";

const isRoot = hasRoot("containers need root");

const TEXT = 1;
const BINARY = 2;
const CONTINUATION = 0;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

let daemon: TestDaemon;
let registry: TestRegistry;
let image: string;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  registry = await startRegistry(daemon.netns.prefix);
  image = await provide(daemon, registry, "busybox", [BUSYBOX]);
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const vm = test.runIf(isRoot);
const until = <T>(ask: () => T) => expect.poll(ask, { timeout: 15_000, interval: 20 });
const all = "logs=1&stream=1&stdin=1&stdout=1&stderr=1";

const ok = async (...args: string[]) => (await okWith(daemon.docker, ...args)).trim();

/** Runs a container in the background. @returns its id */
const run = (...args: string[]) => ok("run", "-d", ...args);

async function attach(id: string, query = all, version = "1.14"): Promise<TestWebSocket> {
  const client = await openWebSocket(daemon.socket, `/v${version}/containers/${id}/attach/ws?${query}`);
  expect(client.status).toBe(101);
  return client;
}

vm("the handshake is that of the standard", async () => {
  const id = await run("-i", image, "cat");
  const path = `/containers/${id}/attach/ws?stream=1&stdout=1`;
  const good = await openWebSocket(daemon.socket, path, { headers: { "Sec-WebSocket-Protocol": "tty" } });
  expect(good.head.split("\r\n")).toEqual([
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${ACCEPT}`,
    "Sec-WebSocket-Protocol: tty",
  ]);
  good.socket.destroy();
  for (const [headers, status, text] of [
    [{ Upgrade: undefined, Connection: undefined }, 400, "not websocket protocol"],
    [{ Upgrade: "tcp" }, 400, "not websocket protocol"],
    [{ "Sec-WebSocket-Key": undefined }, 400, "mismatch challenge/response"],
    [{ "Sec-WebSocket-Key": "short" }, 400, "mismatch challenge/response"],
    [{ "Sec-WebSocket-Version": "12" }, 400, "missing or bad WebSocket Version"],
    [{ "Sec-WebSocket-Protocol": "a, b" }, 400, "missing or bad WebSocket-Protocol"],
    [{ Origin: "null" }, 403, ""],
  ] as const) {
    const bad = await openWebSocket(daemon.socket, path, { headers });
    await until(() => bad.body).toBe(text);
    expect(bad.status).toBe(status);
    if (status === 400 && text.includes("Version")) expect(bad.head).toContain("Sec-WebSocket-Version: 13");
    bad.socket.destroy();
  }
  const missing = await openWebSocket(daemon.socket, "/v1.14/containers/nobody/attach/ws?stream=1");
  expect(missing.status).toBe(404);
  await until(() => missing.body).toContain("No such container: nobody");
  missing.socket.destroy();
  await ok("rm", "-f", id);
});

vm("input reaches the container, output and errors come back as text, and its end closes with 1000", async () => {
  const id = await run("-i", image, "sh", "-c", "read a; echo got $a; echo err >&2; read b; echo got $b");
  const client = await attach(id);
  client.send(frame(TEXT, "one\n"));
  await until(() => client.text).toMatch(/got one\n/);
  await until(() => client.text).toMatch(/err\n/);
  client.send(frame(BINARY, "two\n"));
  await until(() => client.close).toEqual([1000, ""]);
  expect(client.text).toMatch(/got two\n$/);
  expect(new Set(client.frames.map(({ opcode, fin }) => `${opcode} ${fin}`))).toEqual(
    new Set([`${TEXT} true`, `${CLOSE} true`]),
  );
  client.send(frame(CLOSE, Buffer.from([3, 232])));
  await until(() => client.ended).toBe(true);
  await ok("rm", id);
});

vm("a terminal's bytes come and go as they are; logs and streams are chosen", async () => {
  const id = await run("-i", "-t", image, "sh", "-c", "stty -echo; tty; cat; exit 3");
  const client = await attach(id);
  await until(() => client.text).toMatch(/\/dev\/\S+\r\n/);
  client.send(frame(TEXT, "typed\r"));
  await until(() => client.text).toMatch(/typed\r\n$/);
  const logs = await attach(id, "logs=1&stdout=1");
  await until(() => logs.close).toEqual([1000, ""]);
  expect(logs.text).toBe(client.text);
  const nothing = await attach(id, "logs=1&stdin=1&stream=0");
  await until(() => nothing.close).toEqual([1000, ""]);
  expect(nothing.text).toBe("");
  // ^D: the end of the container's input.
  client.send(frame(TEXT, "\x04"));
  await until(() => client.close).toEqual([1000, ""]);
  expect(await ok("wait", id)).toBe("3");
  await ok("rm", id);
});

vm("detach keys leave the container running", async () => {
  const id = await run("-i", "-t", image, "sh", "-c", "stty -echo; cat");
  const client = await attach(id);
  client.send(frame(TEXT, "\x10"), frame(TEXT, "\x11"));
  await until(() => client.close).toEqual([1000, ""]);
  const today = await attach(id, `${all}&detachKeys=ctrl-a,x`, "1.30");
  today.send(frame(BINARY, "\x01x"));
  await until(() => today.close).toEqual([1000, ""]);
  expect(await ok("inspect", "-f", "{{.State.Running}}", id)).toBe("true");
  await ok("rm", "-f", id);
});

vm("what comes with the head of the request, in fragments and in pieces, is all input", async () => {
  const id = await run("-i", image, "sh", "-c", "head -c 300013 | busybox md5sum");
  const early = frame(TEXT, "0123456789");
  const client = await openWebSocket(daemon.socket, `/containers/${id}/attach/ws?${all}`, { early });
  const large = frame(BINARY, Buffer.alloc(200_000, "x"), { fin: false });
  const middle = frame(CONTINUATION, Buffer.alloc(90_000, "y"), { fin: false });
  const last = frame(CONTINUATION, Buffer.alloc(299_990 - 290_000, "z"));
  client.send(large.subarray(0, 7));
  client.send(large.subarray(7, 100_000));
  // A ping may stand between the fragments of a message.
  client.send(large.subarray(100_000), frame(PING, "in between"), middle, last);
  for (const byte of frame(TEXT, "byte by byte\n")) client.send(Buffer.from([byte]));
  const whole = `0123456789${"x".repeat(200_000)}${"y".repeat(90_000)}${"z".repeat(9_990)}byte by byte\n`;
  await until(() => client.text).toBe(`${createHash("md5").update(whole).digest("hex")}  -\n`);
  expect(client.frames.find(({ opcode }) => opcode === PONG)?.payload.toString()).toBe("in between");
  await until(() => client.close).toEqual([1000, ""]);
  await ok("rm", id);
});

vm("the client's close is the end of the input, and is answered", async () => {
  const started = await daemon.docker("run", "-d", "-i", image, "sh", "-c", "cat > /got; exit 5");
  const id = started.stdout.trim();
  const client = await attach(id);
  client.send(frame(TEXT, "kept\n"), frame(CLOSE, Buffer.from([0x0b, 0xb8])));
  await until(() => client.close).toEqual([3000, ""]);
  await until(() => client.ended).toBe(true);
  // The container was started without --attach stdin: its input is open for the next client.
  const next = await attach(id);
  next.send(frame(TEXT, "more\n"));
  await expect
    .poll(() => daemon.docker("cp", `${id}:/got`, `${daemon.dir}/ws`).then(() => ok("diff", id)))
    .toContain("/got");
  next.socket.destroy();
  await ok("rm", "-f", id);
});

vm("input for a container that takes none is thrown away, and the client is heard all the same", async () => {
  const id = await run(image, "sleep", "300");
  const client = await attach(id, all, "1.30");
  client.send(frame(BINARY, Buffer.alloc(300_000)), frame(PING, "still there"));
  await until(() => client.frames.find(({ opcode }) => opcode === PONG)?.payload.toString()).toBe("still there");
  client.send(frame(CLOSE, ""));
  await until(() => client.close).toEqual([1000, ""]);
  await until(() => client.ended).toBe(true);
  await ok("rm", "-f", id);
});

vm.each([
  ["a frame that is not masked", frame(TEXT, "x", { masked: false })],
  ["reserved bits", frame(TEXT, "x", { rsv: 4 })],
  ["an unknown opcode", frame(3, "x")],
  ["an unknown control frame", frame(11, "x")],
  ["a fragmented ping", frame(PING, "x", { fin: false })],
  ["a ping of 126 bytes", frame(PING, Buffer.alloc(126))],
  ["a continuation of nothing", frame(CONTINUATION, "x")],
  ["a message inside a message", Buffer.concat([frame(TEXT, "x", { fin: false }), frame(TEXT, "y")])],
  ["a negative length", Buffer.from([0x82, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])],
  ["half a close status", frame(CLOSE, "x")],
])("%s closes the connection with 1002, and the container goes on", async (_what, bytes) => {
  const id = await run("-i", image, "cat");
  const client = await attach(id);
  client.send(bytes);
  await until(() => client.close?.[0]).toBe(1002);
  await until(() => client.ended).toBe(true);
  expect(await ok("inspect", "-f", "{{.State.Running}}", id)).toBe("true");
  await ok("rm", "-f", id);
});

vm("a frame that promises more than it brings holds nothing in memory", async () => {
  const id = await run("-i", image, "sh", "-c", "head -c 3 | wc -c");
  const client = await attach(id);
  const huge = Buffer.from([0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]);
  client.send(huge, Buffer.from("abc"));
  await until(() => client.text).toBe("3\n");
  await until(() => client.close).toEqual([1000, ""]);
  client.socket.destroy();
  await ok("rm", id);
});

vm("text is whole characters before API 1.28, bytes are bytes since", async () => {
  const script = "printf '\\303'; sleep 1; printf '\\244\\377'";
  const id = await run(image, "sh", "-c", `read go < /proc/1/environ; sleep 1; ${script}`);
  const [text, bytes] = await Promise.all([attach(id, all, "1.14"), attach(id, all, "1.28")]);
  await until(() => text.close).toEqual([1000, ""]);
  await until(() => bytes.close).toEqual([1000, ""]);
  expect(text.text).toBe("ä\ufffd");
  expect(text.frames.filter(({ opcode }) => opcode === TEXT).every(({ payload }) => isUtf8(payload))).toBe(true);
  expect(bytes.data).toEqual(Buffer.from([0xc3, 0xa4, 0xff]));
  expect(bytes.frames[0]?.opcode).toBe(BINARY);
  await ok("rm", id);
});

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString("utf8")).equals(bytes);
}

vm("ten megabytes come whole, and a client that goes away disturbs nobody", async () => {
  const id = await run(image, "sh", "-c", "sleep 1; head -c 10000000 /dev/zero; sleep 1; echo end");
  const [client, leaver] = await Promise.all([attach(id, all, "1.30"), attach(id, all, "1.30")]);
  leaver.socket.pause();
  setTimeout(() => leaver.socket.destroy(), 1500);
  await until(() => client.close).toEqual([1000, ""]);
  expect(client.data.length).toBe(10_000_004);
  expect(client.data.subarray(-4).toString()).toBe("end\n");
  await ok("rm", id);
});

const browsing = test.runIf(isRoot && executable !== undefined);

browsing("a real browser talks to a container when it may, and is refused when it may not", async () => {
  // The browser has to reach the port: the daemon of this test is in our own network, without a bridge.
  const port = await freePort();
  // A page without an address has no origin, and is refused.
  const site = createServer((_request, response) => void response.end("<!doctype html>"));
  await new Promise<void>((done) => site.listen(0, "127.0.0.1", done));
  const { port: sitePort } = site.address() as { port: number };
  const open = await startDaemon({ netns: "none", args: ["-H", `tcp://127.0.0.1:${port}`, "--api-enable-cors"] });
  let browser: Browser | undefined;
  try {
    const there = await startRegistry([]);
    await there.push("busybox", [BUSYBOX]);
    expect((await open.docker("pull", `${there.address}/busybox`)).code).toBe(0);
    const made = await open.docker(
      "run",
      "-d",
      "-i",
      "--net=none",
      `${there.address}/busybox`,
      "sh",
      "-c",
      "read a; echo got $a; echo ä",
    );
    await there.stop();
    expect([made.code, made.stderr]).toEqual([0, ""]);
    browser = await chromium.launch({ ...(executable && { executablePath: executable }), args: ["--no-sandbox"] });
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${sitePort}/`);
    const url = `ws://127.0.0.1:${port}/v1.14/containers/${made.stdout.trim()}/attach/ws?${all}`;
    const talk = `new Promise((done) => {
      const socket = new WebSocket(${JSON.stringify(url)});
      const said = [];
      socket.onopen = () => socket.send("hello\\n");
      socket.onmessage = ({ data }) => said.push(data);
      socket.onclose = ({ code, wasClean }) => done([said.join(""), code, wasClean]);
    })`;
    expect(await page.evaluate(talk)).toEqual(["got hello\nä\n", 1000, true]);
    await open.end();
    // The same again without permission.
    const shut = await startDaemon({ netns: "none", args: ["-H", `tcp://127.0.0.1:${port}`] });
    try {
      expect(await page.evaluate(talk)).toEqual(["", 1006, false]);
      const origin = { Origin: "http://evil.example" };
      const refused = await openWebSocket(port, "/containers/x/attach/ws", { headers: origin });
      expect(refused.status).toBe(403);
      await until(() => refused.body).toContain("Requests from web pages are refused");
      refused.socket.destroy();
    } finally {
      await shut.remove();
    }
  } finally {
    site.close();
    await browser?.close();
    await open.remove();
  }
});
