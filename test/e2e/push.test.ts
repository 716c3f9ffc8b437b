/**
 * Pushing, and what others make of it: Debian's docker-registry, skopeo, dockerd 20.10; both versions of registries, and
 * such that misbehave or stop in the middle.
 */

import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RegistryV1 } from "../../chapters/lib/registry-v1.ts";
import { type RunningServer, serve } from "../../chapters/lib/serve.ts";
import { makeAuthority, sign, writeCertificates } from "../support/certificates.ts";
import { ok } from "../support/commands.ts";
import {
  clientWords,
  DRYDOCK,
  hasRoot,
  listDir,
  makeNetns,
  run,
  startDaemon,
  type TestDaemon,
  type TestNetns,
} from "../support/daemon.ts";
import { type Dockerd, hasDockerd, startDockerd } from "../support/dockerd.ts";
import { type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";
import { BUSYBOX, startRegistry, type TestRegistry, writeLayout } from "../support/images.ts";
import { oddArchive } from "../support/odd-archive.ts";
import { startProxy } from "../support/proxy.ts";
import { drydockLayers, mergedLines } from "../support/trees.ts";

const isRoot = hasRoot("what is compared with dockerd needs root");
const driver = isRoot ? "overlay" : "vfs";
const CLIENTS = ["docker", "today"] as const;

const DIGEST = /sha256:[0-9a-f]{64}/;
const digestIn = (text: string) => DIGEST.exec(text)?.[0];

/** Names on disk of images: in the graph, and in the driver. */
function onDisk(root: string): string[] {
  const layers = driver === "vfs" ? join(root, "vfs/dir") : join(root, "overlay");
  const isId = (name: string) => /^[0-9a-f]{64}/.test(name);
  const graph = listDir(join(root, "graph")).filter((name) => name !== "_tmp");
  return [...graph, ...listDir(join(root, "graph/_tmp")), ...listDir(layers).filter(isId)];
}

describe.runIf(isRoot && hasDockerd)("beside dockerd 20.10 and skopeo", () => {
  let dir: string;
  let netns: TestNetns;
  let registry: TestRegistry;
  let ours: TestDaemon;
  let theirs: Dockerd;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "push-"));
    netns = makeNetns();
    registry = await startRegistry(netns.prefix);
    [ours, theirs] = await Promise.all([startDaemon({ netns, driver }), startDockerd(netns)]);
  });

  afterAll(async () => {
    await theirs?.remove();
    await registry?.stop();
    if (ours) expect(await ours.remove()).toEqual([]);
    netns?.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  const inside = (...words: string[]) => run([...netns.prefix, ...words]);
  const address = (name: string) => `${registry.address}/${name}`;
  const skopeo = (command: string, ...args: string[]) => inside("skopeo", command, ...args);
  const digestOf = async (name: string): Promise<string> =>
    JSON.parse(await ok(skopeo("inspect", "--tls-verify=false", `docker://${address(name)}`))).Digest;

  async function ourTree(name: string): Promise<string[]> {
    const ids = (await ok(ours.docker("history", "-q", "--no-trunc", name))).trim().split("\n");
    return mergedLines(drydockLayers(ours.root, ids));
  }

  async function theirTree(name: string): Promise<string[]> {
    const format = "{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}";
    const text = await ok(theirs.docker("image", "inspect", "-f", format, name));
    return mergedLines(
      text
        .trim()
        .split(":")
        .filter((path) => path.startsWith("/")),
    );
  }

  test("what we make and push, dockerd pulls: the same tree, configuration and digest, and pushes back unchanged", async () => {
    const odd = mkdtempSync(join(dir, "odd-"));
    const words = clientWords(ours);
    await ok(run([...words, "import", "-", "base"], { input: oddArchive(odd) }));
    const script =
      "rm /d/gone; rm -r /opaque; mkdir /opaque; echo new > /opaque/new; chmod 600 /d/file; echo x >> /etc/passwd";
    await ok(ours.docker("run", "--net=none", "--name", "maker", "-e", "A=b", "base", "/bin/sh", "-c", script));
    const id = (await ok(ours.docker("commit", "-a", "Ann", "-m", "made here", "maker", address("made")))).trim();

    for (const [i, client] of CLIENTS.entries()) {
      const out = await ok(ours[client]("push", address(`made:${"latest"}`)));
      expect(out).toContain(`latest: digest: ${await digestOf("made")} size: `);
      if (client === "today") expect(out).toMatch(i === 0 ? /: Pushed/ : /: Layer already exists/);
    }
    const digest = await digestOf("made");
    expect(await ok(ours.today("images", "--digests"))).toContain(digest);
    expect(await ok(theirs.docker("pull", address("made")))).toContain(`Digest: ${digest}`);
    expect(await theirTree(address("made"))).toEqual(await ourTree(address("made")));
    const shown = JSON.parse(await ok(theirs.docker("image", "inspect", address("made"))))[0];
    expect(shown).toMatchObject({
      Author: "Ann",
      Comment: "made here",
      Architecture: process.arch === "x64" ? "amd64" : process.arch,
    });
    expect(shown.Config.Env).toContain("A=b");
    expect(shown.Config.Cmd).toEqual(["/bin/sh", "-c", script]);
    expect(shown.RootFS.Layers).toHaveLength(2);
    const history = await ok(theirs.docker("history", "--no-trunc", "--format", "{{.CreatedBy}}|", address("made")));
    expect(history).toBe(`/bin/sh -c ${script}|\n|\n`);

    // Their copy goes back under the digest it came with, and from there to us, who know its layers but not its name.
    await ok(theirs.docker("tag", address("made"), address("theirs/made")));
    await ok(theirs.docker("push", address("theirs/made")));
    expect(await digestOf("theirs/made")).toBe(digest);
    expect(await ok(ours.docker("pull", address("theirs/made")))).toContain(digest);
    expect(await ourTree(address("theirs/made"))).toEqual(await ourTree(id));
  });

  test("what dockerd makes and pushes, we pull and push elsewhere under the same digest", async () => {
    const context = join(dir, "context");
    mkdirSync(context, { recursive: true });
    copyFileSync("/usr/bin/busybox", join(context, "busybox"));
    writeFileSync(
      join(context, "Dockerfile"),
      'FROM scratch\nADD busybox /bin/busybox\nENV A=b\nRUN ["/bin/busybox", "mkdir", "-p", "/a/b"]\nADD busybox /a/b/c\nEXPOSE 80\nCMD ["/bin/busybox"]\n',
    );
    await ok(
      theirs
        .docker("build", "-q", "--network=none", "-t", address("built"), context)
        .then((r) => ({ ...r, stderr: "" })),
    );
    await ok(theirs.docker("push", address("built")));
    const digest = await digestOf("built");
    expect(await ok(ours.docker("pull", address("built")))).toContain(`Digest: ${digest}`);
    expect(await ourTree(address("built"))).toEqual(await theirTree(address("built")));
    await ok(ours.docker("tag", address("built"), address("elsewhere/built")));
    const out = await ok(ours.today("push", address("elsewhere/built")));
    expect(out).toMatch(/: Mounted from built/);
    expect(await digestOf("elsewhere/built")).toBe(digest);

    // Where nothing of it is known, the layers are compressed anew: other blobs, the same image.
    const other = await startRegistry(netns.prefix);
    try {
      const name = `${other.address}/built:latest`;
      await ok(ours.docker("tag", address("built"), name));
      await ok(ours.docker("push", name));
      await ok(theirs.docker("pull", name));
      expect(await theirTree(name)).toEqual(await theirTree(address("built")));
      const cmd = await ok(theirs.docker("image", "inspect", "-f", "{{json .Config}}", name));
      expect(cmd).toBe(await ok(theirs.docker("image", "inspect", "-f", "{{json .Config}}", address("built"))));
      const ids = await Promise.all(
        [name, address("built")].map((each) => ok(theirs.docker("image", "inspect", "-f", "{{.Id}}", each))),
      );
      expect(ids[0]).toBe(ids[1]);
      await ok(theirs.docker("rmi", name));
    } finally {
      await other.stop();
    }
  });

  test("skopeo copies what we push, and what it pushes in either form goes through us unchanged", async () => {
    const copy = join(dir, "copy");
    await ok(skopeo("copy", "-q", "--src-tls-verify=false", `docker://${address("made")}`, `dir:${copy}`));
    const manifest = readFileSync(join(copy, "manifest.json"));
    expect(manifest.length).toBeGreaterThan(0);
    for (const format of ["oci", "v2s2"] as const) {
      const name = `skopeo/${format}`;
      await registry.push(name, [BUSYBOX, { [format]: format }], { format });
      const digest = await digestOf(name);
      await ok(ours.docker("pull", address(`${name}:latest`)));
      await ok(ours.docker("tag", address(name), address(`again/${format}:v1`)));
      expect(digestIn(await ok(ours.docker("push", address(`again/${format}:v1`))))).toBe(digest);
      expect(await digestOf(`again/${format}:v1`)).toBe(digest);
      expect(await ok(ours.today("pull", address(`again/${format}@${digest}`)))).toContain(`Digest: ${digest}`);
    }
  });

  test("all tags go when none is named, and all come", async () => {
    for (const tag of ["a", "b", "c"]) await ok(ours.docker("tag", address("made"), address(`many:${tag}`)));
    await ok(ours.docker("push", address("many")));
    const list = JSON.parse(await ok(skopeo("list-tags", "--tls-verify=false", `docker://${address("many")}`)));
    expect(list.Tags.sort()).toEqual(["a", "b", "c"]);
    await ok(theirs.docker("pull", "-a", address("many")));
    const format = ["images", "--format", "{{.Tag}}", address("many")];
    expect((await ok(theirs.docker(...format))).trim().split("\n").sort()).toEqual(["a", "b", "c"]);
  });

  test("an image for another processor is refused by name", async () => {
    const layout = join(dir, "foreign");
    await writeLayout(layout, [{ file: "x" }], { document: { architecture: "s390x" } });
    await ok(skopeo("copy", "-q", "--dest-tls-verify=false", `oci:${layout}:latest`, `docker://${address("foreign")}`));
    for (const client of CLIENTS) {
      const refused = await ours[client]("pull", address("foreign:latest"));
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/linux\/s390x/);
    }
  });

  test("a registry with a private authority, client certificates and passwords: login, push, pull, logout; also through a proxy", async () => {
    const OUTSIDE = "10.92.0.1";
    await inside("ip", "addr", "add", `${OUTSIDE}/24`, "dev", "lo");
    const ca = await makeAuthority("private authority");
    writeCertificates(dir, ca, await sign(ca, "registry", [OUTSIDE]));
    const secure = await startRegistry(netns.prefix, {
      host: OUTSIDE,
      tls: { cert: join(dir, "cert.pem"), key: join(dir, "key.pem"), clientCa: join(dir, "ca.pem") },
      htpasswd: "ann:$2b$05$O0Kl7ULMZ4sWPFPCZXMpD.mi2NLpVUgFuTmcICSfdMxIn3IJ20c0a",
    });
    const certs = join("/etc/docker/certs.d", secure.address);
    const made = mkdirSync(certs, { recursive: true });
    const proxy = await startProxy(netns.prefix);
    const env = { HTTPS_PROXY: `http://out:going@${proxy.address}`, NO_PROXY: "other.example" };
    const behind = await startDaemon({ netns, driver: "vfs", env });
    try {
      copyFileSync(join(dir, "ca.pem"), join(certs, "ca.crt"));
      const unknown = await ours.docker("pull", `${secure.address}/x:latest`);
      expect(unknown.code).toBe(1);
      expect(unknown.stderr).toMatch(/certificate/);
      expect(unknown.stderr.trim().split("\n")).toHaveLength(1);
      const mine = await sign(ca, "client");
      writeFileSync(join(certs, "client.cert"), mine.cert);
      const half = await ours.docker("pull", `${secure.address}/x:latest`);
      expect(half.stderr).toContain("Missing key client.key for certificate client.cert");
      writeFileSync(join(certs, "client.key"), mine.key);
      for (const client of CLIENTS) {
        const name = `${secure.address}/${client}:latest`;
        await ok(ours.docker("tag", address("made"), name));
        const refused = await ours[client]("push", name);
        expect(refused.code).not.toBe(0);
        expect(refused.stderr).toMatch(/no basic auth credentials|unauthorized/);
        const email = client === "docker" ? ["-e", "ann@example.com"] : [];
        const login = (password: string) =>
          ours[client]("login", "-u", "ann", "-p", password, ...email, secure.address);
        expect((await login("guess")).stderr).toContain("Wrong login/password, please try again");
        expect((await login("s3cret")).stdout).toContain("Login Succeeded");
        const digest = digestIn(await ok(ours[client]("push", name)));
        await ok(ours.docker("rmi", name));
        expect(await ok(ours[client]("pull", name))).toContain(`Digest: ${digest}`);
        expect(await ourTree(name)).toEqual(await ourTree(address("made")));

        // The other daemon has no way there but the proxy, which hears nothing of what is said.
        proxy.asked.length = 0;
        for (const file of client === "docker" ? [".dockercfg"] : [".docker/config.json"]) {
          mkdirSync(dirname(join(behind.dir, file)), { recursive: true });
          copyFileSync(join(ours.dir, file), join(behind.dir, file));
        }
        expect(await ok(behind[client]("pull", name))).toContain(`Digest: ${digest}`);
        await ok(behind.docker("tag", name, `${secure.address}/behind/${client}:v1`));
        expect(await ok(behind[client]("push", `${secure.address}/behind/${client}:v1`))).toContain(`${digest}`);
        const tunnel = `CONNECT ${secure.address} Basic ${btoa("out:going")}`;
        expect([...new Set(proxy.asked)]).toEqual([tunnel]);

        await ok(ours[client]("logout", secure.address));
        expect((await ours[client]("push", name)).code).not.toBe(0);
      }
      for (const daemon of [ours, behind]) expect(daemon.log()).not.toMatch(/s3cret|going/);
    } finally {
      await secure.stop();
      await proxy.stop();
      rmSync(made ?? certs, { recursive: true, force: true });
      expect(await behind.remove()).toEqual([]);
    }
  });

  test("a client that leaves in mid-push ends it, and nothing stays", async () => {
    const name = address("left");
    const noise = spawnSync(
      "sh",
      ["-c", "d=$(mktemp -d); cd $d; head -c 20000000 /dev/urandom > x; tar -cf - x; rm -r $d"],
      {
        maxBuffer: 64 << 20,
      },
    ).stdout;
    const words = clientWords(ours);
    await ok(run([...words, "import", "-", name], { input: noise }));
    const [command = "", ...args] = [...words, "push", name];
    const client = spawn(command, args, { stdio: "ignore" });
    await expect.poll(() => listDir(join(ours.root, "graph/_tmp")), { interval: 5 }).not.toEqual([]);
    client.kill("SIGKILL");
    await expect.poll(() => listDir(join(ours.root, "graph/_tmp"))).toEqual([]);
    await expect.poll(() => ours.docker("push", name).then(({ code }) => code)).toBe(0);
    await ok(ours.docker("rmi", name));
  });
});

