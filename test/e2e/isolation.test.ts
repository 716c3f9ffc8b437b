/**
 * What a container's processes are, have and see: users, capabilities, devices, mounts, descriptors, limits; on a machine
 * with control groups of version 1, and on the same one as it would look with version 2.
 */

import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Docker, okWith, provide } from "../support/commands.ts";
import {
  clientWords,
  DRYDOCK,
  hasRoot,
  makeNetns,
  run,
  startDaemon,
  type TestDaemon,
  TODAY,
} from "../support/daemon.ts";
import { BUSYBOX, type LayerSpec, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("containers need root");
const vm = test.runIf(isRoot);
/** Whether this machine's control groups are those of version 1. */
const isFirst = existsSync("/sys/fs/cgroup/freezer");
if (!isFirst) console.log("skipped: what is about control groups of version 1 needs them");
const vmFirst = test.runIf(isRoot && isFirst);

const TOOLS: LayerSpec = Object.fromEntries(
  ["mknod", "tail", "sort", "mkfifo"].map((name) => [`bin/${name}`, { link: "busybox" }]),
);

/** Account files that somebody wrote to get more than he should. */
const HOSTILE: LayerSpec = {
  "etc/passwd": [
    "1000:x:0:0:a number for a name:/root:/bin/sh",
    "short:x",
    "empty:::::::::",
    "minus:x:-1:-1::/:",
    "huge:x:4294967295:99999999999::/:",
    "words:x:zero:nul::/:",
    "",
    "::::::",
    "user:x:500:501:first:/first:/bin/sh",
    "user:x:0:0:second:/second:/bin/sh",
    `long${"g".repeat(10_000)}:x:7:7::/:`,
    "other:x:1001:1001::/home/../home/other:",
  ].join("\n"),
  "etc/group":
    "root:x:0:user\nwheel:x:10:user,other\ndup:x:10:user\nbad:x:x:user\nbig:x:99999999999:short\n501:x:0:\nvideo:x:44:user\n",
};

let daemon: TestDaemon;
let registry: TestRegistry;
let image: string;
let hostile: string;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  registry = await startRegistry(daemon.netns.prefix);
  image = await provide(daemon, registry, "busybox", [BUSYBOX, TOOLS]);
  hostile = await provide(daemon, registry, "hostile", [BUSYBOX, TOOLS, HOSTILE]);
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const ours = (...args: string[]) => okWith(daemon.docker, ...args);

/** Fields of a `status` file below /proc. */
const STATUS = /^(?:Cap\w+|NoNewPrivs|Seccomp|Umask|Uid|Gid|Groups):.*$/gm;
const fields = (text: string) =>
  Object.fromEntries((text.match(STATUS) ?? []).map((line) => line.split(/:\s*/, 2).map((word) => word.trim())));
/** The fourteen capabilities of 1.2.0, as the kernel writes them. */
const FOURTEEN = "00000000a80425fb";

describe.runIf(isRoot).each([
  ["our client", DRYDOCK],
  ["today's client", TODAY],
])("%s", (_who, binary) => {
  const words = (...args: string[]) => [...clientWords(daemon, binary), ...args];
  const docker: Docker = (...args) => run(words(...args), { env: { HOME: daemon.dir } });
  const sh = (flags: string[], script: string, from = image) =>
    okWith(docker, "run", "--rm", ...flags, from, "sh", "-c", script);

  test("an ordinary process has 1.2.0's capabilities, and no more rights are kept from it", async () => {
    const status = "cat /proc/self/status";
    expect(fields(await sh([], status))).toMatchObject({
      CapBnd: FOURTEEN,
      CapPrm: FOURTEEN,
      CapEff: FOURTEEN,
      CapInh: "0".repeat(16),
      CapAmb: "0".repeat(16),
      NoNewPrivs: "0",
      Seccomp: "0",
      Umask: "0022",
    });
    // Somebody else may get them again, by a program that says so; he does not have them.
    expect(fields(await sh(["-u", "operator"], status))).toMatchObject({
      CapBnd: FOURTEEN,
      CapPrm: "0".repeat(16),
      CapEff: "0".repeat(16),
      Uid: "37\t37\t37\t37",
      Gid: "37\t37\t37\t37",
    });
    const mine = fields(readFileSync("/proc/self/status", "utf8"));
    const all = (BigInt(`0x${mine["CapBnd"]}`) & 0x1f_ffff_ffffn).toString(16).padStart(16, "0");
    const privileged = fields(await sh(["--privileged"], status));
    expect(privileged).toMatchObject({ CapBnd: all, CapPrm: all, CapEff: all, NoNewPrivs: "0", Seccomp: "0" });
  });

  test("a user is who the image's files say, however they are written", async () => {
    const who = "id -u; id -g; grep Groups: /proc/self/status; echo $HOME";
    const cases = [
      // A number is a number, and no name.
      ["1000", "1000\n0\nGroups:\t \n/\n"],
      // The first line counts.
      ["user", "500\n501\nGroups:\t0 10 44 \n/first\n"],
      ["500", "500\n501\nGroups:\t0 10 44 \n/first\n"],
      ["user:501", "500\n501\nGroups:\t \n/first\n"],
      ["user:wheel", "500\n10\nGroups:\t \n/first\n"],
      ["other", "1001\n1001\nGroups:\t10 \n/home/../home/other\n"],
      ["2147483647:2147483647", "2147483647\n2147483647\nGroups:\t \n/\n"],
    ] as const;
    const outs = await Promise.all(cases.map(([user]) => sh(["-u", user], who, hostile)));
    expect(outs).toEqual(cases.map(([, out]) => out));
    for (const [user, text] of [
      ["nobody", "Unable to find user nobody"],
      ["user:nogroup", "Unable to find group nogroup"],
      ["2147483648", "Uids and gids must be in range 0-2147483647"],
      ["0:4294967296", "Uids and gids must be in range 0-2147483647"],
      ["minus", "Uids and gids must be in range 0-2147483647"],
      ["huge", "Uids and gids must be in range 0-2147483647"],
      ["short", "Uids and gids must be in range 0-2147483647"],
      ["-1", "Uids and gids must be in range 0-2147483647"],
    ] as const) {
      const failed = await docker("run", "--rm", `--user=${user}`, hostile, "id");
      expect([failed.code === 0, failed.stdout, failed.stderr]).toEqual([false, "", expect.stringContaining(text)]);
    }
    await removeAll();
  });

  test("/dev has the default devices and no other; what is not allowed can be made and not opened", async () => {
    const list =
      "ls -A /dev; cd /dev; stat -c '%n %a %t:%T' full fuse null random tty urandom zero; for l in fd stdin ptmx; do readlink $l; done";
    const [names, nodes] = [(await sh([], list)).split("full 666")[0], (await sh([], list)).split("zero\n").at(-1)];
    const expected = [
      "fd",
      "full",
      "fuse",
      "null",
      "ptmx",
      "pts",
      "random",
      "shm",
      "stderr",
      "stdin",
      "stdout",
      "tty",
      "urandom",
      "zero",
    ];
    // Where the kernel has one, the runtime links to it.
    expect(
      names
        ?.trim()
        .split("\n")
        .filter((name) => name !== "core"),
    ).toEqual(expected);
    expect(nodes).toBe(
      "full 666 1:7\nfuse 0 a:e5\nnull 666 1:3\nrandom 666 1:8\ntty 666 5:0\nurandom 666 1:9\nzero 666 1:5\n/proc/self/fd\n/proc/self/fd/0\npts/ptmx\n",
    );
    const opens =
      "mknod /b b 254 0; mknod /c c 1 11; mknod /n c 1 3; for f in /b /c /n /dev/fuse /dev/full /dev/urandom; do (: < $f) 2> /dev/null && echo $f; done; true";
    expect(await sh([], opens)).toBe("/n\n/dev/full\n/dev/urandom\n");
    expect(await sh(["--privileged"], "mknod /c c 1 11; (: < /c) && echo opened")).toBe("opened\n");
    const many = Number(await sh(["--privileged"], "ls /dev | wc -l"));
    expect(many).toBeGreaterThan(readdirSync("/dev").length - 10);
  });

  test("/proc and /sys can be looked at, not changed; some of it not even that", async () => {
    const mounts = "while read a b c root where options rest; do echo $where $options; done < /proc/self/mountinfo";
    const table = new Map(
      (await sh([], mounts))
        .trim()
        .split("\n")
        .map((line) => line.split(" ", 2) as [string, string]),
    );
    const options = (path: string) => (table.get(path) ?? "").split(",").filter((option) => option !== "relatime");
    expect(options("/")).toEqual(["rw"]);
    expect(options("/proc")).toEqual(["rw", "nosuid", "nodev", "noexec"]);
    expect(options("/sys")).toEqual(["ro", "nosuid", "nodev", "noexec"]);
    expect(options("/dev")).toEqual(["rw", "nosuid"]);
    expect(options("/dev/shm")).toEqual(["rw", "nosuid", "nodev", "noexec"]);
    expect(options("/dev/pts")).toEqual(["rw", "nosuid", "noexec"]);
    for (const path of ["/etc/resolv.conf", "/etc/hostname", "/etc/hosts"]) expect(options(path)).toContain("rw");
    for (const path of ["/proc/sys", "/proc/bus", "/proc/irq", "/proc/fs", "/proc/sysrq-trigger"]) {
      if (existsSync(path)) expect([path, options(path)[0]]).toEqual([path, "ro"]);
    }
    const hidden = ["acpi", "interrupts", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list"];
    const there = [...hidden.map((name) => `/proc/${name}`), "/sys/firmware"].filter((path) => existsSync(path));
    expect(there.length).toBeGreaterThan(2);
    const look = `for p in ${there.join(" ")}; do if test -d $p; then ls -A $p; else cat $p; fi; done`;
    expect(await sh([], look)).toBe("");
    const tries =
      "for p in /proc/sys/kernel/hostname /sys/kernel/mm/ksm/run; do (echo x > $p) 2>&1; done; mount -t tmpfs x /tmp 2>&1; true";
    expect(await sh([], tries)).toMatch(
      /^(?:.*Read-only file system\n){2}mount: permission denied \(are you root\?\)\n$/,
    );
    // A privileged one is kept from nothing.
    const free =
      "mount | grep -c 'sysfs (rw'; grep -c /proc/ /proc/self/mountinfo; mount -t tmpfs x /tmp && echo mounted";
    expect(await sh(["--privileged"], free)).toBe("1\n0\nmounted\n");
  });

  test("the environment is what 1.2.0 gives, and nothing of ours", async () => {
    const name = "[0-9a-f]{12}";
    const out = await okWith(docker, "run", "--rm", image, "env");
    expect(out).toMatch(new RegExp(`^PATH=/bin\nHOSTNAME=${name}\nHOME=/root\n$`));
    const terminal = await okWith(docker, "run", "--rm", "-t", "-e", "A=b", "-e", "PATH=/bin:/x", image, "env");
    expect(terminal).toMatch(new RegExp(`^PATH=/bin:/x\r\nHOSTNAME=${name}\r\nTERM=xterm\r\nA=b\r\nHOME=/root\r\n$`));
    const own = await okWith(docker, "run", "--rm", "-e", "HOME=/mine", "-e", "TERM=vt100", "-h", "box", image, "env");
    // Today's client keeps no order between variables.
    expect(own).toMatch(/^PATH=\/bin\nHOSTNAME=box\n(?:HOME=\/mine\nTERM=vt100|TERM=vt100\nHOME=\/mine)\n$/);
  });

  test("no descriptor of the daemon's is open inside, whoever looks", async () => {
    const list =
      "for f in /proc/self/fd/*; do readlink $f; done; echo -; for f in /proc/1/fd/*; do readlink $f; done; true";
    // The shell has the words of the loop already: what it has open then are its own three.
    const plain = (await sh([], list)).split("-\n").map((part) => part.trim().split("\n"));
    for (const part of plain)
      expect(part).toEqual(["/dev/null", expect.stringMatching(/^pipe:/), expect.stringMatching(/^pipe:/)]);
    const terminal = await sh(["-t"], list);
    expect(terminal.replaceAll("\r", "")).toBe(`${"/dev/pts/0\n".repeat(3)}-\n${"/dev/pts/0\n".repeat(3)}`);
    const id = (await okWith(docker, "run", "-d", "-i", image, "cat")).trim();
    const pid = (await ours("inspect", "-f", "{{.State.Pid}}", id)).trim();
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    expect(open).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/^pipe:/)));
    // And nothing of its address space or name is the daemon's.
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).toBe("cat\0");
    for (const space of ["mnt", "uts", "ipc", "pid", "net"]) {
      expect(readlinkSync(`/proc/${pid}/ns/${space}`)).not.toBe(
        readlinkSync(`/proc/${daemon.process.pid}/ns/${space}`),
      );
    }
    await ours("rm", "-f", id);
  });

  test("too much memory ends the process that takes it, not its neighbours", async () => {
    const eat = "x=a; while :; do x=$x$x; done";
    const eaten = await docker("run", "--rm", "-m", "8m", image, "sh", "-c", eat);
    expect(eaten.code).toBe(binary === DRYDOCK ? 255 : 137);
    const child = await sh(["-m", "8m"], `sh -c '${eat}'; echo $?`);
    expect(child).toContain("137\n");
  });
});

