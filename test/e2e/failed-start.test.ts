/**
 * A start that fails: the text says why, nothing of the attempt is left, and the container starts when the cause is gone.
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { DRYDOCK, hasRoot, namespacesOf, run, startDaemon, type TestDaemon } from "../support/daemon.ts";
import { BUSYBOX, startRegistry } from "../support/images.ts";
import { leaks, type Snapshot, snapshot } from "../support/leaks.ts";
import { type Answer, ask } from "../support/traces.ts";

const isRoot = hasRoot("containers need root");
const vm = test.runIf(isRoot);

/** How long traces may take to go. */
const PATIENCE_MS = 3000;

let tools: string;
let daemon: TestDaemon;
/** Before there was any container. */
let clean: Snapshot;

/** Where the daemon looks for `runc`: a script of ours that does what `trouble` says first. */
const runc = () => join(tools, "bin/runc");
const REAL_RUNC = ["/usr/bin/runc", "/usr/sbin/runc"].find((path) => existsSync(path)) ?? "runc";

/** Every program of PATH but runc, as links in one directory. */
function linkPrograms(to: string): void {
  mkdirSync(to, { recursive: true });
  for (const dir of (process.env["PATH"] ?? "").split(":")) {
    for (const name of existsSync(dir) ? readdirSync(dir) : []) {
      if (name !== "runc" && !existsSync(join(to, name))) {
        try {
          symlinkSync(join(dir, name), join(to, name));
        } catch {
          // A link that leads nowhere is there already.
        }
      }
    }
  }
}

/** What runc does from now on, instead of or before its work: shell commands; none: only its work. */
function trouble(script = ""): void {
  rmSync(runc(), { force: true });
  writeFileSync(runc(), `#!/bin/sh\n${script}\nexec ${REAL_RUNC} "$@"\n`, { mode: 0o755 });
}

beforeAll(async () => {
  if (!isRoot) return;
  tools = mkdtempSync(join(tmpdir(), "dd-tools-"));
  mkdirSync(join(tools, "bin"));
  linkPrograms(join(tools, "rest"));
  trouble();
  writeFileSync(join(tools, "late"), "#!/bin/sh\nexec sleep 1000\n", { mode: 0o755 });
  writeFileSync(join(tools, "passwd"), "nobodyhere:x:7:7::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n");
  daemon = await startDaemon({ env: { PATH: `${tools}/bin:${tools}/rest` } });
  const registry = await startRegistry(daemon.netns.prefix);
  await registry.push("base", [BUSYBOX]);
  const image = `${registry.address}/base`;
  expect((await daemon.docker("pull", image)).code).toBe(0);
  expect((await daemon.docker("tag", image, "base")).code).toBe(0);
  await registry.stop();
  // Everything that is made once and stays is there after the first of each.
  expect((await daemon.docker("run", "--rm", "-p", "8099:80", "-v", "/data", "base", "true")).code).toBe(0);
  clean = await snapshot(daemon);
});
afterEach(async () => {
  if (!isRoot) return;
  // After a test that failed: the next one begins anew.
  trouble();
  for (const name of ["iptables", "iptables-restore"]) rmSync(join(tools, "bin", name), { force: true });
  const rows = JSON.parse((await ask(daemon, "GET", "/containers/json?all=1")).body) as { Id: string }[];
  for (const { Id } of rows) await ask(daemon, "DELETE", `/containers/${Id}?force=1&v=1`);
});
afterAll(async () => {
  if (daemon) expect(await daemon.remove()).toEqual([]);
  if (tools) rmSync(tools, { recursive: true, force: true });
});

const create = async (name: string, more: object = {}) => {
  const answer = await ask(daemon, "POST", `/containers/create?name=${name}`, {
    Image: "base",
    Cmd: ["sleep", "1000"],
    ...more,
  });
  expect(answer).toMatchObject({ status: 201 });
  return JSON.parse(answer.body).Id as string;
};
const start = (name: string, body: object = {}): Promise<Answer> =>
  ask(daemon, "POST", `/containers/${name}/start`, body);
const remove = async (...names: string[]) => {
  for (const name of names) {
    expect(await ask(daemon, "DELETE", `/containers/${name}?force=1&v=1`)).toEqual({ status: 204, body: "" });
  }
};
const inspect = async (name: string) => JSON.parse((await ask(daemon, "GET", `/containers/${name}/json`)).body);

