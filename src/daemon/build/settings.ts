/**
 * What a build was asked for.
 *
 * @origin daemon/build.go
 * @module
 */

import type { Job } from "../../engine/job.ts";
import { type AuthConfig, authConfigOf } from "../../registry/auth.ts";
import type { Config } from "../../runconfig/config.ts";

/** Where the Dockerfile is when nobody says so. */
export const DEFAULT_DOCKERFILE = "Dockerfile";

/** How to build, and how to report it; see {@link readSettings}. */
export interface BuildSettings {
  /** What the image is to be called. */
  readonly names: readonly string[];
  /** Messages as JSON. */
  readonly json: boolean;
  /** Tells the id, and the names, in messages of their own. @since Docker 17.05 (API 1.29) */
  readonly aux: boolean;
  /** Takes out of the context what its `.dockerignore` leaves out. @since Docker 1.8 (API 1.20) */
  readonly dockerignore: boolean;
  /** Reports nothing but the id, unless something goes wrong. @since Docker 1.10 (API 1.22) */
  readonly idOnly: boolean;
  /** Shows what the commands print. */
  readonly verbose: boolean;
  readonly useCache: boolean;
  /** Removes the containers of steps that went well, … */
  readonly rm: boolean;
  /** … and those of a step that did not. */
  readonly forceRm: boolean;
  /** Asks the registry for a newer image, even if there is one. @since Docker 1.5 (API 1.16) */
  readonly pull: boolean;
  /** Path in the context. @since Docker 1.5 (API 1.17) */
  readonly dockerfile: string;
  /** Limits of the containers, not of the image. @since Docker 1.6 (API 1.18) */
  readonly limits: Partial<Pick<Config, "Memory" | "MemorySwap" | "CpuShares" | "Cpuset">>;
  /** Variables of the containers, not of the image: `NAME=value`. @since Docker 1.9 (API 1.21) */
  readonly proxies: readonly string[];
  /** Network of the containers. @since Docker 1.13 (API 1.25) */
  readonly networkMode: string;
  /** What else is said of the image. @since Docker 1.9 (API 1.23) */
  readonly labels: Readonly<Record<string, string>>;
  /** The account for every registry, unless {@link configs} has one. */
  readonly auth: AuthConfig;
  /** Accounts by registry. */
  readonly configs: ReadonlyMap<string, AuthConfig>;
}

/** Reads the environment of the job `build`. @origin daemon/build.go (*Daemon).CmdBuild */
export function readSettings(job: Job): BuildSettings {
  return {
    names: [...(job.getenvList("tags") ?? []), job.getenv("t")].filter((name) => name !== ""),
    aux: job.getenvBool("aux"),
    dockerignore: job.getenvBool("dockerignore"),
    idOnly: job.getenvBool("idOnly"),
    json: job.getenvBool("json"),
    verbose: !job.getenvBool("q"),
    useCache: !job.getenvBool("nocache"),
    rm: job.getenvBool("rm"),
    forceRm: job.getenvBool("forcerm"),
    pull: job.getenvBool("pull"),
    dockerfile: job.getenv("dockerfile") || DEFAULT_DOCKERFILE,
    limits: readLimits(job),
    proxies: job.getenvList("proxies") ?? [],
    networkMode: job.getenv("networkMode"),
    labels: job.getenvJson<Record<string, string>>("labels") ?? {},
    auth: authConfigOf(job.getenvJson("authConfig")),
    configs: readConfigs(job.getenvJson("configFile")),
  };
}

function readLimits(job: Job): BuildSettings["limits"] {
  const limits: { -readonly [Key in keyof BuildSettings["limits"]]: BuildSettings["limits"][Key] } = {};
  for (const key of ["Memory", "MemorySwap", "CpuShares"] as const) {
    const value = job.getenvInt(key);
    if (value !== 0) limits[key] = value;
  }
  const cpuset = job.getenv("Cpuset");
  if (cpuset !== "") limits.Cpuset = cpuset;
  return limits;
}

function readConfigs(file: unknown): Map<string, AuthConfig> {
  const configs = typeof file === "object" && file !== null && "configs" in file ? file.configs : undefined;
  if (typeof configs !== "object" || configs === null) return new Map();
  return new Map(Object.entries(configs).map(([server, auth]) => [server, authConfigOf(auth)]));
}
