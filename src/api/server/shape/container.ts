/**
 * Containers for clients newer than 1.2.0: a row of the list, and one container in full.
 *
 * The jobs speak 1.14; what came later is derived from that, and nothing is made up: what this engine does not have is
 * empty, zero or `false`.
 *
 * @module
 */

import { imageId } from "../names.ts";
import { type JsonObject, listAt, numberAt, objectAt, textAt } from "../services.ts";
import type { ApiVersion } from "../version.ts";

/** A time that never was. */
const ZERO_TIME = "0001-01-01T00:00:00Z";

/** The one-word state behind a row's status text. */
export function stateOf(status: string): string {
  if (status.startsWith("Up ")) return status.endsWith("(Paused)") ? "paused" : "running";
  if (status.startsWith("Restarting")) return "restarting";
  if (status.startsWith("Exited")) return "exited";
  return "created";
}

/** The one-word state of a container. */
function stateName(state: JsonObject): string {
  if (state["Paused"]) return "paused";
  if (state["Restarting"]) return "restarting";
  if (state["Running"]) return "running";
  return [undefined, "", ZERO_TIME].includes(textAt(state, "StartedAt")) ? "created" : "exited";
}

/** The network a mode puts the container into; what another container has is not this one's. */
function networkName(mode: string): string | undefined {
  if (mode === "" || mode === "default" || mode === "bridge") return "bridge";
  return mode.startsWith("container:") ? undefined : mode;
}

/** `NetworkSettings.Networks`: there is one network at most. */
function networks(settings: JsonObject, mode: string): JsonObject {
  const name = networkName(mode);
  if (name === undefined) return {};
  return {
    [name]: {
      IPAMConfig: null,
      Links: null,
      Aliases: null,
      NetworkID: textAt(settings, "NetworkID"),
      EndpointID: textAt(settings, "EndpointID"),
      Gateway: textAt(settings, "Gateway"),
      IPAddress: textAt(settings, "IPAddress"),
      IPPrefixLen: numberAt(settings, "IPPrefixLen"),
      IPv6Gateway: "",
      GlobalIPv6Address: "",
      GlobalIPv6PrefixLen: 0,
      MacAddress: textAt(settings, "MacAddress"),
      DriverOpts: null,
    },
  };
}

