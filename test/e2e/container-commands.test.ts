/**
 * The commands that look into containers and stop them for a while: with our client, and with the unmodified one of today.
 */

import { mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Docker, okWith as ok, provide } from "../support/commands.ts";
import { DRYDOCK, hasRoot, startDaemon, type TestDaemon, TODAY } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("containers need root");

let daemon: TestDaemon;
let registry: TestRegistry;
let image: string;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  registry = await startRegistry(daemon.netns.prefix);
  image = await provide(daemon, registry, "busybox", [BUSYBOX, { "etc/motd": "old\n", "etc/gone": "x" }]);
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const clients: readonly (readonly [string, Docker])[] = [
  ["our client", (...args) => daemon.docker(...args)],
  ["today's client", (...args) => daemon.today(...args)],
];

const eachClient = test.runIf(isRoot).each(clients);
const vm = test.runIf(isRoot);
let serial = 0;
/** A name that a second try has not used. */
const name = (what: string, client: string) => `${what}-${client.startsWith("our") ? "ours" : "theirs"}-${serial++}`;

eachClient("%s: diff lists what was changed, added and deleted", async (who, client) => {
  const container = name("diff", who);
  await ok(client, "run", "--name", container, image, "sh", "-c", "echo new > /etc/motd; rm /etc/gone; mkdir /made");
  const lines = (await ok(client, "diff", container)).trim().split("\n").sort();
  expect(lines).toEqual(["A /made", "C /etc", "C /etc/motd", "D /etc/gone"]);
  await ok(client, "rm", container);
});

eachClient("%s: pause halts every process, unpause lets them go on", async (who, client) => {
  const container = name("pause", who);
  await ok(client, "run", "-d", "--name", container, image, "sleep", "300");
  await ok(client, "pause", container);
  expect(await ok(client, "ps")).toMatch(new RegExp(`Up .* \\(Paused\\).*${container}`));
  expect((await client("pause", container)).stderr).toContain("is already paused");
  await ok(client, "unpause", container);
  expect(await ok(client, "ps")).not.toContain("(Paused)");
  expect((await client("unpause", container)).stderr).toContain("is not paused");
  await ok(client, "rm", "-f", container);
});

eachClient("%s: top shows the processes, port where one is reached, restart makes a new one", async (who, client) => {
  const container = name("top", who);
  await ok(client, "run", "-d", "-p", "127.0.0.1::80", "--name", container, image, "sleep", "300");
  const processes = async () => (await ok(client, "top", container, "-o", "pid,comm")).trim().split("\n");
  const [head, first, ...more] = await processes();
  expect([head, more]).toEqual([expect.stringMatching(/^PID +COMMAND$/), []]);
  expect(first).toMatch(/^\d+ +sleep$/);
  expect(await ok(client, "port", container, "80")).toMatch(/^127\.0\.0\.1:\d+\n$/);
  expect((await client("port", container, "81")).stderr).toMatch(/[Nn]o public port '81(?:\/tcp)?' published for/);
  await ok(client, "restart", "-t", "0", container);
  expect((await processes())[1]).not.toBe(first);
  await ok(client, "rm", "-f", container);
});

eachClient("%s: a commit is an image with the container's changes and its configuration", async (who, client) => {
  const container = name("commit", who);
  const made = name("made", who);
  await ok(client, "run", "--name", container, "-e", "WHO=me", image, "sh", "-c", "echo kept > /kept; rm /etc/gone");
  const id = (await ok(client, "commit", "-m", "a message", "-a", "An author", container, `${made}:one`)).trim();
  expect(id).toMatch(/^(?:sha256:)?[0-9a-f]{64}$/);
  expect(await ok(client, "run", "--rm", `${made}:one`, "sh", "-c", "cat /kept; ls /etc/gone; echo $WHO")).toBe(
    "kept\nme\n",
  );
  const history = await ok(client, "inspect", "-f", "{{.Author}}/{{.Comment}}", `${made}:one`);
  expect(history).toBe("An author/a message\n");
  await ok(client, "rm", container);
  await ok(client, "rmi", `${made}:one`);
});

