/**
 * Pulls by the whole daemon from registries of every kind: version 1, version 2 with a login, mirrors, private authorities.
 */

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RegistryV1, v1Images } from "../../chapters/lib/registry-v1.ts";
import { RegistryV2 } from "../../chapters/lib/registry-v2.ts";
import { type RunningServer, serve } from "../../chapters/lib/serve.ts";
import { type BuiltImage, buildImage, buildLayer, tinyImage } from "../../chapters/lib/tiny-image.ts";
import { makeAuthority, sign, writeCertificates } from "../support/certificates.ts";
import { okWith } from "../support/commands.ts";
import { hasRoot, makeNetns, run, startDaemon, type TestDaemon, type TestNetns } from "../support/daemon.ts";
import { freePort, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("registries on other addresses need network namespaces (root)");

const CLIENTS = [
  ["our client", "docker"],
  ["today's client", "today"],
] as const;

/** An image of one small layer. */
const small = (name: string, platform?: Parameters<typeof buildImage>[2]): BuiltImage =>
  buildImage([buildLayer([{ name, content: name }], `ADD ${name}`)], { Cmd: [`/${name}`] }, platform);
const idOf = (image: BuiltImage) => image.configDigest.replace("sha256:", "");

let daemon: TestDaemon;
const servers: RunningServer[] = [];

beforeAll(async () => {
  daemon = await startDaemon({ netns: "none", driver: "vfs" });
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  expect(await daemon?.remove()).toEqual([]);
});

async function serve1(registry: RegistryV1, port?: number): Promise<string> {
  const server = await serve(registry.handle, port);
  servers.push(server);
  return server.authority;
}

async function serve2(registry: RegistryV2, port?: number): Promise<string> {
  const server = await serve(registry.handle, port);
  servers.push(server);
  return server.authority;
}

/** Credentials for both clients, where each looks for its own. */
function logIn(authority: string, username: string, password: string): void {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  writeFileSync(join(daemon.dir, ".dockercfg"), JSON.stringify({ [authority]: { auth, email: "a@b.example" } }));
  mkdirSync(join(daemon.dir, ".docker"), { recursive: true });
  writeFileSync(join(daemon.dir, ".docker/config.json"), JSON.stringify({ auths: { [authority]: { auth } } }));
}

function logOut(): void {
  rmSync(join(daemon.dir, ".dockercfg"), { force: true });
  rmSync(join(daemon.dir, ".docker"), { recursive: true, force: true });
}

describe.each(CLIENTS)("%s", (_name, client) => {
  const docker = (...args: string[]) => daemon[client](...args);

  const ok = (...args: string[]) => okWith(docker, ...args);

  beforeEach(async () => {
    logOut();
    const ids = (await ok("images", "-q", "--no-trunc")).trim();
    if (ids !== "") await ok("rmi", "-f", ...new Set(ids.split("\n")));
  });

  test("a registry of version 1 is pulled from", async () => {
    const registry = new RegistryV1();
    const images = v1Images(tinyImage());
    registry.put("drydock/hello", "latest", images);
    registry.put("drydock/hello", "old", images.slice(0, 1));
    const authority = await serve1(registry);
    const name = `${authority}/drydock/hello`;
    await ok("pull", `${name}:latest`);
    expect(await ok("images", "-q", "--no-trunc")).toContain(images[2]?.id);
    expect((await ok("history", "-q", name)).trim().split("\n")).toHaveLength(3);
    // One tag brings one name; all of them are asked for in each client's own way.
    expect(await ok("images")).not.toMatch(/ old /);
    await ok(...(client === "docker" ? ["pull", name] : ["pull", "-a", name]));
    expect(await ok("images")).toMatch(/ old /);
    const missing = await docker("pull", `${name}:nosuchtag`);
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toContain(`Tag nosuchtag not found in repository ${name}`);
    const unknown = await docker("pull", `${authority}/drydock/nothing`);
    expect(unknown.stderr).toContain("Error: image drydock/nothing not found");
  });

  test("the index of version 1 wants a login, gives a token, and sends to other places", async () => {
    const shelf = new RegistryV1({ tokens: true });
    const images = v1Images(small("shelf"));
    shelf.put("drydock/hello", "latest", images);
    const shelfAuthority = await serve1(shelf);
    const index = new RegistryV1({
      user: { username: "ann", password: "p:ss" },
      endpoints: [shelfAuthority],
      standalone: false,
    });
    index.put("drydock/hello", "latest", images);
    const authority = await serve1(index);
    const refused = await docker("pull", `${authority}/drydock/hello:latest`);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/Authentication is required/);
    logIn(authority, "ann", "p:ss");
    const out = await docker("pull", `${authority}/drydock/hello:latest`);
    expect(out).toMatchObject({ code: 0, stderr: "" });
    expect(shelf.requests.filter((request) => request.endsWith("/layer"))).toHaveLength(1);
    expect(index.requests.some((request) => request.includes("/layer"))).toBe(false);
    expect(await ok("images", "-q", "--no-trunc")).toContain(images[0]?.id);
  });

  test("a password is tried at a registry of version 1, kept, and used for a search", async () => {
    logOut();
    const registry = new RegistryV1({ user: { username: "ann", password: "s3cret" }, standalone: false });
    registry.catalogue.push(
      { name: "some/one", star_count: 3, description: "The first" },
      { name: "some/other", star_count: 12, is_trusted: true, description: "The second" },
    );
    const asked: (string | null)[] = [];
    const server = await serve((request) => {
      if (request.url.includes("/v1/search")) asked.push(request.headers.get("authorization"));
      return registry.handle(request);
    });
    servers.push(server);
    const email = client === "docker" ? ["-e", "ann@example.com"] : [];
    const login = (password: string) => docker("login", "-u", "ann", "-p", password, ...email, server.authority);
    const wrong = await login("guess");
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.stderr).toContain("Wrong login/password, please try again");
    expect((await login("s3cret")).stdout).toContain("Login Succeeded");

    const lines = (await ok("search", `${server.authority}/some`)).trimEnd().split("\n");
    expect(lines[0]).toMatch(/^NAME +DESCRIPTION +STARS +OFFICIAL/);
    expect(lines.slice(1).map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
      ["some/other", "The second", "12"],
      ["some/one", "The first", "3"],
    ]);
    expect(asked).toEqual([`Basic ${btoa("ann:s3cret")}`]);
    expect(daemon.log()).not.toContain("s3cret");
    await ok("logout", server.authority);
  });

  test.each(["basic", "bearer"] as const)("version 2 with a login by %s", async (kind) => {
    const port = await freePort();
    const user = { username: "ann", password: "p:ss" };
    const registry = new RegistryV2({
      auth:
        kind === "basic" ? { kind, ...user } : { kind, ...user, realm: `http://127.0.0.1:${port}/token`, service: "t" },
    });
    const image = small(kind);
    registry.putImage("drydock/secret", "latest", image);
    const authority = await serve2(registry, port);
    // Today's client answers a 401 by asking for a name and a password.
    for (const password of client === "docker" || kind === "basic" ? [undefined, "wrong"] : []) {
      if (password) logIn(authority, "ann", password);
      const refused = await docker("pull", `${authority}/drydock/secret`);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/unauthorized|no basic auth credentials|[Ii]ncorrect username or password/);
      expect(refused.stderr.trim().split("\n")).toHaveLength(1);
    }
    logIn(authority, "ann", "p:ss");
    await ok("pull", `${authority}/drydock/secret`);
    expect(await ok("images", "-q", "--no-trunc")).toContain(idOf(image));
    logOut();
    const email = client === "docker" ? ["-e", "ann@example.com"] : [];
    const login = (password: string) => docker("login", "-u", "ann", "-p", password, ...email, authority);
    expect((await login("guess")).stderr).toContain("Wrong login/password, please try again");
    expect((await login("p:ss")).stdout).toContain("Login Succeeded");
    await ok("pull", `${authority}/drydock/secret`);
  });

  test("a list gives the image of this machine; a digest names a manifest; all tags come when asked for", async () => {
    const architecture = process.arch === "x64" ? "amd64" : process.arch;
    const registry = new RegistryV2();
    const foreign = architecture === "amd64" ? "arm64" : "amd64";
    const mine = small("mine", { os: "linux", architecture });
    const other = small("other", { os: "linux", architecture: foreign });
    for (const format of ["docker", "oci"] as const)
      registry.putList(
        `drydock/${format}`,
        "latest",
        [
          { image: other, platform: { os: "linux", architecture: foreign } },
          { image: small("win"), platform: { os: "windows", architecture } },
          { image: mine, platform: { os: "linux", architecture } },
        ],
        format,
      );
    registry.putList("drydock/foreign", "latest", [{ image: other, platform: { os: "plan9", architecture } }]);
    const one = registry.putImage("drydock/tags", "one", small("one"));
    for (const tag of ["two", "three", "four", "five"]) registry.putImage("drydock/tags", tag, small(tag));
    const authority = await serve2(registry);
    for (const format of ["docker", "oci"]) {
      await ok("pull", `${authority}/drydock/${format}:latest`);
      expect(await ok("inspect", "-f", "{{.Architecture}}", `${authority}/drydock/${format}`)).toBe(
        `${architecture}\n`,
      );
    }
    expect(await ok("images", "-q", "--no-trunc")).toContain(idOf(mine));
    const none = await docker("pull", `${authority}/drydock/foreign:latest`);
    expect(none.stderr).toMatch(/no matching manifest|platform/);

    if (client === "today") {
      // Digests came with 1.6: a client of 1.2.0 takes the name for a wrong one.
      expect(await ok("pull", `${authority}/drydock/tags@${one}`)).toContain(`Digest: ${one}`);
      expect(await ok("images", "-q", "--no-trunc")).toContain(idOf(small("one")));
      expect(await ok("images")).not.toMatch(/drydock\/tags +one /);
    }
    await ok(
      ...(client === "docker" ? ["pull", `${authority}/drydock/tags`] : ["pull", "-a", `${authority}/drydock/tags`]),
    );
    const list = await ok("images");
    for (const tag of ["one", "two", "three", "four", "five"])
      expect(list).toMatch(new RegExp(`drydock/tags +${tag} `));
  });
});

