/**
 * Reads the description of an image that comes from outside: a file, a registry, an archive.
 *
 * What has the wrong type is refused with Go's text, what is unknown is ignored, what is missing gets Go's zero value.
 *
 * @module
 */

import type { Config } from "../runconfig/config.ts";
import { asObject, JsonError, unmarshal } from "../utils/go-json-decode.ts";

type Fields = Record<string, unknown>;

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function mismatch(value: unknown, type: string): never {
  throw new JsonError(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${type}`);
}

/** A text; `""` when it is not there. */
export function text(fields: Fields, key: string): string {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : mismatch(value, "string");
}

function integer(fields: Fields, key: string): number {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (value === undefined || value === null) return 0;
  return Number.isSafeInteger(value) ? (value as number) : mismatch(value, "int64");
}

function flag(fields: Fields, key: string): boolean {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (value === undefined || value === null) return false;
  return typeof value === "boolean" ? value : mismatch(value, "bool");
}

function list(fields: Fields, key: string): string[] | null {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) return mismatch(value, "[]string");
  return value.map((item: unknown) => (typeof item === "string" ? item : mismatch(item, "string")));
}

function object(fields: Fields, key: string): Fields | null {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (value === undefined || value === null) return null;
  return typeof value === "object" && !Array.isArray(value) ? (value as Fields) : mismatch(value, "map");
}

function set(fields: Fields, key: string): Record<string, Record<string, never>> | null {
  const value = object(fields, key);
  // fromEntries makes own properties even of a name like __proto__.
  return value === null ? null : Object.fromEntries(Object.keys(value).map((name) => [name, {}]));
}

/** A configuration with every key of 1.2.0, and those of later versions that are there. */
export function decodeConfig(value: unknown): Config {
  const f = asObject(value ?? null);
  const labels = object(f, "Labels");
  const stopSignal = text(f, "StopSignal");
  return {
    Hostname: text(f, "Hostname"),
    Domainname: text(f, "Domainname"),
    User: text(f, "User"),
    Memory: integer(f, "Memory"),
    MemorySwap: integer(f, "MemorySwap"),
    CpuShares: integer(f, "CpuShares"),
    Cpuset: text(f, "Cpuset"),
    AttachStdin: flag(f, "AttachStdin"),
    AttachStdout: flag(f, "AttachStdout"),
    AttachStderr: flag(f, "AttachStderr"),
    PortSpecs: list(f, "PortSpecs"),
    ExposedPorts: set(f, "ExposedPorts"),
    Tty: flag(f, "Tty"),
    OpenStdin: flag(f, "OpenStdin"),
    StdinOnce: flag(f, "StdinOnce"),
    Env: list(f, "Env"),
    Cmd: list(f, "Cmd"),
    Image: text(f, "Image"),
    Volumes: set(f, "Volumes"),
    WorkingDir: text(f, "WorkingDir"),
    Entrypoint: list(f, "Entrypoint"),
    NetworkDisabled: flag(f, "NetworkDisabled"),
    OnBuild: list(f, "OnBuild"),
    ...(labels === null
      ? {}
      : { Labels: Object.fromEntries(Object.keys(labels).map((name) => [name, text(labels, name)])) }),
    ...(stopSignal === "" ? {} : { StopSignal: stopSignal }),
  };
}

/** The fields of a JSON document that must be an object; `null` is an empty one, as in Go. */
export function documentFields(source: string | Uint8Array): Fields {
  return asObject(unmarshal(typeof source === "string" ? source : Buffer.from(source).toString("utf8")));
}