/** `Mounts`: the container's volumes. Those inside the daemon's own directory are named by their id. */
function mounts(container: JsonObject): JsonObject[] {
  const writable = objectAt(container, "VolumesRW");
  const binds = new Set(listAt<string>(objectAt(container, "HostConfig"), "Binds").map((bind) => bind.split(":")[1]));
  return Object.entries(objectAt(container, "Volumes"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([destination, source]) => {
      const path = String(source);
      const rw = writable[destination] !== false;
      const own = binds.has(destination) ? undefined : /\/vfs\/dir\/([0-9a-f]{64})$/.exec(path)?.[1];
      const common = { Source: path, Destination: destination, Mode: rw ? "" : "ro", RW: rw };
      return own
        ? { Type: "volume", Name: own, ...common, Driver: "local", Propagation: "" }
        : { Type: "bind", ...common, Propagation: "rprivate" };
    });
}

/**
 * A row of the list.
 *
 * @param row - what the job `containers` says
 * @param container - what the job `container_inspect` says of it, or nothing when it is gone meanwhile
 */
export function shapeRow(row: JsonObject, container: JsonObject | undefined, version: ApiVersion): JsonObject {
  const mode = textAt(objectAt(container, "HostConfig"), "NetworkMode");
  return {
    ...row,
    Names: listAt(row, "Names"),
    ImageID: imageId(textAt(container, "Image"), version),
    Ports: listAt(row, "Ports"),
    Labels: objectAt(objectAt(container, "Config"), "Labels"),
    State: container ? stateName(objectAt(container, "State")) : stateOf(textAt(row, "Status")),
    HostConfig: { NetworkMode: mode === "" ? "default" : mode },
    NetworkSettings: { Networks: networks(objectAt(container, "NetworkSettings"), mode) },
    Mounts: container ? mounts(container) : [],
  };
}

/** Keys of Config that moved to HostConfig in 1.18. */
const RESOURCES = ["Memory", "MemorySwap", "CpuShares", "Cpuset"];

function shapeConfig(config: JsonObject, version: ApiVersion): JsonObject {
  const shaped: JsonObject = {
    ...config,
    Env: listAt(config, "Env"),
    Labels: objectAt(config, "Labels"),
    StopSignal: textAt(config, "StopSignal") || undefined,
  };
  if (version.atLeast("1.18")) for (const key of [...RESOURCES, "PortSpecs"]) delete shaped[key];
  return shaped;
}

function shapeHostConfig(container: JsonObject): JsonObject {
  const host = objectAt(container, "HostConfig");
  const config = objectAt(container, "Config");
  const policy = objectAt(host, "RestartPolicy");
  return {
    ConsoleSize: [0, 0],
    CgroupParent: "",
    IpcMode: "",
    PidMode: "",
    UTSMode: "",
    UsernsMode: "",
    Isolation: "",
    ReadonlyRootfs: false,
    AutoRemove: false,
    LogConfig: { Type: "json-file", Config: {} },
    SecurityOpt: null,
    ExtraHosts: null,
    GroupAdd: null,
    OomScoreAdj: 0,
    Runtime: "runc",
    VolumeDriver: "",
    CpuPeriod: 0,
    CpuQuota: 0,
    NanoCpus: 0,
    BlkioWeight: 0,
    CpusetMems: "",
    Ulimits: null,
    ...host,
    Binds: host["Binds"] ?? null,
    PortBindings: objectAt(host, "PortBindings"),
    Links: host["Links"] ?? null,
    Dns: listAt(host, "Dns"),
    DnsSearch: listAt(host, "DnsSearch"),
    DnsOptions: listAt(host, "DnsOptions"),
    Devices: listAt(host, "Devices"),
    NetworkMode: textAt(host, "NetworkMode") || "default",
    RestartPolicy: { Name: textAt(policy, "Name") || "no", MaximumRetryCount: numberAt(policy, "MaximumRetryCount") },
    Memory: numberAt(config, "Memory"),
    MemorySwap: numberAt(config, "MemorySwap"),
    CpuShares: numberAt(config, "CpuShares"),
    CpusetCpus: textAt(config, "Cpuset"),
  };
}

/** @param container - what the job `container_inspect` says */
export function shapeContainer(container: JsonObject, version: ApiVersion): JsonObject {
  const state = objectAt(container, "State");
  const settings = objectAt(container, "NetworkSettings");
  const driver = textAt(container, "Driver");
  const { ExecDriver, Volumes, VolumesRW, ...rest } = container;
  return {
    ...rest,
    ...(version.before("1.20") && { ExecDriver, Volumes, VolumesRW }),
    State: {
      Status: stateName(state),
      OOMKilled: false,
      Dead: false,
      Error: "",
      ...state,
    },
    Image: imageId(textAt(container, "Image"), version),
    LogPath: textAt(container, "LogPath"),
    RestartCount: numberAt(container, "RestartCount"),
    Platform: "linux",
    AppArmorProfile: textAt(container, "AppArmorProfile"),
    ExecIDs: null,
    HostConfig: shapeHostConfig(container),
    GraphDriver: { Name: driver, Data: null },
    Mounts: mounts(container),
    Config: shapeConfig(objectAt(container, "Config"), version),
    NetworkSettings: {
      Bridge: textAt(settings, "Bridge"),
      SandboxID: "",
      HairpinMode: false,
      LinkLocalIPv6Address: "",
      LinkLocalIPv6PrefixLen: 0,
      Ports: objectAt(settings, "Ports"),
      SandboxKey: "",
      SecondaryIPAddresses: null,
      SecondaryIPv6Addresses: null,
      EndpointID: "",
      Gateway: textAt(settings, "Gateway"),
      GlobalIPv6Address: "",
      GlobalIPv6PrefixLen: 0,
      IPAddress: textAt(settings, "IPAddress"),
      IPPrefixLen: numberAt(settings, "IPPrefixLen"),
      IPv6Gateway: "",
      MacAddress: textAt(settings, "MacAddress"),
      Networks: networks(settings, textAt(objectAt(container, "HostConfig"), "NetworkMode")),
    },
  };
}
