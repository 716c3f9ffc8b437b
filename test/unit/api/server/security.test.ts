import { once } from "node:events";
import { connect, createServer } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cleanPath, decodePath, Query } from "../../../../src/api/server/query.ts";
import { emptyDaemon } from "./empty-daemon.ts";
import { TestServer } from "./support.ts";

/** A server on a TCP port, and a way to ask it. */
async function onTcp(settings: Record<string, string> = {}) {
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
  const server = new TestServer().jobs(emptyDaemon);
  await server.start(settings, `tcp://127.0.0.1:${port}`);
  const ask = (head: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let tries = 0;
      const attempt = () => {
        let all = "";
        const socket = connect(port, "127.0.0.1");
        socket.on("data", (data) => {
          all += data;
        });
        socket.on("end", () => resolve(all));
        socket.on("error", (cause) => (tries++ < 100 ? setTimeout(attempt, 5) : reject(cause)));
        socket.write(`${head}Host: x\r\nConnection: close\r\n\r\n`);
      };
      attempt();
    });
  return { server, ask };
}

test("requests that a browser sends for a page are refused on TCP", async () => {
  const { server, ask } = await onTcp();
  await using _ = server;
  expect(await ask("GET /info HTTP/1.1\r\n")).toMatch(/^HTTP\/1.1 200 OK/);
  expect(await ask("GET /info HTTP/1.1\r\nOrigin: http://evil.example\r\n")).toMatch(/^HTTP\/1.1 403 Forbidden/);
  expect(await ask("GET /v1.30/info HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\n")).toMatch(
    /^HTTP\/1.1 403 Forbidden[\s\S]*\{"message":"Requests from web pages are refused/,
  );
});

test("--api-enable-cors lets them in, but not with a form's body", async () => {
  const { server, ask } = await onTcp({ EnableCors: "1" });
  await using _ = server;
  const origin = "Origin: http://page.example\r\n";
  expect(await ask(`GET /info HTTP/1.1\r\n${origin}`)).toMatch(/Access-Control-Allow-Origin: \*/);
  expect(await ask(`POST /containers/create HTTP/1.1\r\n${origin}Content-Type: text/plain\r\n`)).toContain(
    "Content-Type specified (text/plain) must be 'application/json'",
  );
});

test("a unix socket cannot be reached from a page: Origin does not matter there", async () => {
  await using server = await new TestServer().jobs(emptyDaemon).start();
  expect((await server.ask("/info", { headers: { Origin: "http://x" } })).status).toBe(200);
});

test("a JSON body of more than 4 MiB is refused", async () => {
  await using server = await new TestServer().jobs(emptyDaemon).start();
  const body = JSON.stringify({ Image: "x".repeat(5 << 20) });
  const headers = { "Content-Type": "application/json" };
  const reply = await server.ask("/containers/create", { method: "POST", body, headers });
  expect(reply).toMatchObject({ status: 400, body: "Bad parameter: the body is too long\n" });
});

test.each(["/nothing", "/containers/x/stop", "/images/x/tag?repo=y"])(
  "POST %s: a client that sends a long body nobody reads gets its answer, not a broken pipe",
  async (path) => {
    await using server = await new TestServer().jobs(emptyDaemon).start();
    const socket = await server.connect();
    let failure: unknown;
    let answer = "";
    socket.on("error", (cause) => {
      failure = cause;
    });
    socket.on("data", (data) => {
      answer += data;
    });
    const ended = once(socket, "close");
    const chunk = Buffer.alloc(256 << 10, "x");
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${16 * chunk.length}\r\n\r\n`,
    );
    for (let i = 0; i < 16; i++) await new Promise((resolve) => socket.write(chunk, resolve));
    socket.end();
    await ended;
    expect(failure).toBeUndefined();
    expect(answer).toMatch(/^HTTP\/1.1 \d\d\d /);
  },
);

test("what is no HTTP is answered with 400, and the server goes on", async () => {
  await using server = await new TestServer().jobs(emptyDaemon).start();
  expect(await server.raw("\0\x01\x02 nonsense\r\n\r\n")).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
  expect(await server.raw("GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toMatch(
    /^HTTP\/1.1 400 Bad Request\r\n/,
  );
  expect((await server.ask("/_ping")).body).toBe("OK");
});

test("hostile bodies, queries and headers get an answer, never a crash", async () => {
  await using server = await new TestServer().jobs(emptyDaemon).start();
  const routes = [
    "/containers/create",
    "/v1.30/containers/create",
    "/containers/x/start",
    "/v1.30/containers/x/wait",
    "/commit",
    "/containers/x/copy",
    "/images/x/push",
    "/auth",
    "/images/create",
    "/v1.30/images/create",
    "/build",
  ];
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc.constantFrom("null", "[]", "1", '"x"', "{", '{"HostConfig":[]}', '{"HostConfig":{"Memory":{}}}', '{"Image":{}}'),
    fc.constant(`${"[".repeat(50_000)}`),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      body,
      fc.string({ maxLength: 20 }),
      fc.constantFrom("application/json", "text/plain", "application/x-www-form-urlencoded", "%"),
      async (path, text, query, type) => {
        const reply = await server.ask(`${path}?${new URLSearchParams({ q: query })}&fromImage=a&x=%zz`, {
          method: "POST",
          body: text,
          headers: { "Content-Type": type, "X-Registry-Auth": Buffer.from(query).toString("base64") },
        });
        expect(reply.status).toBeGreaterThanOrEqual(200);
        expect(reply.status).toBeLessThan(600);
      },
    ),
    { numRuns: 150 },
  );
  expect((await server.ask("/_ping")).body).toBe("OK");
}, 60_000);

test("cleanPath() leaves nothing that climbs, and does nothing twice", () => {
  const part = fc.constantFrom("..", ".", "", "a", "..a", "containers", "%2e%2e");
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const clean = cleanPath(`/${parts.join("/")}`);
      expect(clean).toMatch(/^\//);
      expect(clean.split("/").slice(1, -1)).not.toContain("");
      expect(clean.split("/")).not.toContain("..");
      expect(cleanPath(clean)).toBe(clean);
    }),
  );
});

test("decodePath() undoes what encodeURIComponent() does", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(decodePath(encodeURIComponent(text))).toBe(text);
    }),
  );
});

test("Query reads names and values as Go does, and complains of broken escapes", () => {
  const query = new Query("a=1&b=x+y%21;c&a=2&=&all=No");
  expect([query.get("a"), query.all("a"), query.get("b"), query.has("c"), query.get("d")]).toEqual([
    "1",
    ["1", "2"],
    "x y!",
    true,
    "",
  ]);
  expect(query.bool("all")).toBe(false);
  expect(() => new Query("a=%zz")).toThrow('invalid URL escape "%zz"');
});
