/**
 * Builds by the whole daemon: every instruction, the cache, contexts of every kind and of every malice, and what dockerd
 * 20.10 makes of the same Dockerfiles.
 */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build, builtId, type ClientWords, contextOf, todayWords } from "../support/builds.ts";
import { DRYDOCK, listDir, makeNetns, type Result, run, startDaemon, type TestDaemon } from "../support/daemon.ts";
import { type Dockerd, hasDockerd, startDockerd } from "../support/dockerd.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";
import { traces } from "../support/traces.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: builds need root");
const vm = test.runIf(isRoot);

let daemon: TestDaemon;
let registry: TestRegistry;
let ours: ClientWords;
let today: ClientWords;
/** A Dockerfile's first line. */
let from: string;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  [ours, today] = [[...daemon.netns.prefix, DRYDOCK, "-H", `unix://${daemon.socket}`], todayWords(daemon)];
  registry = await startRegistry(daemon.netns.prefix);
  const links = { "etc/motd": "old\n", out: { link: "/tmp/drydock-outside" }, up: { link: "../../../../tmp" } };
  await registry.push("busybox", [BUSYBOX, links, { "data/kept": "k", "data/sub/x": "x" }]);
  from = `FROM ${registry.address}/busybox\n`;
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

/** Builds with today's client, and gives the id. */
async function made(files: Parameters<typeof contextOf>[0], ...args: string[]): Promise<string> {
  return builtId(await build(today, await contextOf(files), ...args));
}

/** Builds what must fail; gives what was said. */
async function refused(files: Parameters<typeof contextOf>[0], ...args: string[]): Promise<string> {
  const result = await build(today, await contextOf(files), ...args);
  expect(result.code, result.stdout).not.toBe(0);
  return result.stderr.replace(/DEPRECATED[\s\S]*?\n\n/, "").trim();
}

/** What a command prints in a container of the image. */
async function inside(image: string, ...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker("run", "--rm", image, ...command);
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  return stdout;
}