test("the progress of a pull from version 1 is that of 1.2.0, word by word", async () => {
  const registry = new RegistryV1();
  const images = v1Images(tinyImage());
  registry.put("drydock/words", "latest", images);
  const authority = await serve1(registry);
  const name = `${authority}/drydock/words`;
  const url = `http://d/v1.14/images/create?fromImage=${encodeURIComponent(name)}&tag=latest`;
  const { stdout } = await run(["curl", "-s", "-X", "POST", "--unix-socket", daemon.socket, url]);
  const messages = stdout
    .split(/(?<=})(?:\r\n)?(?={)/)
    .map((text) => JSON.parse(text) as { id?: string; status: string });
  expect(messages[0]).toEqual({ status: `Pulling repository ${name}` });
  const words = ({ id }: { id: string }) =>
    messages.filter((m) => m.id === id.slice(0, 12) && m.status !== "Downloading").map((m) => m.status);
  const [base, middle, top] = images as [(typeof images)[0], (typeof images)[0], (typeof images)[0]];
  const layer = ["Pulling metadata", "Pulling fs layer", "Download complete"];
  expect(words(base)).toEqual(layer);
  expect(words(middle)).toEqual(layer);
  expect(words(top)).toEqual([
    `Pulling image (latest) from ${name}`,
    `Pulling image (latest) from ${name}, endpoint: http://${authority}/v1/`,
    "Pulling dependent layers",
    ...layer,
    "Download complete",
  ]);
  expect((await daemon.docker("rmi", name)).code).toBe(0);
});