/** What a container has after its first start, however it ended: files in its directory, volumes. */
const OWN_FILES = /^file (containers\/[^/]+\/(hosts|hostname|resolv\.conf|[0-9a-f]+-json\.log)$|volumes\/|vfs\/)/;

/** One way to fail. */
interface Failure {
  /** Beside name, image and command. */
  readonly create?: object;
  readonly start?: object;
  readonly status?: number;
  /** Behind `Cannot start container …: `, or a pattern for the whole; `ID` and `ROOT` stand for the container's. */
  readonly text: string | RegExp;
  /** What makes it start. */
  readonly cured?: object;
  /** The cause is not, or not only, in the configuration. */
  readonly prepare?: (id: string) => unknown;
  readonly mend?: (id: string) => unknown;
}

const device = (PathOnHost: string, CgroupPermissions = "rwm") => ({
  Devices: [{ PathOnHost, PathInContainer: "/dev/x", CgroupPermissions }],
});
const port = (HostPort: string, more: object = {}) => ({ PortBindings: { "80/tcp": [{ HostPort, ...more }] } });
const web = { ExposedPorts: { "80/tcp": {} } };
const layer = (id: string, name: string) => join(daemon.root, "overlay", id, name);
const cgroup = (hierarchy: string, file: string) => `write /sys/fs/cgroup/${hierarchy}/docker/ID/${hierarchy}.${file}`;
const mounting = (what: string, where: string, why: string) =>
  `setup mount namespace bind mounts mounting ${what} into ROOT/overlay/ID/merged${where} ${why}`;
/** Programs that fail from now on, as if they were the machine's. */
const broken = (...names: string[]) => {
  for (const name of names)
    writeFileSync(join(tools, "bin", name), "#!/bin/sh\necho no room in the kernel >&2\nexit 4\n", { mode: 0o755 });
};
const whole = (...names: string[]) => {
  for (const name of names) rmSync(join(tools, "bin", name));
};
let other: ReturnType<typeof spawn> | undefined;

