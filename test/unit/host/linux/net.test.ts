import { createSocket } from "node:dgram";
import { once } from "node:events";
import { statSync } from "node:fs";
import { createServer as createHttps } from "node:https";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { generate } from "selfsigned";
import { expect, test } from "vitest";
import { linuxNet as net } from "../../../../src/host/linux/net.ts";
import { readAll } from "../../../../src/sync/io.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const scratch = () => temporaryDirectory("drydock-net-");

/** A certificate authority and a certificate of `127.0.0.1` and `localhost` signed by itself. */
async function identity(): Promise<{ ca: string; cert: string; key: string }> {
  const pems = await generate([{ name: "commonName", value: "localhost" }], {
    keySize: 2048,
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  return { ca: pems.cert, cert: pems.cert, key: pems.private };
}

/** Everything a client says; unlike a loop over the socket it leaves the way back open. */
async function heard(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on("data", (part) => parts.push(part));
  await once(socket, "end");
  return Buffer.concat(parts);
}

test("Net.listen() binds a unix socket that nobody may use yet", async () => {
  const path = join(scratch(), "docker.sock");
  const server = net.createHttpServer();
  await net.listen(server, { kind: "unix", path });
  expect(statSync(path).isSocket()).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0);
  server.close();
});

test("Net.listen() serves a unix socket, a port and an inherited descriptor", async () => {
  const path = join(scratch(), "docker.sock");
  const unix = net.createHttpServer().on("request", (_, response) => response.end("unix"));
  const tcp = net.createHttpServer().on("request", (_, response) => response.end("tcp"));
  await net.listen(unix, { kind: "unix", path });
  await net.listen(tcp, { kind: "tcp", host: "127.0.0.1", port: 0 });
  const { port } = tcp.address() as { port: number };
  for (const [dialled, text] of [
    [net.dial("unix", path), "unix"],
    [net.dial("tcp", `127.0.0.1:${port}`), "tcp"],
  ] as const) {
    const socket = await dialled;
    socket.write("GET / HTTP/1.0\r\n\r\n");
    expect(`${await readAll(socket)}`).toMatch(new RegExp(`^HTTP/1.1 200 OK[^]*${text}$`));
  }
  unix.close();
  tcp.close();
});

test("Net.listen() rejects with the code of what is wrong", async () => {
  const path = join(scratch(), "docker.sock");
  const first = net.createHttpServer();
  await net.listen(first, { kind: "unix", path });
  await expect(net.listen(net.createHttpServer(), { kind: "unix", path })).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
  first.close();
  const tcp = net.createHttpServer();
  await net.listen(tcp, { kind: "tcp", host: "127.0.0.1", port: 0 });
  const { port } = tcp.address() as { port: number };
  const again = net.listen(net.createHttpServer(), { kind: "tcp", host: "127.0.0.1", port });
  await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
  tcp.close();
});

test("Net.dial() rejects when nobody listens, and when the address is none", async () => {
  await expect(net.dial("unix", join(scratch(), "none"))).rejects.toMatchObject({ code: "ENOENT" });
  expect(() => net.dial("tcp", "nonsense")).toThrow(RangeError);
});

test("Net.dial() half-closes: the other side may still answer", async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    void heard(socket).then((bytes) => socket.end(`got ${bytes.length}`));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = await net.dial("tcp", `127.0.0.1:${(server.address() as { port: number }).port}`);
  socket.end("12345");
  expect(`${await readAll(socket)}`).toBe("got 5");
  server.close();
});

