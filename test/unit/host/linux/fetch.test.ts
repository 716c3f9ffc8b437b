import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { httpFetch } from "../../../../src/host/linux/fetch.ts";
import type { FetchResponse } from "../../../../src/host/net.ts";
import { makeAuthority, sign } from "../../../support/certificates.ts";

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
  for (const socket of sockets) socket.destroy();
});

async function listen<T extends Server>(server: T): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function text(response: FetchResponse): Promise<string> {
  const reader = response.body?.getReader();
  let all = "";
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    all += Buffer.from(part.value as Uint8Array).toString();
  }
  return all;
}

async function digestOf(message: IncomingMessage): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of message) hash.update(part as Buffer);
  return hash.digest("hex");
}

async function* pieces(count: number, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(size, i);
}

test.each(["chunked", "content-length"])("httpFetch() sends a stream: %s", async (how) => {
  const authority = await listen(
    createServer((req, res) => {
      void digestOf(req).then((digest) => res.end(`${req.headers["transfer-encoding"] ?? "-"} ${digest}`));
    }),
  );
  const headers: Record<string, string> = how === "chunked" ? {} : { "Content-Length": "5000000" };
  const hash = createHash("sha256");
  for await (const piece of pieces(50)) hash.update(piece);
  const response = await httpFetch(`http://${authority}/`, { method: "PATCH", headers, body: pieces(50) });
  expect(await text(response)).toBe(`${how === "chunked" ? "chunked" : "-"} ${hash.digest("hex")}`);
});

test("httpFetch() stops to send what was answered, and tells when the source fails", async () => {
  const authority = await listen(createServer((_req, res) => res.writeHead(413).end("too large")));
  let sent = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      sent += 65536;
      yield Buffer.alloc(65536);
    }
  }
  const refused = await httpFetch(`http://${authority}/`, { method: "PUT", body: endless() });
  expect([refused.status, await text(refused)]).toEqual([413, "too large"]);
  expect(sent).toBeLessThan(64 << 20);

  const quiet = await listen(createServer((req) => void req.resume()));
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(10);
    throw new Error("the disk is gone");
  }
  await expect(httpFetch(`http://${quiet}/`, { method: "PUT", body: broken() })).rejects.toThrow("the disk is gone");
});

/** A proxy that notes what it is asked for. */
async function startProxy(): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url} ${req.headers["proxy-authorization"] ?? "-"} ${req.headers.host}`);
    void fetch(req.url ?? "").then(async (answer) => res.writeHead(answer.status).end(await answer.text()));
  });
  server.on("connect", (req, socket: Socket) => {
    asked.push(`${req.method} ${req.url} ${req.headers["proxy-authorization"] ?? "-"}`);
    if (req.url?.includes("refused") === true) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const [host = "", port] = (req.url ?? "").split(":");
    const on = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(on).pipe(socket);
    });
    for (const end of [on, socket]) {
      sockets.add(end);
      end.on("error", () => undefined);
    }
  });
  return { address: await listen(server), asked };
}

test("httpFetch() hands a plain request to the proxy, with the proxy's password", async () => {
  const authority = await listen(createServer((req, res) => res.end(`got ${req.url}`)));
  const proxy = await startProxy();
  const response = await httpFetch(`http://${authority}/a?b=c`, { proxy: `http://u:p%40@${proxy.address}` });
  expect(await text(response)).toBe("got /a?b=c");
  expect(proxy.asked).toEqual([`GET http://${authority}/a?b=c Basic ${btoa("u:p@")} ${authority}`]);
});

test("httpFetch() speaks TLS with the server itself, through a tunnel, and uses the tunnel again", async () => {
  const ca = await makeAuthority("authority");
  const pair = await sign(ca, "server");
  const seen: (string | undefined)[] = [];
  const secure = createSecureServer(pair, (req, res) => {
    seen.push(req.headers["proxy-authorization"]);
    res.end("secret");
  });
  const authority = await listen(secure as unknown as Server);
  const proxy = await startProxy();
  const options = { proxy: `http://u:p@${proxy.address}`, tls: { ca: ca.cert } };
  for (let i = 0; i < 2; i++) expect(await text(await httpFetch(`https://${authority}/`, options))).toBe("secret");
  expect(proxy.asked).toEqual([`CONNECT ${authority} Basic ${btoa("u:p")}`]);
  expect(seen).toEqual([undefined, undefined]);
  await expect(httpFetch(`https://${authority}/`, { proxy: options.proxy })).rejects.toThrow(/certificate/);
  await expect(httpFetch("https://refused.example/", options)).rejects.toThrow(
    `proxyconnect tcp: ${proxy.address}: 407 Proxy Authentication Required`,
  );
});

test("httpFetch() is not confused by a connection that was closed while it was idle", async () => {
  let connections = 0;
  const server = createServer((req, res) => void digestOf(req).then(() => res.end("x")));
  server.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
  });
  const authority = await listen(server);
  const put = async (body: string | AsyncIterable<Uint8Array>) =>
    text(await httpFetch(`http://${authority}/`, { method: "PUT", body }));
  expect(await put("one")).toBe("x");
  expect(await put("two")).toBe("x");
  expect(connections).toBe(1);
  // Reset, not closed: the client hears of it when it writes.
  for (const socket of sockets) socket.resetAndDestroy();
  expect(await put("three")).toBe("x");
  expect(await put(pieces(3))).toBe("x");
  expect(await put(pieces(3))).toBe("x");
  expect(connections).toBe(4);
});

test("httpFetch() announces a stream, and sends none that is not asked for", async () => {
  const server = createServer((req, res) => void digestOf(req).then((digest) => res.end(digest)));
  let wants = true;
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
    if (!wants) {
      res.writeHead(503, { Connection: "close" }).end("later");
      return;
    }
    res.writeContinue();
    server.emit("request", req, res);
  });
  const authority = await listen(server);
  let read = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces(40)) {
      read += piece.length;
      yield piece;
    }
  }
  const put = () => httpFetch(`http://${authority}/`, { method: "PUT", body: body(), expectContinue: true });
  const hash = createHash("sha256");
  for await (const piece of pieces(40)) hash.update(piece);
  expect(await text(await put())).toBe(hash.digest("hex"));
  expect(read).toBe(4_000_000);
  wants = false;
  const refused = await put();
  expect([refused.status, await text(refused)]).toEqual([503, "later"]);
  expect(read).toBeLessThanOrEqual(4_100_000);
});

test("httpFetch() sends to a server that says nothing about what it wants", async () => {
  const server = createNetServer((socket) => {
    sockets.add(socket);
    let got = "";
    socket.on("data", (data) => {
      got += data;
      if (got.endsWith("\r\n0\r\n\r\n")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const options = { method: "PUT", body: pieces(1, 10), expectContinue: true };
    expect(await text(await httpFetch(`http://127.0.0.1:${port}/`, options))).toBe("ok");
  } finally {
    server.close();
  }
});
