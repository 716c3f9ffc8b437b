import { expect, test } from "vitest";
import type { Handler } from "../../../../src/engine/job.ts";
import { JSONStreamError } from "../../../../src/utils/json-message.ts";
import { TestServer } from "./support.ts";

/** A job `build` that keeps what it is given, says one thing and perhaps fails. */
function building(failure?: { text?: string; cause: Error }) {
  const given: Record<string, string>[] = [];
  const build: Handler = async (job) => {
    given.push(Object.fromEntries(job.environ()));
    if (failure?.text !== "") await job.printf(failure?.text ?? "done");
    if (failure) throw failure.cause;
  };
  return { given, handlers: { build } };
}

const post = { method: "POST" };
const query = (parts: Record<string, string>) => new URLSearchParams(parts).toString();

test("POST /build hands 1.2.0's parameters on, whatever else there is", async () => {
  const { given, handlers } = building();
  await using server = await new TestServer().jobs(handlers).start();
  const cases: [path: string, expected: Record<string, string>][] = [
    [
      "/v1.14/build?t=a&q=1&nocache=1&remote=r&target=x",
      { t: "a", q: "1", nocache: "1", remote: "r", rm: "1", json: "1" },
    ],
    ["/v1.14/build?rm=0", { rm: "0", forcerm: "" }],
    ["/v1.14/build?rm=0&forcerm=1", { rm: "1", forcerm: "1" }],
    ["/v1.11/build", { rm: "" }],
  ];
  for (const [path, expected] of cases) {
    expect((await server.ask(path, post)).status).toBe(200);
    expect(given.pop()).toMatchObject(expected);
  }
  expect((await server.ask("/v1.7/build", post)).headers["content-type"]).toBe("text/plain; charset=utf-8");
  const file = Buffer.from('{"configs":{"h":{"username":"u"}}}').toString("base64url");
  await server.ask("/v1.14/build", { ...post, headers: { "X-Registry-Config": file, "X-Registry-Auth": file } });
  expect(given.pop()).toMatchObject({ configFile: '{"configs":{"h":{"username":"u"}}}', authConfig: "{}" });
});

test("POST /build understands what today's clients say, as far as it can be done", async () => {
  const { given, handlers } = building();
  await using server = await new TestServer().jobs(handlers).start();
  const parts = {
    t: "docker.io/library/a:1",
    q: "1",
    dockerfile: "sub/D",
    pull: "1",
    labels: '{"a":"b"}',
    buildargs: '{"http_proxy":"p","no_proxy":null}',
    networkmode: "none",
    memory: "64000000",
    cpushares: "5",
    cpusetcpus: "0",
    ulimits: "null",
    cachefrom: '["x"]',
    session: "s",
    version: "1",
    platform: "linux/amd64",
    shmsize: "0",
  };
  expect((await server.ask(`/v1.30/build?${query(parts)}&t=b`, post)).status).toBe(200);
  expect(given.pop()).toMatchObject({
    tags: '["a:1","b"]',
    t: "",
    dockerfile: "sub/D",
    labels: '{"a":"b"}',
    proxies: '["http_proxy=p"]',
    networkMode: "none",
    Memory: "64000000",
    CpuShares: "5",
    Cpuset: "0",
    idOnly: "1",
    aux: "1",
    dockerignore: "1",
  });
  await server.ask("/v1.18/build?q=1&networkmode=default", post);
  expect(given.pop()).toMatchObject({ networkMode: "", idOnly: "0", aux: "0", dockerignore: "0" });
  const accounts = Buffer.from('{"h":{"username":"u"}}').toString("base64url");
  await server.ask("/v1.30/build", { ...post, headers: { "X-Registry-Config": accounts } });
  expect(given.pop()).toMatchObject({ configFile: '{"configs":{"h":{"username":"u"}}}' });
});

test.each([
  [{ version: "2" }, "BuildKit is not there; set DOCKER_BUILDKIT=0"],
  [{ target: "x" }, "build stages came with Docker 17.05"],
  [{ buildargs: '{"V":"1"}' }, 'buildargs has "V"'],
  [{ buildargs: "{" }, "buildargs is no JSON object"],
  [{ labels: "[]" }, "labels is no JSON object"],
  [{ extrahosts: "h:1.2.3.4" }, "extrahosts"],
  [{ ulimits: '[{"Name":"nofile","Hard":5,"Soft":5}]' }, "ulimits"],
  [{ shmsize: "1000" }, "shmsize"],
  [{ securityopt: '["x"]' }, "securityopt"],
  [{ cgroupparent: "x" }, "cgroupparent"],
  [{ cpuperiod: "1" }, "cpuperiod"],
  [{ cpuquota: "1" }, "cpuquota"],
  [{ cpusetmems: "0" }, "cpusetmems"],
  [{ squash: "1" }, "squash"],
  [{ outputs: '[{"Type":"local"}]' }, "outputs"],
  [{ isolation: "hyperv" }, "isolation"],
  [{ platform: "windows" }, "this machine builds for linux/"],
])("POST /build refuses %j", async (parts, text) => {
  const { given, handlers } = building();
  await using server = await new TestServer().jobs(handlers).start();
  const reply = await server.ask(`/v1.30/build?${query(parts as Record<string, string>)}`, post);
  expect(reply.status).toBe(400);
  expect(JSON.parse(reply.body).message).toContain(text);
  expect(given).toEqual([]);
});

test("POST /build tells the exit status of a command to clients newer than 1.2.0", async () => {
  const { handlers } = building({ cause: new JSONStreamError("returned a non-zero code: 3", 3) });
  await using server = await new TestServer().jobs(handlers).start();
  const last = async (path: string) => (await server.ask(path, post)).body.split("\r\n").at(-2);
  expect(await last("/v1.14/build")).toBe(
    'done{"errorDetail":{"message":"returned a non-zero code: 3"},"error":"returned a non-zero code: 3"}',
  );
  expect(await last("/v1.30/build")).toContain('"errorDetail":{"code":3,"message":"returned a non-zero code: 3"}');
});

test("POST /build answers with a status while nothing has been said", async () => {
  const { handlers } = building({ text: "", cause: new Error("Dockerfile cannot be empty") });
  await using server = await new TestServer().jobs(handlers).start();
  const reply = await server.ask("/v1.14/build", post);
  expect([reply.status, reply.body]).toEqual([500, "Dockerfile cannot be empty\n"]);
});
