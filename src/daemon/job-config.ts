/**
 * What the environment of a job says about the container, and what only about the job.
 *
 * @origin daemon/start.go ContainerStart
 * @module
 */

import type { Job } from "../engine/job.ts";
import { containerHostConfigFromJob } from "../runconfig/from-job.ts";
import { hostConfigFromJson, newHostConfig } from "../runconfig/from-json.ts";
import type { HostConfig } from "../runconfig/host-config.ts";

/** Keys that are for the job itself. */
const forTheJob = new Set(["strict", "extended"]);

/** The host configuration that comes with a start; `undefined` when there is none. @origin daemon/start.go ContainerStart */
export function hostConfigFromStart(job: Job): HostConfig | undefined {
  const keys = [...job.environ().keys()].filter((key) => !forTheJob.has(key));
  return keys.length === 0 ? undefined : containerHostConfigFromJob(job);
}

/** The host configuration that clients of today send with the creation. @since Docker 1.3 (API 1.15) */
export function hostConfigFromCreate(job: Job): HostConfig {
  const value = job.getenvJson<unknown>("HostConfig");
  return value === undefined ? newHostConfig() : hostConfigFromJson(value);
}
