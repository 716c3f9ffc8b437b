/**
 * Containers: create, start, stop, inspect, remove and the like. Those with a stream are in `containers-streams.ts`.
 *
 * @origin api/server/server.go
 * @module
 */

import { Env } from "../../engine/env.ts";
import { BadRequestError, messageOf, SystemError } from "../../errdefs/errdefs.ts";
import { BufferWriter } from "../../sync/io.ts";
import { goJson } from "../../utils/go-json.ts";
import { decodeObject } from "../../utils/go-json-decode.ts";
import { streamJson } from "./images.ts";
import { imageName } from "./names.ts";
import type { ApiRequest } from "./request.ts";
import type { ResponseWriter } from "./response.ts";
import { type ApiServices, type JsonObject, jsonOf, lastLineOf } from "./services.ts";
import { shapeContainer } from "./shape/container.ts";

/** Refuses a body of another type than JSON, as Docker 1.3 and newer do. */
function wantJson(request: ApiRequest): void {
  if (request.contentType === "application/json") return;
  throw new BadRequestError(`Content-Type specified (${request.header("Content-Type")}) must be 'application/json'`);
}

/** Settings that the newer API keeps in HostConfig and 1.2.0 in Config, and how 1.2.0 calls them. */
const MOVED = { Memory: "Memory", MemorySwap: "MemorySwap", CpuShares: "CpuShares", CpusetCpus: "Cpuset" };

/** Divides the body of a newer client into what goes to the image-like half and the HostConfig. */
function splitCreateBody(body: JsonObject, request: ApiRequest): { config: JsonObject; host: JsonObject | undefined } {
  const { HostConfig, NetworkingConfig: _, ...config } = body;
  if (typeof config["Image"] === "string") config["Image"] = imageName(config["Image"], request.version);
  if (typeof HostConfig !== "object" || HostConfig === null) return { config, host: undefined };
  const host = { ...(HostConfig as JsonObject) };
  for (const [theirs, ours] of Object.entries(MOVED)) if (host[theirs]) config[ours] = host[theirs];
  if (host["NetworkMode"] === "default") host["NetworkMode"] = "bridge";
  return { config, host };
}

/** @origin api/server/server.go postContainersCreate */
export async function postContainersCreate(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const { version } = request;
  let name: string;
  try {
    name = (await request.form()).get("name");
  } catch (cause) {
    // 1.2.0 answers a query that it cannot read with an empty 200.
    if (version.modern) throw new BadRequestError(messageOf(cause), { cause });
    return;
  }
  const job = api.engine.job("create", name);
  if (version.modern) {
    wantJson(request);
    const { config, host } = splitCreateBody(decodeObject(await request.text()), request);
    job.importEnv(config);
    if (host) job.setenvJson("HostConfig", host);
  } else {
    if (request.header("Origin") !== "") wantJson(request);
    job.decodeEnv(await request.text());
  }
  const warnings = new BufferWriter();
  job.stderr.add(warnings);
  const id = await lastLineOf(request, job);
  const lines = warnings.toString().split("\n").slice(0, -1);
  const none = version.modern ? [] : null;
  await response.json(201, `${goJson({ Id: id, Warnings: lines.length > 0 ? lines : none })}\n`);
}

/** @origin api/server/server.go getContainersByName */
export async function getContainersByName(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const { version } = request;
  const job = api.engine.job("container_inspect", request.name);
  if (!version.modern) {
    if (version.before("1.12")) job.setenvBool("raw", true);
    streamJson(job, response);
    return request.run(job);
  }
  job.setenvBool("extended", true);
  await response.json(200, `${goJson(shapeContainer(await jsonOf<JsonObject>(request, job), version))}\n`);
}

/** Whether the daemon said that there is nothing to do. */
function isUnchanged(cause: unknown, text: string): boolean {
  return cause instanceof Error && (cause.message === text || ("statusCode" in cause && cause.statusCode === 304));
}

/** @origin api/server/server.go postContainersStart */
export async function postContainersStart(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const job = api.engine.job("start", request.name);
  if (request.contentLength > 0) {
    if (request.contentType !== "application/json") {
      throw new SystemError("Content-Type of application/json is required");
    }
    const text = await request.text();
    if (request.version.atLeast("1.24") && Object.keys(decodeObject(text)).length > 0) {
      throw new BadRequestError(
        "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
      );
    }
    job.decodeEnv(text);
  }
  try {
    await request.run(job);
  } catch (cause) {
    if (!isUnchanged(cause, "Container already started")) throw cause;
    response.status(304);
    return;
  }
  response.status(204);
}