async function inspect(image: string, format: string): Promise<unknown> {
  const { stdout, stderr } = await daemon.docker("inspect", "--format", format, image);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

/** What a build must not leave, whatever becomes of it. */
async function leftBehind(): Promise<string[]> {
  const containers = (await daemon.docker("ps", "-aq")).stdout.split("\n").filter(Boolean);
  return [...containers, ...listDir(join(daemon.root, "tmp")), ...listDir(join(daemon.root, "graph/_tmp"))];
}

const EVERYTHING = `
ENV A 1
ENV B $A-\${A}
RUN echo one \\
  two > /run1
RUN ["sh", "-c", "echo \\"$B\\" > /run2"]
ADD f /added/
COPY f /copied
ADD d rel
COPY . /all
ADD t.tar /unpacked
COPY t.tar /packed/
WORKDIR /w
WORKDIR sub
USER operator
EXPOSE 80 53/udp
VOLUME ["/vol"]
ENTRYPOINT ["sh", "-c"]
CMD ["id -u; pwd"]
ONBUILD ENV TRIGGERED 1
BOGUS is skipped
`;

async function everything(maintainer: string): Promise<Record<string, string>> {
  const archive = await contextOf({ "in/tar": "from the archive\n", link: { type: "symlink", link: "in/tar" } });
  return {
    Dockerfile: `${from}MAINTAINER ${maintainer}${EVERYTHING}`,
    f: "file\n",
    "d/one": "1\n",
    "d/two/three": "3\n",
    "t.tar": archive.toString("latin1"),
  };
}

vm.each([
  ["our client", () => ours],
  ["today's client", () => today],
])("%s builds with every instruction, and once more from the cache", async (who, client) => {
  const context = await contextOf(await everything(who));
  const name = who.startsWith("our") ? "ours" : "today";
  const first = await build(client(), context, "-t", `${name}:every`);
  const id = builtId(first);
  expect(first.stdout).toContain(`Step 3 : ENV B $A-\${A}\n ---> Running in `);
  expect(first.stdout).toMatch(/Step 19 : ONBUILD ENV TRIGGERED 1\n ---> Running in \w{12}\n ---> \w{12}\nRemoving/);
  expect(first.stdout + first.stderr).toContain("# Skipping unknown instruction BOGUS");

  const config = (await inspect(id, "{{json .Config}}")) as Record<string, unknown>;
  expect(config).toMatchObject({
    Env: expect.arrayContaining(["A=1", "B=1-1"]),
    WorkingDir: "/w/sub",
    User: "operator",
    ExposedPorts: { "80/tcp": {}, "53/udp": {} },
    Volumes: { "/vol": {} },
    Entrypoint: ["sh", "-c"],
    Cmd: ["id -u; pwd"],
    OnBuild: ["ENV TRIGGERED 1"],
  });
  expect(await inside(id)).toBe("37\n/w/sub\n");
  const files = "cat /run1 /run2 /added/f /copied /rel/one /rel/two/three /all/d/one /unpacked/link; ls /all /packed";
  expect(await inside(id, files)).toBe(
    "one two\n1-1\nfile\nfile\n1\n3\n1\nfrom the archive\n/all:\nDockerfile\nd\nf\nt.tar\n\n/packed:\nt.tar\n",
  );

  const again = await build(client(), context);
  expect(builtId(again)).toBe(id);
  expect(again.stdout.match(/ ---> Using cache\n/g)).toHaveLength(19);
  expect(again.stdout).not.toContain("Running in");
  const child = await build(client(), await contextOf({ Dockerfile: `FROM ${name}:every\nUSER root\n` }));
  expect(child.stdout).toContain("Step onbuild-0 : ENV TRIGGERED 1\n");
  expect(await inside(builtId(child), "echo $TRIGGERED; id -u")).toBe("1\n0\n");
  expect(await leftBehind()).toEqual([]);
});

vm("today's client: names, quiet builds, exit codes, another Dockerfile, labels", async () => {
  const context = { Dockerfile: `${from}RUN echo noise\n`, "sub/Other": `${from}ENV OTHER 1\n` };
  const quiet = await build(today, await contextOf(context), "-q", "-t", "q:1", "-t", "q:2");
  expect(quiet.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  const tagged = (await daemon.today("images", "-q", "--no-trunc", "q")).stdout;
  expect(tagged).toBe(quiet.stdout.repeat(2));

  const other = await made(context, "-f", "sub/Other", "--label", "a=b c");
  expect(await inspect(other, "{{json .Config.Env}}")).toContain("OTHER=1");
  expect((await daemon.today("inspect", "-f", "{{json .Config.Labels}}", other)).stdout).toBe('{"a":"b c"}\n');

  const failing = await build(today, await contextOf({ Dockerfile: `${from}RUN echo out; echo err >&2; exit 3\n` }));
  expect(failing).toMatchObject({ code: 3, stdout: expect.stringContaining("\nout\n") });
  expect(failing.stderr).toContain(
    "The command [/bin/sh -c echo out; echo err >&2; exit 3] returned a non-zero code: 3",
  );
  // As in 1.2.0, the container of a step that failed stays to be looked at, but with --force-rm.
  const [kept = ""] = await leftBehind();
  expect(await daemon.docker("rm", kept)).toMatchObject({ code: 0 });
  expect(await refused({ Dockerfile: `${from}RUN exit 4\n` }, "--force-rm")).toContain("non-zero code: 4");
  expect(await leftBehind()).toEqual([]);
});

vm("what a build cannot be asked for here is refused before it begins", async () => {
  const context = { Dockerfile: from };
  const cases: [args: string[], text: string][] = [
    [["--build-arg", "V=1"], "ARG came with Docker 1.9"],
    [["--target", "one"], "build stages came with Docker 17.05"],
    [["--add-host", "h:10.0.0.1"], "extrahosts"],
    [["--shm-size", "64m"], "shmsize"],
    [["-f", "nowhere"], "nowhere"],
  ];
  for (const [args, text] of cases) expect(await refused(context, ...args)).toContain(text);
  // Addresses of proxies are for the commands only.
  const id = await made({ Dockerfile: `${from}RUN echo $http_proxy > /p\n` }, "--build-arg", "http_proxy=http://p:1");
  expect(await inside(id, "cat", "/p")).toBe("http://p:1\n");
  expect(JSON.stringify(await inspect(id, "{{json .Config.Env}}"))).not.toContain("proxy");
  // Limits and networks are for the commands, too.
  const dockerfile = { Dockerfile: `${from}RUN ls /sys/class/net > /n\n` };
  const limited = await made(dockerfile, "-m", "64m", "--network", "none");
  expect(await inside(limited, "cat", "/n")).toBe("lo\n");
  expect(await inspect(limited, "{{json .Config.Memory}}")).toBe(0);
  expect(await leftBehind()).toEqual([]);
});

vm("errors name what is wrong", async () => {
  const cases: [string, string][] = [
    ["FROM\n", "Invalid Dockerfile format"],
    ["RUN true\n", "Please provide a source image with `from` prior to run"],
    ["ADD Dockerfile /x\n", "Please provide a source image with `from` prior to commit"],
    [`${from}ADD x\n`, "Invalid ADD format"],
    [`${from}COPY Dockerfile Dockerfile /x/\n`, "several sources came with Docker 1.3"],
    [`${from}ADD nope /x\n`, "nope: no such file or directory"],
    [`${from}ADD ../../etc/passwd /x\n`, "../../etc/passwd: no such file or directory"],
    [`${from}ADD .. /x\n`, "Forbidden path outside the build context: .. ("],
    [`${from}COPY Dockerfile /bin/busybox/\n`, "stat /bin/busybox/: not a directory"],
    [`${from}COPY Dockerfile /bin/busybox/x\n`, "not a directory"],
    [`${from}COPY http://127.0.0.1:9/x /x\n`, "Source can't be an URL for COPY"],
    [`${from}ADD http://127.0.0.1:9/x /x\n`, "connection refused"],
    [`${from}INSERT a b\n`, "INSERT has been deprecated. Please use ADD instead"],
    [`${from}EXPOSE abc\n`, "Invalid containerPort: abc"],
    [`${from} AS stage\n`.replace("\n AS", " AS"), "stages (AS) came with Docker 17.05"],
    ["BOGUS x\n", "No image was generated."],
    ["", "Dockerfile cannot be empty"],
    ["FROM 127.0.0.1:9/nope\n", "127.0.0.1:9"],
    ["FROM scratch\nRUN x\n", "Cannot run a command on scratch"],
  ];
  for (const [dockerfile, text] of cases) {
    expect(await refused({ Dockerfile: dockerfile }, "--force-rm"), dockerfile).toContain(text);
  }
  expect(await refused({ other: "x" })).toContain("no Dockerfile");
  expect(await leftBehind()).toEqual([]);
});

vm("the cache goes by instruction and content, and by nothing else", async () => {
  const dockerfile = (extra = "") => `${from}ENV KEEP 1\nADD f /f\nADD d /d\n${extra}RUN cat /f /d/x > /sum\n`;
  const files = { Dockerfile: dockerfile(), f: "1", "d/x": "1", "d/y": "1", other: "1" };
  const uses = async (context: Parameters<typeof contextOf>[0], ...args: string[]) => {
    const { stdout } = await build(today, await contextOf(context), ...args);
    return stdout.split("\n").filter((line) => line === " ---> Using cache").length;
  };
  expect(await uses(files)).toBe(0);
  expect(await uses(files)).toBe(4);
  // Without the cache ADD does not say what it added: nobody finds that again.
  expect(await uses(files, "--no-cache")).toBe(0);
  expect(await uses(files)).toBe(1);
  expect(await uses({ ...files, other: "2" })).toBe(4);
  expect(await uses({ ...files, f: "2" })).toBe(1);
  expect(await uses({ ...files, "d/y": "2" })).toBe(2);
  expect(await uses({ ...files, "d/z": "new" })).toBe(2);
  expect(await uses({ ...files, f: { content: "1", mode: 0o755 } })).toBe(1);
  expect(await uses({ ...files, Dockerfile: dockerfile("ENV MORE 1\n") })).toBe(3);
  // What a link leads to counts, not the link.
  const linked = { Dockerfile: `${from}ADD l /l\n`, l: { type: "symlink", link: "t" }, t: "1" };
  expect([await uses(linked), await uses(linked), await uses({ ...linked, t: "2" })]).toEqual([0, 1, 0]);
  // An image that stands on nothing is found again, too.
  const scratch = { Dockerfile: "FROM scratch\nADD d /\nENV A b\n", "d/x": "1" };
  expect([await uses(scratch), await uses(scratch)]).toEqual([0, 2]);
  expect(await leftBehind()).toEqual([]);
});

vm("files go where they should, and belong to root", async () => {
  const id = await made({
    Dockerfile: `${from}ADD f /etc/motd\nADD f /data\nADD d /data\nADD s /data/s\nADD h /\nCOPY d/deep /bin/../data/\nADD zeros /z\n`,
    f: { content: "new", mode: 0o600 },
    "d/x": "1",
    "d/sub": { type: "dir", mode: 0o711 },
    "d/sub/y": "2",
    "d/deep": "3",
    s: { content: "suid", mode: 0o4755 },
    "h/a": "linked",
    "h/b": { type: "link", link: "h/a" },
    zeros: "\0".repeat(2048),
  });
  const script =
    "cat /etc/motd /data/f /data/kept /data/sub/x /data/sub/y /data/deep; " +
    "stat -c '%n %a %u:%g %Y' /data/f /data/sub /data/s /etc/motd; stat -c %h /a; wc -c < /z; ls -ln /etc/passwd";
  expect(await inside(id, "sh", "-c", script)).toBe(
    "newnewkx23" +
      "/data/f 600 0:0 1400000000\n/data/sub 711 0:0 1400000000\n/data/s 4755 0:0 1400000000\n/etc/motd 600 0:0 1400000000\n" +
      "2\n2048\n" +
      (await inside(`${registry.address}/busybox`, "ls", "-ln", "/etc/passwd")),
  );
});

vm("a hostile context reaches nothing outside, and is refused with a reason", async () => {
  const evil = join(daemon.dir, "evil");
  const df = `${from}ADD x /x\n`;
  const contexts: [Parameters<typeof contextOf>[0], string][] = [
    [{ Dockerfile: df, "../../evil": "1" }, "lies outside the archive"],
    [{ Dockerfile: df, x: { type: "link", link: "../../../etc/passwd" } }, "lies outside the archive"],
    [{ Dockerfile: df, x: { type: "symlink", link: "/etc/passwd" } }, "Forbidden path outside the build context: x"],
    [{ Dockerfile: df, x: { type: "symlink", link: "../../../etc/passwd" } }, "Forbidden path outside"],
    [{ Dockerfile: `${from}ADD x/passwd /x\n`, x: { type: "symlink", link: "/etc" } }, "Forbidden path outside"],
    [{ Dockerfile: { type: "symlink", link: "/etc/passwd" } }, "Forbidden path outside"],
    [{ Dockerfile: { type: "fifo" } }, "Dockerfile is no plain file"],
    [{ Dockerfile: { type: "dir" } }, "Dockerfile is no plain file"],
  ];
  for (const [context, text] of contexts) expect(await refused(context), JSON.stringify(context)).toContain(text);
  // Through a link of the archive itself a file goes inside.
  const through = { l: { type: "symlink", link: evil }, "l/evil": "1", Dockerfile: `${from}ENV A b\n` };
  await made(through);
  expect(existsSync(evil)).toBe(false);
  expect((await build(today, Buffer.from("this is no archive, and no Dockerfile either"))).code).not.toBe(0);
  expect(await leftBehind()).toEqual([]);
});

vm("an image's links lead into the image, and an archive stays where it is unpacked", async () => {
  const outside = "/tmp/drydock-outside";
  rmSync(outside, { recursive: true, force: true });
  const archive = await contextOf({ l: { type: "symlink", link: "/etc" }, "l/through": "1", "/abs": "2" });
  const id = await made({
    Dockerfile: `${from}ADD f /out/\nADD f /up/f\nADD t.tar /un/\nADD d /out\nRUN cat /tmp/drydock-outside/f /tmp/f /un/abs > /all\n`,
    f: "inside\n",
    "d/x": "1",
    "t.tar": archive.toString("latin1"),
  });
  expect(existsSync(outside)).toBe(false);
  expect(await inside(id, "cat", "/all")).toBe("inside\ninside\n2");
  expect(await inside(id, "sh", "-c", "ls /etc/through /un/etc/through /tmp/drydock-outside/x 2>/dev/null; true")).toBe(
    "/tmp/drydock-outside/x\n/un/etc/through\n",
  );
  const climbing = await contextOf({ "../../evil": "1" });
  const files = { Dockerfile: `${from}ADD t.tar /un/\n`, "t.tar": climbing.toString("latin1") };
  expect(await refused(files)).toContain("lies outside the archive");
  expect(await leftBehind()).toEqual([]);
});

/** Serves files inside the daemon's network until the test ends. */
async function serveInside(words: string[], port: number): Promise<() => void> {
  const [command = "", ...args] = [...daemon.netns.prefix, ...words];
  const child = spawn(command, args, { stdio: "ignore" });
  while (
    (
      await daemon.inside(
        "sh",
        "-c",
        `busybox nc -z 127.0.0.1 ${port} || curl -s telnet://127.0.0.1:${port} -m 1 </dev/null`,
      )
    ).code > 28
  ) {
    if (child.exitCode !== null) throw new Error(`${words.join(" ")} ended`);
  }
  return () => void child.kill("SIGKILL");
}

vm("contexts in every compression, from git and from the web; files from the web", async () => {
  const context = await contextOf({ Dockerfile: `${from}COPY f /f\n`, f: "1" });
  const plain = builtId(await build(today, context));
  for (const program of ["gzip", "bzip2", "xz"]) {
    const { stdout } = spawnSync(program, ["-c"], { input: context });
    expect(builtId(await build(today, stdout)), program).toBe(plain);
  }

  const web = join(daemon.dir, "web");
  mkdirSync(join(web, "git"), { recursive: true });
  writeFileSync(join(web, "Dockerfile"), `${from}ADD http://127.0.0.1:8997/f /w/\nADD http://127.0.0.1:8997/f /as\n`);
  writeFileSync(join(web, "f"), "from the web\n");
  const repository = join(web, "repo");
  const git = (...args: string[]) =>
    run(["git", "-C", repository, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args]);
  await run(["git", "init", "-q", repository]);
  writeFileSync(join(repository, "Dockerfile"), `${from}COPY f /f\n`);
  writeFileSync(join(repository, "f"), "from git\n");
  mkdirSync(join(repository, ".git/hooks"), { recursive: true });
  writeFileSync(join(repository, ".git/hooks/post-checkout"), `#!/bin/sh\ntouch ${daemon.dir}/hooked\n`, {
    mode: 0o755,
  });
  await git("add", "Dockerfile", "f");
  expect((await git("commit", "-qm", "x")).code).toBe(0);
  const stops = [
    await serveInside(["busybox", "httpd", "-f", "-p", "127.0.0.1:8997", "-h", web], 8997),
    await serveInside(
      ["git", "daemon", "--listen=127.0.0.1", "--port=8998", "--export-all", `--base-path=${web}`, "--reuseaddr", web],
      8998,
    ),
  ];
  try {
    const remote = async (url: string): Promise<Result> =>
      daemon.inside(
        "curl",
        "-s",
        "--unix-socket",
        daemon.socket,
        "-X",
        "POST",
        "-G",
        "--data-urlencode",
        `remote=${url}`,
        "http://d/v1.14/build",
      );
    const idOf = ({ stdout }: Result) => /Successfully built (\w{12})/.exec(stdout)?.[1] ?? stdout;
    expect(await inside(idOf(await remote("git://127.0.0.1:8998/repo")), "cat", "/f")).toBe("from git\n");
    expect(existsSync(join(daemon.dir, "hooked"))).toBe(false);
    const fromWeb = idOf(await remote("http://127.0.0.1:8997/Dockerfile"));
    expect(await inside(fromWeb, "sh", "-c", "cat /w/f /as; stat -c '%a %u %Y' /w/f")).toBe(
      "from the web\nfrom the web\n600 0 0\n",
    );
    // The same file, the same step.
    expect((await remote("http://127.0.0.1:8997/Dockerfile")).stdout.match(/Using cache/g)).toHaveLength(2);
    writeFileSync(join(web, "f"), "changed\n");
    expect((await remote("http://127.0.0.1:8997/Dockerfile")).stdout).not.toContain("Using cache");
    // No option, no command, no file of this machine.
    for (const url of ["git://--upload-pack=touch /x/.git", `git://127.0.0.1:9/x`, "http://127.0.0.1:8997/none.git"]) {
      expect((await remote(url)).stdout).toContain("Error trying to use git: exit status 128");
    }
    for (const url of [`file://${repository}/.git`, "ext::sh -c touch% /x .git", `${repository}/.git`, "--help"]) {
      expect((await remote(url)).stdout).toContain("is neither the URL of a Dockerfile nor of a git repository");
    }
  } finally {
    for (const stop of stops) stop();
  }
  expect(await leftBehind()).toEqual([]);
});

vm("a build of sixty steps, and the same again", async () => {
  const steps = Array.from({ length: 58 }, (_, i) => {
    const kinds = [`ENV S${i} ${i}`, `RUN echo ${i} >> /log`, `COPY f /f${i}`, `EXPOSE ${1000 + i}`];
    return kinds[i % kinds.length];
  });
  const context = await contextOf({ Dockerfile: `${from}${steps.join("\n")}\nRUN wc -l < /log\n`, f: "1" });
  const first = await build(today, context);
  expect(first.stdout).toContain("\n15\n");
  const again = await build(today, context);
  expect(builtId(again)).toBe(builtId(first));
  expect(again.stdout.match(/Using cache/g)).toHaveLength(59);
});

vm("a build whose client goes away stops its container, and leaves nothing", async () => {
  const context = await contextOf({ Dockerfile: `${from}ENV A b\nRUN echo begun; sleep 300\n` });
  const [command = "", ...args] = [...today, "build", "--no-cache", "-"];
  const client = spawn(command, args, {
    env: { ...process.env, DOCKER_BUILDKIT: "0" },
    stdio: ["pipe", "pipe", "ignore"],
  });
  client.stdin.end(context);
  await new Promise<void>((resolve) => {
    client.stdout.on("data", (chunk: Buffer) => {
      if (chunk.includes("begun")) resolve();
    });
  });
  client.kill("SIGKILL");
  const deadline = Date.now() + 20_000;
  while ((await leftBehind()).length > 0 && Date.now() < deadline);
  expect(await leftBehind()).toEqual([]);
});

vm("clients that send slowly keep nobody waiting, and leave nothing when they go away", async () => {
  const context = await contextOf({ Dockerfile: from, big: "x".repeat(4 << 20) });
  const head = "POST /v1.14/build HTTP/1.1\r\nHost: d\r\nContent-Length: 5000000\r\n\r\n";
  const connections = Array.from({ length: 6 }, () => connect(daemon.socket));
  const sent = connections.map(
    (connection, i) =>
      new Promise<void>((resolve) => {
        const part = context.subarray(0, i % 2 === 0 ? 600_000 : 3_000_000);
        connection.write(Buffer.concat([Buffer.from(head), part]), () => resolve());
      }),
  );
  await Promise.all(sent);
  while ((await leftBehind()).length < 3);
  const large = { Dockerfile: `${from}COPY big /big\nRUN wc -c < /big > /n\n`, big: "x".repeat(4 << 20) };
  expect(await inside(await made(large), "cat", "/n")).toBe(`${4 << 20}\n`);
  for (const connection of connections) connection.destroy();
  const deadline = Date.now() + 20_000;
  while ((await leftBehind()).length > 0 && Date.now() < deadline);
  expect(await leftBehind()).toEqual([]);
});

vm("without --rm every step keeps its container, with what it changed", async () => {
  const files = { Dockerfile: `${from}ENV KEPT 1\nADD f /f\nRUN echo 2 > /g\n`, f: "1" };
  const id = await made(files, "--rm=false");
  const containers = (await daemon.docker("ps", "-aq")).stdout.trim().split("\n");
  expect(containers).toHaveLength(3);
  const [run = "", add = ""] = containers;
  expect((await daemon.docker("diff", run)).stdout).toContain("A /g\n");
  expect((await daemon.docker("diff", add)).stdout).toContain("A /f\n");
  expect(await inside(id, "cat", "/f", "/g")).toBe("12\n");
  expect((await daemon.docker("rm", ...containers)).code).toBe(0);
});

vm("what .dockerignore leaves out is in no image, even if the daemon needs it", async () => {
  const dir = join(daemon.dir, "ignoring");
  mkdirSync(dir);
  writeFileSync(join(dir, "kept"), "1");
  writeFileSync(join(dir, "left.o"), "1");
  writeFileSync(join(dir, "Dockerfile"), `${from}ADD . /c\nRUN ls -A /c > /list\n`);
  const docker = (input: string, ...args: string[]) =>
    run([...today, "build", ...args, dir], { input, env: { DOCKER_BUILDKIT: "0" } });
  writeFileSync(join(dir, ".dockerignore"), "*.o\n# comment\n./Dockerfile\n");
  expect(await inside(builtId(await docker("")), "cat", "/list")).toBe(".dockerignore\nkept\n");
  writeFileSync(join(dir, ".dockerignore"), "*\n!kept\n");
  expect(await inside(builtId(await docker("")), "cat", "/list")).toBe("kept\n");
  // A Dockerfile from standard input travels under a name of its own.
  const piped = () => docker(`${from}ADD . /c\nRUN ls -A /c > /list\n`, "-f", "-");
  const first = builtId(await piped());
  expect(await inside(first, "cat", "/list")).toBe("kept\n");
  expect(builtId(await piped())).toBe(first);
});

vm("commit and import carry out changes, for clients of today", async () => {
  const { stdout } = await daemon.today("create", `${registry.address}/busybox`, "true");
  const container = stdout.trim();
  const changes = ["-c", 'CMD ["x", "y"]', "-c", "ENV A=1 B=$PATH", "-c", "LABEL l=m", "-c", "EXPOSE 80"];
  const image = (await daemon.today("commit", ...changes, container)).stdout.trim();
  const config = JSON.parse((await daemon.today("inspect", "-f", "{{json .Config}}", image)).stdout);
  expect(config).toMatchObject({ Cmd: ["x", "y"], Labels: { l: "m" }, ExposedPorts: { "80/tcp": {} } });
  expect(config.Env).toEqual(["PATH=/bin", "A=1", "B=/bin"]);
  expect((await daemon.today("commit", "-c", "RUN x", container)).stderr).toContain(
    "run is not a valid change command",
  );
  await daemon.today("rm", container);

  const archive = join(daemon.dir, "import.tar");
  writeFileSync(archive, await contextOf({ f: "1" }));
  const imported = (await daemon.today("import", "-c", "ENTRYPOINT /f", archive)).stdout.trim();
  const entrypoint = await daemon.today("inspect", "-f", "{{json .Config.Entrypoint}}", imported);
  expect(entrypoint.stdout).toBe('["/bin/sh","-c","/f"]\n');
});

vm("a daemon that is killed in the middle of a build leaves nothing of it, and builds again", async () => {
  const base = join(daemon.dir, "killed");
  const dockerfile = (n: number) =>
    `FROM scratch\nADD d /\nENV N ${n}\nRUN ["/bin/sh", "-c", "echo $N > /n; cat /n"]\nCOPY f /f\nRUN ["/bin/rm", "/f"]\nCOPY . /c\n`;
  const busybox = readFileSync("/usr/bin/busybox").toString("latin1");
  const links = Object.fromEntries(
    ["sh", "cat", "rm", "sleep"].map((name) => [`d/bin/${name}`, { type: "symlink", link: "busybox" }]),
  );
  const files = { "d/bin/busybox": { content: busybox, mode: 0o755 }, ...links, f: "1" };
  const netns = makeNetns();
  const dead: TestDaemon[] = [];
  let next = await startDaemon({ root: base, netns });
  const kill = async (building: Promise<Result>) => {
    await next.end("SIGKILL");
    await building;
    dead.push(next);
    next = await startDaemon({ root: base, netns });
    expect(await traces(next, base, [])).toEqual([]);
    expect((await next.docker("ps", "-aq")).stdout).toBe("");
  };
  try {
    const sleeping = `FROM scratch\nADD d /\nRUN ["/bin/sleep", "300"]\n`;
    const running = build(todayWords(next), await contextOf({ Dockerfile: sleeping, ...files }));
    while ((await next.docker("ps", "-q")).stdout === "");
    await kill(running);
    for (let round = 0; round < 3; round++) {
      const context = await contextOf({ Dockerfile: dockerfile(round), ...files });
      const building = build(todayWords(next), context);
      await new Promise((resolve) => setTimeout(resolve, 60 + Math.random() * 600));
      await kill(building);
      builtId(await build(todayWords(next), context));
    }
  } finally {
    expect(await next.remove()).toEqual([]);
    for (const one of dead) await one.remove();
    netns.remove();
  }
  rmSync(base, { recursive: true });
});

/** Configuration and tree of an image, in a form both daemons give. */
async function described(client: ClientWords, image: string): Promise<unknown> {
  const format = "{{json .Config}}";
  const config = JSON.parse((await run([...client, "inspect", "-f", format, image])).stdout) as Record<string, unknown>;
  const keys = ["Cmd", "Entrypoint", "Env", "ExposedPorts", "Volumes", "WorkingDir", "User", "OnBuild"];
  const pick = keys.map((key) => {
    const value = config[key];
    const empty = value === null || value === undefined || value === "" || Object.keys(value as object).length === 0;
    return [key, empty ? null : value];
  });
  const container = (await run([...client, "create", image, "x"])).stdout.trim();
  const list = await run([
    "sh",
    "-c",
    `"$@" | tar -tv --numeric-owner --full-time --exclude=./dev --exclude=dev`,
    "sh",
    ...client,
    "export",
    container,
  ]);
  await run([...client, "rm", container]);
  const tree = list.stdout
    .split("\n")
    .filter(
      (line) =>
        line !== "" &&
        !/ (?:\.docker(?:env|init)|w\/(?:x\/)?|(?:dev|proc|sys|etc)\/.*|(?:dev|proc|sys|etc)\/|\.\/)$/.test(line),
    );
  // The time of a directory that a step made is the moment of the step.
  const timeless = (line: string) => (/^d|made-by-run/.test(line) ? line.replace(/\d{4}-\d\d-\d\d [\d:]+/, "") : line);
  return {
    config: Object.fromEntries(pick),
    tree: tree
      .map(timeless)
      .map((line) => line.replace(/ \.\//, " "))
      .sort(),
  };
}

const COMPARED: Record<string, Record<string, string>> = {
  configuration: {
    Dockerfile:
      'MAINTAINER x\nENV A 1\nENV B ${A}2\nCMD ["a","b"]\nENTRYPOINT ["e"]\nEXPOSE 80 53/udp\nUSER 37\nWORKDIR /w\nWORKDIR x\nVOLUME ["/v"]\nONBUILD RUN x\n',
  },
  "shell forms": { Dockerfile: "CMD echo a b\nENTRYPOINT exec x\n" },
  "the command of the image below": { Dockerfile: 'ENTRYPOINT ["e"]\n' },
  copies: {
    Dockerfile: "COPY f /new/dir/\nADD f /as\nCOPY d /dd\nADD d /data/\nCOPY f /data/f2\nCOPY . /everything/\n",
    f: "file\n",
    "d/one": "1",
    "d/sub/two": "22",
  },
  archives: {
    Dockerfile: "ADD t.tar /un/\nADD t.tar /un2\nCOPY t.tar /copied/\nADD fake.tar /fake\n",
    "fake.tar": "no archive at all\n",
  },
  "what was there before": {
    Dockerfile:
      "RUN for d in d e; do cd /; mkdir -p made-by-run/$d/x made-by-run/$d/y; cd made-by-run/$d; echo 1 > x/old; echo 1 > y/in; " +
      "mkdir in l; touch in/old l/in; chmod 700 x; chown 7:8 x x/old; ln -s /tmp to; ln -s nowhere lost; done\n" +
      "ADD u /made-by-run/d\nADD t.tar /made-by-run/e\nADD f /made-by-run/d/lost\nADD f /made-by-run/e/to/\n",
    f: "file\n",
    "u/x/a": "1",
    "u/y": "2",
    "u/to/b": "3",
  },
  commands: {
    Dockerfile:
      'ENV X y\nRUN mkdir /made-by-run; echo $X > /made-by-run/x; rm /www/index.html; ln -s x /made-by-run/l\nRUN ["touch", "/made-by-run/t"]\n',
  },
};

test.runIf(isRoot && hasDockerd)("what dockerd 20.10 builds of the same Dockerfiles is the same", async () => {
  // In a network of its own: without a bridge it removes the one that is there.
  const netns = makeNetns();
  const near = await startRegistry(netns.prefix);
  await near.push("busybox", [BUSYBOX, { "data/kept": "k", "data/sub/x": "x" }]);
  await registry.push("basebox", [BUSYBOX, { "data/kept": "k", "data/sub/x": "x" }]);
  const dockerd: Dockerd = await startDockerd(netns, ["--insecure-registry", near.address]);
  try {
    const theirs: ClientWords = todayWords({ netns, socket: join(dockerd.dir, "s") });
    const archive = (await contextOf({ "in/a": "1", l: { type: "symlink", link: "in/a" } })).toString("latin1");
    for (const [what, { Dockerfile = "", ...files }] of Object.entries(COMPARED)) {
      const context = (base: string) =>
        contextOf({ Dockerfile: `FROM ${base}\n${Dockerfile}`, "t.tar": archive, ...files });
      const mine = builtId(await build(today, await context(`${registry.address}/basebox`)));
      const other = builtId(await build(theirs, await context(`${near.address}/busybox`)));
      expect(await described(today, mine), what).toEqual(await described(theirs, other));
    }
  } finally {
    await dockerd.remove();
    await near.stop();
    netns.remove();
  }
});