const removeAll = async () => {
  const ids = (await ours("ps", "-a", "-q")).split("\n").filter(Boolean);
  if (ids.length > 0) await ours("rm", "-f", ...ids);
};

/** Control groups of version 1 that a container is in. */
const groupsOf = (id: string) =>
  readdirSync("/sys/fs/cgroup")
    .map((name) => join("/sys/fs/cgroup", name, "docker", id))
    .filter((path) => existsSync(path));

vm("a passwd that cannot be read to its end is an error at once, and no container that hangs", async () => {
  for (const [i, script] of [
    "rm /etc/passwd; mkfifo /etc/passwd",
    "rm /etc/group; mkfifo /etc/group",
    "rm /etc/passwd; ln -s /proc/kmsg /etc/passwd",
    "rm /etc/passwd; mkdir /etc/passwd",
  ].entries()) {
    await ours("run", "--name", `make${i}`, image, "/bin/busybox", "sh", "-c", `alias ln='busybox ln'; ${script}`);
    await ours("commit", `make${i}`, `made${i}`);
    const failed = await daemon.docker("run", `made${i}`, "id");
    expect([failed.code, failed.stderr]).toEqual([
      1,
      expect.stringMatching(
        /Cannot look up the user: \/etc\/(?:passwd|group) in the container (?:is not a plain file|leads into)/,
      ),
    ]);
  }
  await removeAll();
});