const FAILURES: Record<string, Failure> = {
  "a missing command": {
    create: { Cmd: ["late"] },
    text: 'exec: "late": executable file not found in $PATH',
    cured: { Binds: ["TOOLS/late:/bin/late"] },
  },
  "a missing path": {
    create: { Cmd: ["/opt/late"], Volumes: { "/data": {} }, ...web },
    start: port("8070"),
    text: 'exec: "/opt/late": stat /opt/late: no such file or directory',
    cured: { Binds: ["TOOLS/late:/opt/late"], ...port("8070") },
  },
  "a file that is no program": {
    create: { Cmd: ["/etc/passwd"] },
    text: 'exec: "/etc/passwd": permission denied',
    cured: { Binds: ["TOOLS/late:/etc/passwd"] },
  },
  "a missing command with a terminal": {
    create: { Cmd: ["late"], Tty: true, OpenStdin: true },
    text: 'exec: "late": executable file not found in $PATH',
    cured: { Binds: ["TOOLS/late:/bin/late"] },
  },
  "an unknown user": {
    create: { User: "nobodyhere" },
    text: "finalize namespace setup user get supplementary groups Unable to find user nobodyhere",
  },
  "an unknown group": {
    create: { User: "root:none" },
    text: "finalize namespace setup user get supplementary groups Unable to find group none",
  },
  "a user that no kernel has": {
    create: { User: "4294967296" },
    text: "Uids and gids must be in range 0-2147483647",
  },
  "a working directory that is a file": {
    create: { WorkingDir: "/etc/passwd" },
    text: "Cannot mkdir: /etc/passwd is not a directory",
  },
  "a working directory below a file": {
    create: { WorkingDir: "/etc/passwd/x" },
    text: "stat ROOT/overlay/ID/merged/etc/passwd/x: not a directory",
  },
  "a host name that is too long": { create: { Hostname: "x".repeat(65) }, text: "sethostname invalid argument" },
  "a missing device": {
    start: device("/dev/nope"),
    text: "error gathering device information while adding custom device stat /dev/nope: no such file or directory",
    cured: device("/dev/null"),
  },
  "a device that is none": {
    start: device("/etc/passwd"),
    text: "error gathering device information while adding custom device not a device node",
    cured: device("/dev/null"),
  },
  "permissions that no device has": {
    start: device("/dev/null", "rwx"),
    text: `${cgroup("devices", "allow")}: invalid argument`,
    cured: device("/dev/null", "r"),
  },
  "an unknown capability to add": {
    start: { CapAdd: ["BOGUS"] },
    text: 'Unknown capability to add: "BOGUS"',
    cured: { CapAdd: ["KILL"] },
  },
  "an unknown capability to drop": {
    start: { CapDrop: ["BOGUS"] },
    text: 'Unknown capability drop: "BOGUS"',
    cured: { CapDrop: ["KILL"] },
  },
  "a bind whose source cannot be made": {
    start: { Binds: ["/proc/nope/x:/x"] },
    text: /^Could not create local directory '\/proc\/nope\/x' for bind mount: mkdir \/proc\/nope: no such file or directory!$/,
    cured: { Binds: ["/tmp:/x"] },
  },
  "a bind whose source is no path": {
    start: { Binds: ["/tmp\0x:/x"] },
    text: /^Cannot start container failing: lstat \/tmp\0x: invalid argument$/,
    cured: { Binds: ["/tmp:/x"] },
  },
  "a bind of a directory over a file": {
    start: { Binds: ["TOOLS:/www/index.html"] },
    text: mounting("TOOLS", "/www/index.html", "not a directory"),
    cured: { Binds: ["TOOLS:/srv"] },
  },
  "a bind below a file": {
    start: { Binds: ["/tmp:/etc/passwd/x"] },
    text: "stat ROOT/overlay/ID/merged/etc/passwd/x: not a directory",
    cured: { Binds: ["/tmp:/x"] },
  },
  "a bind over the root": {
    start: { Binds: ["/tmp:/x/.."] },
    text: "Illegal bind destination: /x/..",
    cured: { Binds: ["/tmp:/x"] },
  },
  "a bind inside of /proc": {
    start: { Binds: ["/tmp:/proc/x"] },
    text: mounting("/tmp", "/proc/x", '"ROOT/overlay/ID/merged/proc/x" cannot be mounted because it is inside /proc'),
    cured: { Binds: ["/tmp:/x"] },
  },
  "volumes from nobody": {
    start: { VolumesFrom: ["nobody"] },
    status: 406,
    text: "Container nobody not found. Impossible to mount its volumes",
    cured: { VolumesFrom: [] },
  },
  "a port that another container has": {
    create: web,
    prepare: async () => {
      await create("first", web);
      expect((await start("first", port("8071"))).status).toBe(204);
    },
    start: port("8071"),
    text: "Bind for 0.0.0.0:8071 failed: port is already allocated",
    mend: () => remove("first"),
    cured: port("8071"),
  },
  "a port that the second of two bindings has": {
    create: { ExposedPorts: { "80/tcp": {}, "81/tcp": {} } },
    start: { PortBindings: { "80/tcp": [{ HostPort: "8072" }], "81/tcp": [{ HostPort: "8072" }] } },
    text: "Bind for 0.0.0.0:8072 failed: port is already allocated",
    cured: { PortBindings: { "80/tcp": [{ HostPort: "8072" }], "81/tcp": [{ HostPort: "8073" }] } },
  },
  "a port that is none": { create: web, start: port("99999"), text: "Invalid HostPort: 99999", cured: port("8074") },
  "an address that is none": {
    create: web,
    start: port("8074", { HostIp: "nonsense" }),
    text: "Invalid HostIP: nonsense",
    cured: port("8074"),
  },
  "a port that another program has": {
    create: web,
    prepare: async () => {
      const server = "require('net').createServer().listen(8075, () => console.log('up'))";
      const [command = "", ...words] = [...daemon.netns.prefix, process.execPath, "-e", server];
      other = spawn(command, words, { stdio: ["ignore", "pipe", "inherit"] });
      if (other.stdout) await once(other.stdout, "data");
    },
    start: port("8075"),
    text: /^Cannot start container failing: .*8075.*: (port is already allocated|address already in use)$/,
    mend: async () => {
      other?.kill();
      if (other) await once(other, "exit");
    },
    cured: port("8075"),
  },
  "firewall rules that cannot be made": {
    create: web,
    prepare: () => broken("iptables", "iptables-restore"),
    start: port("8076"),
    // The last line of what the job said, as in 1.2.0.
    text: " (exit status 4)",
    mend: () => whole("iptables", "iptables-restore"),
    cured: port("8076"),
  },
  "a network namespace that cannot be made": {
    prepare: () => {
      const done = spawnSync("mount", ["-t", "tmpfs", "-o", "ro", "none", namespacesOf(daemon.root)]);
      expect(done.status).toBe(0);
    },
    text: /^Cannot start container failing: .*read-only file system$/,
    mend: () => expect(spawnSync("umount", [namespacesOf(daemon.root)]).status).toBe(0),
    cured: {},
  },
  "the network of nobody": {
    start: { NetworkMode: "container:nobody" },
    text: "no such container to join network: nobody",
    cured: { NetworkMode: "bridge" },
  },
  "its own network": {
    start: { NetworkMode: "container:failing" },
    text: "cannot join network of a non running container: failing",
    cured: { NetworkMode: "host" },
  },
  "a network that is none": {
    start: { NetworkMode: "bogus" },
    text: "invalid network mode: bogus",
    cured: { NetworkMode: "none" },
  },
  "a link to nobody": { start: { Links: ["nobody:x"] }, text: /^Could not find entity for nobody$/, cured: {} },
  "a link to a container that does not run": {
    create: web,
    prepare: () => create("linked", web),
    start: { Links: ["linked:alias"], ...port("8077") },
    text: "Cannot link to a non running container: /linked AS /failing/alias",
    mend: () => remove("linked"),
    cured: port("8077"),
  },
  "processors that there are not": {
    create: { Cpuset: "0,4000" },
    text: `${cgroup("cpuset", "cpus")}: numerical result out of range`,
  },
  "processors that are no list": { create: { Cpuset: "first" }, text: `${cgroup("cpuset", "cpus")}: invalid argument` },
  "less than no weight": { create: { CpuShares: -5 }, text: `${cgroup("cpu", "shares")}: invalid argument` },
  "more memory than a number holds": {
    create: { Memory: 2 ** 62 },
    text: `${cgroup("memory", "memsw.limit_in_bytes")}: invalid argument`,
  },
  "less memory than runc needs": {
    create: { Memory: 524_288 },
    text: /^Cannot start container failing: (unable to set memory limit to 524288|container init was OOM-killed)/,
  },
  "no runc": {
    prepare: () => rmSync(runc()),
    text: 'exec: "runc": executable file not found in $PATH',
    mend: () => trouble(),
    cured: {},
  },
  "a runc that cannot be executed": {
    prepare: () => chmodSync(runc(), 0o644),
    text: 'exec: "runc": executable file not found in $PATH',
    mend: () => trouble(),
    cured: {},
  },
  "a runc that fails without a word": {
    prepare: () => trouble("exit 7"),
    text: "runc run failed: exit status 7",
    mend: () => trouble(),
    cured: {},
  },
  "a runc that is killed before its work": {
    prepare: () => trouble("kill -9 $$"),
    text: "runc run failed: SIGKILL",
    mend: () => trouble(),
    cured: {},
  },
  "a runc that is killed when the container is made": {
    create: { Volumes: { "/data": {} } },
    prepare: () =>
      trouble(
        `case "$*" in *' run '*) ${REAL_RUNC} $(echo "$*" | sed 's/ run / create /; s/--detach//'); kill -9 $$; esac`,
      ),
    text: "runc run failed: SIGKILL",
    mend: () => trouble(),
    cured: {},
  },
  "a runc that fails when the container runs": {
    create: web,
    start: port("8078"),
    prepare: () => trouble(`case "$*" in *' run '*) ${REAL_RUNC} "$@"; exit 3; esac`),
    text: "runc run failed: exit status 3",
    mend: () => trouble(),
    cured: port("8078"),
  },
  "a runc that fails when the container with a terminal runs": {
    create: { Tty: true, OpenStdin: true },
    prepare: () => trouble(`case "$*" in *' run '*) ${REAL_RUNC} "$@"; exit 3; esac`),
    text: "runc run failed: exit status 3",
    mend: () => trouble(),
    cured: {},
  },
  "a runc that does not say which process it is": {
    prepare: () => {
      const pids = join(daemon.root, "execdriver/native/*/pid");
      trouble(`case "$*" in *' run '*) ${REAL_RUNC} "$@"; rm ${pids}; exit 0; esac`);
    },
    text: "open ROOT/execdriver/native/ID/pid: no such file or directory",
    mend: () => trouble(),
    cured: {},
  },
  "a layer that cannot be mounted": {
    prepare: (id) => renameSync(layer(id, "work"), layer(id, "gone")),
    text: /^Cannot start container failing: Error getting container ID from driver overlay: /,
    mend: (id) => renameSync(layer(id, "gone"), layer(id, "work")),
    cured: {},
  },
};

