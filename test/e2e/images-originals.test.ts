/**
 * What the original's own tests expect of images, and of the commands around them, as it appears to a user: by our
 * client at our daemon, in words of our own. `support/originals.ts` says where every one of its tests is.
 */

import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DRYDOCK, listDir, makeNetns, type Result, run, startDaemon, type TestDaemon } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";
import { layer } from "../support/layers.ts";
import { ORIGINALS } from "../support/originals.ts";
import { type Answer, ask } from "../support/traces.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: containers need root");
const repository = join(import.meta.dirname, "../..");

let daemon: TestDaemon;
let registry: TestRegistry;
/** The id of `scratch`, an image without a file, as it was always called. */
const SCRATCH = "511136ea3c5a64f264b78b5433614aec563103b4d4702f3ba7d4d2698e22c158";

beforeAll(async () => {
  if (!isRoot) return;
  const netns = makeNetns();
  registry = await startRegistry(netns.prefix);
  await registry.push("busybox", [BUSYBOX]);
  daemon = await startDaemon({ netns });
  await docker("pull", `${registry.address}/busybox`);
  await docker("tag", `${registry.address}/busybox`, "busybox");
  // One repository only: what is above an image with names in several is not removed without an error.
  await docker("rmi", `${registry.address}/busybox`);
  const scratch = { id: SCRATCH, created: "2013-06-13T14:03:50.821769-07:00", architecture: "x86_64", os: "linux" };
  const archive = layer(
    { name: `${SCRATCH}/json`, content: JSON.stringify(scratch) },
    { name: `${SCRATCH}/layer.tar`, content: layer().toString("latin1") },
    { name: "repositories", content: JSON.stringify({ scratch: { latest: SCRATCH } }) },
  );
  writeFileSync(join(daemon.dir, "scratch.tar"), archive);
  await docker("load", "-i", join(daemon.dir, "scratch.tar"));
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
  daemon?.netns.remove();
});

// A row that fails leaves its containers to nobody.
beforeEach(async () => {
  const rows = isRoot ? await json("GET", "/containers/json?all=1") : [];
  for (const { Id } of rows) await api("DELETE", `/containers/${Id}?force=1`);
});

/** A command that has to succeed. @returns what it printed, without the last line end */
async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args);
  expect(`${args.join(" ")}: ${code} ${code === 0 ? "" : stderr}`).toBe(`${args.join(" ")}: 0 `);
  return stdout.trimEnd();
}

/** A command that has to fail. @returns what it said */
async function fails(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args);
  expect(`${args.join(" ")}: ${code} ${stdout}`).toMatch(/: [1-9]/);
  return stderr;
}

/** A line of a shell, in which `docker` is our client. */
function shell(line: string): Promise<Result> {
  const client = `${daemon.netns.prefix.join(" ")} ${DRYDOCK} -H unix://${daemon.socket}`;
  return run(["bash", "-c", `set -o pipefail; docker() { ${client} "$@"; }; ${line}`], { env: { HOME: daemon.dir } });
}

async function build(name: string, dockerfile: string): Promise<string> {
  const words = [...daemon.netns.prefix, DRYDOCK, "-H", `unix://${daemon.socket}`, "build", "--no-cache", "-t", name];
  const { code, stdout, stderr } = await run([...words, "-"], { input: dockerfile });
  expect(`${code} ${code === 0 ? "" : stdout + stderr}`).toBe("0 ");
  return docker("inspect", "-f", "{{.Id}}", name);
}

const id = (name: string) => docker("inspect", "-f", "{{.Id}}", name);
const lines = (text: string) => (text === "" ? [] : text.split("\n"));
const remove = (...names: string[]) => docker("rm", "-f", ...names);
const api = async (method: string, path: string, body?: unknown): Promise<Answer> => ask(daemon, method, path, body);
const json = async (method: string, path: string, body?: unknown) => {
  const answer = await api(method, path, body);
  expect(`${method} ${path}: ${answer.status} ${answer.body}`).toMatch(/: 20/);
  return JSON.parse(answer.body);
};
/** Creates by the API, as tests inside the daemon do. */
const create = async (config: object, query = ""): Promise<string> =>
  (await json("POST", `/containers/create${query}`, { Image: "busybox", ...config })).Id;