vm("a user is looked up in what is mounted over the image's files", async () => {
  const file = join(daemon.dir, "passwd");
  writeFileSync(file, "mounted:x:4321:4322::/mounted:\n");
  const out = await ours(
    "run",
    "--rm",
    "-v",
    `${file}:/etc/passwd`,
    "-u",
    "mounted",
    image,
    "sh",
    "-c",
    "id -u; echo $HOME",
  );
  expect(out).toBe("4321\n/mounted\n");
});

vmFirst("version 1: a container is in a group of its own in each hierarchy, and they go with it", async () => {
  const id = (await ours("run", "-d", "-m", "32m", image, "sleep", "100")).trim();
  const pid = (await ours("inspect", "-f", "{{.State.Pid}}", id)).trim();
  const groups = groupsOf(id);
  for (const name of ["cpu", "memory", "devices", "freezer"]) {
    expect(groups).toContain(`/sys/fs/cgroup/${name}/docker/${id}`);
    expect(readFileSync(`/sys/fs/cgroup/${name}/docker/${id}/cgroup.procs`, "utf8")).toBe(`${pid}\n`);
  }
  const rules = readFileSync(`/sys/fs/cgroup/devices/docker/${id}/devices.list`, "utf8").trim().split("\n").sort();
  const allowed = [
    "b *:* m",
    "c *:* m",
    "c 136:* rwm",
    "c 10:200 rwm",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
  ];
  const more = ["c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 4:0 rwm", "c 4:1 rwm"];
  expect(rules).toEqual([...allowed, ...more].sort());
  await ours("pause", id);
  expect(readFileSync(`/sys/fs/cgroup/freezer/docker/${id}/freezer.state`, "utf8")).toBe("FROZEN\n");
  await ours("unpause", id);
  expect(readFileSync(`/sys/fs/cgroup/freezer/docker/${id}/freezer.state`, "utf8")).toBe("THAWED\n");
  await ours("kill", id);
  await expect.poll(() => groupsOf(id)).toEqual([]);
  await ours("rm", id);
});

