import { expect, test } from "vitest";
import type { Handler } from "../../../../src/engine/job.ts";
import { TestServer } from "./support.ts";

const row = { description: "d", is_official: false, is_trusted: false, name: "x", star_count: 1 };
const rows = [
  { ...row, name: "one", star_count: 30, is_official: true },
  { ...row, name: "two", star_count: 20, is_trusted: true },
  { ...row, name: "three", star_count: 3 },
];

/** The jobs behind the two routes, and what they were given. */
function jobs(list: unknown = rows) {
  const given: Record<string, unknown>[] = [];
  const search: Handler = async (job) => {
    given.push({ args: job.args, auth: job.getenv("authConfig"), meta: job.getenv("metaHeaders") });
    await job.printf(JSON.stringify(list));
  };
  const auth: Handler = async (job) => {
    given.push({ auth: job.getenv("authConfig") });
    if (job.getenv("authConfig").includes("wrong")) throw new Error("Wrong login/password, please try again");
    if (job.getenv("authConfig") === "silent") return;
    const today = job.getenv("apiVersion") !== "";
    await job.printf(today ? '{"Status":"Login Succeeded","IdentityToken":"t"}' : "Login Succeeded\n");
  };
  return { given, handlers: { search, auth } };
}

const names = (body: string) => (JSON.parse(body) as { name: string }[]).map(({ name }) => name);

test("GET /images/search gives 1.2.0's clients the job's list as it is", async () => {
  const { given, handlers } = jobs();
  await using server = await new TestServer().jobs(handlers).start();
  const account = Buffer.from('{"username":"me"}').toString("base64url");
  for (const path of ["/images/search?term=x", "/v1.14/images/search?term=x", "/v1.0/images/search?term=x"]) {
    const reply = await server.ask(path, { headers: { "X-Registry-Auth": account, "X-Meta-Some": "1" } });
    expect([reply.status, reply.body]).toEqual([200, JSON.stringify(rows)]);
    expect(reply.headers["content-type"]).toBe("application/json");
    expect(given.pop()).toEqual({ args: ["x"], auth: '{"username":"me"}', meta: '{"X-Meta-Some":["1"]}' });
  }
  await server.ask("/images/search?term=x", { headers: { "X-Registry-Auth": "?" } });
  expect(given.pop()).toMatchObject({ auth: "{}" });
});

test("GET /images/search says is_automated to clients of today, who write names in full", async () => {
  const { given, handlers } = jobs();
  await using server = await new TestServer().jobs(handlers).start();
  const reply = await server.ask("/v1.20/images/search?term=docker.io/library/x");
  expect(given.pop()).toMatchObject({ args: ["x"] });
  expect(JSON.parse(reply.body)[1]).toEqual({ ...rows[1], is_automated: true });
});

test("GET /images/search limits and filters from 1.24 on", async () => {
  const many = Array.from({ length: 120 }, (_, i) => ({ ...row, name: `n${i}` }));
  await using all = await new TestServer().jobs(jobs(many).handlers).start();
  const count = async (query: string) => names((await all.ask(`${query}term=x`)).body).length;
  expect(await count("/v1.23/images/search?")).toBe(120);
  expect(await count("/v1.24/images/search?")).toBe(25);
  expect(await count("/v1.24/images/search?limit=7&")).toBe(7);
  await using server = await new TestServer().jobs(jobs().handlers).start();
  const found = async (filters: unknown) => {
    const query = new URLSearchParams({ term: "x", filters: JSON.stringify(filters) });
    const { status, body } = await server.ask(`/v1.24/images/search?${query}`);
    return status === 200 ? names(body) : `${status} ${body}`;
  };
  expect(await found({ stars: { "20": true } })).toEqual(["one", "two"]);
  expect(await found({ "is-official": ["true"] })).toEqual(["one"]);
  expect(await found({ "is-automated": ["false"], stars: ["2"] })).toEqual(["one", "three"]);
  expect(await found({ nonsense: ["1"] })).toBe(`400 {"message":"Invalid filter 'nonsense'"}\n`);
  expect(await found({ stars: ["many"] })).toBe(`400 {"message":"Invalid filter 'stars=many'"}\n`);
  expect(await found({ "is-official": ["x"] })).toBe(`400 {"message":"Invalid filter 'is-official=x'"}\n`);
  const wide = await server.ask("/v1.24/images/search?term=x&limit=101");
  expect([wide.status, wide.body]).toEqual([400, '{"message":"Limit 101 is outside the range of [1, 100]"}\n']);
});

test("POST /auth hands the body over as it is, and answers with what the job said", async () => {
  const { given, handlers } = jobs();
  await using server = await new TestServer().jobs(handlers).start();
  const post = (body: string, version = "") => server.ask(`${version}/auth`, { method: "POST", body });
  for (const version of ["", "/v1.0", "/v1.14", "/v1.24", "/v1.30"]) {
    const reply = await post('{"username":"me"}', version);
    const token = version > "/v1.2" ? '"IdentityToken":"t",' : "";
    expect([reply.status, reply.body]).toEqual([200, `{${token}"Status":"Login Succeeded"}\n`]);
    expect(given.pop()).toEqual({ auth: '{"username":"me"}' });
  }
  expect(await post("silent")).toMatchObject({ status: 204, body: "" });
  expect(await post("wrong")).toMatchObject({ status: 401, body: "Wrong login/password, please try again\n" });
});