/** What has happened until now, oldest first: the last word of each line. */
const happened = async () => {
  const until = String(Math.floor(Date.now() / 1000));
  return lines(await docker("events", "--since=0", `--until=${until}`)).map((line) => line.split(" ").at(-1));
};

/** A container that has ended with 0. */
async function done(...args: string[]): Promise<string> {
  const container = await docker("run", "-d", "--net=none", ...args);
  expect(await docker("wait", container)).toBe("0");
  return container;
}

const commits: Record<string, () => Promise<void>> = {};
for (const [name, flags] of [
  ["TestCommitAfterContainerIsDone", []],
  ["TestCommitWithoutPause", ["-p=false"]],
] as const)
  commits[name] = async () => {
    const container = await docker("run", "--net=none", "-i", "-a", "stdin", "busybox", "echo", "foo");
    await docker("wait", container);
    const image = await docker("commit", ...flags, container);
    expect(await id(image)).toBe(image);
    await remove(container);
    await docker("rmi", image);
  };

/** A container with a file, whose path on this machine holds another one; and somebody who copies. */
function copies(path: (file: string) => string, setup: (file: string) => string = () => "true") {
  return async () => {
    const file = join(daemon.dir, "some/path/test");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "of this machine");
    const out = join(daemon.dir, "out");
    mkdirSync(out);
    const line = `mkdir -p ${dirname(file)}; echo -n of the container > ${file}; ${setup(file)}`;
    const container = await done("busybox", "sh", "-c", line);
    await docker("cp", `${container}:${path(file)}`, out);
    expect(readFileSync(join(out, "test"), "utf8")).toBe("of the container");
    rmSync(out, { recursive: true });
    await remove(container);
  };
}

/** Saves a repository, removes it and loads it. */
const saves = (save: string, load: string) => async () => {
  const container = await done("busybox", "true");
  await docker("commit", container, "saved");
  const before = await docker("inspect", "saved");
  const file = join(daemon.dir, "saved.tar");
  expect(await shell(`docker ${save.replace("FILE", file)}`)).toMatchObject({ code: 0, stdout: "", stderr: "" });
  await docker("rmi", "saved");
  expect(await shell(`docker ${load.replace("FILE", file)}`)).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect(await docker("inspect", "saved")).toBe(before);
  await remove(container);
  await docker("rmi", "saved");
};

/** Runs a detached container that goes on. */
const running = (name: string) => docker("run", "--net=none", "-dt", "--name", name, "busybox", "sleep", "1000");

const BUILD_PORTS = { Image: "busybox", Cmd: ["ls", "-al"] };

