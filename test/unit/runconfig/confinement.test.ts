import fc from "fast-check";
import { expect, test } from "vitest";
import { confinementOf } from "../../../src/daemon/confinement.ts";
import { BadRequestError } from "../../../src/errdefs/errdefs.ts";
import { checkWishes, withoutConfinement } from "../../../src/runconfig/confinement.ts";
import { hostConfigFromJson } from "../../../src/runconfig/from-json.ts";

/** What the unmodified client of today sends for a plain `docker run`. */
const PLAIN = {
  ...{
    Binds: null,
    ContainerIDFile: "",
    LogConfig: { Type: "", Config: {} },
    NetworkMode: "default",
    PortBindings: {},
  },
  ...{ VolumeDriver: "", CgroupnsMode: "", DnsOptions: [], ExtraHosts: null, GroupAdd: null, IpcMode: "", Cgroup: "" },
  ...{ OomScoreAdj: 0, PidMode: "", ReadonlyRootfs: false, SecurityOpt: null, UTSMode: "", UsernsMode: "", ShmSize: 0 },
  ...{ ConsoleSize: [0, 0], Isolation: "", NanoCpus: 0, CgroupParent: "", BlkioWeight: 0, BlkioWeightDevice: [] },
  ...{ CpuPeriod: 0, CpuQuota: 0, CpusetMems: "", Devices: [], DeviceCgroupRules: null, DeviceRequests: null },
  ...{
    KernelMemory: 0,
    MemoryReservation: 0,
    MemorySwappiness: -1,
    OomKillDisable: false,
    PidsLimit: 0,
    Ulimits: null,
  },
  ...{ MaskedPaths: null, ReadonlyPaths: null },
};

test("checkWishes() says nothing to a client that asks for nothing, and nothing of it is kept", () => {
  expect(checkWishes(PLAIN)).toEqual([]);
  const { AutoRemove: _, ...kept } = hostConfigFromJson(PLAIN);
  expect(Object.keys(withoutConfinement(kept))).toEqual(Object.keys(kept));
});

test("checkWishes() refuses what would leave a container freer than asked", () => {
  for (const [key, value] of [
    ["PidMode", "host"],
    ["IpcMode", "container:x"],
    ["UsernsMode", "private"],
    ["CgroupParent", "/x"],
    ["Mounts", [{ Type: "bind" }]],
    ["MaskedPaths", ["/proc/x"]],
  ] as const) {
    expect(() => checkWishes({ ...PLAIN, [key]: value })).toThrow(`HostConfig.${key} is not supported`);
  }
  for (const [key, value] of Object.entries({ IpcMode: "private", UsernsMode: "host", Runtime: "runc" }))
    expect(checkWishes({ ...PLAIN, [key]: value })).toEqual([]);
});

test("checkWishes() names what has no effect", () => {
  const wishes = { ExtraHosts: ["a:1.2.3.4"], Init: true, LogConfig: { Type: "syslog" } };
  expect(checkWishes({ ...PLAIN, ...wishes })).toEqual([
    "HostConfig.ExtraHosts is not supported and has no effect.",
    "HostConfig.Init is not supported and has no effect.",
    "HostConfig.LogConfig is not supported and has no effect.",
  ]);
});

test("confinementOf() is what the driver needs", () => {
  const wishes = {
    ReadonlyRootfs: true,
    SecurityOpt: ["no-new-privileges", "seccomp=unconfined"],
    Ulimits: [{ Name: "nofile", Soft: 5, Hard: -1 }],
    Tmpfs: { "/run": "", "/a": "size=1m,exec" },
    NanoCpus: 1_500_000_000,
    MemorySwappiness: 0,
  };
  expect(confinementOf(hostConfigFromJson(wishes))).toMatchObject({
    readonlyRootfs: true,
    noNewPrivileges: true,
    rlimits: [{ type: "RLIMIT_NOFILE", soft: 5, hard: Number.MAX_SAFE_INTEGER }],
    tmpfs: [
      { destination: "/run", options: ["noexec", "nosuid", "nodev"] },
      { destination: "/a", options: ["noexec", "nosuid", "nodev", "size=1m", "exec"] },
    ],
    cpuPeriod: 100_000,
    cpuQuota: 150_000,
    memorySwappiness: 0,
    pidsLimit: undefined,
  });
});

test.each([
  [{ SecurityOpt: ["seccomp=/p.json"] }, "HostConfig.SecurityOpt is not supported (seccomp=/p.json): leave it out"],
  [{ Ulimits: [{ Name: "none", Soft: 1, Hard: 1 }] }, "invalid ulimit type: none"],
  [{ Ulimits: [{ Name: "core", Soft: 2, Hard: 1 }] }, "ulimit soft limit must be less than or equal to hard limit"],
  [{ Tmpfs: { "/x": "loop" } }, 'Invalid tmpfs option "loop"'],
  [{ Tmpfs: { "/x/..": "" } }, "Invalid tmpfs destination"],
  [{ Tmpfs: { x: "" } }, "Invalid tmpfs destination"],
  [{ ShmSize: -2 }, "SHM size can not be less than 0"],
  [{ NanoCpus: 1, CpuQuota: 1 }, "Conflicting options"],
])("confinementOf(%j) is refused", (wishes, text) => {
  expect(() => confinementOf(hostConfigFromJson(wishes))).toThrow(text);
});

test("whatever is sent, a refusal is a refusal and never a fault", () => {
  const body = fc.dictionary(
    fc.constantFrom(...Object.keys(PLAIN), "Tmpfs", "Mounts", "Sysctls", "Annotations", "Init", "__proto__"),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(body, (odd) => {
      try {
        checkWishes(odd);
        confinementOf(hostConfigFromJson(odd));
      } catch (cause) {
        if (!(cause instanceof BadRequestError)) throw cause;
      }
    }),
  );
});