const withTools = (value: object) => JSON.parse(JSON.stringify(value).replaceAll("TOOLS", tools)) as object;

/** Creates it, sees it fail, and that nothing is left but what the container owns. @returns its id */
async function fails(failure: Failure): Promise<string> {
  const id = await create("failing", failure.create);
  await failure.prepare?.(id);
  const before = await snapshot(daemon);
  const answer = await start("failing", withTools(failure.start ?? {}));
  const text = answer.body.replaceAll(id, "ID").replaceAll(daemon.root, "ROOT").replaceAll(tools, "TOOLS").trimEnd();
  if (failure.text instanceof RegExp) expect(text).toMatch(failure.text);
  else expect(text).toBe(`Cannot start container failing: ${failure.text}`);
  expect(answer.status).toBe(failure.status ?? 500);
  expect(await leaks(daemon, before, { ignore: OWN_FILES, timeoutMs: PATIENCE_MS })).toEqual([]);
  const { State, NetworkSettings } = await inspect("failing");
  expect([State.Running, State.Pid, NetworkSettings.IPAddress]).toEqual([false, 0, ""]);
  await failure.mend?.(id);
  return id;
}

vm.each(Object.keys(FAILURES))("%s: said so, leaves nothing, and is cured", async (what) => {
  const failure = FAILURES[what] as Failure;
  await fails(failure);
  await remove("failing");
  expect(await leaks(daemon, clean, { timeoutMs: PATIENCE_MS })).toEqual([]);
  if (failure.cured === undefined) return;
  await fails(failure);
  expect(await start("failing", withTools(failure.cured))).toEqual({ status: 204, body: "" });
  expect((await inspect("failing")).State.Running).toBe(true);
  await remove("failing");
  expect(await leaks(daemon, clean, { timeoutMs: PATIENCE_MS })).toEqual([]);
});

