/**
 * Archives of images: between Drydock, dockerd 20.10 and skopeo, there and back; with both clients; from one storage
 * driver to another; and what the daemon does with bad ones.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ok } from "../support/commands.ts";
import {
  clientWords,
  DRYDOCK,
  hasRoot,
  makeNetns,
  type Result,
  run,
  startDaemon,
  type TestDaemon,
  type TestNetns,
} from "../support/daemon.ts";
import { type Dockerd, hasDockerd, startDockerd } from "../support/dockerd.ts";
import { BUSYBOX, writeLayout } from "../support/images.ts";
import { layer } from "../support/layers.ts";
import { oddArchive } from "../support/odd-archive.ts";
import { type Answer, ask, traces } from "../support/traces.ts";
import { drydockLayers, mergedLines } from "../support/trees.ts";

const isRoot = hasRoot("layers with owners and devices need root");

let dir: string;
let netns: TestNetns;
let ours: TestDaemon;
let theirs: Dockerd | undefined;

beforeAll(async () => {
  if (!isRoot) return;
  dir = mkdtempSync(join(tmpdir(), "dd-save-"));
  netns = makeNetns();
  [ours, theirs] = await Promise.all([startDaemon({ netns }), hasDockerd ? startDockerd(netns) : undefined]);
});
afterAll(async () => {
  await theirs?.remove();
  if (ours) expect(await ours.remove()).toEqual([]);
  netns?.remove();
  if (dir) rmSync(dir, { recursive: true, force: true });
});

const path = (name: string) => join(dir, name);
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
const importInto = (daemon: TestDaemon, name: string, input: Buffer) =>
  ok(run([...clientWords(daemon), "import", "-", name], { input }));
/** A file of an archive. */
const inArchive = (archive: string, name: string) =>
  spawnSync("tar", ["-xOf", archive, name], { maxBuffer: 64 << 20 }).stdout;
const manifestOf = (archive: string) =>
  JSON.parse(inArchive(archive, "manifest.json").toString()) as {
    Config: string;
    RepoTags: string[] | null;
    Layers: string[];
  }[];

interface Shown {
  Id: string;
  RepoTags: string[];
  RootFS: { Layers: string[] };
}
const shown = async (docker: (...args: string[]) => Promise<Result>, name: string) =>
  (JSON.parse(await ok(docker("image", "inspect", name))) as Shown[])[0] as Shown;

async function ourTree(daemon: TestDaemon, name: string): Promise<string[]> {
  const ids = (await ok(daemon.docker("history", "-q", "--no-trunc", name))).trim().split("\n");
  return mergedLines(drydockLayers(daemon.root, ids));
}

async function theirTree(daemon: Dockerd, name: string): Promise<string[]> {
  const format = "{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}";
  const text = await ok(daemon.docker("image", "inspect", "-f", format, name));
  return mergedLines(
    text
      .trim()
      .split(":")
      .filter((one) => one.startsWith("/")),
  );
}

/** Sends an archive. @param version - as in the path */
function post(archive: Buffer, version: string, query = ""): Promise<Answer & { type: string }> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: ours.socket, method: "POST", path: `${version}/images/load${query}`, agent: false };
    const req = request({ ...options, headers: { "Content-Type": "application/x-tar" } }, (res) => {
      let body = "";
      res.setEncoding("utf8").on("data", (part) => {
        body += part;
      });
      res.on("end", () => resolve({ status: res.statusCode ?? 0, body, type: res.headers["content-type"] ?? "" }));
    });
    req.on("error", reject).end(archive);
  });
}

