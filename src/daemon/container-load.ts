/**
 * Reads a container from its directory.
 *
 * @origin daemon/container.go FromDisk, readHostConfig; daemon/daemon.go load
 * @module
 */

import posix from "node:path/posix";
import { isErrno, messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../pkg/log/log.ts";
import { configFromJson, hostConfigFromJson, newHostConfig } from "../runconfig/from-json.ts";
import type { HostConfig } from "../runconfig/host-config.ts";
import { asObject, unmarshal } from "../utils/go-json-decode.ts";
import { parseRfc3339 } from "../utils/go-time.ts";
import { Container } from "./container.ts";
import { type NetworkSettings, noNetwork } from "./network-settings.ts";

/**
 * @param root - the container's directory
 * @throws an `ENOENT` error when there is no `config.json`; anything else when it is broken
 */
export async function loadContainer(
  id: string,
  root: string,
  host: Pick<Host, "fs" | "clock">,
  log: Logger,
): Promise<Container> {
  const json = asObject(unmarshal(await host.fs.readFile(posix.join(root, "config.json"), "utf8")));
  if (json["ID"] !== id) throw new SystemError(`Container ${text(json["ID"])} is stored at ${id}`);
  const container = new Container(
    {
      id,
      root,
      name: text(json["Name"]),
      path: text(json["Path"]),
      args: texts(json["Args"]),
      config: configFromJson(json["Config"]),
      hostConfig: await loadHostConfig(root, host, log),
      image: text(json["Image"]),
      driver: text(json["Driver"]),
      execDriver: text(json["ExecDriver"]),
    },
    host.clock,
  );
  const created = text(json["Created"]);
  parseRfc3339(created); // a time that cannot be read is a broken file
  container.created = created;
  container.state.load(asObject(json["State"] ?? {}));
  container.networkSettings = networkSettings(json["NetworkSettings"]);
  container.resolvConfPath = text(json["ResolvConfPath"]);
  container.hostnamePath = text(json["HostnamePath"]);
  container.hostsPath = text(json["HostsPath"]);
  container.mountLabel = text(json["MountLabel"]);
  container.processLabel = text(json["ProcessLabel"]);
  container.restartCount = typeof json["RestartCount"] === "number" ? json["RestartCount"] : 0;
  container.stoppedByUser = json["HasBeenManuallyStopped"] === true;
  container.volumes = record(json["Volumes"], text);
  container.volumesRW = record(json["VolumesRW"], (value) => value === true);
  return container;
}

/** @origin daemon/container.go readHostConfig */
async function loadHostConfig(root: string, host: Pick<Host, "fs">, log: Logger): Promise<HostConfig> {
  const path = posix.join(root, "hostconfig.json");
  try {
    return hostConfigFromJson(unmarshal(await host.fs.readFile(path, "utf8")));
  } catch (cause) {
    // A container is worth more than its host configuration, which the next start may replace anyway.
    if (!isErrno(cause, "ENOENT")) log.error("container.go:163", `Cannot read ${path}: ${messageOf(cause)}`);
    return newHostConfig();
  }
}

function networkSettings(value: unknown): NetworkSettings {
  const json = asObject(value ?? {});
  return {
    ...noNetwork(),
    IPAddress: text(json["IPAddress"]),
    IPPrefixLen: typeof json["IPPrefixLen"] === "number" ? json["IPPrefixLen"] : 0,
    Gateway: text(json["Gateway"]),
    Bridge: text(json["Bridge"]),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

function record<T>(value: unknown, read: (item: unknown) => T): Record<string, T> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  // Without a prototype: the keys come from outside.
  const found = Object.create(null) as Record<string, T>;
  for (const [key, item] of Object.entries(value)) found[key] = read(item);
  return found;
}
