/** `docker build` against a daemon that answers what the test says. */

import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Host } from "../../../../src/host/host.ts";
import { linuxHost } from "../../../../src/host/linux/host.ts";
import { docker, type World } from "../../../support/docker.ts";
import { FakeDaemon, type Routes } from "../../../support/fake-daemon.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const directory = temporaryDirectory("client-build-");
const { exec, kernel } = linuxHost();
const SENDING = "Sending build context to Docker daemon";
const BUILT: Routes = {
  "POST /build": { headers: { "Content-Type": "application/json" }, body: '{"stream":"Successfully built x\\n"}\r\n' },
};

async function building(args: string[], world: World & { routes?: Routes } = {}) {
  await using daemon = await FakeDaemon.start(world.routes ?? BUILT);
  const env = { HOME: directory, TMPDIR: directory, ...world.env };
  const host: Partial<Host> = { exec, kernel, ...world.host };
  const outcome = await docker(["-H", `unix://${daemon.path}`, "build", ...args], { ...world, env, host });
  return { ...outcome, requests: daemon.requests, lines: daemon.lines };
}

let count = 0;
/** A directory with these files. */
function tree(files: Record<string, string>): string {
  const root = join(directory, `t${count++}`);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), content);
    utimesSync(join(root, name), 1400000000, 1400000000);
  }
  return root;
}

/** What GNU tar finds in the body of a request. */
function listed(body: string | undefined): string[] {
  return execFileSync("tar", ["-t"], { input: body }).toString().split("\n").slice(0, -1);
}

const HEADERS = ["Content-Type", "X-Registry-Config"];
const headersOf = (headers: [string, string][]) => headers.filter(([name]) => HEADERS.includes(name)).sort();

test("build sends a directory, its flags and the stored accounts", async () => {
  writeFileSync(
    join(directory, ".dockercfg"),
    `{"reg.test":{"auth":"${Buffer.from("a:b").toString("base64")}","email":"e"}}`,
  );
  const root = tree({ Dockerfile: "FROM x\n", "d/f": "content\n" });
  const done = await building(["-t", "me/app:v1", "-q", "--no-cache", "--rm=false", "--force-rm", root]);
  expect(done).toMatchObject({ code: 0, stdout: "Successfully built x\n" });
  expect(done.stderr).toBe(`${SENDING} 4.096 kB\r\r\n${SENDING} \r\n`);
  expect(done.lines).toEqual(["POST /build?forcerm=1&nocache=1&q=1&rm=0&t=me%2Fapp%3Av1"]);
  expect(headersOf(done.requests[0]!.headers)).toEqual([
    ["Content-Type", "application/tar"],
    [
      "X-Registry-Config",
      Buffer.from('{"configs":{"reg.test":{"username":"a","password":"b","auth":"","email":"e"}}}').toString("base64"),
    ],
  ]);
  expect(listed(done.requests[0]?.body)).toEqual(["./", "Dockerfile", "d/", "d/f"]);
  rmSync(join(directory, ".dockercfg"));
  const again = await building([root]);
  expect(again.lines).toEqual(["POST /build?rm=1&t="]);
  expect(headersOf(again.requests[0]!.headers)[1]).toEqual(["X-Registry-Config", "e30="]);
  expect(again.requests[0]?.body).toBe(done.requests[0]?.body);
});

test("build sends the accounts of today's client, too, but not in the place of ours", async () => {
  const home = tree({
    Dockerfile: "",
    ".dockercfg": '{"reg.test":{"auth":"YTpi","email":"e"}}',
    ".docker/config.json": JSON.stringify({
      auths: { "reg.test": { auth: "eDp5" }, "other.test": { auth: "Yzpk" }, "store.test": {} },
      credHelpers: { "broken.test": "missing" },
    }),
  });
  const done = await building([home], { env: { HOME: home } });
  expect(done.stderr).toMatch(/^WARNING: .*docker-credential-missing.*\nSending/);
  const header = headersOf(done.requests[0]!.headers)[1]?.[1] ?? "";
  expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({
    configs: {
      "other.test": { username: "c", password: "d", auth: "", email: "" },
      "reg.test": { username: "a", password: "b", auth: "", email: "e" },
    },
  });
});

test("build leaves out what .dockerignore names, line by line as it stands", async () => {
  const files = { Dockerfile: "", "a.md": "", ".git/x": "", "src/_vendor/v": "", "src/x.go": "", "# c": "", " a": "" };
  const root = tree({ ...files, ".dockerignore": ".git\nsrc/_vendor\n*.md\n# *\n\n  a" });
  const done = await building([root]);
  expect(done.stderr).toBe(`${SENDING} 4.608 kB\r\r\n${SENDING} \r\n`);
  expect(listed(done.requests[0]?.body)).toEqual(["./", " a", ".dockerignore", "Dockerfile", "src/", "src/x.go"]);
});