describe.runIf(isRoot)("one daemon", () => {
  test("save and load: names, ids, several at once, files and streams, for both clients", async () => {
    const id = (await importInto(ours, "one", layer({ name: "a", content: "a" }))).trim();
    await ok(ours.docker("tag", "one", "one:second"));
    const other = (await importInto(ours, "two", layer({ name: "b", content: "b" }))).trim();
    await ok(ours.docker("save", "-o", path("one.tar"), "one"));
    expect(manifestOf(path("one.tar")).map(({ RepoTags }) => RepoTags)).toEqual([["one:latest", "one:second"]]);
    expect(JSON.parse(inArchive(path("one.tar"), "repositories").toString())).toEqual({
      one: { latest: id, second: id },
    });
    expect(inArchive(path("one.tar"), `${id}/VERSION`).toString()).toBe("1.0");
    expect(inArchive(path("one.tar"), `${id}/layer.tar`)).toEqual(layer({ name: "a", content: "a" }));

    const all: Buffer[] = [];
    for (const client of ["docker", "today"] as const) {
      await ok(ours[client]("save", "-o", path(`${client}.tar`), "one:second", "two", id));
      all.push(readFileSync(path(`${client}.tar`)));
    }
    expect(all[0]?.equals(all[1] as Buffer)).toBe(true);
    expect(manifestOf(path("today.tar")).map(({ RepoTags }) => RepoTags)).toEqual([["one:second"], ["two:latest"]]);
    const words = [...netns.prefix, DRYDOCK, "-H", `unix://${ours.socket}`];
    const piped = spawnSync("sh", [
      "-c",
      `"$@" > ${path("piped.tar")}`,
      "sh",
      ...words,
      "save",
      "one:second",
      "two",
      id,
    ]);
    expect(piped.status).toBe(0);
    expect(readFileSync(path("piped.tar")).equals(all[0] as Buffer)).toBe(true);

    for (const client of ["docker", "today"] as const) {
      await ours.docker("rmi", "-f", "one", "one:second", "two");
      expect((await ok(ours.docker("images", "-q"))).trim()).toBe("");
      const said = await ok(ours[client]("load", "-i", path("docker.tar")));
      expect(said).toBe(client === "today" ? "Loaded image: one:second\nLoaded image: two:latest\n" : "");
      expect((await ok(ours.docker("images", "-q", "--no-trunc"))).trim().split("\n").sort()).toEqual(
        [id, other].sort(),
      );
    }
    await ok(ours.docker("rmi", "-f", "one:second", "two"));
    await ok(run([...words, "load"], { input: readFileSync(path("piped.tar")) as unknown as Buffer }));
    expect((await shown(ours.today, "two")).Id).toBe(`sha256:${other}`);

    expect((await ours.docker("save", "nope")).stderr).toMatch(/Error: No such id: nope\n$/);
    expect((await ours.today("save", "-o", path("no.tar"), "nope")).stderr).toContain("No such");
    expect((await ours.docker("save", "-o", path("no/dir.tar"), "one")).stderr).toContain("no such file or directory");
    expect((await ours.docker("save", "-o", path("half.tar"), "one:second", "nope")).code).toBe(1);
    expect(() => statSync(path("half.tar"))).toThrow("ENOENT");
    expect((await ours.docker("load", "-i", path("nofile"))).stderr).toMatch(
      /open .*nofile: no such file or directory\n$/,
    );
    const terminal = spawnSync("script", ["-qec", `${words.join(" ")} save two`, "/dev/null"], { encoding: "utf8" });
    expect(terminal.stdout).toContain("Cowardly refusing to save to a terminal. Use the -o flag or redirect.");
    await ok(ours.docker("rmi", "-f", "one:second", "two"));
    expect(await traces(ours, ours.root, [])).toEqual([]);
  });

  test("load understands every compression, and speaks as its client expects", async () => {
    await importInto(ours, "packed", layer({ name: "c", content: "c" }));
    await ok(ours.docker("save", "-o", path("packed.tar"), "packed"));
    const plain = readFileSync(path("packed.tar"));
    for (const program of ["gzip", "bzip2", "xz", "zstd"]) {
      const { stdout, status } = spawnSync(program, ["-c"], { input: plain, maxBuffer: 64 << 20 });
      if (status === null) {
        console.log(`skipped: ${program} is not installed`);
        continue;
      }
      await ok(ours.docker("rmi", "packed"));
      expect(await post(stdout, "/v1.30", "?quiet=1")).toMatchObject({
        status: 200,
        body: '{"stream":"Loaded image: packed:latest\\n"}\r\n',
      });
    }
    expect(await post(plain, "/v1.14")).toMatchObject({ status: 200, body: "" });
    expect(await post(plain, "/v1.22")).toMatchObject({ status: 200, body: "" });
    await ok(ours.docker("rmi", "packed"));
    const loud = await post(plain, "/v1.23", "?quiet=0");
    expect(loud).toMatchObject({ status: 200, type: "application/json" });
    expect(loud.body).toMatch(/^\{"status":"Loading layer","progressDetail":\{"current":\d+,"total":\d+/);
    expect(await post(Buffer.from("garbage"), "/v1.14")).toMatchObject({ status: 500, body: "EOF\n" });
    expect((await post(Buffer.from("garbage"), "/v1.30")).body).toContain("EOF");
    expect((await ask(ours, "GET", "/v1.30/images/get")).status).toBe(400);
    expect((await ask(ours, "GET", "/v1.30/images/get?names=nope")).status).toBe(404);
    await ok(ours.docker("rmi", "packed"));
  });

  test("layers that lie, and archives that are cut off or given up, leave nothing", async () => {
    const id = "ab".repeat(32);
    const outside = mkdtempSync(join(tmpdir(), "dd-outside-"));
    writeFileSync(join(outside, "file"), "mine");
    const up = `${"../".repeat(12)}${outside.slice(1)}`;
    const hostile = {
      "a name": layer({ name: `${up}/new`, content: "x" }),
      "a symbolic link": layer({ name: "l", type: "2", link: outside }, { name: "l/../../l/new", content: "x" }),
      "a hard link": layer({ name: "h", type: "1", link: `${up}/file` }),
      "a whiteout": layer({ name: `.wh...` }),
      "no archive": Buffer.from("no archive at all".repeat(99)),
      "half an archive": layer({ name: "f", content: "x".repeat(9999) }).subarray(0, 5000),
    };
    const json = JSON.stringify({ id, created: "2014-08-20T20:20:14Z" });
    const base = "cd".repeat(32);
    for (const [what, content] of Object.entries(hostile)) {
      const entries = [
        { name: `${base}/json`, content: JSON.stringify({ id: base, created: "2014-08-20T20:20:14Z" }) },
        { name: `${base}/layer.tar`, content: layer({ name: "ok" }).toString("latin1") },
        { name: `${id}/json`, content: JSON.stringify({ ...JSON.parse(json), parent: base }) },
        { name: `${id}/layer.tar`, content: content.toString("latin1") },
        { name: "repositories", content: JSON.stringify({ bad: { latest: id } }) },
      ];
      const answer = await post(layer(...entries), "/v1.14");
      expect(`${what}: ${answer.status}`).toBe(`${what}: 500`);
      expect(answer.body).toMatch(/tar|EOF|whiteout/);
      expect(await traces(ours, ours.root, []), what).toEqual([]);
      expect(readFileSync(join(outside, "file"), "utf8")).toBe("mine");
    }
    rmSync(outside, { recursive: true });

    const big = layer({ name: `${id}/json`, content: json }, { name: `${id}/layer.tar`, content: "x".repeat(3 << 20) });
    for (const bytes of [600, 1 << 20, 2 << 20]) {
      const socket = connect(ours.socket);
      socket.on("error", () => undefined);
      socket.write(`POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: ${big.length}\r\n\r\n`);
      await new Promise<void>((resolve) => socket.write(big.subarray(0, bytes), () => resolve()));
      socket.destroy();
    }
    await expect.poll(() => traces(ours, ours.root, []), { timeout: 10_000 }).toEqual([]);
    expect((await ok(ours.docker("images", "-aq"))).trim()).toBe("");
  });

  test("many load and save one image at once, and one that stops reading holds up nobody", async () => {
    const big = layer({ name: "big", content: "x".repeat(4 << 20) }, { name: "d", content: "d" });
    const id = (await importInto(ours, "many", big)).trim();
    await ok(ours.docker("save", "-o", path("many.tar"), "many"));
    await ok(ours.docker("rmi", "many"));
    const archive = readFileSync(path("many.tar"));
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(archive, "/v1.30")));
    for (const { body } of answers) expect(body).toBe('{"stream":"Loaded image: many:latest\\n"}\r\n');
    const idle = connect(ours.socket);
    idle.on("error", () => undefined);
    idle.write("GET /images/many/get HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((resolve) => idle.once("readable", resolve));
    const saves = await Promise.all(
      Array.from({ length: 4 }, async (_, i) => {
        await ok(ours.docker("save", "-o", path(`many${i}.tar`), "many"));
        return sha256(readFileSync(path(`many${i}.tar`)));
      }),
    );
    expect(new Set([...saves, sha256(archive)]).size).toBe(1);
    // While it is being read it stays.
    expect((await ours.docker("rmi", "many")).stderr).toContain("something is being made of it");
    idle.destroy();
    await expect.poll(async () => (await ours.docker("rmi", id)).code).toBe(0);
    expect(await traces(ours, ours.root, [])).toEqual([]);
  });

  test("what overlay saved vfs and aufs load, and save again byte for byte", async () => {
    const odd = mkdtempSync(join(dir, "odd-"));
    await importInto(ours, "base", oddArchive(odd));
    const script =
      "rm /d/gone; rm -r /opaque; mkdir /opaque; echo new > /opaque/new; chmod 600 /d/file; ln /d/file /d/more";
    await ok(ours.docker("run", "--net=none", "--name", "maker", "base", "/bin/sh", "-c", script));
    await ok(ours.docker("commit", "maker", "made"));
    await ok(ours.docker("rm", "maker"));
    await ok(ours.docker("save", "-o", path("made.tar"), "made", "base"));
    for (const driver of ["vfs", "aufs"]) {
      const other = await startDaemon({ netns, driver }).catch((cause: unknown) => {
        console.log(`skipped: ${driver}: ${String(cause).slice(0, 200)}`);
        return undefined;
      });
      if (other === undefined) continue;
      try {
        await ok(other.docker("load", "-i", path("made.tar")));
        await ok(other.docker("save", "-o", path(`${driver}.tar`), "made", "base"));
        expect(readFileSync(path(`${driver}.tar`)).equals(readFileSync(path("made.tar"))), driver).toBe(true);
        const script2 = "cat /opaque/new; ls /d/gone /opaque/old 2>&1; stat -c %a /d/file";
        expect(
          await ok(
            other
              .docker("run", "--rm", "--net=none", "made", "/bin/busybox", "sh", "-c", script2)
              .then((r) => ({ ...r, code: 0 })),
          ),
        ).toMatch(/^new\n/);
      } finally {
        expect(await other.remove()).toEqual([]);
      }
    }
    await ok(ours.docker("rmi", "made", "base"));
  });
});

describe.runIf(isRoot && hasDockerd)("beside dockerd 20.10 and skopeo", () => {
  const dockerd = () => theirs as Dockerd;
  const skopeo = (...args: string[]) => ok(run([...netns.prefix, "skopeo", ...args]));

  test("what we make and save, dockerd loads: the same tree and layers; and what it saves we know again", async () => {
    const odd = mkdtempSync(join(dir, "odd-"));
    await importInto(ours, "base", oddArchive(odd));
    const script =
      "rm /d/gone; rm -r /opaque; mkdir /opaque; echo new > /opaque/new; chmod 600 /d/file; echo x >> /etc/passwd";
    await ok(ours.docker("run", "--net=none", "--name", "maker", "-e", "A=b", "base", "/bin/sh", "-c", script));
    const id = (await ok(ours.docker("commit", "-a", "Ann", "-m", "made here", "maker", "made"))).trim();
    await ok(ours.docker("rm", "maker"));
    await ok(ours.docker("save", "-o", path("ours.tar"), "made"));
    expect(await ok(dockerd().docker("load", "-i", path("ours.tar")))).toBe("Loaded image: made:latest\n");
    const [manifest] = manifestOf(path("ours.tar"));
    const there = await shown(dockerd().docker, "made");
    expect(`${there.Id.slice("sha256:".length)}.json`).toBe(manifest?.Config);
    expect(there.RootFS.Layers).toEqual(
      manifest?.Layers.map((name) => `sha256:${sha256(inArchive(path("ours.tar"), name))}`),
    );
    expect(await theirTree(dockerd(), "made")).toEqual(await ourTree(ours, "made"));
    expect(there).toMatchObject({ Author: "Ann", Comment: "made here" });
    const ran = await ok(dockerd().docker("run", "--rm", "--net=none", "made", "sh", "-c", "cat /opaque/new; echo $A"));
    expect(ran).toBe("new\nb\n");

    // Theirs comes back under the digest, ours under its own id.
    await ok(dockerd().docker("save", "-o", path("back.tar"), "made"));
    expect(await ok(ours.today("load", "-i", path("back.tar")))).toContain(
      `renaming the old one with ID sha256:${id} to empty string`,
    );
    expect((await shown(ours.today, "made")).Id).toBe(there.Id);
    expect((await shown(ours.today, "made")).RootFS.Layers).toEqual(there.RootFS.Layers);
    expect(await ourTree(ours, "made")).toEqual(await theirTree(dockerd(), "made"));
    await ok(ours.docker("save", "-o", path("again.tar"), "made"));
    await ok(dockerd().docker("rmi", "made"));
    await ok(dockerd().docker("load", "-i", path("again.tar")));
    expect((await shown(dockerd().docker, "made")).Id).toBe(there.Id);
    await ok(ours.docker("rmi", "-f", "made"));
    await ok(ours.docker("load", "-i", path("ours.tar")));
    expect((await shown(ours.today, "made")).Id).toBe(`sha256:${id}`);
    await ok(ours.docker("rmi", "-f", "made", "base"));
    await ok(dockerd().docker("rmi", "made"));
  });

  test("what dockerd builds and saves, we load, run and save unchanged", async () => {
    const context = path("context");
    mkdirSync(context, { recursive: true });
    spawnSync("cp", ["/usr/bin/busybox", context]);
    writeFileSync(
      join(context, "Dockerfile"),
      'FROM scratch\nADD busybox /bin/busybox\nENV A=b\nRUN ["/bin/busybox", "mkdir", "-p", "/a/b"]\nADD busybox /a/b/c\nLABEL x=y\nCMD ["/bin/busybox"]\n',
    );
    await dockerd().docker("build", "-q", "--network=none", "-t", "built:a", "-t", "built:b", context);
    await ok(dockerd().docker("save", "-o", path("built.tar"), "built"));
    const there = await shown(dockerd().docker, "built:a");
    expect(await ok(ours.today("load", "-i", path("built.tar")))).toBe(
      "Loaded image: built:a\nLoaded image: built:b\n",
    );
    const here = await shown(ours.today, "built:a");
    expect(here).toMatchObject({
      Id: there.Id,
      RepoTags: ["built:a", "built:b"],
      RootFS: { Layers: there.RootFS.Layers },
    });
    expect(await ourTree(ours, "built:a")).toEqual(await theirTree(dockerd(), "built:a"));
    expect(await ok(ours.docker("run", "--rm", "--net=none", "built:a", "/bin/busybox", "echo", "runs"))).toBe(
      "runs\n",
    );
    const history = (docker: (...args: string[]) => Promise<Result>) =>
      ok(docker("history", "--no-trunc", "--format", "{{.CreatedBy}} {{.Size}}", "built:a"));
    expect(await history(ours.today)).toBe(await history(dockerd().docker));
    await ok(ours.docker("save", "-o", path("built2.tar"), "built"));
    const layersOf = (archive: string) =>
      manifestOf(archive)[0]?.Layers.map((name) => sha256(inArchive(archive, name))) ?? [];
    const carried = layersOf(path("built.tar"));
    expect(carried).toHaveLength(there.RootFS.Layers.length);
    expect(layersOf(path("built2.tar"))).toEqual(expect.arrayContaining(carried));
    await ok(dockerd().docker("rmi", "built:a", "built:b"));
    await ok(dockerd().docker("load", "-i", path("built2.tar")));
    expect((await shown(dockerd().docker, "built:b")).Id).toBe(there.Id);

    // An image of ours on top of theirs keeps its base, whoever carries it.
    await ok(ours.docker("run", "--net=none", "--name", "maker", "built:a", "/bin/busybox", "touch", "/new"));
    const id = (await ok(ours.docker("commit", "maker", "child"))).trim();
    await ok(ours.docker("rm", "maker"));
    await ok(ours.docker("save", "-o", path("child.tar"), "child"));
    await ok(dockerd().docker("load", "-i", path("child.tar")));
    expect(await theirTree(dockerd(), "child")).toEqual(await ourTree(ours, "child"));
    expect((await shown(dockerd().docker, "child")).RootFS.Layers.slice(0, -1)).toEqual(there.RootFS.Layers);
    await ok(ours.docker("rmi", "child", "built:a", "built:b"));
    expect((await ok(ours.docker("images", "-aq"))).trim()).toBe("");
    await ok(ours.docker("load", "-i", path("child.tar")));
    expect((await shown(ours.today, "child")).Id).toBe(`sha256:${id}`);
    // The base was not asked for, but it is the one that a name may be given to, as if it had been pulled.
    expect(await ok(ours.today("load", "-i", path("built.tar")))).toContain("Loaded image: built:a");
    expect((await shown(ours.today, "built:a")).Id).toBe(there.Id);
    await ok(ours.docker("rmi", "child", "built:a", "built:b"));
    expect(await traces(ours, ours.root, [])).toEqual([]);
  });

  test("skopeo reads what we save and writes what we load", async () => {
    await writeLayout(path("layout"), [BUSYBOX, { a: "a" }, { b: { link: "a" } }]);
    await skopeo("copy", "-q", `oci:${path("layout")}:latest`, `docker-archive:${path("skopeo.tar")}:sk:v1`);
    const config = manifestOf(path("skopeo.tar"))[0]?.Config as string;
    expect(await ok(ours.today("load", "-i", path("skopeo.tar")))).toBe("Loaded image: sk:v1\n");
    expect((await shown(ours.today, "sk:v1")).Id).toBe(`sha256:${config.replace(".json", "")}`);
    await ok(ours.docker("save", "-o", path("sk.tar"), "sk:v1"));
    await skopeo("copy", "-q", `docker-archive:${path("sk.tar")}:sk:v1`, `dir:${path("copied")}`);
    const copied = JSON.parse(readFileSync(join(path("copied"), "manifest.json"), "utf8")) as {
      config: { digest: string };
    };
    expect(copied.config.digest).toBe(`sha256:${config.replace(".json", "")}`);
    await skopeo("copy", "-q", `docker-archive:${path("sk.tar")}`, `oci:${path("back")}:latest`);
    await ok(ours.docker("rmi", "sk:v1"));
    // The same as a layout of the OCI: it is the same image. A name it has only if there is more than a tag.
    await skopeo("copy", "-q", `oci:${path("back")}:latest`, `oci-archive:${path("oci.tar")}:oci/image:v2`);
    await skopeo("copy", "-q", `oci:${path("back")}:latest`, `oci-archive:${path("tag.tar")}:latest`);
    expect(await ok(ours.today("load", "-i", path("tag.tar")))).toBe(
      `Loaded image ID: sha256:${config.replace(".json", "")}\n`,
    );
    expect(await ok(ours.today("load", "-i", path("oci.tar")))).toBe("Loaded image: oci/image:v2\n");
    expect((await shown(ours.today, "oci/image:v2")).Id).toBe(`sha256:${config.replace(".json", "")}`);
    expect(await ok(ours.docker("run", "--rm", "--net=none", "oci/image:v2", "cat", "/b"))).toBe("a");
    await ok(ours.docker("save", "-o", path("oci-back.tar"), "oci/image:v2"));
    expect(manifestOf(path("oci-back.tar"))[0]?.Config).toBe(config);
    await ok(ours.docker("rmi", "oci/image:v2"));
  });
});

describe.runIf(isRoot)("a large image", () => {
  test("goes in and out with little memory", async () => {
    const id = "ef".repeat(32);
    const size = 200 << 20;
    const head = layer({ name: `${id}/json`, content: JSON.stringify({ id, created: "2014-08-20T20:20:14Z" }) });
    writeFileSync(path("big.head"), head.subarray(0, head.length - 1024));
    mkdirSync(path(id), { recursive: true });
    spawnSync("sh", [
      "-c",
      `head -c ${size} /dev/urandom > ${path("noise")} && tar -C ${dir} -cf ${path(id)}/layer.tar noise`,
    ]);
    const own = await startDaemon({ netns });
    try {
      const send = `(cat ${path("big.head")}; tar -C ${dir} -cf - ${id}/layer.tar) | "$@"`;
      await ok(run(["sh", "-c", send, "sh", ...netns.prefix, DRYDOCK, "-H", `unix://${own.socket}`, "load"]));
      await ok(own.docker("save", "-o", path("big.tar"), id));
      const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${own.process.pid}/status`, "utf8"))?.[1]) / 1024;
      expect(peak).toBeLessThan(200);
      expect(sha256(inArchive(path("big.tar"), `${id}/VERSION`))).toBe(sha256(Buffer.from("1.0")));
      expect(statSync(path("big.tar")).size).toBeGreaterThan(size);
      const digests = spawnSync(
        "sh",
        ["-c", `tar -xOf ${path("big.tar")} ${id}/layer.tar | sha256sum; sha256sum < ${path(id)}/layer.tar`],
        { encoding: "utf8" },
      ).stdout.split("\n");
      expect(digests[0]).toBe(digests[1]);
    } finally {
      expect(await own.remove()).toEqual([]);
    }
  });
});
