import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { roundTrip } from "../../../../src/api/client/http.ts";
import { type MemoryHost, type MemoryHostOptions, memoryHost } from "../../../../src/host/memory/memory.ts";
import type { ListenAddress } from "../../../../src/host/net.ts";
import { readAll } from "../../../../src/sync/io.ts";

const SOCKET = "/var/run/docker.sock";

const world = (options: MemoryHostOptions = {}): MemoryHost => memoryHost({ files: { "/var/run": null }, ...options });

type OnRequest = (req: IncomingMessage, res: ServerResponse) => void;

async function serve(host: MemoryHost, address: ListenAddress, answer: OnRequest): Promise<Server> {
  const server = host.net.createHttpServer().on("request", answer);
  await host.net.listen(server, address);
  return server;
}

/** Asks with the client's own HTTP. */
async function ask(socket: Duplex, target = "/", body?: string): Promise<string> {
  const method = body === undefined ? "GET" : "POST";
  const answer = await roundTrip(socket, { method, target, hostHeader: "x", headers: [], body });
  return `${answer.status} ${await readAll(answer.body)}`;
}

test("a listening unix socket is a file of the volume that nobody may use yet", async () => {
  const host = world();
  await serve(host, { kind: "unix", path: SOCKET }, (_, res) => res.end("unix"));
  const stat = await host.fs.lstat(SOCKET);
  expect([stat.isSocket(), stat.isFile(), stat.mode & 0o777]).toEqual([true, false, 0]);
  await host.fs.chmod(SOCKET, 0o660);
  await host.fs.chown(SOCKET, 0, 50);
  const after = await host.fs.lstat(SOCKET);
  expect([after.isSocket(), after.mode & 0o777, after.uid, after.gid, after.ino]).toEqual([
    true,
    0o660,
    0,
    50,
    stat.ino,
  ]);
  expect(await ask(await host.net.dial("unix", SOCKET))).toBe("200 unix");
});

test("Net.dial() finds unix sockets, ports and a wildcard's ports, each its own server", async () => {
  const host = world();
  await serve(host, { kind: "unix", path: SOCKET }, (_, res) => res.end("unix"));
  await serve(host, { kind: "unix", path: "@docker" }, (_, res) => res.end("abstract"));
  await serve(host, { kind: "tcp", host: "127.0.0.1", port: 2375 }, (req, res) => res.end(req.socket.remoteAddress));
  await serve(host, { kind: "tcp", host: "0.0.0.0", port: 2376 }, (_, res) => res.end("everywhere"));
  const free = await serve(host, { kind: "tcp", host: "localhost", port: 0 }, (_, res) => res.end("chosen"));
  const { port } = free.address() as { port: number };
  const answers = await Promise.all(
    [
      host.net.dial("unix", SOCKET),
      host.net.dial("unix", "@docker"),
      host.net.dial("tcp", "localhost:2375"),
      host.net.dial("tcp", "10.1.2.3:2376"),
      host.net.dial("tcp", `127.0.0.1:${port}`),
    ].map(async (dialled) => ask(await dialled)),
  );
  expect(answers).toEqual(["200 unix", "200 abstract", "200 127.0.0.1", "200 everywhere", "200 chosen"]);
});

test("Net.listen() refuses what is in use, as a machine does", async () => {
  const host = world({ files: { "/var/run/file": "" } });
  await serve(host, { kind: "unix", path: SOCKET }, () => undefined);
  await serve(host, { kind: "tcp", host: "127.0.0.1", port: 2375 }, () => undefined);
  const listen = (address: ListenAddress) => host.net.listen(host.net.createHttpServer(), address);
  const inUse = { code: "EADDRINUSE", errno: -98, syscall: "listen" };
  await expect(listen({ kind: "unix", path: SOCKET })).rejects.toMatchObject(inUse);
  await expect(listen({ kind: "unix", path: "/var/run/file" })).rejects.toMatchObject(inUse);
  await expect(listen({ kind: "unix", path: "/none/x.sock" })).rejects.toMatchObject({ code: "ENOENT" });
  await expect(listen({ kind: "tcp", host: "0.0.0.0", port: 2375 })).rejects.toMatchObject({
    ...inUse,
    message: "listen EADDRINUSE: address already in use 0.0.0.0:2375",
    port: 2375,
  });
  await expect(listen({ kind: "tcp", host: "nowhere.example", port: 1 })).rejects.toMatchObject({ code: "ENOTFOUND" });
  await expect(listen({ kind: "fd", fd: 3 })).rejects.toMatchObject({ code: "EINVAL" });
});

