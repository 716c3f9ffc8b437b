/** `docker login`, `logout` and `search` against a daemon that answers what the test says. */

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { linuxExec } from "../../../../src/host/linux/exec.ts";
import { docker, start, type World } from "../../../support/docker.ts";
import { FakeDaemon, type Routes } from "../../../support/fake-daemon.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const INDEX = "https://index.docker.io/v1/";
const directory = temporaryDirectory("client-registry-");
const file = join(directory, ".dockercfg");
beforeEach(() => rmSync(file, { force: true }));

const base64 = (text: string) => Buffer.from(text).toString("base64");
const stored = () => JSON.parse(readFileSync(file, "utf8"));

async function against(routes: Routes, args: string[], world: World = {}) {
  await using daemon = await FakeDaemon.start(routes);
  const outcome = await docker(["-H", `unix://${daemon.path}`, ...args], { env: { HOME: directory }, ...world });
  return { ...outcome, requests: daemon.requests };
}

const yes: Routes = { "POST /auth": { body: { Status: "Login Succeeded" } } };

test("login asks the daemon and keeps the account, for its owner only", async () => {
  const done = await against(yes, ["login", "-u", "ann", "-p", "a:b", "-e", "ann@x"]);
  expect(done).toMatchObject({ code: 0, stdout: "Login Succeeded\n", stderr: "" });
  expect(done.requests[0]?.body).toBe(
    `{"username":"ann","password":"a:b","auth":"","email":"ann@x","serveraddress":"${INDEX}"}`,
  );
  expect(readFileSync(file, "utf8")).toBe(`{"${INDEX}":{"auth":"${base64("ann:a:b")}","email":"ann@x"}}`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("login asks for what is missing, a line each, and closes a file that others could read", async () => {
  writeFileSync(file, "{}", { mode: 0o644 });
  const done = await against(yes, ["login", "reg.test"], { stdin: "bob\r\npw\nbob@x\n" });
  expect(done.stdout).toBe("Username: Password: \nEmail: Login Succeeded\n");
  expect(stored()).toEqual({ "reg.test": { auth: base64("bob:pw"), email: "bob@x" } });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("login offers what is stored, and asks for no password of the same name", async () => {
  writeFileSync(file, `{"${INDEX}":{"auth":"${base64("ann:pw")}","email":"e@x"}}`);
  const same = await against(yes, ["login", "-p", "other"], { stdin: "\n" });
  expect(same.stdout).toBe("Username (ann): Login Succeeded\n");
  expect(JSON.parse(same.requests[0]?.body ?? "")).toMatchObject({ password: "pw", email: "e@x" });
  const another = await against(yes, ["login", "-u", "bob", "-p", "x"], { stdin: "\n" });
  expect(another.stdout).toBe("Email (e@x): Login Succeeded\n");
  expect(stored()[INDEX]).toEqual({ auth: base64("bob:x"), email: "e@x" });
});

test("login shows no password that is typed", async () => {
  await using daemon = await FakeDaemon.start(yes);
  const args = ["-H", `unix://${daemon.path}`, "login", "-u", "ann", "-e", "x"];
  const program = start(args, { env: { HOME: directory }, stdin: "pw\n", terminal: { height: 24, width: 80 } });
  expect((await program.outcome).stdout).toBe("Password: \nLogin Succeeded\n");
  expect(program.modes).toEqual(["quiet", "restored quiet"]);
  expect(program.trapped).toEqual([]);
});

test("login needs a password, and an answer", async () => {
  const none = await against(yes, ["login", "-u", "ann", "-e", "x"], { stdin: "\n" });
  expect(none).toMatchObject({ code: 1, stdout: "Password: \n", requests: [] });
  expect(none.stderr).toContain("Error : Password Required\n");
  expect(await against(yes, ["login"], { stdin: "" })).toMatchObject({
    code: 1,
    stdout: "Username: EOF\n",
    stderr: "",
  });
  const long = await against(yes, ["login"], { stdin: "x".repeat(100_000) });
  expect(long.stderr).toContain("Cannot read the answer: the line is too long");
});

test("a wrong password is forgotten, any other failure leaves the file as it was", async () => {
  const before = `{"${INDEX}":{"auth":"${base64("ann:old")}","email":"e@x"},"r.test":{"auth":"${base64("a:b")}","email":"q"}}`;
  const login = ["login", "-u", "bob", "-p", "pw", "-e", "x"];
  writeFileSync(file, before);
  const broken = await against({ "POST /auth": { status: 500, body: "Server Error: no" } }, login);
  expect(broken).toMatchObject({ code: 1, stdout: "" });
  expect(broken.stderr).toContain("Error response from daemon: Server Error: no\n");
  expect(readFileSync(file, "utf8")).toBe(before);
  const wrong = await against({ "POST /auth": { status: 401, body: "Wrong login/password, please try again" } }, login);
  expect(wrong.stderr).toContain("Error response from daemon: Wrong login/password, please try again\n");
  expect(stored()).toEqual({ "r.test": { auth: base64("a:b"), email: "q" } });
});

test("logout forgets one registry, and the file with the last", async () => {
  writeFileSync(
    file,
    `{"${INDEX}":{"auth":"${base64("a:b")}","email":"q"},"r.test":{"auth":"${base64("c:d")}","email":""}}`,
  );
  const run = (...args: string[]) => docker(["logout", ...args], { env: { HOME: directory } });
  expect(await run("r.test")).toMatchObject({ code: 0, stdout: "Remove login credentials for r.test\n" });
  expect(stored()).toEqual({ [INDEX]: { auth: base64("a:b"), email: "q" } });
  expect((await run("r.test")).stdout).toBe("Not logged in to r.test\n");
  expect((await run()).stdout).toBe(`Remove login credentials for ${INDEX}\n`);
  expect(() => statSync(file)).toThrow("ENOENT");
});

const row = { name: "x", description: "", star_count: 0, is_official: false, is_trusted: false };
const found: Routes = {
  "GET /images/search": {
    body: [
      { ...row, name: "ubuntu", description: "Official Ubuntu base image", star_count: 471, is_official: true },
      { ...row, name: "a/very", description: `long\n${"description ".repeat(5)}`, star_count: 7, is_trusted: true },
      { ...row, name: "b/none" },
    ],
  },
};

test("search prints a table", async () => {
  const { stdout, requests } = await against(found, ["search", "some thing/x"]);
  expect(stdout).toBe(
    `NAME      DESCRIPTION                                     STARS     OFFICIAL   AUTOMATED
ubuntu    Official Ubuntu base image                      471       [OK]       
a/very    long description description description d...   7                    [OK]
b/none                                                    0                    
`,
  );
  expect(requests[0]?.target).toBe("/v1.14/images/search?term=some+thing%2Fx");
});

test("search leaves out what is not wanted, and cuts nothing where it is told not to", async () => {
  const names = async (...args: string[]) =>
    (await against(found, ["search", ...args, "x"])).stdout
      .split("\n")
      .slice(1, -1)
      .map((line) => line.split(" ")[0]);
  expect(await names("-s", "5")).toEqual(["ubuntu", "a/very"]);
  expect(await names("--automated")).toEqual(["a/very"]);
  expect(await names("-t", "-s", "8")).toEqual([]);
  const { stdout } = await against(found, ["search", "--no-trunc", "x"]);
  expect(stdout).toContain("long description description description description description");
});

test("search shows a registry that names are no commands of a terminal", async () => {
  const body = [{ ...row, name: "a\tb", description: "\u001b[2Jx\u202ey" }];
  const { stdout } = await against({ "GET /images/search": { body } }, ["search", "x"], {
    terminal: { height: 24, width: 80 },
  });
  expect(stdout.split("\n")[1]).toMatch(/^a b {7}\[2Jxy +0 +$/);
});

test("search sends the credentials of the registry that it asks, and of no other", async () => {
  writeFileSync(
    file,
    `{"${INDEX}":{"auth":"${base64("me:hub")}","email":""},"r.test":{"auth":"${base64("me:own")}","email":""}}`,
  );
  const sent = async (term: string) => {
    const { requests } = await against(found, ["search", term]);
    const header = requests[0]?.headers.find(([name]) => name === "X-Registry-Auth")?.[1] ?? "";
    return JSON.parse(Buffer.from(header, "base64").toString()).password;
  };
  expect([await sent("web"), await sent("r.test/web"), await sent("other.test/web")]).toEqual([
    "hub",
    "own",
    undefined,
  ]);
});

/** The credentials that went along with a request. */
function sentWith(requests: { headers: [string, string][] }[]): Record<string, unknown> {
  const header = requests.at(-1)?.headers.find(([name]) => name === "X-Registry-Auth")?.[1] ?? "";
  return JSON.parse(Buffer.from(header, "base64url").toString());
}

const progress = (...lines: object[]) => ({
  headers: { "Content-Type": "application/json" },
  body: lines.map((line) => JSON.stringify(line)).join("\r\n"),
});

test("push asks the daemon, with the credentials of the registry that the name says", async () => {
  writeFileSync(file, `{"reg.test:5000":{"auth":"${base64("ann:pw")}","email":"e@x"}}`);
  const done = await against({ "POST /images/reg.test:5000/a/b/push": progress({ status: "Pushed" }) }, [
    "push",
    "reg.test:5000/a/b:v1",
  ]);
  expect(done).toMatchObject({ code: 0, stdout: "Pushed\n", stderr: "" });
  expect(done.requests[0]?.target).toBe("/images/reg.test:5000/a/b/push?tag=v1");
  expect(sentWith(done.requests)).toMatchObject({ username: "ann", password: "pw" });
});

test("push refuses a name without a user, and names the one who is logged in", async () => {
  const root = async () => (await against({}, ["push", "web:v1"])).stderr;
  const text = 'You cannot push a "root" repository. Please rename your repository in <user>/<repo> (ex: ';
  expect(await root()).toContain(`${text}<user>/web:v1)\n`);
  writeFileSync(file, `{"${INDEX}":{"auth":"${base64("ann:pw")}","email":"e@x"}}`);
  expect(await root()).toContain(`${text}ann/web:v1)\n`);
  expect((await against({}, ["push"])).code).toBe(2);
});

test.each([
  ["push", "POST /images/reg.test/a/push", "Error: Status 401 trying to push repository a: no"],
  ["push", "POST /images/reg.test/a/push", "unauthorized: authentication required (Post u: HTTP status 401)"],
  ["pull", "POST /images/create", "Authentication is required."],
  ["pull", "POST /images/create", "Get u: no basic auth credentials"],
])("a refused %s has the user log in at a terminal, and is tried again", async (verb, route, message) => {
  let tries = 0;
  const refusal = progress({ status: "x" }, { error: message, errorDetail: { message } });
  const routes: Routes = {
    [route]: () => (tries++ === 0 ? refusal : progress({ status: "done" })),
    "POST /auth": { body: { Status: "Login Succeeded" } },
  };
  const world = { stdin: "ann\npw\ne@x\n", terminal: { height: 24, width: 80 } };
  const done = await against(routes, [verb, "reg.test/a"], world);
  expect(done.code).toBe(0);
  expect(done.stdout).toContain(`\nPlease login prior to ${verb}:\n`);
  expect(done.stdout).toContain("Login Succeeded\n");
  expect(sentWith(done.requests)).toMatchObject({ username: "ann", password: "pw" });
  expect(stored()["reg.test"]).toEqual({ auth: base64("ann:pw"), email: "e@x" });

  tries = 0;
  rmSync(file);
  const script = await against(routes, [verb, "reg.test/a"], { stdin: "ann\npw\ne@x\n" });
  expect(script).toMatchObject({ code: 1 });
  expect(script.stderr).toContain(message);
});

test("what .dockercfg does not know is looked for where today's client keeps it", async () => {
  const home = temporaryDirectory("client-today-");
  mkdirSync(join(home, ".docker"));
  const today = (content: string) => writeFileSync(join(home, ".docker/config.json"), content);
  const sent = async (env: Record<string, string> = { HOME: home }) => {
    const done = await against({ "POST /images/reg.test/a/push": progress() }, ["push", "reg.test/a"], { env });
    return { stderr: done.stderr, ...sentWith(done.requests) };
  };
  today(`{"auths":{"reg.test":{"auth":"${base64("bob:pw")}","identitytoken":"t"}}}`);
  expect(await sent()).toMatchObject({ username: "bob", password: "pw", identitytoken: "t", stderr: "" });
  expect(await sent({ HOME: "/nowhere", DOCKER_CONFIG: join(home, ".docker") })).toMatchObject({ username: "bob" });
  today("{");
  expect((await sent()).stderr).toMatch(/^WARNING: Cannot read .*config.json: /);
  writeFileSync(join(home, ".dockercfg"), `{"reg.test":{"auth":"${base64("own:pw")}","email":""}}`);
  expect(await sent()).toMatchObject({ username: "own", stderr: "" });
});

test("a credential helper is asked, and only one that PATH has", async () => {
  const home = temporaryDirectory("client-helper-");
  mkdirSync(join(home, ".docker"));
  mkdirSync(join(home, "bin"));
  const today = (config: object) => writeFileSync(join(home, ".docker/config.json"), JSON.stringify(config));
  const script = `#!/bin/sh\nread server\necho "$1 $server $HOME" >> ${home}/asked\necho '{"Username":"ann","Secret":"s3cret"}'\n`;
  writeFileSync(join(home, "bin/docker-credential-shelf"), script, { mode: 0o755 });
  const env = { HOME: home, PATH: `${join(home, "bin")}:/bin:/usr/bin` };
  const sent = async () => {
    const done = await against({ "POST /images/reg.test/a/push": progress() }, ["push", "reg.test/a"], {
      env,
      host: { exec: linuxExec(env) },
    });
    return { stderr: done.stderr, ...sentWith(done.requests) };
  };
  today({ credHelpers: { "reg.test": "shelf" } });
  expect(await sent()).toMatchObject({ username: "ann", password: "s3cret", stderr: "" });
  expect(readFileSync(join(home, "asked"), "utf8")).toBe(`get reg.test ${home}\n`);
  today({ credsStore: "nowhere" });
  expect((await sent()).stderr).toMatch(/^WARNING: Cannot get credentials from docker-credential-nowhere: .*not found/);
  today({ credsStore: `../..${home}/bin/docker-credential-shelf` });
  expect((await sent()).stderr).toMatch(/^WARNING: Cannot use the credential helper/);
});
