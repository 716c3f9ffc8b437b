import { once } from "node:events";
import { expect, test } from "vitest";
import type { Handler } from "../../../../src/engine/job.ts";
import { deferred } from "../../../../src/sync/deferred.ts";
import { TestServer } from "./support.ts";

const inspect = (tty = false): Handler => {
  return (job) => job.printf(`{"Id":"abc","Config":{"Tty":${tty}},"State":{"Running":true}}\n`);
};

/** Gives back what it is sent, as output, and its length as error. */
const echo: Handler = async (job) => {
  let size = 0;
  for await (const chunk of job.stdin) {
    size += chunk.length;
    await job.stdout.write(chunk);
  }
  await job.stderr.write(`${size} bytes\n`);
};

const PLAIN = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";
const UPGRADED =
  "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const HI = "\x01\0\0\0\0\0\0\x02hi";
const COUNT = "\x02\0\0\0\0\0\0\x082 bytes\n";

const attach = (path: string, headers = "") =>
  `POST ${path}/containers/abc/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: 0\r\n\r\n`;

/** Sends input when the head of the answer is there, and closes that half. */
function sendAfterHead(text: string) {
  let sent = false;
  return (soFar: string, socket: { end(text: string): unknown }) => {
    if (sent || !soFar.includes("\r\n\r\n")) return;
    sent = true;
    socket.end(text);
  };
}

test("POST attach answers a plain 200 to clients of old and joins the streams, framed", async () => {
  await using server = await new TestServer().jobs({ container_inspect: inspect(), attach: echo }).start();
  expect(await server.raw(attach("/v1.14"), sendAfterHead("hi"))).toBe(PLAIN + HI + COUNT);
});

test("POST attach answers 101 to clients that ask for it", async () => {
  await using server = await new TestServer().jobs({ container_inspect: inspect(), attach: echo }).start();
  const upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
  expect(await server.raw(attach("/v1.30", upgrade), sendAfterHead("hi"))).toBe(UPGRADED + HI + COUNT);
});

test("POST attach sends raw bytes of a terminal, and to clients older than 1.6", async () => {
  await using server = await new TestServer().jobs({ container_inspect: inspect(true), attach: echo }).start();
  expect(await server.raw(attach(""), sendAfterHead("hi"))).toBe(`${PLAIN}hi2 bytes\n`);
  await using old = await new TestServer().jobs({ container_inspect: inspect(), attach: echo }).start();
  expect(await old.raw(attach("/v1.5"), sendAfterHead("hi"))).toBe(`${PLAIN}hi2 bytes\n`);
});

test.each([
  ["plain", "", PLAIN],
  ["upgraded", "Connection: Upgrade\r\nUpgrade: tcp\r\n", UPGRADED],
])("POST attach keeps input that comes with the head of the request (%s)", async (_, headers, head) => {
  await using server = await new TestServer().jobs({ container_inspect: inspect(), attach: echo }).start();
  const socket = await server.connect();
  socket.end(`${attach("/v1.14", headers)}hi`);
  let all = "";
  socket.on("data", (chunk) => {
    all += chunk.toString("latin1");
  });
  await once(socket, "end");
  expect(all).toBe(head + HI + COUNT);
});

test("POST attach tells a missing container with a status, upgraded or not", async () => {
  const missing: Handler = (job) => job.errorf("No such container: abc");
  await using server = await new TestServer().jobs({ container_inspect: missing, attach: echo }).start();
  expect(await server.raw(attach("/v1.14"))).toMatch(/^HTTP\/1.1 404 [\s\S]*\r\n\r\nNo such container: abc\n$/);
  const modern = await server.raw(attach("/v1.30", "Connection: Upgrade\r\nUpgrade: tcp\r\n"));
  expect(modern).toMatch(/^HTTP\/1.1 404 [\s\S]*\r\n\r\n\{"message":"No such container: abc"\}\n$/);
});

test("POST attach runs the job before the client is told, and shows what failed", async () => {
  const order: string[] = [];
  const failing: Handler = (job) => {
    order.push("job");
    return job.errorf("broken");
  };
  await using server = await new TestServer().jobs({ container_inspect: inspect(true), attach: failing }).start();
  const all = await server.raw(attach(""), () => order.push("client"));
  expect(order[0]).toBe("job");
  expect(all).toContain("Error attaching: broken\n");
});