/**
 * @origin api/server/server.go postContainersStop
 * @deviation Clients newer than 1.2.0 that name no time get the default, 10 s; the others none, as in 1.2.0.
 */
export async function postContainersStop(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const form = await request.form();
  const job = api.engine.job("stop", request.name);
  if (!request.version.modern || form.has("t")) job.setenv("t", form.get("t"));
  try {
    await request.run(job);
  } catch (cause) {
    if (!isUnchanged(cause, "Container already stopped")) throw cause;
    response.status(304);
    return;
  }
  response.status(204);
}

/** @origin api/server/server.go postContainersRestart */
export async function postContainersRestart(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const form = await request.form();
  const job = api.engine.job("restart", request.name);
  if (!request.version.modern || form.has("t")) job.setenv("t", form.get("t"));
  await request.run(job);
  response.status(204);
}

/**
 * @origin api/server/server.go postContainersKill
 * @deviation Since API 1.20, killing a container that does not run is a conflict.
 */
export async function postContainersKill(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const signal = (await request.form()).get("signal");
  const job = api.engine.job("kill", request.name, ...(signal === "" ? [] : [signal]));
  job.setenvBool("today", request.version.modern);
  job.setenvBool("strict", request.version.atLeast("1.20"));
  await request.run(job);
  response.status(204);
}

/** @origin api/server/server.go postContainersPause */
export async function postContainersPause(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  await request.form();
  await request.run(api.engine.job("pause", request.name));
  response.status(204);
}

/** @origin api/server/server.go postContainersUnpause */
export async function postContainersUnpause(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  await request.form();
  await request.run(api.engine.job("unpause", request.name));
  response.status(204);
}

/** @origin api/server/server.go postContainersResize */
export async function postContainersResize(api: ApiServices, request: ApiRequest): Promise<void> {
  const form = await request.form();
  const job = api.engine.job("resize", request.name, form.get("h"), form.get("w"));
  job.setenvBool("strict", request.version.modern);
  await request.run(job);
}

/** @origin api/server/server.go deleteContainers */
export async function deleteContainers(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const form = await request.form();
  const job = api.engine.job("delete", request.name);
  job.setenv("forceRemove", form.get("force"));
  job.setenv("removeVolume", form.get("v"));
  job.setenv("removeLink", form.get("link"));
  await request.run(job);
  response.status(204);
}

/** @origin api/server/server.go getContainersTop */
export async function getContainersTop(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  if (request.version.before("1.4")) {
    throw new SystemError("top was improved a lot since 1.3, Please upgrade your docker client.");
  }
  const job = api.engine.job("top", request.name, (await request.form()).get("ps_args"));
  streamJson(job, response);
  await request.run(job);
}

/** @origin api/server/server.go getContainersChanges */
export async function getContainersChanges(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const job = api.engine.job("container_changes", request.name);
  streamJson(job, response);
  await request.run(job);
}

/** @origin api/server/server.go getContainersExport */
export async function getContainersExport(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const job = api.engine.job("export", request.name);
  job.stdout.add({ write: (chunk) => response.write(chunk) });
  await request.run(job);
}

/** @origin api/server/server.go postContainersCopy */
export async function postContainersCopy(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  if (request.contentType !== "application/json") {
    throw new SystemError(`Content-Type not supported: ${request.header("Content-Type")}`);
  }
  const copy = new Env();
  copy.decode(await request.text());
  const resource = copy.get("Resource");
  if (resource === "") throw new SystemError("Path cannot be empty");
  const job = api.engine.job("container_copy", request.name, resource.replace(/^\//, ""));
  job.stdout.add({ write: (chunk) => response.write(chunk) });
  try {
    await request.run(job);
  } catch (cause) {
    const text = messageOf(cause);
    api.log.error("server.go:1008", text);
    if (text.includes("No such container")) response.status(404);
    else if (text.includes("no such file or directory")) {
      throw new SystemError(`Could not find the file ${resource} in container ${request.name}`, { cause });
    } else if (request.version.modern) throw cause;
  }
}