vm("a commit of a running container freezes it for the moment only, and its image runs", async () => {
  const { docker } = daemon;
  await ok(docker, "run", "-d", "--name", "busy", image, "sh", "-c", "echo kept > /kept; sleep 300");
  await ok(docker, "commit", "busy", "from-busy");
  expect(await ok(docker, "inspect", "-f", "{{.State.Running}} {{.State.Paused}}", "busy")).toBe("true false\n");
  await ok(docker, "pause", "busy");
  await ok(docker, "commit", "busy", "from-paused");
  expect(await ok(docker, "inspect", "-f", "{{.State.Paused}}", "busy")).toBe("true\n");
  await ok(docker, "rm", "-f", "busy");
  expect(await ok(docker, "run", "--rm", "from-busy", "cat", "/kept")).toBe("kept\n");
});

eachClient("%s: what export writes, import makes an image of", async (who, client) => {
  const container = name("export", who);
  await ok(client, "run", "--name", container, image, "sh", "-c", "echo exported > /etc/motd; ln /etc/motd /second");
  // The client's own output would be taken for text here: a shell keeps the bytes.
  const program = `${client === clients[0]?.[1] ? DRYDOCK : TODAY} -H unix://${daemon.socket}`;
  const again = name("again", who);
  const pipe = `set -o pipefail; ${program} export ${container} | ${program} import - ${again}`;
  const piped = await daemon.inside("bash", "-c", pipe);
  expect([piped.code, piped.stderr]).toEqual([0, ""]);
  expect(piped.stdout.trim()).toMatch(/^(?:sha256:)?[0-9a-f]{64}$/);
  expect(await ok(client, "run", "--rm", again, "cat", "/etc/motd", "/second")).toBe("exported\nexported\n");
  await ok(client, "rm", container);
  await ok(client, "rmi", again);
});

vm("cp copies files and directories out of a container, and nothing out of its root", async () => {
  const { docker } = daemon;
  const script = "echo in > /dir/f; ln -s f /dir/l; ln -s /etc/motd /abs; ln -s ../../../../etc/passwd /up";
  await ok(docker, "run", "--name", "cp", image, "sh", "-c", `mkdir /dir; chmod 700 /dir; ${script}`);
  const to = join(daemon.dir, "cp");
  await ok(docker, "cp", "cp:/dir", to);
  expect(readFileSync(join(to, "dir/f"), "utf8")).toBe("in\n");
  expect(readlinkSync(join(to, "dir/l"))).toBe("f");
  expect(statSync(join(to, "dir")).mode & 0o777).toBe(0o700);
  await ok(docker, "cp", "cp:/abs", to);
  expect(readFileSync(join(to, "motd"), "utf8")).toBe("old\n");
  // The container's own file: the way up ends at its root.
  await ok(docker, "cp", "cp:/up", to);
  expect(readFileSync(join(to, "passwd"), "utf8")).toBe(BUSYBOX["etc/passwd"]);
  const missing = await docker("cp", "cp:/nope", to);
  expect([missing.code, missing.stderr]).toEqual([
    1,
    expect.stringContaining("Error response from daemon: Could not find the file /nope in container cp"),
  ]);
  await ok(docker, "rm", "cp");
});

vm("cp never writes outside the directory it is given", async () => {
  const { docker } = daemon;
  await ok(docker, "run", "--name", "evil", image, "sh", "-c", "mkdir -p /dir/sub; echo in > /dir/sub/f");
  const to = join(daemon.dir, "evil");
  const outside = join(daemon.dir, "outside");
  mkdirSync(to);
  mkdirSync(outside);
  mkdirSync(join(to, "dir"));
  symlinkSync(outside, join(to, "dir/sub"));
  await docker("cp", "evil:/dir", to);
  expect(() => statSync(join(outside, "f"))).toThrow("ENOENT");
  await ok(docker, "rm", "evil");
});
