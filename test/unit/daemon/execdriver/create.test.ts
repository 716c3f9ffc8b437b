import { expect, test } from "vitest";
import type { Command } from "../../../../src/daemon/execdriver/driver.ts";
import { createContainer } from "../../../../src/daemon/execdriver/native/create.ts";
import { runcError } from "../../../../src/daemon/execdriver/native/runc-error.ts";
import { tweakCapabilities } from "../../../../src/daemon/execdriver/utils.ts";

const command: Command = {
  id: "c1",
  rootfs: "/r",
  entrypoint: "echo",
  args: ["hi"],
  env: ["A=b"],
  workingDir: "/w",
  user: "",
  tty: false,
  openStdin: false,
  network: { kind: "netns", path: "/run/ns" },
  resources: { memory: 0, memorySwap: 0, cpuShares: 0, cpuset: "" },
  mounts: [{ source: "/h", destination: "/c", writable: false, private: true }],
  devices: [],
  privileged: false,
  capAdd: [],
  capDrop: [],
};
const around = {
  user: { uid: 1, gid: 2, additionalGids: [3] },
  devices: [],
  cgroup: "/docker/c1",
  unified: false,
  hasCapability: () => true,
};

test("createContainer() gives an ordinary container the fourteen capabilities and none that are inheritable", () => {
  const { process } = createContainer(command, around);
  const caps = process["capabilities"] as Record<string, string[]>;
  expect(caps["bounding"]).toHaveLength(14);
  expect(caps["bounding"]).toContain("CAP_NET_RAW");
  expect(caps["bounding"]).not.toContain("CAP_SYS_ADMIN");
  expect(Object.keys(caps)).toEqual(["bounding", "effective", "permitted"]);
});

test("createContainer() gives a privileged container what the daemon holds, every device, and hides nothing", () => {
  const config = createContainer(
    { ...command, privileged: true },
    { ...around, hasCapability: (n) => n !== "CAP_SYS_RESOURCE" },
  );
  const caps = (config.process["capabilities"] as Record<string, string[]>)["bounding"];
  expect(caps).toContain("CAP_SYS_ADMIN");
  expect(caps).not.toContain("CAP_SYS_RESOURCE");
  expect(config.linux).not.toHaveProperty("maskedPaths");
  expect(config.linux["resources"]).toEqual({ devices: [{ allow: true, access: "rwm" }] });
  expect(config.mounts.find((m) => m.destination === "/sys")?.options).not.toContain("ro");
});

test.each([
  [{ kind: "netns", path: "/run/ns" } as const, { type: "network", path: "/run/ns" }],
  [{ kind: "none" } as const, { type: "network" }],
])("createContainer() joins the network %j", (network, expected) => {
  expect(createContainer({ ...command, network }, around).linux["namespaces"]).toContainEqual(expected);
});

// origin: daemon/execdriver/native/driver.go getEnv
test.each([
  [["HOSTNAME=box", "A=b"], "box"],
  [["A=b", "HOSTNAME=a=b"], "a"],
  [["HOSTNAME="], undefined],
  [["HOSTNAME"], undefined],
  [["XHOSTNAME=no"], undefined],
])("createContainer() takes the host name from the environment %j", (env, hostname) => {
  expect(createContainer({ ...command, env }, around).hostname).toBe(hostname);
});

test("createContainer() leaves the host's network alone in host mode", () => {
  const types = createContainer({ ...command, network: { kind: "host" } }, around).linux["namespaces"] as {
    type: string;
  }[];
  expect(types.map((n) => n.type)).toEqual(["mount", "uts", "ipc", "pid"]);
});

test("createContainer() doubles the memory for swap unless swap is −1", () => {
  const memory = (memorySwap: number) =>
    (
      createContainer({ ...command, resources: { memory: 1 << 20, memorySwap, cpuShares: 0, cpuset: "" } }, around)
        .linux["resources"] as { memory: unknown }
    ).memory;
  expect(memory(0)).toEqual({ limit: 1 << 20, reservation: 1 << 20, swap: 2 << 20 });
  expect(memory(-1)).toEqual({ limit: 1 << 20, reservation: 1 << 20 });
});

