import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { createServer as createTlsServer, request as tlsRequest } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { expect, onTestFinished, test } from "vitest";
import { Activation, holdConnections } from "../../../../src/pkg/listenbuffer/buffer.ts";

/** A server on a unix socket that answers with the length of the body. */
async function listening(activation: Activation, make: (handler: Parameters<typeof createServer>[1]) => Server) {
  const folder = mkdtempSync(join(tmpdir(), "listenbuffer-"));
  const socketPath = join(folder, "s");
  const seen: string[] = [];
  const server = make(async (req, res) => {
    seen.push(req.url ?? "");
    let size = 0;
    for await (const chunk of req) size += chunk.length;
    res.end(String(size));
  });
  holdConnections(server, activation);
  server.listen(socketPath);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  return { socketPath, seen, server };
}

async function post(socketPath: string, body: Buffer, options: { tls?: boolean } = {}): Promise<string> {
  const send = options.tls ? tlsRequest : request;
  const req = send({ socketPath, method: "POST", path: "/x", rejectUnauthorized: false });
  req.end(body);
  const [res] = await once(req, "response");
  let text = "";
  for await (const chunk of res) text += chunk;
  return text;
}

const accepted = (server: Server, count: number) =>
  new Promise<void>((resolve) => {
    const look = () => server.getConnections((_, n) => (n >= count ? resolve() : setImmediate(look)));
    look();
  });

test("holdConnections() lets clients connect and send, and answers when it is activated", async () => {
  const activation = new Activation();
  const { socketPath, seen, server } = await listening(activation, (handler) => createServer(handler));
  const small = post(socketPath, Buffer.from("abc"));
  const large = post(socketPath, Buffer.alloc(3_000_000));
  await accepted(server, 2);
  expect([seen, activation.isOpen]).toEqual([[], false]);
  activation.open();
  expect(await Promise.all([small, large])).toEqual(["3", "3000000"]);
  expect(activation.isOpen).toBe(true);
  expect(await post(socketPath, Buffer.from("later"))).toBe("5");
});

test("holdConnections() holds TLS handshakes too", async () => {
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }]);
  const activation = new Activation();
  const { socketPath, seen, server } = await listening(
    activation,
    (handler) => createTlsServer({ key, cert }, handler) as unknown as Server,
  );
  const answer = post(socketPath, Buffer.alloc(200_000), { tls: true });
  await accepted(server, 1);
  expect(seen).toEqual([]);
  activation.open();
  expect(await answer).toBe("200000");
});

test("holdConnections() forgets a client that gives up, and drops the others on demand", async () => {
  const activation = new Activation();
  const { socketPath, seen, server } = await listening(activation, (handler) => createServer(handler));
  const [early, late] = [connect(socketPath), connect(socketPath)];
  early.write("GET /early HTTP/1.1\r\nHost: x\r\n\r\n");
  await accepted(server, 2);
  early.destroy();
  const freed = once(late, "close");
  late.resume();
  activation.drop();
  await freed;
  const closed = once(server, "close");
  server.close();
  await closed;
  activation.open();
  await activation.opened;
  expect(seen).toEqual([]);
});
