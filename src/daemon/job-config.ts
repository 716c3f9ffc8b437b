/**
 * What the environment of a job says about the container, and what only about the job.
 *
 * @origin daemon/start.go ContainerStart
 * @module
 */

import type { Job } from "../engine/job.ts";
import { checkWishes } from "../runconfig/confinement.ts";
import { containerHostConfigFromJob } from "../runconfig/from-job.ts";
import { hostConfigFromJson, newHostConfig } from "../runconfig/from-json.ts";
import type { HostConfig } from "../runconfig/host-config.ts";
import { asObject } from "../utils/go-json-decode.ts";
import { confinementOf } from "./confinement.ts";

/** Keys that are for the job itself. */
const forTheJob = new Set(["strict", "extended"]);

/** What a key of the body was, as far as its text tells. */
function valueIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The host configuration that comes with a start; `undefined` when there is none. @origin daemon/start.go ContainerStart */
export function hostConfigFromStart(job: Job): HostConfig | undefined {
  const keys = [...job.environ().keys()].filter((key) => !forTheJob.has(key));
  if (keys.length === 0) return undefined;
  checkWishes(Object.fromEntries(keys.map((key) => [key, valueIn(job.getenv(key))])));
  const hostConfig = containerHostConfigFromJob(job);
  confinementOf(hostConfig);
  return hostConfig;
}

/**
 * The host configuration that clients of today send with the creation. What they ask for in vain the job says.
 *
 * @throws {BadRequestError} for what must not be left out
 * @since Docker 1.3 (API 1.15)
 */
export function hostConfigFromCreate(job: Job): HostConfig {
  const value = job.getenvJson<unknown>("HostConfig");
  if (value === undefined) return newHostConfig();
  const hostConfig = hostConfigFromJson(value);
  for (const warning of checkWishes(asObject(value))) job.errorf(`${warning}\n`);
  confinementOf(hostConfig); // now, and not when it starts: a wish that makes no sense
  return hostConfig;
}
