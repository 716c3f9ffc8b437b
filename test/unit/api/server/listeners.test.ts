import { lstatSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { sdNotify } from "../../../../src/pkg/systemd/sd-notify.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";
import { emptyDaemon } from "./empty-daemon.ts";
import { TestServer } from "./support.ts";

const usage = "usage: serveapi PROTO://ADDR [PROTO://ADDR ...]";

test("serveapi wants addresses with a protocol", async () => {
  await using server = new TestServer();
  await expect(server.engine.job("serveapi").run()).rejects.toThrow(usage);
  await expect(server.engine.job("serveapi", "unix:/x").run()).rejects.toThrow(usage);
});

test.each([
  ["bogus://x", "Invalid protocol format."],
  ["fd://", "No sockets found"],
  ["tcp://nowhere", "listen tcp: missing port in address nowhere"],
])("serveapi fails on %s with 1.2.0's text", async (address, text) => {
  await using server = new TestServer();
  await expect(server.engine.job("serveapi", address).run()).rejects.toThrow(text);
});

test("serveapi makes the socket usable for owner and group only", async () => {
  await using server = await new TestServer().start();
  // Root gets in before the others may.
  await vi.waitFor(() => {
    const stat = lstatSync(server.socket);
    expect([stat.isSocket(), stat.mode & 0o777]).toEqual([true, 0o660]);
  });
});

test("serveapi takes the place of an old socket, not of another file", async () => {
  const directory = temporaryDirectory("api-");
  const path = join(directory, "file");
  writeFileSync(path, "precious");
  await using server = new TestServer();
  await expect(server.engine.job("serveapi", `unix://${path}`).run()).rejects.toThrow("it is no socket");
});

test("serveapi fails on a group it was told to use and does not find", async () => {
  await using server = new TestServer();
  const job = server.engine.job("serveapi", `unix://${server.socket}`);
  job.setenv("SocketGroup", "no-such-group");
  await expect(job.run()).rejects.toThrow("Group no-such-group not found");
});

test("serveapi says which certificates it cannot load", async () => {
  await using server = new TestServer();
  const job = server.engine.job("serveapi", "tcp://127.0.0.1:0");
  job.setenvBool("Tls", true);
  job.setenv("TlsCert", "/nowhere/cert.pem");
  job.setenv("TlsKey", "/nowhere/key.pem");
  await expect(job.run()).rejects.toThrow(
    /^Couldn't load X509 key pair \(\/nowhere\/cert.pem, \/nowhere\/key.pem\): .*\. Key encrypted\?$/,
  );
});

test("serveapi warns of addresses that others can reach", async () => {
  await using server = await new TestServer().start({}, "tcp://0.0.0.0:0");
  await expect.poll(() => server.log.toString()).toContain("/!\\ DON'T BIND ON ANOTHER IP ADDRESS THAN 127.0.0.1");
  await using local = await new TestServer().start({}, "tcp://127.0.0.1:0");
  await expect.poll(() => local.log.toString()).toContain("Registering GET, /_ping");
  expect(local.log.toString()).not.toContain("DON'T BIND");
});

test("a route is there as soon as its jobs are, and not before", async () => {
  await using server = await new TestServer().start();
  expect(await server.ask("/info")).toMatchObject({ status: 404, body: "404 page not found\n" });
  server.jobs({ info: emptyDaemon["info"] ?? (() => undefined) });
  expect((await server.ask("/info")).status).toBe(200);
});

test("each request is logged as it came, on one line", async () => {
  await using server = await new TestServer().jobs(emptyDaemon).start({ Logging: "1" });
  await server.ask("/v1.14/containers/a%2Fb/json?x=1");
  await server.ask("/info", { headers: { "User-Agent": "Docker-Client/1.1.0" } });
  const log = server.log.toString();
  expect(log).toContain("[info] GET /v1.14/containers/a%2Fb/json?x=1\n");
  expect(log).toContain("Handler for GET /containers/{name:.*}/json returned error: No such container: a/b\n");
  expect(log).toContain("[error] server.go:91 HTTP Error: statusCode=404 No such container: a/b\n");
  expect(log).toContain("Warning: client and server don't have the same version (client: 1.1.0, server: 1.2.0)\n");
});

test("sdNotify() sends the state to the socket it was told", () => {
  const sent: string[] = [];
  const kernel = { sendDatagram: (path: string, data: string) => void sent.push(`${path} ${data}`) };
  const host = { env: { NOTIFY_SOCKET: "@x" }, kernel } as unknown as Parameters<typeof sdNotify>[0];
  sdNotify(host, "READY=1");
  expect(sent).toEqual(["@x READY=1"]);
  expect(() => sdNotify({ ...host, env: {} }, "READY=1")).toThrow("No socket");
});
