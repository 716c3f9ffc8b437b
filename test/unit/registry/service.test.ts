import { expect, test } from "vitest";
import { RegistryV1, type RegistryV1Options } from "../../../chapters/lib/registry-v1.ts";
import { Engine } from "../../../src/engine/engine.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import type { FetchOptions } from "../../../src/host/net.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { Service } from "../../../src/registry/service.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

const INDEX = "https://index.docker.io/v1/";
const user = { username: "ann", password: "s3cret" };
const account = { ...user, email: "ann@example.com" };

type Answer = (request: Request) => Promise<Response> | Response;

/** An engine with the service, and what it sent. */
function world(answer: Answer, insecureRegistries: string[] = [], v2 = false) {
  const sent: { line: string; authorization: string | null; body: string; meta: string | null }[] = [];
  const host = memoryHost({
    env: { DEBUG: "1" },
    fetch: async (url: string, options: FetchOptions = {}) => {
      const { method = "GET", headers, body } = options;
      // Nobody of 2014 speaks version 2.
      if (url.endsWith("/v2/") && !v2) return new Response("", { status: 404 });
      const request = new Request(url, { method, headers: { ...headers }, ...(body === undefined ? {} : { body }) });
      const seen = request.headers;
      sent.push({
        line: `${method} ${url}`,
        authorization: seen.get("authorization"),
        body: String(body ?? ""),
        meta: seen.get("x-meta-a"),
      });
      return answer(request);
    },
  });
  const eng = new Engine(host);
  new Service(host, new Logger(host), { insecureRegistries }).install(eng);
  return { host, eng, sent };
}

/** Runs a job and gives its output. */
async function run(eng: Engine, name: string, args: string[], env: Record<string, unknown>): Promise<string> {
  const job = eng.job(name, ...args);
  for (const [key, value] of Object.entries(env)) job.setenvJson(key, value);
  const out = new BufferWriter();
  job.stdout.add(out);
  await job.run();
  return out.toString();
}

const auth = (eng: Engine, authConfig: unknown = account) => run(eng, "auth", [], { authConfig });
const registry = (options: RegistryV1Options) => new RegistryV1(options).handle;

test("auth makes an account where there is none, and tells the server no more than it needs", async () => {
  const { eng, sent } = world(registry({}));
  expect(await auth(eng, { ...account, serveraddress: INDEX, identitytoken: "t" })).toBe(
    "Account created. Please use the confirmation link we sent to your e-mail to activate it.\n",
  );
  expect(sent).toEqual([
    {
      line: `POST ${INDEX}users/`,
      authorization: null,
      body: '{"username":"ann","password":"s3cret","auth":"","email":"ann@example.com"}',
      meta: null,
    },
  ]);
});

test("auth asks for the password where the account exists, or where none is made", async () => {
  for (const accounts of ["open", "closed"] as const) {
    const { eng, sent } = world(registry({ user, accounts }));
    expect(await auth(eng)).toBe("Login Succeeded\n");
    expect(sent.map(({ line }) => line)).toEqual([`POST ${INDEX}users/`, `GET ${INDEX}users/`]);
    await expect(auth(eng, { ...account, password: "x" })).rejects.toThrow("Wrong login/password, please try again");
  }
});

test("auth of an account that waits says what to do", async () => {
  const { eng } = world(registry({ user, accounts: "inactive" }));
  await expect(auth(eng)).rejects.toThrow(
    "Login: Account is not Active. Please check your e-mail for a confirmation link.",
  );
  await expect(auth(eng, { ...account, serveraddress: "reg.test" })).rejects.toThrow(
    "Login: Account is not Active. Please see the documentation of the registry https://reg.test/v1/ for instructions " +
      "how to activate it.",
  );
});

test("auth at another registry makes sure that it is there, and names it", async () => {
  const { eng, sent } = world(registry({}));
  expect(await auth(eng, { ...account, serveraddress: "reg.test" })).toBe(
    "Account created. Please see the documentation of the registry https://reg.test/v1/ for instructions how to activate " +
      "it.\n",
  );
  expect(sent.map(({ line }) => line)).toEqual(["GET https://reg.test/v1/_ping", "POST https://reg.test/v1/users/"]);
});

