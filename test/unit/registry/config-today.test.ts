import { memfs } from "memfs";
import { expect, test } from "vitest";
import type { Host } from "../../../src/host/host.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { loadTodayConfig, resolveTodayAuth } from "../../../src/registry/config-today.ts";

const INDEX = "https://index.docker.io/v1/";
const base64 = (text: string) => Buffer.from(text).toString("base64");

type Answer = Awaited<ReturnType<Host["exec"]["run"]>>;
const answered = (stdout: string, code = 0): Answer => ({
  code,
  signal: undefined,
  stdout: Buffer.from(stdout),
  stderr: Buffer.alloc(0),
});

/** Reads a file and asks for a registry. @returns the credentials, and what was run */
async function resolve(
  file: unknown,
  hostname: string,
  run: () => Promise<Answer> = () => Promise.reject(new Error("?")),
  clock = memoryHost().clock,
) {
  const { fs } = memfs({ "/c/config.json": typeof file === "string" ? file : JSON.stringify(file) });
  const config = await loadTodayConfig({ fs: fs.promises as unknown as Host["fs"] }, "/c");
  const ran: unknown[] = [];
  const exec = {
    run: (command: string, args: readonly string[], options?: { input?: unknown; env?: object }) => {
      ran.push([command, ...args, options?.input, options?.env]);
      return run();
    },
  } as unknown as Host["exec"];
  const auth = await resolveTodayAuth({ exec, env: { HOME: "/h", NOT: undefined }, clock }, config, hostname);
  return { auth, ran };
}

test("loadTodayConfig() reads the accounts of today's client, however they are kept", async () => {
  const file = {
    auths: {
      [INDEX]: { auth: base64("ann:a:b") },
      "reg.example:5000": { auth: base64("bob:pw"), email: "b@x" },
      "tok.example": { auth: base64("c:"), identitytoken: "refresh" },
      "plain.example": { username: "d", password: "e" },
      "empty.example": {},
    },
    HttpHeaders: { "X-Meta-A": "b" },
    psFormat: "table",
  };
  const of = async (hostname: string) => (await resolve(file, hostname)).auth;
  expect(await of(INDEX)).toEqual({ username: "ann", password: "a:b" });
  expect(await of("")).toEqual({ username: "ann", password: "a:b" });
  expect(await of("reg.example:5000")).toMatchObject({ username: "bob", password: "pw" });
  expect(await of("tok.example")).toEqual({ username: "c", password: "", identitytoken: "refresh" });
  expect(await of("plain.example")).toEqual({ username: "d", password: "e" });
  expect(await of("empty.example")).toEqual({});
  expect(await of("reg.example")).toEqual({});
});

test("loadTodayConfig() takes no file for an empty one, and names what is wrong", async () => {
  const { fs } = memfs({ "/other": null });
  const none = await loadTodayConfig({ fs: fs.promises as unknown as Host["fs"] }, "/c");
  expect([none.configs.size, none.credsStore, none.credHelpers.size]).toEqual([0, undefined, 0]);
  for (const bad of ["{", "[]", '{"auths":[]}', '{"auths":{"x":{"auth":"*"}}}']) {
    await expect(resolve(bad, "x")).rejects.toThrow(/^Cannot read \/c\/config.json: /);
  }
});

test("a helper is asked for its registry, the store for all others; neither gets what it need not know", async () => {
  const file = {
    auths: { "a.example": { auth: base64("x:y") } },
    credsStore: "store",
    credHelpers: { "a.example": "own" },
  };
  const run = async () => answered('{"ServerURL":"a.example","Username":"ann","Secret":"s3cret"}\n');
  expect(await resolve(file, "a.example", run)).toEqual({
    auth: { username: "ann", password: "s3cret" },
    ran: [["docker-credential-own", "get", "a.example", { HOME: "/h" }]],
  });
  expect((await resolve(file, "b.example", run)).ran).toEqual([
    ["docker-credential-store", "get", "b.example", { HOME: "/h" }],
  ]);
  expect((await resolve(file, "", run)).ran).toEqual([["docker-credential-store", "get", INDEX, { HOME: "/h" }]]);
  const token = async () => answered('{"Username":"<token>","Secret":"refresh"}');
  expect((await resolve(file, "a.example", token)).auth).toEqual({ identitytoken: "refresh" });
  const none = async () => answered("credentials not found in native keychain\n", 1);
  expect((await resolve(file, "a.example", none)).auth).toEqual({});
});

test.each([
  ["../../tmp/evil", async () => answered("{}"), /no name of a program$/],
  ["a b", async () => answered("{}"), /no name of a program$/],
  ["x", async () => answered("locked\n", 1), /docker-credential-x: locked$/],
  ["x", async () => answered("", 3), /docker-credential-x: exit status 3$/],
  ["x", async () => answered("no json"), /docker-credential-x: .*JSON/],
  ["x", async () => answered('{"Username":1}'), /has no name or no secret$/],
  ["x", async () => answered(" ".repeat(2 << 20)), /too long$/],
  [
    "x",
    () => Promise.reject(new Error('exec: "docker-credential-x": executable file not found in $PATH')),
    /not found/,
  ],
] as const)("a helper that is of no use is named: %s", async (credsStore, run, text) => {
  const asked = resolve({ credsStore }, "a.example", run);
  await expect(asked).rejects.toThrow(text);
});

test("a helper that never answers is given up, whoever holds its output open", async () => {
  const { clock } = memoryHost();
  const asked = resolve({ credsStore: "x" }, "a.example", () => new Promise(() => undefined), clock);
  const refused = expect(asked).rejects.toThrow(/docker-credential-x: no answer in 60 seconds$/);
  await clock.advance(59_999);
  await clock.advance(1);
  await refused;
});