describe("registries of this process", () => {
  let registry: TestRegistry;
  let faulty: FaultyRegistry;
  let daemon: TestDaemon;
  const servers: RunningServer[] = [];

  beforeAll(async () => {
    registry = await startRegistry();
    faulty = await startFaultyRegistry(registry.address);
    daemon = await startDaemon({ netns: "none", driver });
    await registry.push("base", [BUSYBOX, { "a/1": "one" }]);
    await ok(daemon.docker("pull", `${registry.address}/base:latest`));
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await faulty?.stop();
    await registry?.stop();
    if (daemon) expect(await daemon.remove()).toEqual([]);
  });

  /** An image of one layer of a megabyte that no registry has. @returns its id */
  async function fresh(name: string): Promise<string> {
    const dir = mkdtempSync(join(tmpdir(), "fresh-"));
    try {
      const words = `head -c 1000000 /dev/urandom > noise; tar -cf - noise`;
      const tar = spawnSync("sh", ["-c", words], { cwd: dir, maxBuffer: 8 << 20 });
      const id = await ok(run([DRYDOCK, "-H", `unix://${daemon.socket}`, "import", "-", name], { input: tar.stdout }));
      return id.trim();
    } finally {
      rmSync(dir, { recursive: true });
    }
  }

  test("version 1: what is pushed with either client is pulled again, with the same ids and files", async () => {
    for (const client of CLIENTS) {
      const v1 = new RegistryV1({ user: { username: "ann", password: "s3cret" }, tokens: true, standalone: false });
      const server = await serve(v1.handle);
      servers.push(server);
      const name = `${server.authority}/drydock/app`;
      const base = `${registry.address}/base`;
      await ok(daemon.docker("tag", base, `${name}:one`));
      await ok(daemon.docker("tag", base, `${name}:two`));
      const refused = await daemon[client]("push", `${name}:one`);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("Error: Status 401 trying to push repository drydock/app");
      const auth = { auth: btoa("ann:s3cret"), email: "a@b.example" };
      writeFileSync(join(daemon.dir, ".dockercfg"), JSON.stringify({ [server.authority]: auth }));
      mkdirSync(join(daemon.dir, ".docker"), { recursive: true });
      writeFileSync(join(daemon.dir, ".docker/config.json"), JSON.stringify({ auths: { [server.authority]: auth } }));
      const out = await ok(daemon[client]("push", ...(client === "docker" ? [name] : ["-a", name])));
      expect(out).toContain("Sending image list");
      expect(out).toContain(`Pushing repository ${name} (2 tags)`);
      const ids = (await ok(daemon.docker("history", "-q", "--no-trunc", base))).trim().split("\n");
      expect([...v1.images.keys()].reverse()).toEqual(ids);
      const again = await ok(daemon[client]("push", `${name}:two`));
      for (const id of ids) expect(again).toContain(`Image ${id.slice(0, 12)} already pushed, skipping`);

      const second = await startDaemon({ netns: "none", driver });
      try {
        copyFileSync(join(daemon.dir, ".dockercfg"), join(second.dir, ".dockercfg"));
        await ok(second.docker("pull", name));
        expect((await ok(second.docker("history", "-q", "--no-trunc", `${name}:two`))).trim().split("\n")).toEqual(ids);
        if (driver === "overlay") {
          const trees = [daemon, second].map(({ root }) => mergedLines(drydockLayers(root, ids)));
          expect(trees[0]).toEqual(trees[1]);
        }
      } finally {
        expect(await second.remove()).toEqual([]);
      }
    }
  });

  test("an upload that breaks off goes on where the registry has got to", async () => {
    await fresh(`${faulty.address}/broken`);
    let cuts = 0;
    faulty.requests.length = 0;
    faulty.fault = (request) => (/^PATCH/.test(request) && cuts++ < 2 ? { cutUploadAt: 300_000 } : undefined);
    await ok(daemon.docker("push", `${faulty.address}/broken`));
    faulty.fault = () => undefined;
    expect(faulty.requests.filter((request) => /^GET .*uploads/.test(request))).toHaveLength(2);
    await ok(daemon.docker("rmi", `${faulty.address}/broken`));
    await ok(daemon.docker("pull", `${faulty.address}/broken`));
  });

  test.each([
    ["no uploads at all", /^POST/, { status: 405 }, /^Post .*HTTP status 405/],
    ["5xx for every piece", /^PATCH/, { status: 503 }, /^Patch .*HTTP status 503/],
    ["uploads that always break", /^PATCH/, { cutUploadAt: 0 }, /^Patch .*(reset|EOF|hang up|closed)/],
    [
      "an upload sent round in circles",
      /^POST/,
      { redirect: "/v2/hostile/blobs/uploads/" },
      /stopped after 10 redirects/,
    ],
    [
      "an upload sent to another scheme",
      /^POST/,
      { redirect: "ftp://127.0.0.1/" },
      /unsupported protocol scheme "ftp"/,
    ],
    ["a blob that is refused", /^PUT .*uploads/, { status: 400 }, /^Put .*HTTP status 400/],
    [
      "a manifest stored under another digest",
      /^PUT .*manifests/,
      { headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } },
      /stored "sha256:0000/,
    ],
    ["an upload without a place", /^POST/, { headers: { location: "" } }, /does not say where/],
  ] as const)(
    "%s: one clear line, the right exit code, nothing left",
    async (_name, match, fault, text) => {
      const name = `${faulty.address}/hostile`;
      await fresh(name);
      const before = onDisk(daemon.root);
      faulty.fault = (request) => (match.test(request) ? (fault as never) : undefined);
      const result = await daemon.docker("push", name);
      faulty.fault = () => undefined;
      expect(result.code).toBe(1);
      expect(result.stderr.replace(/^\S+ \S+ /, "")).toMatch(text);
      expect(result.stderr.trim().split("\n")).toHaveLength(1);
      expect(onDisk(daemon.root)).toEqual(before);
      expect((await daemon.docker("push", name)).code).toBe(0);
      expect((await daemon.docker("rmi", name)).code).toBe(0);
    },
    180_000,
  );

  test("a pull that is sent round in circles, comes slowly, or breaks off: one clear line, patience, or another try", async () => {
    const name = `${faulty.address}/circle:latest`;
    await registry.push("circle", [{ "a/1": `circle ${Date.now()}` }]);
    faulty.fault = (request) => (/^GET .*blobs/.test(request) ? { redirect: request.slice(4), with: 302 } : undefined);
    const circle = await daemon.docker("pull", name);
    expect(circle).toMatchObject({ code: 1 });
    expect(circle.stderr).toMatch(/stopped after 10 redirects/);
    faulty.fault = (request) =>
      /^GET .*blobs/.test(request)
        ? { holdAfter: 20, release: new Promise((resolve) => setTimeout(resolve, 300)) }
        : undefined;
    await ok(daemon.docker("pull", name));
    await ok(daemon.docker("rmi", name));
    let cuts = 0;
    faulty.ranges.length = 0;
    faulty.fault = (request) => (/^GET .*blobs/.test(request) && cuts++ < 2 ? { truncateTo: 50 } : undefined);
    await ok(daemon.docker("pull", name));
    expect(faulty.ranges).toEqual(["bytes=50-", "bytes=100-"]);
    faulty.fault = () => undefined;
    await ok(daemon.docker("rmi", name));
  });
});