vmFirst("version 1: groups that a container made inside its own go with it", async () => {
  const find = "while read l; do case $l in *:freezer:*) p=${l##*:};; esac; done < /proc/self/cgroup";
  const nest =
    "mkdir -p /mnt; mount -t cgroup -o freezer x /mnt; mkdir -p /mnt$p/a/b; echo $$ > /mnt$p/a/b/cgroup.procs";
  const id = (
    await ours("run", "-d", "-i", "--privileged", image, "sh", "-c", `${find}; ${nest}; echo made; read x`)
  ).trim();
  await expect.poll(() => ours("logs", id)).toBe("made\n");
  expect(existsSync(`/sys/fs/cgroup/freezer/docker/${id}/a/b`)).toBe(true);
  expect(await ours("top", id, "-o", "comm,pid")).toMatch(/^sh +\d+$/m);
  await ours("kill", id);
  await expect.poll(() => groupsOf(id)).toEqual([]);
  await ours("rm", id);
});

vm("version 2: start, limits of devices, top, pause, kill and removal know the one hierarchy", async () => {
  const netns = makeNetns();
  const wrapper = join(daemon.dir, "version2.sh");
  // A view of the machine in which only the new hierarchy is mounted.
  writeFileSync(
    wrapper,
    '#!/bin/sh\nmount --make-rprivate / && umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"\n',
  );
  chmodSync(wrapper, 0o755);
  const second = await startDaemon({ netns: { ...netns, prefix: [...netns.prefix, "unshare", "-m", wrapper] } });
  const source = await startRegistry(netns.prefix);
  try {
    await source.push("busybox", [BUSYBOX, TOOLS]);
    const from = `${source.address}/busybox`;
    const ok = (...args: string[]) => okWith(second.docker, ...args);
    await ok("pull", from);
    const unified = existsSync("/sys/fs/cgroup/unified") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
    const opens =
      "mknod /b b 254 0; (: < /b) 2> /dev/null || echo closed; (: < /dev/zero) && echo open; grep ^0: /proc/self/cgroup";
    expect(await ok("run", "--rm", from, "sh", "-c", opens)).toMatch(/^closed\nopen\n0::\/docker\/[0-9a-f]{64}\n$/);
    const id = (await ok("run", "-d", "--name", "v2", from, "sh", "-c", "while :; do echo x; sleep 0.02; done")).trim();
    const group = `${unified}/docker/${id}`;
    const frozen = () => /^frozen (\d)$/m.exec(readFileSync(`${group}/cgroup.events`, "utf8"))?.[1];
    expect(await ok("top", "v2", "-o", "pid,args")).toContain("sh -c while :; do echo x; sleep 0.02; done");
    await ok("pause", "v2");
    expect([frozen(), await ok("ps")]).toEqual(["1", expect.stringContaining("(Paused)")]);
    await ok("unpause", "v2");
    expect(frozen()).toBe("0");
    await ok("pause", "v2");
    await ok("rm", "-f", "v2");
    await expect.poll(() => existsSync(group)).toBe(false);
    expect((await second.docker("info")).stderr).toBe(
      "WARNING: No memory limit support\nWARNING: No swap limit support\n",
    );
    // What a killed daemon leaves is found by the next one.
    const left = (await ok("run", "-d", from, "sleep", "100")).trim();
    await second.end("SIGKILL");
    expect(existsSync(`${unified}/docker/${left}`)).toBe(true);
    const third = await startDaemon({ root: second.root, netns: { ...netns, prefix: second.netns.prefix } });
    expect(existsSync(`${unified}/docker/${left}`)).toBe(false);
    expect((await third.docker("ps", "-q")).stdout).toBe("");
    expect(await third.remove()).toEqual([]);
  } finally {
    await source.stop();
    await second.remove();
    netns.remove();
  }
});