test("build tells that a pattern would leave out everything, and goes on", async () => {
  const done = await building([tree({ Dockerfile: "", ".dockerignore": ".*\n", ".hidden": "" })]);
  const told = "[error] utils.go:683 Can't exclude whole path, excluding pattern: .*\n";
  expect(done.stderr.replaceAll(told, "")).toBe(`${SENDING} 2.048 kB\r\r\n${SENDING} \r\n`);
  expect(listed(done.requests[0]?.body)).toEqual(["./", "Dockerfile"]);
});

test("build sends every name of a file with its content, links as they are, and follows a link to the directory", async () => {
  const root = tree({ Dockerfile: "", a: "same\n" });
  linkSync(join(root, "a"), join(root, "b"));
  symlinkSync("/nowhere", join(root, "dangling"));
  symlinkSync(root, `${root}-link`);
  const { requests } = await building([`${root}-link`]);
  const verbose = execFileSync("tar", ["-tv"], { input: requests[0]?.body }).toString();
  expect(verbose.match(/^-.* 5 .* (?:a|b)$/gm)).toHaveLength(2);
  expect(verbose).toMatch(/^l.* dangling -> \/nowhere$/m);
});

test.each<[what: string, files: Record<string, string>, args: string[], message: string]>([
  [
    "a Dockerfile that is left out",
    { Dockerfile: "", ".dockerignore": "x\nDocker*" },
    [],
    "Dockerfile was excluded by .dockerignore pattern 'Docker*'",
  ],
  [
    "a bad pattern",
    { Dockerfile: "", ".dockerignore": "[" },
    [],
    "Bad .dockerignore pattern: '[', error: syntax error in pattern",
  ],
  ["a pattern that is bad further on", { Dockerfile: "", x: "", ".dockerignore": "x[" }, [], ""],
  ["no Dockerfile", { x: "" }, [], "no Dockerfile found in DIR"],
  [
    "an unreadable .dockerignore",
    { Dockerfile: "", ".dockerignore/x": "" },
    [],
    "Error reading .dockerignore: 'read DIR/.dockerignore: is a directory'",
  ],
  ["a bad name", { Dockerfile: "" }, ["-t", "UP"], "Invalid repository name (UP), only [a-z0-9-_.] are allowed"],
  ["a bad name, and no Dockerfile", { x: "" }, ["-t", "UP"], "no Dockerfile found in DIR"],
])("build refuses %s", async (_, files, args, message) => {
  const root = tree(files);
  const done = await building([...args, root]);
  if (message === "") {
    expect(done.code).toBe(0);
    return;
  }
  expect(done.stderr.replaceAll(root, "DIR")).toMatch(/^2014\/08\/20 /);
  expect(done.stderr.replaceAll(root, "DIR").slice(20)).toBe(`${message}\n`);
  expect([done.code, done.requests]).toEqual([1, []]);
});

test("build refuses a directory that is not there, and a file in its place", async () => {
  const missing = await building([join(directory, "missing")]);
  expect(missing.stderr.slice(20)).toBe(`stat ${directory}/missing: no such file or directory\n`);
  const root = tree({ Dockerfile: "" });
  const file = await building([join(root, "Dockerfile")]);
  expect(file.stderr.slice(20)).toBe(
    `Error reading .dockerignore: 'open ${root}/Dockerfile/.dockerignore: not a directory'\n`,
  );
});

test("build refuses a context with files that may not be read", async () => {
  const root = tree({ Dockerfile: "", secret: "" });
  const { fs } = linuxHost();
  const open: Host["fs"]["open"] = (path, ...rest) =>
    path.toString().endsWith("secret")
      ? Promise.reject(Object.assign(new Error("EACCES"), { code: "EACCES" }))
      : fs.open(path, ...rest);
  const done = await building([root], { host: { fs: { ...fs, open } } });
  expect(done.stderr.slice(20)).toBe(
    `Error checking context is accessible: 'no permission to read from '${root}/secret''. Please check permissions and try again.\n`,
  );
});