test("auth says what the server said, in 1.2.0's words", async () => {
  const said = async (post: Response, get = new Response("")) => {
    const { eng } = world(({ method }) => (method === "POST" ? post : get));
    return auth(eng).catch((cause: Error) => cause.message);
  };
  const html = { headers: { "Content-Type": "text/html", "Set-Cookie": "session=1" } };
  expect(await said(new Response('"Invalid email"', { status: 400 }))).toBe('Registration: "Invalid email"');
  expect(await said(new Response("gone", { status: 404 }))).toBe("Unexpected status code [404] : gone");
  expect(await said(new Response("", { status: 401 }), new Response("no", { status: 403, ...html }))).toBe(
    "Login: no (Code: 403; Headers: map[Content-Type:[text/html]])",
  );
  expect(await said(new Response("\u001b[2J", { status: 500 }))).toBe("Unexpected status code [500] : \\u001b[2J");
});

test("auth reads no endless answer, and shows no long one", async () => {
  const { eng } = world(() => new Response("x".repeat(70_000), { status: 400 }));
  await expect(auth(eng)).rejects.toThrow(
    `Server Error: [400] Cannot read the answer of ${INDEX}users/: it is longer than 65536 bytes`,
  );
  const long = world(() => new Response("x".repeat(60_000), { status: 400 }));
  const message = await auth(long.eng).catch((cause: Error) => cause.message);
  expect(message).toBe(`Registration: ${"x".repeat(1_000)}…`);
});

test("auth: nobody there", async () => {
  const { eng } = world(() => {
    throw Object.assign(new Error("x"), { code: "ECONNREFUSED", syscall: "connect", address: "192.0.2.1", port: 443 });
  });
  await expect(auth(eng)).rejects.toThrow(
    `Server Error: Post ${INDEX}users/: dial tcp 192.0.2.1:443: connection refused`,
  );
});

test("auth with no account that can be read asks all the same", async () => {
  const { eng, sent } = world(() => new Response('"no"', { status: 400 }));
  const job = eng.job("auth");
  job.setenv("authConfig", "this is not JSON");
  await expect(job.run()).rejects.toThrow('Registration: "no"');
  expect(sent.map(({ body }) => body)).toEqual(['{"auth":"","email":""}']);
});

test("auth sends no password to where it does not belong", async () => {
  const { eng, sent } = world(registry({ user }));
  for (const [serveraddress, text] of [
    ["http://reg.test/v1/", "Invalid Registry endpoint: reg.test would get the password over plain http; add"],
    ["https://me@reg.test/v1/", "Invalid Registry endpoint: only a host and a path can be given"],
    ["https://reg.test/v1/?to=", "Invalid Registry endpoint: only a host and a path can be given"],
    ["reg.test#", "Invalid Registry endpoint: only a host and a path can be given"],
    ["not a url", 'Invalid Registry endpoint: "not a url" is no address'],
    ["http:reg.test", 'Invalid Registry endpoint: "http:reg.test" is no address'],
  ]) {
    await expect(auth(eng, { ...account, serveraddress }), serveraddress).rejects.toThrow(text);
  }
  expect(sent).toEqual([]);
});

test("auth speaks plain http with what the administrator named", async () => {
  const { eng } = world(registry({ user }), ["reg.test"]);
  expect(await auth(eng, { ...account, serveraddress: "http://reg.test" })).toBe("Login Succeeded\n");
});

test("auth keeps the password when it is sent elsewhere", async () => {
  const redirect = (to: string) => new Response(null, { status: 307, headers: { Location: to } });
  const moved = world(() => redirect("https://evil.test/v1/users/"));
  await expect(auth(moved.eng)).rejects.toThrow("Unexpected status code [307] : ");
  expect(moved.sent).toHaveLength(1);
  const asked = world(({ method, url }) => {
    if (method === "POST") return new Response("", { status: 401 });
    return url.startsWith(INDEX) ? redirect("https://evil.docker.com/") : new Response("", { status: 200 });
  });
  await auth(asked.eng);
  expect(asked.sent.map(({ authorization }) => authorization === null)).toEqual([true, false, true]);
});