vm("a runc that is killed at any moment leaves nothing", async () => {
  for (let ms = 3; ms < 90; ms += 8) {
    const dies = `${REAL_RUNC} "$@" & sleep ${ms / 1000}; kill -9 $!; wait $!; exit 1`;
    await create("failing", { Tty: ms % 2 === 0 });
    trouble(`case "$*" in *' run '*) ${dies};; esac`);
    expect([ms, (await start("failing")).status]).toEqual([ms, 500]);
    trouble();
    await remove("failing");
    expect([ms, await leaks(daemon, clean, { timeoutMs: PATIENCE_MS })]).toEqual([ms, []]);
  }
});

vm("a create that fails leaves nothing: no layer, no directory, no name", async () => {
  await create("taken");
  const before = await snapshot(daemon);
  const many = Array.from({ length: 20 }, (_, i) => `80${i}:80`);
  const refused: readonly (readonly [string, object, number, string])[] = [
    ["taken", {}, 409, "Conflict, The name taken is already assigned to "],
    ["a/b", {}, 500, "Invalid container name (a/b), only [a-zA-Z0-9_.-] are allowed"],
    ["new", { Image: "nope" }, 404, "No such image: nope (tag: latest)"],
    ["new", { Image: "" }, 500, "prefix can't be empty"],
    ["new", { Memory: 1000 }, 500, "Minimum memory limit allowed is 512k"],
    ["new", { PortSpecs: [...many, "x:y"] }, 500, "Invalid containerPort: y"],
  ];
  for (const [name, body, status, text] of refused) {
    const answer = await ask(daemon, "POST", `/containers/create?name=${encodeURIComponent(name)}`, {
      Image: "base",
      Cmd: ["true"],
      ...body,
    });
    expect(answer).toEqual({ status, body: expect.stringContaining(text) });
  }
  const host = (HostConfig: object) =>
    ask(daemon, "POST", "/v1.24/containers/create?name=new", { Image: "base", Cmd: ["true"], HostConfig });
  expect((await host({ Links: ["nobody:x"] })).body).toContain("Could not find entity for nobody");
  expect((await host({ Binds: ["/proc/nope/x:/x"] })).body).toContain("mkdir /proc/nope: no such file or directory");
  expect(await leaks(daemon, before, { timeoutMs: PATIENCE_MS })).toEqual([]);
  // The name is free.
  await create("new");
  await remove("new", "taken");
});

