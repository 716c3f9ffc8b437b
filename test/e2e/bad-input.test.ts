/**
 * Every kind of bad archive by every way in: refused in clear words, nothing outside touched, nothing half stored.
 */

import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { badLayers, badNames, entries } from "../support/bad-layers.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { endless } from "../support/endless.ts";
import { layer } from "../support/layers.ts";
import { requestBytes, sendRaw } from "../support/raw-http.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { ask } from "../support/traces.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: layers need root");
/** Every kind by every way, which takes minutes; without it each kind comes by three of them and as a context. */
const ALL = process.env["BAD_INPUT"] === "all";
/** What only a programming mistake of ours says. */
const OURS =
  /TypeError|RangeError|SyntaxError|ReferenceError|is not a function|Cannot read prop|call stack|heap|ERR_[A-Z]/;

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const NONE = Buffer.alloc(0);
const GOOD = layer({ name: "in/" }, { name: "in/file", content: "good" });

/** What the registries of this test answer. */
const routes = new Map<string, string | Buffer | ((response: ServerResponse) => void)>();

function serve(request: IncomingMessage, response: ServerResponse): void {
  const found = routes.get(new URL(request.url ?? "", "http://x").pathname);
  if (found === undefined) response.writeHead(404).end();
  else if (typeof found === "function") found(response);
  else response.writeHead(200, { "content-length": Buffer.byteLength(found) }).end(found);
}