/** A registry of version 2 that asks for a password itself, or leaves it to a token service. */
function version2(scheme: "basic" | "bearer"): { handle: Answer; asked: string[] } {
  const asked: string[] = [];
  const realm = 'Bearer realm="https://auth.test/token",service="reg.test"';
  const handle: Answer = ({ url, headers }) => {
    const { hostname, pathname, search } = new URL(url);
    asked.push(`${hostname}${pathname}${search}`);
    const given = headers.get("authorization");
    const right = given === `Basic ${btoa("ann:s3cret")}`;
    if (hostname === "auth.test") return right ? Response.json({ token: "T" }) : new Response("", { status: 401 });
    if (given === (scheme === "basic" ? `Basic ${btoa("ann:s3cret")}` : "Bearer T")) return new Response("{}");
    const challenge = scheme === "basic" ? 'Basic realm="x"' : realm;
    const answer = { "Docker-Distribution-Api-Version": "registry/2.0", "WWW-Authenticate": challenge };
    return new Response("", { status: 401, headers: answer });
  };
  return { handle, asked };
}

test("auth tries version 2 first, by password or by token, and says the same", async () => {
  for (const scheme of ["basic", "bearer"] as const) {
    const { handle, asked } = version2(scheme);
    const { eng } = world(handle, [], true);
    expect(await auth(eng, { ...account, serveraddress: "reg.test" })).toBe("Login Succeeded\n");
    const token = scheme === "basic" ? [] : ["auth.test/token?service=reg.test&account=ann"];
    expect(asked).toEqual(["reg.test/v2/", ...token, "reg.test/v2/"]);
    const wrong = auth(eng, { ...account, password: "x", serveraddress: "https://reg.test/v1/" });
    await expect(wrong).rejects.toMatchObject({ message: "Wrong login/password, please try again", statusCode: 401 });
    await expect(auth(eng, { serveraddress: "reg.test" })).rejects.toThrow("Wrong login/password, please try again");
  }
  const open = () => new Response("{}", { headers: { "Docker-Distribution-Api-Version": "registry/2.0" } });
  expect(await auth(world(open, [], true).eng)).toBe("Login Succeeded\n");
});

test("auth gives clients of today a token to keep in the place of the password, where there is one", async () => {
  for (const refresh of ["r", undefined]) {
    const { handle } = version2("bearer");
    const asked: string[] = [];
    const { eng } = world(
      async (request) => {
        const response = await handle(request);
        if (new URL(request.url).hostname !== "auth.test" || response.status !== 200) return response;
        asked.push(new URL(request.url).search);
        return Response.json({ token: "T", refresh_token: refresh });
      },
      [],
      true,
    );
    const env = { authConfig: { ...account, serveraddress: "reg.test" }, apiVersion: "1.30" };
    const answer = JSON.parse(await run(eng, "auth", [], env));
    expect(answer).toEqual({ Status: "Login Succeeded", IdentityToken: refresh ?? "" });
    expect(asked).toEqual(["?service=reg.test&offline_token=true&client_id=docker&account=ann"]);
  }
});

test("auth below a path of its own is no matter of version 2", async () => {
  const { eng, sent } = world(registry({}), [], true);
  await auth(eng, { ...account, serveraddress: "https://reg.test/own/v1/" }).catch(() => undefined);
  expect(sent.map(({ line }) => line)).not.toContain("GET https://reg.test/v2/");
});

test("nothing of an account is logged, also by a daemon that logs everything", async () => {
  const { eng, host } = world(registry({ user, standalone: true }));
  await auth(eng, { ...account, serveraddress: "reg.test" });
  await auth(eng, { ...account, password: "wrong-one" }).catch(() => undefined);
  await run(eng, "search", ["reg.test/some"], { authConfig: account });
  const log = host.stdout.text + host.stderr.text;
  expect(log).toContain("+job auth()\n");
  expect(log).toContain("RegistryInfo.Version");
  for (const secret of ["s3cret", "wrong-one", btoa("ann:s3cret")]) expect(log).not.toContain(secret);
});

