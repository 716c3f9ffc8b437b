/**
 * Configurations from JSON: of images and containers on disk, and of clients since API 1.15.
 *
 * @origin runconfig/config.go, runconfig/hostconfig.go
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import type { Config } from "./config.ts";
import { confinementFields } from "./confinement.ts";
import { bool, type Decoder, integer, list, Notes, nothing, optional, record, struct, text } from "./decode.ts";
import type { DeviceMapping, HostConfig, PortBinding, RestartPolicy } from "./host-config.ts";

const texts = list(text, "[]string");

/** One reader for each key of a container's configuration. */
export const configFields: { [K in keyof Config]-?: Decoder<Config[K]> } = {
  Hostname: text,
  Domainname: text,
  User: text,
  Memory: integer,
  MemorySwap: integer,
  CpuShares: integer,
  Cpuset: text,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  PortSpecs: texts,
  ExposedPorts: record(nothing, "map[nat.Port]struct {}"),
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: texts,
  Cmd: texts,
  Image: text,
  Volumes: record(nothing, "map[string]struct {}"),
  WorkingDir: text,
  Entrypoint: texts,
  NetworkDisabled: bool,
  OnBuild: texts,
  Labels: optional(record(text, "map[string]string")),
  StopSignal: optional(text),
};

const keyValuePair = struct<{ Key: string; Value: string }>({ Key: text, Value: text }, "utils.KeyValuePair");
const portBinding = struct<PortBinding>({ HostIp: text, HostPort: text }, "nat.PortBinding");
const device = struct<DeviceMapping>(
  { PathOnHost: text, PathInContainer: text, CgroupPermissions: text },
  "runconfig.DeviceMapping",
);

/** One reader for each key of a host configuration. */
export const hostConfigFields: { [K in keyof HostConfig]-?: Decoder<HostConfig[K]> } = {
  Binds: texts,
  ContainerIDFile: text,
  LxcConf: list(keyValuePair, "[]utils.KeyValuePair"),
  Privileged: bool,
  PortBindings: record(list(portBinding, "[]nat.PortBinding"), "nat.PortMap"),
  Links: texts,
  PublishAllPorts: bool,
  Dns: texts,
  DnsSearch: texts,
  VolumesFrom: texts,
  Devices: list(device, "[]runconfig.DeviceMapping"),
  NetworkMode: text,
  CapAdd: texts,
  CapDrop: texts,
  RestartPolicy: struct<RestartPolicy>({ Name: text, MaximumRetryCount: integer }, "runconfig.RestartPolicy"),
  AutoRemove: optional(bool),
  ...confinementFields,
};

const config = struct<Config>(configFields, "runconfig.Config");
const hostConfig = struct<HostConfig>(hostConfigFields, "runconfig.HostConfig");

/** Reads, and fails with the first note. */
function strictly<T>(decode: Decoder<T>, value: unknown): T {
  const notes = new Notes();
  const result = decode(value, notes);
  if (notes.first !== undefined) throw new BadRequestError(notes.first);
  return result;
}

/**
 * A container's configuration from parsed JSON; what is absent is zero.
 *
 * @throws {BadRequestError} with Go's text for the first value of a wrong type
 */
export function configFromJson(value: unknown): Config {
  return strictly(config, value);
}

/** The same for the host's half. @throws as {@link configFromJson} */
export function hostConfigFromJson(value: unknown): HostConfig {
  return strictly(hostConfig, value);
}

/** A configuration that asks for nothing, but for what is given. */
export function newConfig(given: Partial<Config> = {}): Config {
  return { ...config({}, new Notes()), ...given };
}

/** A host configuration that asks for nothing, but for what is given. */
export function newHostConfig(given: Partial<HostConfig> = {}): HostConfig {
  return { ...hostConfig({}, new Notes()), ...given };
}