test("createContainer() asks for no soft limit on control groups of version 2, where it would be a guarantee", () => {
  const resources = { memory: 1 << 20, memorySwap: 0, cpuShares: 512, cpuset: "0" };
  expect(createContainer({ ...command, resources }, { ...around, unified: true }).linux["resources"]).toMatchObject({
    memory: { limit: 1 << 20, swap: 2 << 20 },
    cpu: { shares: 512, cpus: "0" },
  });
  expect(JSON.stringify(createContainer({ ...command, resources }, { ...around, unified: true }))).not.toContain(
    "reservation",
  );
});

// origin: vendor/src/github.com/docker/libcontainer/cgroups/fs/cpu.go Set
test("createContainer() gives a weight as the kernel takes it, and refuses what the kernel refuses", () => {
  const cpu = (cpuShares: number) =>
    (
      createContainer({ ...command, resources: { memory: 0, memorySwap: 0, cpuShares, cpuset: "" } }, around).linux[
        "resources"
      ] as { cpu?: unknown }
    ).cpu;
  expect([0, 1, 2, 512, 1e9].map(cpu)).toEqual([
    undefined,
    { shares: 2 },
    { shares: 2 },
    { shares: 512 },
    { shares: 262144 },
  ]);
  expect(() => cpu(-5)).toThrow("write /sys/fs/cgroup/cpu/docker/c1/cpu.shares: invalid argument");
});

// origin: daemon/execdriver/utils.go TweakCapabilities
test.each([
  [["CHOWN", "KILL"], [], ["KILL"], ["CHOWN"]],
  [["CHOWN", "KILL"], ["net_admin"], ["KILL"], ["CHOWN", "NET_ADMIN"]],
  [["CHOWN"], ["CAP_KILL"], ["ALL"], ["KILL"]],
  [["CHOWN"], ["kill"], ["kill"], ["CHOWN", "KILL"]],
])("tweakCapabilities(%j, +%j, -%j) is %j", (basics, adds, drops, expected) => {
  expect(tweakCapabilities(basics, adds, drops)).toEqual(expected);
});

test("tweakCapabilities() names what it does not know", () => {
  expect(() => tweakCapabilities([], ["BOGUS"], [])).toThrow('Unknown capability to add: "BOGUS"');
  expect(() => tweakCapabilities([], [], ["BOGUS"])).toThrow('Unknown capability drop: "BOGUS"');
});

test.each([
  [
    '{"level":"error","msg":"runc run failed: unable to start container process: exec: \\"x\\": executable file not found in $PATH: unknown"}\n',
    'exec: "x": executable file not found in $PATH',
  ],
  [
    '{"level":"warning","msg":"w"}\n{"level":"error","msg":"runc run failed: container with given ID already exists"}\n',
    "container with given ID already exists",
  ],
  [
    '{"level":"error","msg":"runc run failed: unable to start container process: error during container init: sethostname: invalid argument"}\n',
    "sethostname invalid argument",
  ],
  [
    'runc run failed: unable to start container process: unable to apply cgroup configuration: failed to write "99": write /sys/fs/cgroup/cpuset/docker/x/cpuset.cpus: numerical result out of range',
    "write /sys/fs/cgroup/cpuset/docker/x/cpuset.cpus: numerical result out of range",
  ],
  [
    'error mounting "/tmp" to rootfs at "/etc/passwd": mount /tmp:/etc/passwd (via /proc/self/fd/6), flags: 0x5000: not a directory',
    "setup mount namespace bind mounts mounting /tmp into /root$&/etc/passwd not a directory",
  ],
  [
    'chdir to cwd ("/a b") set in config.json failed: permission denied',
    "finalize namespace chdir to /a b permission denied",
  ],
  ["plain text\n", "plain text"],
  ["", ""],
])("runcError(%j) is the bare message", (text, expected) => {
  expect(runcError(text, "/root$&")).toBe(expected);
});
