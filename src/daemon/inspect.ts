/**
 * Everything about one container.
 *
 * @origin daemon/inspect.go
 * @module
 */

import { Env } from "../engine/env.ts";
import type { Job } from "../engine/job.ts";
import { SystemError } from "../errdefs/errdefs.ts";
import { withoutConfinement } from "../runconfig/confinement.ts";
import type { HostConfig } from "../runconfig/host-config.ts";
import { goJson } from "../utils/go-json.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";

/**
 * Job `container_inspect NAME`: a JSON object.
 *
 * `raw`: as clients before 1.12 know it. `extended`: with what 1.2.0 does not know (`Labels`, `MacAddress`, exit codes
 * above 128 for signals, …), for clients of today.
 *
 * @origin daemon/inspect.go ContainerInspect
 */
export async function containerInspect(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) throw new SystemError(`usage: ${job.name} NAME`);
  const container = daemon.mustGet(name);
  const extended = job.getenvBool("extended");
  const json = container.toJson(extended);
  const hostConfig = extended ? container.hostConfig : withoutNew(container.hostConfig);
  if (job.getenvBool("raw")) {
    await job.stdout.write(goJson({ ...json, HostConfig: hostConfig }));
    return;
  }
  const { ID, RestartCount, State, ...rest } = json;
  const out = new Env();
  out.set("Id", ID);
  for (const [key, value] of Object.entries(rest)) {
    // As 1.2.0 has it, a path of `true` is no text; clients of today want one.
    if (typeof value === "string" && !extended) out.set(key, value);
    else out.setJson(key, value);
  }
  out.setJson("State", extended ? { ...State, ExitCode: container.state.shellExitCode } : State);
  out.setJson("HostConfig", { ...hostConfig, Links: linksOf(daemon, container) });
  if (extended) {
    out.setInt("RestartCount", RestartCount);
    out.set("LogPath", container.log === undefined ? "" : container.logPath("json"));
  }
  await out.writeTo(job.stdout);
}

/** The links as the user gave them, filled in only for the answer. */
function linksOf(daemon: Daemon, container: Container): string[] | null {
  const links = [...daemon.children(container.name)].map(([alias, child]) => `${child.name}:${alias}`);
  return links.length === 0 ? null : links;
}

/** With 1.2.0's 15 keys only. */
function withoutNew(hostConfig: HostConfig): HostConfig {
  const { AutoRemove: _autoRemove, ...rest } = withoutConfinement(hostConfig);
  return rest;
}
