/**
 * Configurations from the environment of the jobs `create` and `start`: the body of the request, key by key.
 *
 * @origin runconfig/config.go, runconfig/hostconfig.go
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import type { Config } from "./config.ts";
import { type Confinement, confinementFields } from "./confinement.ts";
import { type Decoder, Notes } from "./decode.ts";
import { configFields, hostConfigFields } from "./from-json.ts";
import type { HostConfig } from "./host-config.ts";

/** What is read of a job. */
export interface JobGetter {
  /** The value of a key; the empty text when there is none. */
  getenv(key: string): string;
  getenvBool(key: string): boolean;
  getenvInt(key: string): number;
}

/** How values of a wrong type are treated. */
export interface FromJobOptions {
  /** Refuse them with Go's text, as daemons do since API 1.15; otherwise they count as absent, as in 1.2.0. */
  readonly strict?: boolean;
}

/** Reads keys of one job and collects what is wrong with them. */
class JobReader {
  readonly #job: JobGetter;
  readonly #notes = new Notes();

  constructor(job: JobGetter) {
    this.#job = job;
  }

  /** A value that the job holds as JSON text; `undefined` when it is absent or no JSON. */
  json<T>(key: string, decode: Decoder<T>): T {
    const text = this.#job.getenv(key);
    return decode(text === "" ? undefined : parsed(text, this.#notes), this.#notes);
  }

  /**
   * A list of texts, or nil. A text that is no JSON list stands for the list of itself.
   *
   * @throws {BadRequestError} for a list that holds anything but texts
   */
  list(key: string): string[] | null {
    const text = this.#job.getenv(key);
    if (text === "") return null;
    const value = parsed(text, new Notes());
    if (value === null) return null;
    if (!Array.isArray(value)) return [text];
    const wrong = value.find((item) => item !== null && typeof item !== "string");
    if (wrong === undefined) return value.map((item) => item ?? "");
    const notes = new Notes();
    notes.mismatch(wrong, "string");
    throw new BadRequestError(`${key}: ${notes.first}`);
  }

  /** Keys that 1.2.0 does not know; a wrong type is always an error: 1.2.0's clients do not send them. */
  confinement(): Confinement {
    const notes = new Notes();
    const entries = Object.entries(confinementFields).flatMap(([key, decode]: [string, Decoder<unknown>]) => {
      const text = this.#job.getenv(key);
      if (text === "") return [];
      const isText = key === "CgroupnsMode" || key === "CpusetMems";
      const value = decode(isText ? text : parsed(text, notes), notes);
      return value === undefined ? [] : [[key, value] as const];
    });
    if (notes.first !== undefined) throw new BadRequestError(notes.first);
    return Object.fromEntries(entries) as Confinement;
  }

  /** @throws {BadRequestError} for the first wrong value, when it matters */
  finish({ strict = false }: FromJobOptions): void {
    if (strict && this.#notes.first !== undefined) throw new BadRequestError(this.#notes.first);
  }
}

function parsed(text: string, notes: Notes): unknown {
  try {
    return JSON.parse(text);
  } catch {
    notes.mismatch(text, "object");
    return undefined;
  }
}

/**
 * The configuration in the job `create`.
 *
 * @throws {BadRequestError} for a list of anything but texts; with `strict` for every wrong type
 * @origin runconfig/config.go ContainerConfigFromJob
 * @deviation 1.2.0 makes empty arguments of numbers in a list, and adds the list's own text.
 */
export function containerConfigFromJob(job: JobGetter, options: FromJobOptions = {}): Config {
  const read = new JobReader(job);
  const labels = read.json("Labels", configFields.Labels);
  const stopSignal = job.getenv("StopSignal");
  const config: Config = {
    Hostname: job.getenv("Hostname"),
    Domainname: job.getenv("Domainname"),
    User: job.getenv("User"),
    Memory: job.getenvInt("Memory"),
    MemorySwap: job.getenvInt("MemorySwap"),
    CpuShares: job.getenvInt("CpuShares"),
    Cpuset: job.getenv("Cpuset"),
    AttachStdin: job.getenvBool("AttachStdin"),
    AttachStdout: job.getenvBool("AttachStdout"),
    AttachStderr: job.getenvBool("AttachStderr"),
    PortSpecs: read.list("PortSpecs"),
    ExposedPorts: read.json("ExposedPorts", configFields.ExposedPorts),
    Tty: job.getenvBool("Tty"),
    OpenStdin: job.getenvBool("OpenStdin"),
    StdinOnce: job.getenvBool("StdinOnce"),
    Env: read.list("Env"),
    Cmd: read.list("Cmd"),
    Image: job.getenv("Image"),
    Volumes: read.json("Volumes", configFields.Volumes),
    WorkingDir: job.getenv("WorkingDir"),
    Entrypoint: read.list("Entrypoint"),
    // `null` is true here, as in 1.2.0: every text but the known few is.
    NetworkDisabled: job.getenvBool("NetworkDisabled"),
    // Triggers belong to images; a client cannot set them.
    OnBuild: null,
    ...(labels === undefined ? {} : { Labels: labels }),
    ...(stopSignal === "" ? {} : { StopSignal: stopSignal }),
  };
  read.finish(options);
  return config;
}

/**
 * The host configuration in the job `start`.
 *
 * @throws as {@link containerConfigFromJob}
 * @origin runconfig/hostconfig.go ContainerHostConfigFromJob
 */
export function containerHostConfigFromJob(job: JobGetter, options: FromJobOptions = {}): HostConfig {
  const read = new JobReader(job);
  const hostConfig: HostConfig = {
    Binds: read.list("Binds"),
    ContainerIDFile: job.getenv("ContainerIDFile"),
    LxcConf: read.json("LxcConf", hostConfigFields.LxcConf),
    Privileged: job.getenvBool("Privileged"),
    PortBindings: read.json("PortBindings", hostConfigFields.PortBindings),
    Links: read.list("Links"),
    PublishAllPorts: job.getenvBool("PublishAllPorts"),
    Dns: read.list("Dns"),
    DnsSearch: read.list("DnsSearch"),
    VolumesFrom: read.list("VolumesFrom"),
    Devices: read.json("Devices", hostConfigFields.Devices),
    NetworkMode: job.getenv("NetworkMode"),
    CapAdd: read.list("CapAdd"),
    CapDrop: read.list("CapDrop"),
    RestartPolicy: read.json("RestartPolicy", hostConfigFields.RestartPolicy),
    ...(job.getenv("AutoRemove") === "" ? {} : { AutoRemove: job.getenvBool("AutoRemove") }),
    ...read.confinement(),
  };
  read.finish(options);
  return hostConfig;
}