test("Net.createHttpServer() over TLS asks for a certificate of the authority", async () => {
  const own = await identity();
  const server = net.createHttpServer({ ...own, verify: true }).on("request", (_, response) => response.end("secret"));
  await net.listen(server, { kind: "tcp", host: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const get = async (tls: { ca?: string; cert?: string; key?: string; verify: boolean }) => {
    const socket = await net.dial("tcp", address, tls);
    socket.write("GET / HTTP/1.0\r\n\r\n");
    return `${await readAll(socket)}`;
  };
  expect(await get({ ...own, verify: true })).toMatch(/secret$/);
  await expect(get({ ca: own.ca, verify: true })).rejects.toMatchObject({
    code: expect.stringMatching(/SSL|ECONNRESET/),
  });
  await expect(get({ cert: own.cert, key: own.key, verify: true })).rejects.toMatchObject({
    code: "DEPTH_ZERO_SELF_SIGNED_CERT",
  });
  expect(await get({ cert: own.cert, key: own.key, verify: false })).toMatch(/secret$/);
  server.close();
});

test("Net.createHttpServer() over TLS lets a client end its input and wait for the answer", async () => {
  const own = await identity();
  const server = net.createHttpServer({ ...own, verify: false });
  // What takes a connection over from HTTP sees the socket as it was made.
  server.removeAllListeners("secureConnection").on("secureConnection", (socket: Socket) => {
    void heard(socket).then((bytes) => socket.end(`got ${bytes.length}`));
  });
  await net.listen(server, { kind: "tcp", host: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const socket = await net.dial("tcp", address, { verify: false });
  socket.end("12345");
  expect(`${await readAll(socket)}`).toBe("got 5");
  server.close();
});

test("Net.fetch() uses the certificates it is given", async () => {
  const own = await identity();
  const server = createHttps(own, (_, response) => response.end("layer")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `https://127.0.0.1:${(server.address() as { port: number }).port}/`;
  await expect(net.fetch(url)).rejects.toThrow();
  const text = async (tls: { ca?: string; insecure?: boolean }) => {
    const reader = (await net.fetch(url, { tls })).body?.getReader();
    return Buffer.from((await reader?.read())?.value ?? []).toString();
  };
  expect(await text({ ca: own.ca })).toBe("layer");
  expect(await text({ insecure: true })).toBe("layer");
  server.closeAllConnections();
  server.close();
});

test("Net.forwardPort() passes a connection on, half-closes included", async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    void heard(socket).then((bytes) => socket.end(bytes.reverse()));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const to = { host: "127.0.0.1", port: (server.address() as { port: number }).port };
  const forward = await net.forwardPort("tcp", { host: "127.0.0.1", port: 0 }, to);
  const socket = await net.dial("tcp", `127.0.0.1:${forward.port}`);
  const payload = Buffer.alloc(1 << 20, "abc");
  socket.end(payload);
  expect((await readAll(socket)).equals(Buffer.from(payload).reverse())).toBe(true);
  await forward.close();
  await expect(net.dial("tcp", `127.0.0.1:${forward.port}`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  server.close();
});

test("Net.forwardPort() ends a client whose container does not answer, and its clients when it is closed", async () => {
  const gone = await net.forwardPort("tcp", { host: "127.0.0.1", port: 0 }, { host: "127.0.0.1", port: 1 });
  const refused = connect(gone.port, "127.0.0.1").resume();
  refused.on("error", () => {});
  await once(refused, "close");
  await gone.close();

  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const to = { host: "127.0.0.1", port: (silent.address() as { port: number }).port };
  const forward = await net.forwardPort("tcp", { host: "127.0.0.1", port: 0 }, to);
  const accepted = once(silent, "connection");
  const client = connect(forward.port, "127.0.0.1").resume();
  client.on("error", () => {});
  await accepted;
  const closed = once(client, "close");
  await forward.close();
  await closed;
  silent.close();
});

test("Net.forwardPort() reports a port that another program has", async () => {
  const to = { host: "127.0.0.1", port: 1 };
  for (const proto of ["tcp", "udp"] as const) {
    const first = await net.forwardPort(proto, { host: "127.0.0.1", port: 0 }, to);
    const second = net.forwardPort(proto, { host: "127.0.0.1", port: first.port }, to);
    await expect(second).rejects.toMatchObject({ code: "EADDRINUSE" });
    await first.close();
  }
});

test("Net.forwardPort() finds every datagram's way back", async () => {
  const echo = createSocket("udp4");
  echo.on("message", (data, { port, address }) => echo.send(`echo ${data}`, port, address));
  await new Promise<void>((resolve) => echo.bind(0, "127.0.0.1", resolve));
  const to = { host: "127.0.0.1", port: echo.address().port };
  const forward = await net.forwardPort("udp", { host: "127.0.0.1", port: 0 }, to);
  const clients = ["a", "b"].map((name) => ({ name, socket: createSocket("udp4") }));
  for (const { name, socket } of clients) {
    const answer = once(socket, "message");
    socket.send(name, forward.port, "127.0.0.1");
    expect(`${(await answer)[0]}`).toBe(`echo ${name}`);
    socket.close();
  }
  await forward.close();
  echo.close();
});
