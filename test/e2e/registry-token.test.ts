/**
 * Debian's docker-registry behind a token service, and as a mirror that fetches what it does not have; both clients.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeAuthority, type Pair } from "../support/certificates.ts";
import { ok } from "../support/commands.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { startFaultyRegistry } from "../support/faulty-registry.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";
import { startTokenServer, type TokenServer } from "../support/token-server.ts";

const CLIENTS = ["docker", "today"] as const;
const SERVICE = "token.test";

let dir: string;
let pair: Pair;
let tokens: TokenServer;
let open: TestRegistry;
let registry: TestRegistry;
let daemon: TestDaemon;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "tokens-"));
  pair = await makeAuthority("token service");
  const bundle = join(dir, "bundle.pem");
  writeFileSync(bundle, pair.cert);
  tokens = await startTokenServer(pair, SERVICE, { ann: "s3cret" });
  open = await startRegistry();
  registry = await startRegistry([], { token: { realm: tokens.realm, service: SERVICE, bundle } });
  daemon = await startDaemon({ netns: "none", driver: "vfs" });
  await open.push("base", [BUSYBOX, { "a/1": "one" }]);
  await ok(daemon.docker("pull", `${open.address}/base:latest`));
});

afterAll(async () => {
  if (daemon) expect(await daemon.remove()).toEqual([]);
  for (const server of [registry, open, tokens]) await server?.stop();
  rmSync(dir, { recursive: true, force: true });
});

function logIn(): void {
  const entry = { [registry.address]: { auth: btoa("ann:s3cret"), email: "a@b.example" } };
  writeFileSync(join(daemon.dir, ".dockercfg"), JSON.stringify(entry));
  mkdirSync(join(daemon.dir, ".docker"), { recursive: true });
  writeFileSync(join(daemon.dir, ".docker/config.json"), JSON.stringify({ auths: entry }));
}

function logOut(): void {
  for (const file of [".dockercfg", ".docker"]) rmSync(join(daemon.dir, file), { recursive: true, force: true });
}

test.each(CLIENTS)("%s: a token for each thing that is done, asked for again when it ends", async (client) => {
  const name = (repository: string) => `${registry.address}/${client}/${repository}:v1`;
  for (const repository of ["one", "two"]) await ok(daemon.docker("tag", `${open.address}/base`, name(repository)));
  logOut();
  const refused = await daemon[client]("push", name("one"));
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/denied|unauthorized/);
  expect(refused.stderr.trim().split("\n")).toHaveLength(1);
  const login = (password: string) => {
    const email = client === "docker" ? ["-e", "ann@example.com"] : [];
    return daemon[client]("login", "-u", "ann", "-p", password, ...email, registry.address);
  };
  expect((await login("guess")).stderr).toContain("Wrong login/password, please try again");
  logIn();
  // So short that every request needs one of its own.
  for (const life of [300, 1]) {
    tokens.life = life;
    tokens.given.length = 0;
    await ok(daemon[client]("push", name("one")));
    expect(tokens.given[0]).toEqual([`repository:${client}/one:pull,push`]);
    const plain = tokens.given.filter((scopes) => scopes.length === 1);
    if (life === 300) expect(plain).toHaveLength(1);
    else expect(plain.length).toBeGreaterThan(1);
  }
  tokens.life = 300;
  // Another repository: its layers are mounted, which takes a token for both.
  tokens.given.length = 0;
  const mounted = await ok(daemon[client]("push", name("two")));
  if (client === "today") expect(mounted).toContain(`Mounted from ${client}/one`);
  expect(tokens.given).toContainEqual([`repository:${client}/two:pull,push`, `repository:${client}/one:pull`]);
  // Who is nobody may still pull.
  logOut();
  await ok(daemon.docker("rmi", name("one"), name("two")));
  tokens.given.length = 0;
  await ok(daemon[client]("pull", name("two")));
  expect(tokens.given).toEqual([[`repository:${client}/two:pull`]]);
  await ok(daemon.docker("rmi", name("two")));
});

test("a registry that fetches what it does not have is a mirror like any other, also when what is behind it breaks off", async () => {
  await open.push("library/far", [{ "from/afar": "x".repeat(10_000) }]);
  const faulty = await startFaultyRegistry(open.address);
  const mirror = await startRegistry([], { mirrorOf: faulty.address });
  const mirrored = await startDaemon({
    netns: "none",
    driver: "vfs",
    args: [`--registry-mirror=http://${mirror.address}`],
  });
  try {
    let cuts = 0;
    faulty.fault = (request) => (/^GET .*blobs/.test(request) && cuts++ < 2 ? { truncateTo: 50 } : undefined);
    for (const client of CLIENTS) {
      await ok(mirrored[client]("pull", "far:latest"));
      await ok(mirrored.docker("rmi", "far"));
    }
    expect(cuts).toBeGreaterThan(1);
  } finally {
    expect(await mirrored.remove()).toEqual([]);
    await mirror.stop();
    await faulty.stop();
  }
});