test("mirrors that are down, know nothing, lie or want a password are passed over, and nobody behind a good one is asked", async () => {
  const lying = new RegistryV2({ faults: [{ match: /blobs/, kind: "corrupt" }] });
  const [good, behind] = [new RegistryV2(), new RegistryV2()];
  for (const registry of [lying, good, behind]) registry.putImage("library/hello", "latest", small("hello"));
  const closed = new RegistryV2({ auth: { kind: "basic", username: "ann", password: "s3cret" } });
  const places = ["127.0.0.1:1"];
  for (const registry of [new RegistryV2(), closed, lying, good, behind]) places.push(await serve2(registry));
  const mirrored = await startDaemon({
    netns: "none",
    driver: "vfs",
    args: places.map((place) => `--registry-mirror=http://${place}`),
  });
  try {
    for (const [, client] of CLIENTS) {
      expect(await mirrored[client]("pull", "hello:latest")).toMatchObject({ code: 0, stderr: "" });
      expect((await mirrored.docker("images", "-q", "--no-trunc")).stdout.trim()).toBe(idOf(small("hello")));
      expect((await mirrored.docker("rmi", "hello")).code).toBe(0);
    }
    expect(good.requests.length).toBeGreaterThan(0);
    expect(behind.requests).toEqual([]);
  } finally {
    expect(await mirrored.remove()).toEqual([]);
  }
});