test("build - takes standard input for a Dockerfile, or an archive, compressed or not", async () => {
  const plain = await building(["-"], { stdin: "FROM x\n" });
  expect(plain.stderr).toBe(`${SENDING} 2.048 kB\r\r\n${SENDING} \r\n`);
  expect(listed(plain.requests[0]?.body)).toEqual(["Dockerfile"]);
  expect(execFileSync("tar", ["-xO"], { input: plain.requests[0]?.body }).toString()).toBe("FROM x\n");
  const empty = await building(["-"]);
  expect(execFileSync("tar", ["-tv"], { input: empty.requests[0]?.body }).toString()).toMatch(/ 0 .* Dockerfile$/m);

  const root = tree({ Dockerfile: "FROM x\n" });
  for (const format of ["v7", "ustar", "gnu", "posix"]) {
    const tar = execFileSync("tar", ["-C", root, `--format=${format}`, "-c", "Dockerfile"]);
    const sent = await building(["-"], { stdin: pieces(tar, 100) });
    expect(sent.requests[0]?.body).toBe(tar.toString());
  }
  for (const program of ["gzip", "bzip2", "xz", "zstd"]) {
    const packed = execFileSync(program, ["-c"], { input: execFileSync("tar", ["-C", root, "-c", "."]) });
    const sent = await building(["-"], { stdin: pieces(packed, 33) });
    expect(sent.requests[0]?.body).toBe(packed.toString());
  }
});

async function* pieces(data: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

test("build lets the daemon fetch an address of the web", async () => {
  const done = await building(["http://example.test/Dockerfile"]);
  expect(done).toMatchObject({ code: 0, stderr: "" });
  expect(done.lines).toEqual(["POST /build?remote=http%3A%2F%2Fexample.test%2FDockerfile&rm=1&t="]);
  expect([headersOf(done.requests[0]!.headers)[0], done.requests[0]?.body]).toEqual([
    ["Content-Type", "plain/text"],
    "",
  ]);
  const noGit = { host: { exec: { ...exec, lookPath: async () => undefined } } };
  const git = await building(["https://example.test/x.git"], noGit);
  expect(git.lines).toEqual(["POST /build?remote=https%3A%2F%2Fexample.test%2Fx.git&rm=1&t="]);
});

test("build clones a git repository, sends it and tidies up; what git says is shown", async () => {
  const source = tree({ Dockerfile: "FROM x\n", ".dockerignore": ".git" });
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", source, "-c", "user.name=a", "-c", "user.email=a@b", ...args]);
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "one");
  const instead = (url: string) => ({
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `url.${source}.insteadOf`,
    GIT_CONFIG_VALUE_0: url,
  });
  const path = process.env["PATH"] ?? "";
  for (const [address, url] of [
    ["git://host.test/x", "git://host.test/x"],
    ["github.com/a/b", "https://github.com/a/b"],
  ] as const) {
    const done = await building([address], { env: { PATH: path, ...instead(url) } });
    expect(done.stderr).toBe(`${SENDING} 3.584 kB\r\r\n${SENDING} \r\n`);
    expect(listed(done.requests[0]?.body)).toEqual(["./", ".dockerignore", "Dockerfile"]);
  }
  const failed = await building(["git://host.test/x"], {
    env: { PATH: path, ...instead("git://host.test/"), GIT_CONFIG_KEY_0: "url./missing/.insteadOf" },
  });
  expect(failed.code).toBe(1);
  expect(failed.stderr.slice(20)).toMatch(/^Error trying to use git: exit status 128 \(Cloning into [\s\S]*\)\n$/);
  expect(readdirSync(directory).filter((name) => name.startsWith("docker-build-git"))).toEqual([]);
});

test("build ends with the code that the daemon tells, or 1, and with the daemon's words", async () => {
  const root = tree({ Dockerfile: "" });
  const answer = (body: string): Routes => ({
    "POST /build": { headers: { "Content-Type": "application/json" }, body },
  });
  const failed = (detail: string) => answer(`{"errorDetail":${detail},"error":"it broke"}\r\n`);
  const first = await building([root], { routes: failed('{"code":7,"message":"it broke"}') });
  expect([first.code, first.stderr.split("\n").at(-2)?.slice(20)]).toEqual([7, "it broke"]);
  expect((await building([root], { routes: failed('{"message":"it broke"}') })).code).toBe(1);
  const refused = await building([root], { routes: { "POST /build": { status: 500, body: "no\n" } } });
  expect([refused.code, refused.stderr.split("\n").at(-2)?.slice(20)]).toEqual([1, "Error: no"]);
});

test("build streams a large file, and tells how far it is", async () => {
  const root = tree({ Dockerfile: "", big: "" });
  truncateSync(join(root, "big"), 3 << 20);
  const done = await building([root]);
  const shown = done.stderr.split("\r").filter((text) => text.startsWith(SENDING));
  expect(shown.length).toBeGreaterThan(3);
  expect(shown.at(-1)).toBe(`${SENDING} 3.148 MB`);
});
