/**
 * `/info` for clients newer than 1.2.0: what the job says, and facts about the machine that they print.
 *
 * @module
 */

import type { Host } from "../../../host/host.ts";
import { type JsonObject, listAt, textAt } from "../services.ts";
import { stateOf } from "./container.ts";

/** What the answer is put together from, besides the job's. */
export interface InfoFacts {
  /** Rows of the job `containers`, all of them. */
  readonly containers: readonly JsonObject[];
  readonly version: JsonObject;
  readonly machine: Pick<Host["machine"], "os" | "arch" | "cpus" | "hostname">;
  /** Text of /proc/meminfo, or nothing. */
  readonly meminfo: string;
  readonly now: Date;
  readonly engineId: string;
}

const MACHINES: Record<string, string> = { amd64: "x86_64", arm64: "aarch64", "386": "i686", arm: "armv7l" };

/** Numbers that stand for yes and no in 1.2.0. */
const SWITCHES = ["Debug", "MemoryLimit", "SwapLimit", "IPv4Forwarding"];

/** @param info - what the job `info` says */
export function shapeInfo(info: JsonObject, facts: InfoFacts): JsonObject {
  const states = facts.containers.map((row) => stateOf(textAt(row, "Status")));
  const count = (...wanted: string[]) => states.filter((state) => wanted.includes(state)).length;
  const native = textAt(info, "ExecutionDriver").startsWith("native");
  const runtime = native ? "runc" : textAt(info, "ExecutionDriver");
  const shaped: JsonObject = {
    ID: facts.engineId,
    ...info,
    ContainersRunning: count("running", "restarting"),
    ContainersPaused: count("paused"),
    ContainersStopped: count("exited", "created", "dead"),
    DriverStatus: listAt(info, "DriverStatus"),
    Plugins: { Volume: ["local"], Network: ["bridge", "host", "null"], Authorization: null, Log: ["json-file"] },
    SystemTime: facts.now.toISOString(),
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    OSType: facts.machine.os,
    Architecture: MACHINES[facts.machine.arch] ?? facts.machine.arch,
    NCPU: facts.machine.cpus,
    MemTotal: Number(/^MemTotal:\s+(\d+) kB$/m.exec(facts.meminfo)?.[1] ?? 0) * 1024,
    Name: facts.machine.hostname,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: textAt(facts.version, "Version"),
    Runtimes: { [runtime]: { path: runtime } },
    DefaultRuntime: runtime,
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    LiveRestoreEnabled: false,
    Isolation: "",
    InitBinary: "",
    SecurityOptions: listAt(info, "SecurityOptions"),
    RegistryConfig: info["RegistryConfig"] ?? {
      InsecureRegistryCIDRs: [],
      IndexConfigs: { "docker.io": { Name: "docker.io", Mirrors: [], Secure: true, Official: true } },
      Mirrors: [],
    },
  };
  for (const key of SWITCHES) shaped[key] = Boolean(info[key]);
  return shaped;
}