test("search lists what the index found, most stars first", async () => {
  const index = new RegistryV1();
  index.catalogue.push(
    { name: "some/one", star_count: 3, description: "one" },
    { name: "1984", star_count: 12, is_official: true, description: "true" },
    { name: "some/two", star_count: 3, is_trusted: true },
  );
  const { eng, sent } = world(index.handle);
  const list = await run(eng, "search", ["o"], {}).catch(String);
  expect(list).toBe(
    '[{"description":"one","is_official":false,"is_trusted":false,"name":"some/one","star_count":3}\n,' +
      '{"description":"","is_official":false,"is_trusted":true,"name":"some/two","star_count":3}\n]',
  );
  const all = await run(eng, "search", ["1984"], { authConfig: account, metaHeaders: { "X-Meta-A": ["b"] } });
  expect(all).toBe('[{"description":"true","is_official":true,"is_trusted":false,"name":"1984","star_count":12}\n]');
  expect(sent.at(-1)).toMatchObject({
    line: `GET ${INDEX}search?q=1984`,
    authorization: `Basic ${btoa("ann:s3cret")}`,
    meta: "b",
  });
});

test("search asks the registry that the term begins with", async () => {
  const { eng, sent } = world(registry({ standalone: false }));
  expect(await run(eng, "search", ["reg.test:5000/some/thing"], {})).toBe("[]");
  expect(sent.map(({ line }) => line)).toEqual([
    "GET https://reg.test:5000/v1/_ping",
    "GET https://reg.test:5000/v1/_ping",
    "GET https://reg.test:5000/v1/search?q=some%2Fthing",
  ]);
});

test("search takes the rules for names to be rules for terms", async () => {
  const { eng, sent } = world(registry({}));
  await expect(run(eng, "search", [], {})).rejects.toThrow("Usage: search TERM");
  await expect(run(eng, "search", [""], {})).rejects.toThrow(
    "Invalid repository name (), only [a-z0-9-_.] are allowed",
  );
  await expect(run(eng, "search", ["Ubuntu"], {})).rejects.toThrow("Invalid repository name (Ubuntu)");
  await expect(run(eng, "search", ["foo/ba"], {})).rejects.toThrow("Invalid namespace name (foo)");
  expect(sent).toEqual([]);
});

test("search takes nothing from an index that is no answer", async () => {
  const of = (answer: Response) =>
    run(world(() => answer).eng, "search", ["busybox"], {}).catch((e: Error) => e.message);
  const json = (value: unknown) => of(Response.json(value));
  expect(await of(new Response("", { status: 502 }))).toBe("Unexepected status code 502");
  expect(await of(new Response("<html>"))).toContain("Cannot read the results of the search: it is no JSON");
  expect(await json([])).toBe("Cannot read the results of the search: it is no object");
  expect(await json({ results: {} })).toBe("Cannot read the results of the search: it is no list");
  expect(await json({ results: [{ star_count: 1.5 }] })).toContain("star_count is no whole number");
  expect(await json({ results: [{ name: ["x"] }] })).toContain("name is no string");
  expect(await json({ results: [{ is_official: 1 }] })).toContain("is_official is no boolean");
  expect(await of(new Response("x".repeat(5 << 20)))).toContain("it is longer than 4194304 bytes");
  for (const empty of [null, {}, { results: null }, { results: [] }]) expect(await json(empty)).toBe("[]");
  const many = await json({ results: Array.from({ length: 1_200 }, () => ({ name: "x" })) });
  expect(JSON.parse(many)).toHaveLength(1_000);
});

test("a name that is taken is told, and not passed over", () => {
  const { eng, host } = world(registry({}));
  expect(() => new Service(host, new Logger(host)).install(eng)).toThrow("Can't overwrite handler for command auth");
});