test("POST attach fails the job's writes and aborts its signal when the client is gone", async () => {
  const failed = deferred<boolean>();
  const talking: Handler = async (job) => {
    try {
      for (;;) {
        await job.stdout.write("tick\n");
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    } catch (cause) {
      failed.resolve(job.signal.aborted);
      throw cause;
    }
  };
  await using server = await new TestServer().jobs({ container_inspect: inspect(), attach: talking }).start();
  const socket = await server.connect();
  socket.write(attach(""));
  await once(socket, "data");
  socket.destroy();
  expect(await failed.promise).toBe(true);
  expect((await server.ask("/_ping")).body).toBe("OK");
});

test("an Upgrade that is not ours is answered as if it were not there", async () => {
  const version: Handler = (job) => job.printf('{"Version":"1.2.0"}\n');
  const create: Handler = async (job) => job.printf(`${job.getenv("Image")}\n`);
  await using server = await new TestServer().jobs({ version, create }).start();
  const h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n";
  expect(await server.raw(`GET /version HTTP/1.1\r\nHost: x\r\n${h2c}\r\n`)).toMatch(
    /^HTTP\/1.1 200 OK\r\n[\s\S]*\{"Version":"1.2.0"\}\n$/,
  );
  const body = '{"Image":"busybox"}';
  const head = `POST /v1.30/containers/create HTTP/1.1\r\nHost: x\r\n${h2c}Content-Type: application/json\r\n`;
  const socket = server.raw(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  expect(await socket).toMatch(/^HTTP\/1.1 201 [\s\S]*\{"Id":"busybox","Warnings":\[\]\}\n$/);
});

test("GET logs frames the two streams and sniffs the type", async () => {
  const logs: Handler = async (job) => {
    await job.stdout.write("hi");
    await job.stderr.write("2 bytes\n");
  };
  await using server = await new TestServer().jobs({ container_inspect: inspect(), logs }).start();
  const path = "/containers/abc/logs?stdout=1&stderr=1";
  const framed = await server.ask(path);
  expect(framed.body).toBe(HI + COUNT);
  expect(framed.headers).toMatchObject({
    "content-type": "application/octet-stream",
    "transfer-encoding": "chunked",
  });
  const old = await server.ask(`/v1.5${path}`);
  expect([old.body, old.headers["content-type"]]).toEqual(["hi2 bytes\n", "text/plain; charset=utf-8"]);
});

test("GET logs writes a failure behind what is there already", async () => {
  const logs: Handler = (job) => job.errorf("disk on fire");
  await using server = await new TestServer().jobs({ container_inspect: inspect(true), logs }).start();
  const reply = await server.ask("/containers/abc/logs?stdout=1");
  expect(reply).toMatchObject({ status: 200, body: "disk on fire\nError running logs job: disk on fire\n" });
});

test("a slow client slows its own job only", async () => {
  let written = 0;
  const done = deferred();
  const exporter: Handler = async (job) => {
    const chunk = Buffer.alloc(64 * 1024);
    for (let i = 0; i < 256; i++) {
      await job.stdout.write(chunk);
      written += chunk.length;
    }
    done.resolve();
  };
  await using server = await new TestServer().jobs({ export: exporter }).start();
  const socket = await server.connect();
  socket.write("GET /containers/abc/export HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(socket, "readable");
  for (let before = -1; before !== written; ) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  expect(written).toBeLessThan(4 << 20);
  expect((await server.ask("/_ping")).body).toBe("OK");
  socket.resume();
  await done.promise;
  expect(written).toBe(16 << 20);
  socket.destroy();
});

test("a client that leaves aborts the job's signal", async () => {
  const aborted = deferred();
  const events: Handler = async (job) => {
    job.signal.addEventListener("abort", () => aborted.resolve());
    await job.stdout.write("");
    await aborted.promise;
  };
  await using server = await new TestServer().jobs({ events }).start();
  const socket = await server.connect();
  socket.write("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  const [head] = await once(socket, "data");
  expect(String(head)).toContain("Content-Type: application/json");
  socket.destroy();
  await aborted.promise;
});

test("POST wait sends its head before the container ends", async () => {
  const ended = deferred();
  const seen: string[] = [];
  const wait: Handler = async (job) => {
    seen.push(job.getenv("condition"), job.getenv("exitFormat"));
    await ended.promise;
    await job.printf("137\n");
  };
  await using server = await new TestServer().jobs({ container_inspect: inspect(), wait }).start();
  const socket = await server.connect();
  socket.write("POST /v1.30/containers/abc/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const [head] = await once(socket, "data");
  expect(String(head)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(seen).toEqual(["next-exit", "shell"]);
  ended.resolve();
  const [body] = await once(socket, "data");
  expect(String(body)).toContain('{"Error":null,"StatusCode":137}\n');
  socket.destroy();
  expect(await server.post("/v1.30/containers/abc/wait?condition=later")).toMatchObject({ status: 400 });
});

test("POST wait says -1 for a killed container to clients of 1.2.0", async () => {
  const wait: Handler = (job) => job.printf(job.getenv("exitFormat") === "shell" ? "137\n" : "-1\n");
  await using server = await new TestServer().jobs({ wait }).start();
  expect((await server.post("/v1.14/containers/abc/wait")).body).toBe('{"StatusCode":-1}\n');
});

test("progress that fails late ends with an error message, early with a status", async () => {
  const pull: Handler = async (job) => {
    if (job.args[0] === "late") await job.printf('{"status":"Pulling"}\r\n');
    throw new Error("no space");
  };
  await using server = await new TestServer().jobs({ pull }).start();
  expect(await server.post("/images/create?fromImage=late")).toMatchObject({
    status: 200,
    body: '{"status":"Pulling"}\r\n{"errorDetail":{"message":"no space"},"error":"no space"}\r\n',
  });
  expect(await server.post("/images/create?fromImage=early")).toMatchObject({ status: 500, body: "no space\n" });
});

test("requests wait for acceptconnections", async () => {
  await using server = new TestServer();
  await server.start({}, undefined, false);
  let answered = false;
  const reply = server.ask("/_ping").then((got) => {
    answered = true;
    return got;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(answered).toBe(false);
  await server.engine.job("acceptconnections").run();
  expect((await reply).body).toBe("OK");
});