async function listen(): Promise<{ server: Server; address: string }> {
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.runIf(isRoot).each(["overlay", "vfs"])("%s", (driver) => {
  const victim = temporaryDirectory("victim-");
  let daemon: TestDaemon;
  let registry: Awaited<ReturnType<typeof listen>>;
  let container: string;

  beforeAll(async () => {
    writeFileSync(join(victim, "file"), "mine", { mode: 0o640 });
    mkdirSync(join(victim, "dir"));
    registry = await listen();
    daemon = await startDaemon({ netns: "none", driver });
    expect((await post("/images/create?fromSrc=-&repo=good", GOOD)).status).toBe(200);
    const made = await ask(daemon, "POST", "/containers/create", { Image: "good", Cmd: ["x"] });
    container = (JSON.parse(made.body) as { Id: string }).Id;
    for (const way of Object.values(WAYS)) await way(GOOD);
    await removeNew();
  });
  afterAll(async () => {
    registry?.server.close();
    if (daemon) expect(await daemon.remove()).toEqual([]);
  });

  const post = (path: string, body: Buffer, method = "POST") =>
    sendRaw(daemon.socket, requestBytes(method, path, { body, headers: { "Content-Type": "application/x-tar" } }));

  /** Two forms of `load`, two of `pull`, and all that takes an archive as it is. */
  const WAYS: Record<string, (bad: Buffer) => Promise<{ status: number; body: string }>> = {
    import: (bad) => post("/images/create?fromSrc=-", bad),
    "import of an address": (bad) => {
      routes.set("/archive", bad);
      return post(`/images/create?fromSrc=http://${registry.address}/archive`, NONE);
    },
    "load of 2014": (bad) => {
      const id = randomBytes(32).toString("hex");
      const json = JSON.stringify({ id, created: "2014-08-20T20:20:14Z" });
      return post(
        "/images/load",
        layer({ name: `${id}/json`, content: json }, { name: `${id}/layer.tar`, bytes: bad }),
      );
    },
    "load of today": (bad) => {
      const { text, digest } = configOf(bad);
      const item = { Config: `${digest}.json`, RepoTags: [], Layers: ["l.tar"] };
      return post(
        "/images/load",
        layer(
          { name: "l.tar", bytes: bad },
          { name: `${digest}.json`, content: text },
          { name: "manifest.json", content: JSON.stringify([item]) },
        ),
      );
    },
    "pull from version 1": (bad) => {
      const id = randomBytes(32).toString("hex");
      const name = `one${id.slice(0, 8)}`;
      routes.delete("/v2/");
      routes.set("/v1/_ping", "true");
      routes.set(`/v1/repositories/${name}/images`, JSON.stringify([{ id }]));
      routes.set(`/v1/repositories/library/${name}/tags`, JSON.stringify({ latest: id }));
      routes.set(`/v1/images/${id}/ancestry`, JSON.stringify([id]));
      routes.set(`/v1/images/${id}/json`, JSON.stringify({ id, created: "2014-08-20T20:20:14Z" }));
      routes.set(`/v1/images/${id}/layer`, bad);
      return post(`/images/create?fromImage=${registry.address}/${name}&tag=latest`, NONE);
    },
    "pull from version 2": (bad) => {
      const { text, digest } = configOf(bad);
      const type = "application/vnd.oci.image";
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: `${type}.manifest.v1+json`,
        config: { mediaType: `${type}.config.v1+json`, digest: `sha256:${digest}`, size: text.length },
        layers: [{ mediaType: `${type}.layer.v1.tar+gzip`, digest: `sha256:${sha256(bad)}`, size: bad.length }],
      });
      routes.set("/v2/", (response) =>
        response.writeHead(200, { "docker-distribution-api-version": "registry/2.0" }).end("{}"),
      );
      routes.set(`/v2/two/manifests/${digest.slice(0, 9)}`, manifest);
      routes.set(`/v2/two/blobs/sha256:${digest}`, text);
      routes.set(`/v2/two/blobs/sha256:${sha256(bad)}`, bad);
      return post(`/images/create?fromImage=${registry.address}/two&tag=${digest.slice(0, 9)}`, NONE);
    },
    "a copy into a container": (bad) => post(`/v1.24/containers/${container}/archive?path=/in`, bad, "PUT"),
    "ADD of an archive": (bad) => {
      const dockerfile = { name: "Dockerfile", content: "FROM good\nADD bad /in/\n" };
      return post("/build?nocache=1&rm=1", layer(dockerfile, { name: "bad", bytes: bad }));
    },
  };
  const build = (context: Buffer) => post("/build?nocache=1&rm=1", context);

  /** A configuration whose only layer is this one. */
  function configOf(bytes: Buffer): { text: string; digest: string } {
    let plain: Uint8Array = bytes;
    if (bytes[0] === 0x1f) {
      try {
        plain = gunzipSync(bytes);
      } catch {
        // It will not come to that.
      }
    }
    const rootfs = { type: "layers", diff_ids: [`sha256:${sha256(plain)}`] };
    const text = JSON.stringify({ architecture: "amd64", os: "linux", rootfs, salt: randomBytes(4).toString("hex") });
    return { text, digest: sha256(text) };
  }

  /** Removes every image that came after the good one. */
  async function removeNew(): Promise<void> {
    const rows = JSON.parse((await ask(daemon, "GET", "/images/json?all=1")).body) as {
      Id: string;
      RepoTags: string[];
    }[];
    for (const { Id, RepoTags } of rows)
      if (!RepoTags.includes("good:latest")) await ask(daemon, "DELETE", `/images/${Id}?force=1`);
  }

  /** All that is stored, but for what is in the container. */
  function stored(): string {
    const names = execFileSync(
      "find",
      [
        daemon.root,
        "-path",
        `*/${container}*`,
        "-prune",
        "-o",
        "-type",
        "f",
        "-printf",
        "%P %s\\n",
        "-o",
        "-printf",
        "%P %y\\n",
      ],
      { encoding: "utf8", maxBuffer: 64 << 20 },
    );
    const lists = ["repositories", "digests"].map((name) => {
      try {
        return readFileSync(join(daemon.root, `${name}-${driver}`), "utf8");
      } catch {
        return "";
      }
    });
    const own = (line: string) => /^(?:overlay\/l\/|linkgraph)/.test(line);
    return [
      ...names
        .split("\n")
        .filter((line) => !own(line))
        .sort(),
      ...lists,
    ].join("\n");
  }

  /** Everything about the victim: also when its inodes were last changed. */
  const outside = () =>
    execFileSync(
      "find",
      [victim, "-printf", "%P %y %m %U:%G %n %s %T@ %C@\\n", "-type", "f", "-exec", "cat", "{}", ";"],
      {
        encoding: "utf8",
      },
    );

  test("refused in clear words, nothing outside touched, nothing half stored", async () => {
    const [before, safe] = [stored(), outside()];
    const failures: string[] = [];
    // What the drivers differ in is how a layer is unpacked; what the ways differ in is not what is in the archive.
    const kinds = Object.entries(driver === "overlay" ? badLayers(victim) : badNames(victim));
    const all = Object.entries(WAYS);
    const waysOf = (index: number) =>
      driver === "vfs" ? all.slice(0, 1) : ALL ? all : [0, 3, 5].map((step) => all[(index + step) % all.length]!);
    const check = (what: string, says: RegExp | undefined, answer: { status: number; body: string }) => {
      const refused = answer.status >= 400 || answer.body.includes('"error"') || answer.body.includes("errorDetail");
      const text = answer.body.slice(0, 600);
      if (refused !== (says !== undefined) || says?.test(answer.body) === false) failures.push(`${what}: ${text}`);
      if (OURS.test(text)) failures.push(`${what}: ${text}`);
    };
    const settled = async (what: string) => {
      await removeNew();
      if (outside() !== safe) failures.push(`${what}: the victim has changed`);
      const now = stored();
      if (now === before) return;
      const old = new Set(before.split("\n"));
      failures.push(`${what}: ${now.split("\n").filter((line) => !old.has(line))} is new`);
    };
    for (const [index, [kind, bad]] of kinds.entries()) {
      const layerOnly = kind === "a device that hides" && driver === "vfs" ? undefined : bad.says;
      for (const [way, send] of waysOf(index)) {
        const answer = await send(bad.make(NONE));
        // A file that is no archive is copied; a container's files may be anything that its file system can hold.
        if (/^(?:ADD|a copy)/.test(way)) expect(answer.body).not.toMatch(OURS);
        else check(`${kind}, ${way}`, layerOnly, answer);
      }
      const dockerfile = entries({ name: "Dockerfile", content: "FROM good\nMAINTAINER me\n" });
      const says = "saysOfFiles" in bad ? bad.saysOfFiles : bad.says;
      check(`${kind}, a context`, says, await build(bad.make(dockerfile)));
      await settled(kind);
    }
    expect(failures).toEqual([]);
    for (const [way, send] of Object.entries(WAYS)) {
      const answer = await send(GOOD);
      expect(`${way}: ${answer.status} ${/"error/.test(answer.body)}`).toMatch(/: 20\d false$/);
    }
  }, 300_000);

  // What a registry says does not depend on the driver.
  if (driver === "overlay")
    test("documents without end are cut, and so are the connections", async () => {
      const before = stored();
      const id = sha256("endless");
      const digest = `sha256:${id}`;
      const type = "application/vnd.oci.image";
      const manifest = (config: number, layerBytes: number) =>
        JSON.stringify({
          schemaVersion: 2,
          mediaType: `${type}.manifest.v1+json`,
          config: { mediaType: `${type}.config.v1+json`, digest, size: config },
          layers: [{ mediaType: `${type}.layer.v1.tar`, digest, size: layerBytes }],
        });
      const { text, digest: config } = configOf(layer({ name: "in/" }, { name: "in/never", content: "seen" }));
      const wholeConfig = manifest(text.length, 5000).replace(digest, `sha256:${config}`);
      const v1: Record<string, string> = {
        "/v1/_ping": "true",
        "/v1/repositories/e/images": JSON.stringify([{ id }]),
        "/v1/repositories/library/e/tags": JSON.stringify({ latest: id }),
        [`/v1/images/${id}/ancestry`]: JSON.stringify([id]),
        [`/v1/images/${id}/json`]: JSON.stringify({ id, created: "2014-08-20T20:20:14Z" }),
        [`/v1/images/${id}/layer`]: GOOD.toString("latin1"),
      };
      const [page, manifests] = ["/v2/e/tags/list", "/v2/e/manifests/latest"];
      const cases: [path: string, answers: Record<string, string>, says: RegExp][] = [
        ["/v1/repositories/e/images", v1, /the list of images of e: it is longer than 20971520 bytes/],
        ["/v1/repositories/library/e/tags", v1, /the tags of e: it is longer than 20971520 bytes/],
        [`/v1/images/${id}/ancestry`, v1, /the history of \w+: it is longer than 4194304 bytes/],
        [`/v1/images/${id}/layer`, v1, /invalid tar header/],
        [manifests, {}, /the manifest of \S+ it is longer than 4194304 bytes/],
        [`/v2/e/blobs/${digest}`, { [manifests]: manifest(500, 500) }, /is longer than the 500 bytes of its manifest/],
        [
          `/v2/e/blobs/${digest}`,
          { [manifests]: wholeConfig, [`/v2/e/blobs/sha256:${config}`]: text },
          /is longer than the 5000 bytes of its manifest|invalid tar header/,
        ],
        [page, {}, /the tags of \S+ it is longer than 20971520 bytes/],
      ];
      for (const [path, answers, says] of cases) {
        routes.clear();
        if (path.startsWith("/v2/"))
          routes.set("/v2/", (response) =>
            response.writeHead(200, { "docker-distribution-api-version": "registry/2.0" }).end("{}"),
          );
        for (const [name, body] of Object.entries(answers)) routes.set(name, body);
        const ended = new Promise<number>((resolve) => routes.set(path, (response) => resolve(endless(response))));
        const tag = path === page ? "" : "&tag=latest";
        const answer = await post(`/images/create?fromImage=${registry.address}/e${tag}`, NONE);
        expect(answer.body, path).toMatch(says);
        expect(answer.body, path).not.toMatch(OURS);
        expect(await ended, path).toBeLessThan(64 << 20);
        expect(stored(), path).toBe(before);
      }
    }, 120_000);
});