const ROWS: Record<string, () => Promise<void>> = {
  ...commits,
  TestCommitNewFile: async () => {
    await docker("run", "--net=none", "--name", "committer", "busybox", "sh", "-c", "echo koye > /foo");
    const image = await docker("commit", "committer");
    expect(await docker("run", "--net=none", "--rm", image, "cat", "/foo")).toBe("koye");
    await remove("committer");
    await docker("rmi", image);
  },
  TestCommitTTY: async () => {
    await docker("run", "--net=none", "-t", "--name", "tty", "busybox", "ls");
    await docker("commit", "tty", "ttytest");
    expect(await docker("run", "--net=none", "--rm", "ttytest", "ls")).toContain("bin");
    await remove("tty");
    await docker("rmi", "ttytest");
  },
  TestCommitWithHostBindMount: async () => {
    await docker("run", "--net=none", "--name", "bound", "-v", "/dev/null:/winning", "busybox", "true");
    await docker("commit", "bound", "bindtest");
    await docker("run", "--net=none", "--rm", "bindtest", "true");
    await remove("bound");
    await docker("rmi", "bindtest");
  },
  TestCpGarbagePath: copies((file) => `${"../".repeat(12)}${file}`),
  TestCpRelativePath: copies((file) => file.slice(1)),
  TestCpAbsolutePath: copies((file) => file),
  // The name of what arrives is that of what was asked for, so the link is called as the file is.
  TestCpAbsoluteSymlink: copies(
    () => "/link/test",
    (file) => `mkdir /link; ln -s ${file} /link/test`,
  ),
  TestCpSymlinkComponent: copies(
    () => "/container_path/test",
    (file) => `ln -s ${dirname(file)} /container_path`,
  ),
  TestCpUnprivilegedUser: async () => {
    const container = await done("busybox", "touch", "/test");
    const out = join(daemon.dir, "unprivileged");
    mkdirSync(out);
    for (const path of [daemon.dir, out, daemon.socket]) chmodSync(path, 0o777);
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const words = [...nobody, DRYDOCK, "-H", `unix://${daemon.socket}`, "cp", `${container}:/test`, out];
    expect(await run(words, { env: { HOME: "/" } })).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(out)).toEqual(["test"]);
    await remove(container);
  },
  TestDiffFilenameShownInOutput: async () => {
    const container = await done("busybox", "sh", "-c", "echo foo > /root/bar");
    expect(lines(await docker("diff", container))).toContain("A /root/bar");
    await remove(container);
  },
  TestDiffEnsureDockerinitFilesAreIgnored: async () => {
    // The original does it twenty times: it did not always happen.
    const containers = await Promise.all(
      Array.from({ length: 6 }, () => done("busybox", "sh", "-c", "echo foo > /root/bar")),
    );
    for (const container of containers)
      expect(lines(await docker("diff", container))).toEqual(["C /root", "A /root/bar"]);
    await remove(...containers);
  },
  TestDiffEnsureOnlyKmsgAndPtmx: async () => {
    const container = await done("busybox", "sleep", "0");
    expect(await docker("diff", container)).toBe("");
    await remove(container);
  },
  TestCLIGetEventsUntag: async () => {
    const image = lines(await docker("images", "-q"))[0] as string;
    for (const tag of ["utest:tag1", "utest:tag2"]) await docker("tag", image, tag);
    for (const tag of ["utest:tag1", "utest:tag2"]) await docker("rmi", tag);
    const seen = (await shell("timeout 1 docker events --since=1; true")).stdout;
    const listened = seen === "" ? await happened() : lines(seen.trimEnd()).map((line) => line.split(" ").at(-1));
    expect(listened.slice(-2)).toEqual(["untag", "untag"]);
  },
  TestCLIGetEventsPause: async () => {
    await running("paused");
    await docker("pause", "paused");
    await docker("unpause", "paused");
    expect((await happened()).slice(-2)).toEqual(["pause", "unpause"]);
    await remove("paused");
  },
  TestCLILimitEvents: async () => {
    for (let n = 0; n < 35; n++) {
      await api("POST", "/images/busybox/tag?repo=limit&force=1");
      await api("DELETE", "/images/limit");
      await api("DELETE", `/containers/${await create({ Cmd: ["true"] })}`);
    }
    expect(await happened()).toHaveLength(64);
  },
  TestCLIGetEventsContainerEvents: async () => {
    await docker("run", "--net=none", "--rm", "busybox", "true");
    expect((await happened()).slice(-4)).toEqual(["create", "start", "die", "destroy"]);
  },
  TestCLIGetEventsImageUntagDelete: async () => {
    await build("testimageevents", 'FROM scratch\nMAINTAINER "docker"\n');
    await docker("rmi", "testimageevents");
    expect((await happened()).slice(-2)).toEqual(["untag", "delete"]);
  },
  TestExportContainerAndImportImage: async () => {
    const container = await done("busybox", "sh", "-c", "echo there > /new");
    const file = join(daemon.dir, "exported.tar");
    expect(await shell(`docker export ${container} > ${file}`)).toMatchObject({ code: 0, stderr: "" });
    const imported = await shell(`cat ${file} | docker import - exported`);
    expect(imported.stdout.trim()).toBe(await id("exported"));
    expect(await docker("run", "--rm", "--net=none", "exported", "/bin/cat", "/new")).toBe("there");
    await remove(container);
    await docker("rmi", "exported");
  },
  TestBuildHistory: async () => {
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
    await build("history", `FROM busybox\n${letters.map((letter) => `RUN echo "${letter}"\n`).join("")}`);
    const shown = lines(await docker("history", "history")).slice(1, 27);
    expect(shown.map((line) => /echo "(.)"/.exec(line)?.[1])).toEqual(letters.reverse());
    await docker("rmi", "history");
  },
  TestHistoryExistentImage: async () => {
    expect(lines(await docker("history", "busybox"))[0]).toMatch(/^IMAGE +CREATED +CREATED BY +SIZE$/);
  },
  TestHistoryNonExistentImage: async () => {
    expect(await fails("history", "testHistoryNonExistentImage")).toContain("No such id: testHistoryNonExistentImage");
  },
  TestImagesEnsureImageIsListed: async () => {
    expect(await docker("images")).toMatch(/^busybox +latest +[0-9a-f]{12} /m);
  },
  TestCLIImageTagRemove: async () => {
    const count = async () => lines(await docker("images", "-a")).length;
    const before = await count();
    const tags = ["utest:tag1", "utest/docker:tag2", "utest:5000/docker:tag3"];
    for (const tag of tags) await docker("tag", "busybox", tag);
    expect(await count()).toBe(before + 3);
    for (const [left, tag] of [
      [2, tags[1]],
      [1, tags[2]],
      [0, tags[0]],
    ] as const) {
      await docker("rmi", tag as string);
      expect(await count()).toBe(before + left);
    }
  },
  TestImagesOrderedByCreationDate: async () => {
    // Seconds apart, as they are counted in: there is no waiting for what can be written down.
    const made: string[] = [];
    for (const [n, name] of ["order:test_a", "order:test_c", "order:test_b"].entries()) {
      const one = `a${n}`.repeat(32);
      const document = { id: one, created: `2100-01-01T00:00:0${n}Z`, architecture: "amd64", os: "linux" };
      const archive = layer(
        { name: `${one}/json`, content: JSON.stringify(document) },
        { name: `${one}/layer.tar`, content: layer().toString("latin1") },
        { name: "repositories", content: JSON.stringify({ order: { [name.slice(6)]: one } }) },
      );
      writeFileSync(join(daemon.dir, "order.tar"), archive);
      await docker("load", "-i", join(daemon.dir, "order.tar"));
      made.push(one);
    }
    expect(lines(await docker("images", "-q", "--no-trunc")).slice(0, 3)).toEqual(made.reverse());
    await docker("rmi", "order:test_a", "order:test_b", "order:test_c");
  },
  TestImportDisplay: async () => {
    const archive = spawnSync("gzip", { input: layer({ name: "file", content: "x".repeat(300_000) }) }).stdout;
    const server = createServer((_, response) => {
      response.writeHead(200, { "Content-Length": archive.length }).end(archive);
    });
    const own = await startDaemon({ netns: "none" });
    try {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      const { code, stdout } = await own.docker("import", `http://127.0.0.1:${port}/image.tar.gz`);
      expect([code, stdout.split("\n").length - 1]).toEqual([0, 2]);
    } finally {
      server.close();
      expect(await own.remove()).toEqual([]);
    }
  },
  TestInfoEnsureSucceeds: async () => {
    const shown = await docker("info");
    for (const begin of ["Containers:", "Execution Driver:", "Kernel Version:"]) expect(shown).toContain(begin);
  },
  TestInspectImage: async () => {
    expect(await docker("inspect", "--format='{{.Id}}'", "scratch")).toBe(SCRATCH); // the flag takes its quotes off
  },
  TestListContainers: async () => {
    const [first, second, third, fourth] = [
      await running("first"),
      await running("second"),
      await done("busybox", "true"),
      await running("fourth"),
    ];
    for (const [flags, expected] of [
      [["-a"], [fourth, third, second, first]],
      [[], [fourth, second, first]],
      ...[[], ["-a"]].flatMap((all) => [
        [
          [...all, "-n=2"],
          [fourth, third],
        ],
        [
          [...all, "--since", first],
          [fourth, third, second],
        ],
        [
          [...all, "--before", third],
          [second, first],
        ],
        [
          [...all, "--since", first, "--before", fourth],
          [third, second],
        ],
        [
          [...all, "--since", first, "-n=2"],
          [fourth, third],
        ],
        [[...all, "--before", fourth, "-n=1"], [third]],
        [[...all, "--since", first, "--before", fourth, "-n=1"], [third]],
      ]),
    ] as [string[], string[]][]) {
      const rows = lines(await docker("ps", ...flags)).slice(1);
      expect([flags, rows.map((row) => row.slice(0, 12))]).toEqual([flags, expected.map((one) => one.slice(0, 12))]);
    }
    await remove(first, second, third, fourth);
  },
  // There is no central registry here; this one is a registry, too.
  TestPullImageFromCentralRegistry: async () => {
    const name = `${registry.address}/busybox:latest`;
    await docker("pull", name);
    expect(await id(name)).toBe(await id("busybox"));
    await docker("rmi", name);
  },
  TestPullNonExistingImage: async () => {
    expect(await fails("pull", `${registry.address}/fooblahblah1234`)).toContain("fooblahblah1234");
  },
  TestPushBusyboxImage: async () => {
    const name = `${registry.address}/pushed`;
    await docker("tag", "busybox", name);
    await docker("push", name);
    await docker("rmi", name);
    await docker("pull", name);
    expect(await id(name)).toBe(await id("busybox"));
    await docker("rmi", name);
  },
  TestPushUnprefixedRepo: async () => {
    expect(await fails("push", "busybox")).toContain(
      'You cannot push a "root" repository. Please rename your repository in <user>/<repo> (ex: <user>/busybox)',
    );
  },
  TestRemoveContainerWithRemovedVolume: async () => {
    const volume = join(daemon.dir, "volume");
    await docker("run", "--net=none", "--name", "loser", "-v", `${volume}:/test`, "busybox", "true");
    rmSync(volume, { recursive: true });
    await docker("rm", "-v", "loser");
  },
  TestRemoveContainerWithVolume: async () => {
    await docker("run", "--net=none", "--name", "foo", "-v", "/srv", "busybox", "true");
    const volumes = listDir(join(daemon.root, "vfs/dir")).length;
    await docker("rm", "-v", "foo");
    expect(listDir(join(daemon.root, "vfs/dir"))).toHaveLength(volumes - 1);
  },
  TestRemoveRunningContainer: async () => {
    await running("foo");
    expect(await fails("rm", "foo")).toContain("You cannot remove a running container");
    await remove("foo");
  },
  TestForceRemoveRunningContainer: async () => {
    await running("foo");
    expect(await docker("rm", "-f", "foo")).toBe("foo");
    expect(await docker("ps", "-aq")).toBe("");
  },
  TestContainerOrphaning: async () => {
    const dockerfile = 'FROM busybox:latest\nENTRYPOINT ["/bin/true"]\n';
    const image = await build("orphaning", dockerfile);
    const container = await done("orphaning");
    const words = [...daemon.netns.prefix, DRYDOCK, "-H", `unix://${daemon.socket}`, "build", "-t", "orphaning", "-"];
    await run(words, { input: `${dockerfile}MAINTAINER Integration Tests\n` });
    expect(await fails("rmi", "orphaning")).toContain(
      `Conflict, cannot delete ${(await id(image)).slice(0, 12)} because the container ${container.slice(0, 12)} is using it, use -f to force`,
    );
    expect(lines(await docker("images", "-q", "--no-trunc"))).toContain(image);
    await remove(container);
    await docker("rmi", image);
  },
  TestDeleteTagWithExistingContainers: async () => {
    await docker("tag", "busybox:latest", "busybox:newtag");
    const container = await done("busybox:latest", "/bin/true");
    expect(await docker("rmi", "busybox:newtag")).toBe("Untagged: busybox:newtag");
    await remove(container);
  },
  TestSaveAndLoadRepoStdout: saves("save saved > FILE", "load < FILE"),
  TestSaveAndLoadRepoFlags: saves("save -o FILE saved", "load -i FILE"),
  TestSaveSingleTag: async () => {
    await docker("tag", "busybox:latest", "single:latest");
    const image = await docker("images", "-q", "--no-trunc", "single");
    const { stdout } = await shell("docker save single:latest | tar t");
    expect(stdout.split("\n")).toEqual(expect.arrayContaining(["repositories", `${image}/`, `${image}/layer.tar`]));
    await docker("rmi", "single");
  },
  TestSaveImageId: async () => {
    await docker("tag", "scratch:latest", "by-id:latest");
    const [long, short] = [await docker("images", "-q", "--no-trunc", "by-id"), await docker("images", "-q", "by-id")];
    expect([long, short]).toEqual([SCRATCH, SCRATCH.slice(0, 12)]);
    expect((await shell(`docker save ${short} | tar t`)).stdout.split("\n")).toContain(`${long}/json`);
    await docker("rmi", "by-id");
  },
  TestTagUnprefixedRepoByName: async () => {
    await docker("tag", "busybox:latest", "testfoobarbaz");
    expect(await docker("rmi", "testfoobarbaz")).toBe("Untagged: testfoobarbaz:latest");
  },
  TestTagUnprefixedRepoByID: async () => {
    await docker("tag", await docker("inspect", "-f", "{{.Id}}", "busybox"), "testfoobarbaz");
    expect(await id("testfoobarbaz")).toBe(await id("busybox"));
    await docker("rmi", "testfoobarbaz");
  },
  TestTagValidPrefixedRepo: async () => {
    for (const repo of ["fooo/bar", "fooaa/test"]) {
      await docker("tag", "busybox:latest", repo);
      expect(await docker("rmi", repo)).toBe(`Untagged: ${repo}:latest`);
    }
  },
  TestVersionEnsureSucceeds: async () => {
    const shown = await docker("version");
    for (const side of ["Client version:", "Client API version:", "Server version:", "Server API version:"])
      expect(shown).toContain(side);
    for (const side of ["Go version (client):", "Git commit (client):", "Go version (server):", "Git commit (server):"])
      expect(shown).toContain(side);
  },
  TestGetContainersExport: async () => {
    const container = await done("busybox", "touch", "/test");
    const url = `http://docker/containers/${container}/export`;
    expect((await shell(`curl -s --unix-socket ${daemon.socket} ${url} | tar t`)).stdout.split("\n")).toContain("test");
    await remove(container);
  },
  TestSaveImageAndThenLoad: async () => {
    const image = await build("gone", "FROM busybox\nMAINTAINER somebody\n");
    const curl = (...args: string[]) =>
      run(["curl", "-s", "-w", "%{http_code}", "--unix-socket", daemon.socket, ...args]);
    const file = join(daemon.dir, "gone.tar");
    const get = async () => (await curl("-o", file, `http://docker/images/${image}/get`)).stdout;
    expect(await get()).toBe("200");
    const kept = readFileSync(file);
    expect((await api("DELETE", `/images/${image}`)).status).toBe(200);
    expect(await get()).toBe("404");
    writeFileSync(file, kept);
    const sent = await curl("-X", "POST", "--data-binary", `@${file}`, "http://docker/images/load");
    expect(sent.stdout).toBe("200");
    expect(await get()).toBe("200");
    await docker("rmi", image);
  },
  TestGetContainersChanges: async () => {
    const container = await done("busybox", "rm", "/etc/passwd");
    expect(await json("GET", `/containers/${container}/changes`)).toContainEqual({ Kind: 2, Path: "/etc/passwd" });
    await remove(container);
  },
  TestPostCommit: async () => {
    const container = await done("busybox", "touch", "/test");
    const answer = await api("POST", `/commit?repo=testrepo&testtag=tag&container=${container}`, "");
    expect(answer.status).toBe(201);
    expect(await id("testrepo")).toBe(JSON.parse(answer.body).Id);
    await remove(container);
    await docker("rmi", "testrepo");
  },
  TestDeleteImages: async () => {
    await docker("tag", "busybox", "test:test");
    const images = await json("GET", "/images/json");
    expect((await api("DELETE", `/images/${await id("busybox")}`)).status).toBe(409);
    expect(await json("DELETE", "/images/test:test")).toEqual([{ Untagged: "test:test" }]);
    expect(await json("GET", "/images/json")).toHaveLength(images.length);
  },
  TestPostContainersCopy: async () => {
    const container = await done("busybox", "touch", "/test.txt");
    const body = JSON.stringify({ Resource: "/test.txt", HostPath: "." });
    const url = `http://docker/containers/${container}/copy`;
    const line = `curl -s --unix-socket ${daemon.socket} -H 'Content-Type: application/json' -d '${body}' ${url} | tar t`;
    expect((await shell(line)).stdout).toBe("test.txt\n");
    await remove(container);
  },
  TestPostContainersCopyWhenContainerNotFound: async () => {
    const body = { Resource: "/test.txt", HostPath: "." };
    expect((await api("POST", "/containers/id_not_found/copy", body)).status).toBe(404);
  },
  TestRunCidFileCleanupIfEmpty: async () => {
    const file = join(daemon.dir, "cid");
    expect(await fails("run", "--cidfile", file, "scratch")).toContain("No command specified");
    expect(existsSync(file)).toBe(false);
  },
  TestDeletePrefix: async () => {
    const image = await build("prefix", "FROM scratch\nMAINTAINER prefix\n");
    expect(await docker("rmi", image.slice(0, 12))).toBe(`Untagged: prefix:latest\nDeleted: ${image}`);
  },
  TestDaemonCreate: async () => {
    const container = await create({ Cmd: ["ls", "-al"] });
    expect(lines(await docker("ps", "-aq", "--no-trunc"))).toEqual([container]);
    const named = await create({ Cmd: ["ls", "-al"] }, "?name=conflictname");
    const conflict = await api("POST", "/containers/create?name=conflictname", BUILD_PORTS);
    expect([conflict.status, conflict.body.includes(named.slice(0, 12))]).toEqual([409, true]);
    for (const Cmd of [undefined, []])
      expect((await api("POST", "/containers/create", { Image: "scratch", Cmd })).body).toBe("No command specified\n");
    const ported = await create({ Cmd: ["/bin/ls"], PortSpecs: ["80"] });
    const image = await json("POST", `/commit?repo=testrepo&tag=testtag&container=${ported}`, { PortSpecs: ["80"] });
    expect(await id("testrepo:testtag")).toBe(image.Id);
    const warned = await json("POST", "/containers/create", { ...BUILD_PORTS, PortSpecs: ["80:8000"] });
    expect(warned.Warnings).toHaveLength(1);
    await remove(container, named, ported, warned.Id);
    await docker("rmi", "testrepo:testtag");
  },
  TestDestroy: async () => {
    const container = await create({ Cmd: ["ls"] });
    await docker("rm", container);
    expect(await docker("ps", "-aq")).toBe("");
    expect(await fails("rm", container)).toContain("No such container");
  },
  TestDestroyWithInitLayer: async () => {
    const container = await create({ Cmd: ["ls"] });
    const layers = () => listDir(join(daemon.root, "overlay")).filter((name) => name.startsWith(container));
    expect(layers()).toEqual([container, `${container}-init`]);
    await docker("rm", container);
    expect(layers()).toEqual([]);
  },
  TestDefaultContainerName: async () => {
    const container = await create({ Cmd: ["true"] }, "?name=some_name");
    expect(await docker("inspect", "-f", "{{.Name}} {{.Id}}", "some_name")).toBe(`/some_name ${container}`);
    await remove(container);
  },
  TestCommit: async () => {
    const container = await create({ Cmd: ["/bin/cat"] });
    const image = await json("POST", `/commit?repo=testrepo&tag=testtag&container=${container}`, { Cmd: ["/bin/cat"] });
    expect(await docker("images", "--no-trunc", "testrepo")).toMatch(
      new RegExp(`^testrepo +testtag +${image.Id} `, "m"),
    );
    await remove(container);
    await docker("rmi", "testrepo:testtag");
  },
  TestMergeConfigOnCommit: async () => {
    const base = await create({ Cmd: ["echo test > /tmp/foo"], Env: ["FOO=bar"] });
    const image = await json("POST", `/commit?container=${base}`, { Cmd: ["cat /tmp/foo"] });
    const other = await create({ Image: image.Id });
    const [was, is] = await Promise.all([base, other].map((one) => json("GET", `/containers/${one}/json`)));
    expect(is.Config.Env).toEqual(was.Config.Env);
    expect([was.Config.Cmd, is.Config.Cmd]).toEqual([["echo test > /tmp/foo"], ["cat /tmp/foo"]]);
    await remove(base, other);
    await docker("rmi", image.Id);
  },
  TestRunWithTooLowMemoryLimit: async () => {
    const config = { ...BUILD_PORTS, Memory: 524287, CpuShares: 1000 };
    expect((await api("POST", "/containers/create", config)).body).toBe("Minimum memory limit allowed is 512k\n");
  },
  TestImagesFilter: async () => {
    const tags = ["utest:tag1", "utest/docker:tag2", "utest:5000/docker:tag3"];
    for (const tag of tags) await docker("tag", "busybox", tag);
    for (const [pattern, count] of [
      ["utest*/*", 2],
      ["utest", 1],
      ["utest*", 1],
      ["*5000*/*", 1],
    ] as const) {
      const [image] = await json("GET", `/images/json?filter=${encodeURIComponent(pattern)}`);
      expect([pattern, image.RepoTags.length]).toEqual([pattern, count]);
    }
    await docker("rmi", ...tags);
  },
};

const here = Object.values(ORIGINALS)
  .flatMap((tests) => Object.entries(tests))
  .filter(([, place]) => place === "here");

describe.runIf(isRoot)("as a user sees it", () => {
  for (const [name, row] of Object.entries(ROWS)) test(name, row);
});

test("every test of the original's is one of these, or stands elsewhere, or has its reason", () => {
  expect(Object.keys(ROWS).sort()).toEqual(here.map(([name]) => name).sort());
  const { files } = JSON.parse(readFileSync(join(repository, "book/data/go-symbols.json"), "utf8")) as {
    files: Record<string, string[]>;
  };
  for (const [name, tests] of Object.entries(ORIGINALS)) {
    const path = name.includes("/") ? name : `integration-cli/docker_cli_${name}_test.go`;
    const functions = files[path]?.filter((one) => one.startsWith("Test")) ?? [];
    expect([path, Object.keys(tests).sort()]).toEqual([path, functions.sort()]);
    for (const [test, place] of Object.entries(tests)) {
      if (place === "here" || "never" in place) continue;
      const text = readFileSync(join(repository, place.file), "utf8");
      expect(`${test}: ${text.includes(place.title)}`).toBe(`${test}: true`);
    }
  }
});