describe.runIf(isRoot)("registries on other addresses", () => {
  const OUTSIDE = "10.91.0.1";
  let dir: string;
  let netns: TestNetns;
  let plain: TestRegistry;
  let secure: TestRegistry;
  let local: TestRegistry;
  let etc: string | undefined;
  let certs: string;

  async function withDaemon(args: string[], work: (daemon: TestDaemon) => Promise<void>): Promise<void> {
    const started = await startDaemon({ netns, driver: "vfs", args });
    try {
      await work(started);
    } finally {
      expect(await started.remove()).toEqual([]);
    }
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "registries-"));
    const ca = await makeAuthority("private authority");
    writeCertificates(dir, ca, await sign(ca, "registry", [OUTSIDE]));
    netns = makeNetns();
    expect((await run(["ip", "-n", netns.name, "addr", "add", `${OUTSIDE}/24`, "dev", "lo"])).code).toBe(0);
    local = await startRegistry(netns.prefix);
    plain = await startRegistry(netns.prefix, { host: OUTSIDE });
    secure = await startRegistry(netns.prefix, {
      host: OUTSIDE,
      tls: { cert: join(dir, "cert.pem"), key: join(dir, "key.pem") },
    });
    await local.push("library/hello", [{ "from-the-mirror": "x" }]);
    await plain.push("drydock/plain", [{ plain: "x" }]);
    await secure.push("drydock/docker", [{ "of-docker": "x" }], { format: "v2s2" });
    await secure.push("drydock/oci", [{ "of-oci": "x" }], { format: "oci" });
    certs = join("/etc/docker/certs.d", secure.address);
  });

  afterAll(async () => {
    for (const registry of [local, plain, secure]) await registry?.stop();
    netns?.remove();
    rmSync(dir, { recursive: true, force: true });
    if (etc) rmSync(etc, { recursive: true, force: true });
  });

  test("plain http is refused where the network could be listened to, and used where it was allowed", async () => {
    const image = `${plain.address}/drydock/plain:latest`;
    await withDaemon([], async (daemon) => {
      for (const [, client] of CLIENTS) {
        const refused = await daemon[client]("pull", image);
        expect(refused.code).not.toBe(0);
        expect(refused.stderr).toContain(plain.address);
        expect(refused.stderr).toContain("--insecure-registry");
        expect(refused.stderr.trim().split("\n")).toHaveLength(1);
      }
    });
    for (const allowed of [plain.address, "10.91.0.0/16"])
      await withDaemon([`--insecure-registry=${allowed}`], async (daemon) => {
        for (const [, client] of CLIENTS) {
          expect(await daemon[client]("pull", image)).toMatchObject({ code: 0 });
          expect(await daemon[client]("rmi", image)).toMatchObject({ code: 0 });
        }
      });
  });

  test("a private authority is trusted for the registry whose directory names it", async () => {
    const images = ["docker", "oci"].map((format) => `${secure.address}/drydock/${format}:latest`);
    await withDaemon([], async (daemon) => {
      for (const [, client] of CLIENTS) {
        const refused = await daemon[client]("pull", images[0] ?? "");
        expect(refused.code).not.toBe(0);
        expect(refused.stderr).toMatch(/certificate/);
        expect(refused.stderr.trim().split("\n")).toHaveLength(1);
      }
      etc = mkdirSync(certs, { recursive: true });
      copyFileSync(join(dir, "ca.pem"), join(certs, "ca.crt"));
      for (const [, client] of CLIENTS)
        for (const image of images) {
          expect(await daemon[client]("pull", image)).toMatchObject({ code: 0 });
          expect((await daemon[client]("images")).stdout).toContain(dirname(image));
          expect(await daemon[client]("rmi", image)).toMatchObject({ code: 0 });
        }
      rmSync(etc ?? certs, { recursive: true });
      etc = undefined;
    });
    await withDaemon([`--insecure-registry=${secure.address}`], async (daemon) => {
      expect(await daemon.docker("pull", images[0] ?? "")).toMatchObject({ code: 0 });
    });
  });

  test("a certificate that has expired, is for another, or is wanted of us: one line, and what to do", async () => {
    const ca = await makeAuthority("third authority");
    const yesterday = new Date(Date.now() - 86_400_000);
    const cases = [
      [await sign(ca, "old", [OUTSIDE], yesterday), {}, /x509: certificate has expired or is not yet valid/],
      [await sign(ca, "other", ["10.0.0.9"]), {}, /x509: certificate is valid for 127.0.0.1, 10.0.0.9, not 10.91.0.1/],
      [await sign(ca, "asks", [OUTSIDE]), { clientCa: join(dir, "asks/ca.pem") }, /remote error: .*\/client.cert and/],
    ] as const;
    await withDaemon([], async (daemon) => {
      for (const [pair, options, text] of cases) {
        const home = writeCertificates(join(dir, "asks"), ca, pair);
        const tls = { cert: join(home, "cert.pem"), key: join(home, "key.pem"), ...options };
        const server = await startRegistry(netns.prefix, { host: OUTSIDE, tls });
        const place = join("/etc/docker/certs.d", server.address);
        const made = mkdirSync(place, { recursive: true });
        try {
          copyFileSync(join(home, "ca.pem"), join(place, "ca.crt"));
          for (const [, client] of CLIENTS) {
            const refused = await daemon[client]("pull", `${server.address}/drydock/x:latest`);
            expect(refused.code).not.toBe(0);
            expect(refused.stderr).toMatch(text);
            expect(refused.stderr).toContain(server.address);
            expect(refused.stderr.trim().split("\n")).toHaveLength(1);
          }
        } finally {
          rmSync(made ?? place, { recursive: true });
          await server.stop();
        }
      }
    });
  });

  test("a mirror answers for the official registry; what it does not have is named", async () => {
    await withDaemon([`--registry-mirror=http://${local.address}`], async (daemon) => {
      for (const [, client] of CLIENTS) {
        expect(await daemon[client]("pull", "hello:latest")).toMatchObject({ code: 0 });
        expect((await daemon[client]("images")).stdout).toMatch(/^hello +latest /m);
        expect(await daemon[client]("rmi", "hello")).toMatchObject({ code: 0 });
        const missing = await daemon[client]("pull", "nothing:latest");
        expect(missing.code).not.toBe(0);
        expect(missing.stderr.trim().split("\n")).toHaveLength(1);
      }
    });
    await withDaemon(["--registry-mirror=http://127.0.0.1:1"], async (daemon) => {
      const down = await daemon.docker("pull", "hello:latest");
      expect(down.code).not.toBe(0);
      expect(down.stderr).toMatch(/docker\.io/);
    });
  });
});