vm("a container that was to remove itself is gone when it does not start", async () => {
  const { code, stderr } = await daemon.today("run", "--rm", "-v", "/data", "--name", "failing", "base", "nosuch");
  expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining('exec: "nosuch": executable file not')]);
  expect(await leaks(daemon, clean, { timeoutMs: PATIENCE_MS })).toEqual([]);
});

vm("a client that goes in the middle of a start leaves a container like any other", async () => {
  for (const ms of [0, 2, 5, 10, 20, 40]) {
    await create("failing", web);
    const socket = connect(daemon.socket).on("error", () => undefined);
    const body = JSON.stringify({ PortBindings: { "80/tcp": [{ HostPort: "8079" }] } });
    socket.write(
      `POST /containers/failing/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await new Promise((resolve) => setTimeout(resolve, ms));
    socket.destroy();
    await remove("failing");
  }
  expect(await leaks(daemon, clean, { timeoutMs: PATIENCE_MS })).toEqual([]);
});

vm("ten that fail, ten that start, all at once, removed meanwhile: nothing is left", async () => {
  const all = <T>(work: (i: number) => Promise<T>) => Promise.all(Array.from({ length: 20 }, (_, i) => work(i)));
  trouble('case "$*" in *bad*) kill -9 $$; esac');
  await all((i) => create(`many${i}`, { Cmd: i % 2 === 0 ? ["nosuch"] : ["sleep", "1000"], ...web }));
  const started = all((i) => start(`many${i}`, port(String(8100 + Math.floor(i / 4)))));
  await all(async (i) => {
    if (i % 3 === 0) await ask(daemon, "DELETE", `/containers/many${i}?force=1&v=1`);
  });
  const answers = await started;
  expect(answers.map(({ status }) => status).filter((status) => ![204, 404, 409, 500].includes(status))).toEqual([]);
  await all((i) => ask(daemon, "DELETE", `/containers/many${i}?force=1&v=1`));
  expect(await leaks(daemon, clean, { timeoutMs: PATIENCE_MS })).toEqual([]);
});

vm("a network without a free address says so, and has one again when a container ends", async () => {
  const small = await startDaemon({ root: join(tools, "small"), args: ["--bip", "10.77.0.1/29", "-s", "vfs"] });
  try {
    const tar = spawnSync("tar", ["-C", join(tools, "bin"), "-c", "."]).stdout;
    const made = await run([...small.netns.prefix, DRYDOCK, "-H", `unix://${small.socket}`, "import", "-", "base"], {
      input: tar,
    });
    expect(made.code).toBe(0);
    const before = await snapshot(small);
    const begin = async (name: string) => {
      const body = { Image: "base", Cmd: ["/sleep", "1000"] };
      expect((await ask(small, "POST", `/containers/create?name=${name}`, body)).status).toBe(201);
      return ask(small, "POST", `/containers/${name}/start`, { Binds: ["/usr/bin/busybox:/sleep"] });
    };
    const names = Array.from({ length: 8 }, (_, i) => `n${i}`);
    const answers: Answer[] = [];
    for (const name of names) answers.push(await begin(name));
    const full = (name: string) => `Cannot start container ${name}: no available ip addresses on network\n`;
    expect(answers).toEqual(
      names.map((name, i) => (i < 5 ? { status: 204, body: "" } : { status: 500, body: full(name) })),
    );
    await ask(small, "DELETE", "/containers/n0?force=1&v=1");
    expect((await ask(small, "POST", "/containers/n5/start")).status).toBe(204);
    for (const name of names) await ask(small, "DELETE", `/containers/${name}?force=1&v=1`);
    expect(await leaks(small, before, { ignore: /^run netns$/, timeoutMs: PATIENCE_MS })).toEqual([]);
  } finally {
    expect(await small.remove()).toEqual([]);
  }
});