test("Net.dial() fails as Node does when nobody listens", async () => {
  const host = world({ files: { "/var/run/file": "" } });
  await expect(host.net.dial("unix", "/var/run/none")).rejects.toMatchObject({
    message: "connect ENOENT /var/run/none",
    code: "ENOENT",
    errno: -2,
    syscall: "connect",
    address: "/var/run/none",
  });
  await expect(host.net.dial("unix", "/var/run/file")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await expect(host.net.dial("tcp", "127.0.0.1:2375")).rejects.toMatchObject({
    message: "connect ECONNREFUSED 127.0.0.1:2375",
    code: "ECONNREFUSED",
    errno: -111,
    port: 2375,
  });
  await expect(host.net.dial("tcp", "nonsense")).rejects.toThrow(RangeError);
});

test("a closed socket's file stays and refuses; another server may have its name when it is gone", async () => {
  const host = world();
  const server = await serve(host, { kind: "unix", path: SOCKET }, (_, res) => res.end("first"));
  server.close();
  await once(server, "close");
  await expect(host.net.dial("unix", SOCKET)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await host.fs.unlink(SOCKET);
  await expect(host.net.dial("unix", SOCKET)).rejects.toMatchObject({ code: "ENOENT" });
  await serve(host, { kind: "unix", path: SOCKET }, (_, res) => res.end("second"));
  expect(await ask(await host.net.dial("unix", SOCKET))).toBe("200 second");
});

test("a socket lets in its owner, its group and root", async () => {
  for (const [uid, gid, letIn] of [
    [0, 0, true],
    [1000, 50, true],
    [1000, 1000, false],
  ] as const) {
    const host = world({ machine: { uid, gid } });
    await serve(host, { kind: "unix", path: SOCKET }, (_, res) => res.end());
    await host.fs.chown(SOCKET, 0, 50);
    await host.fs.chmod(SOCKET, 0o660);
    const dialled = host.net.dial("unix", SOCKET);
    if (letIn) await expect(dialled).resolves.toBeDefined();
    else await expect(dialled).rejects.toMatchObject({ code: "EACCES", syscall: "connect" });
  }
});

test("MemoryNet.inherit() queues connections until a server takes the descriptor", async () => {
  const host = world();
  host.network.inherit(3, { kind: "unix", path: SOCKET });
  const early = ask(await host.net.dial("unix", SOCKET));
  await serve(host, { kind: "fd", fd: 3 }, (_, res) => res.end("inherited"));
  expect([await early, await ask(await host.net.dial("unix", SOCKET))]).toEqual(["200 inherited", "200 inherited"]);
});

test("whoever does not read holds the other side back", async () => {
  const host = world();
  let written = 0;
  const server = await serve(host, { kind: "unix", path: SOCKET }, (_, res) => {
    const more = () => {
      while (written < 1 << 20) {
        written += 65_536;
        if (!res.write(Buffer.alloc(65_536))) return void res.once("drain", more);
      }
      res.end();
    };
    more();
  });
  const socket = await host.net.dial("unix", SOCKET);
  socket.write("GET / HTTP/1.0\r\n\r\n");
  await once(socket, "readable");
  await host.clock.advance(0);
  expect(written).toBeLessThan(1 << 19);
  let read = 0;
  for await (const chunk of socket) read += (chunk as Buffer).length;
  expect([written, read > 1 << 20]).toEqual([1 << 20, true]);
  server.close();
});

test("a client that goes away without reading resets the connection, and the answer notices", async () => {
  const host = world();
  const closed = new Promise<boolean>((resolve) => {
    void serve(host, { kind: "unix", path: SOCKET }, (_, res) => {
      res.on("close", () => resolve(res.writableFinished));
      res.write("x".repeat(1 << 20));
    });
  });
  const socket = await host.net.dial("unix", SOCKET);
  socket.write("GET / HTTP/1.1\r\n\r\n");
  await once(socket, "readable");
  socket.destroy();
  expect(await closed).toBe(false);
});

test("MemorySocket.setTimeout() follows the host's clock and starts again with each byte", async () => {
  const host = world();
  const gone: number[] = [];
  await serve(host, { kind: "unix", path: SOCKET }, (req) => {
    req.socket.setTimeout(1000, () => gone.push(host.clock.now()));
  });
  const start = host.clock.now();
  const socket = await host.net.dial("unix", SOCKET);
  socket.write("GET / HTTP/1.1\r\n\r\n");
  await host.clock.advance(900);
  socket.write("\r\n");
  await host.clock.advance(900);
  expect(gone).toEqual([]);
  await host.clock.advance(200);
  expect(gone).toEqual([start + 1900]);
});

test("Server.close() waits for the answer under way and cuts idle connections", async () => {
  const host = world();
  let finish = () => {};
  const server = await serve(host, { kind: "unix", path: SOCKET }, (_, res) => {
    finish = () => res.end("done");
  });
  const busy = ask(await host.net.dial("unix", SOCKET));
  const idle = await host.net.dial("unix", SOCKET);
  await host.clock.advance(0);
  let closed = false;
  server.close(() => {
    closed = true;
  });
  idle.resume();
  await once(idle, "end");
  expect(closed).toBe(false);
  finish();
  expect(await busy).toBe("200 done");
  await host.clock.advance(0);
  expect([closed, server.listening]).toEqual([true, false]);
});

test("the client's HTTP sends bodies of both kinds and reads what comes back", async () => {
  const host = world();
  await serve(host, { kind: "unix", path: SOCKET }, async (req, res) => {
    const body = await readAll(req);
    res.writeHead(201, { "X-Length": body.length });
    res.write(`${req.method} ${req.url}: `);
    res.end(body);
  });
  expect(await ask(await host.net.dial("unix", SOCKET), "/a?b=c", "whole")).toBe("201 POST /a?b=c: whole");
  const body = (async function* () {
    yield Buffer.from("in ");
    yield Buffer.from("pieces");
  })();
  const socket = await host.net.dial("unix", SOCKET);
  const answer = await roundTrip(socket, { method: "POST", target: "/", hostHeader: "", headers: [], body });
  expect([answer.headers.get("x-length"), (await readAll(answer.body)).toString()]).toEqual(["9", "POST /: in pieces"]);
});

test("memoryHost() has no TLS and says so, and a test may replace single functions", async () => {
  const host = world({ net: { dial: () => Promise.reject(new Error("mine")) } });
  expect(() => host.net.createHttpServer({ verify: true })).toThrow("the memory host has no TLS");
  await expect(host.net.dial("unix", SOCKET)).rejects.toThrow("mine");
  expect(() => host.net.createNetns("/x")).toThrow("Cannot call createNetns(): the memory host has no network");
  await expect(world().net.dial("tcp", "127.0.0.1:1", { verify: false })).rejects.toThrow("has no TLS");
});
