/**
 * The daemon as a whole: ping, version, info, events, registries' accounts.
 *
 * @origin api/server/server.go
 * @module
 */

import { goJson } from "../../utils/go-json.ts";
import { decodeFilters, encodeFilters } from "./filters.ts";
import type { ApiRequest } from "./request.ts";
import type { ResponseWriter } from "./response.ts";
import { type ApiServices, type JsonObject, jsonOf, lastLineOf } from "./services.ts";
import { shapeInfo } from "./shape/info.ts";
import { shapeVersion } from "./shape/version.ts";

/** @origin api/server/server.go ping */
export async function ping(_api: ApiServices, _request: ApiRequest, response: ResponseWriter): Promise<void> {
  response.set("Cache-Control", "no-cache, no-store, must-revalidate").set("Pragma", "no-cache");
  await response.write("OK");
}

/** Any path may be asked for its options. @origin api/server/server.go optionsHandler */
export async function options(): Promise<void> {}

/**
 * Runs the job that the last part of the path names, as a request handler: its output and its errors are the body, the
 * status is 200 whatever happens.
 *
 * @origin engine/http.go (*Engine).ServeHTTP
 */
export async function serveJob(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const path = request.head.url.split("?")[0] ?? "";
  const name = path.slice(path.lastIndexOf("/") + 1);
  const args = request.query().all("a");
  response.set("Job-Name", name);
  for (const arg of args) response.append("Job-Args", arg.replace(/[^\x20-\x7e]/g, " "));
  const job = api.engine.job(name, ...args);
  const body = { write: (chunk: Uint8Array | string) => response.write(chunk) };
  job.stdout.add(body);
  job.stderr.add(body);
  // The body has told the client already what went wrong.
  await request.run(job).catch(() => undefined);
}

/** @origin api/server/server.go getVersion */
export async function getVersion(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  if (!request.version.modern) {
    response.set("Content-Type", "application/json");
    return serveJob(api, request, response);
  }
  const version = await jsonOf<JsonObject>(request, api.engine.job("version"));
  await response.json(200, `${goJson(shapeVersion(version))}\n`);
}

/** @origin api/server/server.go getInfo */
export async function getInfo(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  if (!request.version.modern) {
    response.set("Content-Type", "application/json");
    return serveJob(api, request, response);
  }
  const info = await jsonOf<JsonObject>(request, api.engine.job("info"));
  const list = api.engine.job("containers");
  list.setenvBool("all", true);
  const [containers, version, meminfo] = await Promise.all([
    jsonOf<JsonObject[]>(request, list),
    jsonOf<JsonObject>(request, api.engine.job("version")),
    api.host.fs.readFile("/proc/meminfo", "utf8").catch(() => ""),
  ]);
  const shaped = shapeInfo(info, {
    containers,
    version,
    machine: api.host.machine,
    meminfo,
    now: new Date(api.host.clock.now()),
    engineId: api.engine.id,
  });
  await response.json(200, `${goJson(shaped)}\n`);
}

/** @origin api/server/server.go getEvents */
export async function getEvents(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const form = await request.form();
  const job = api.engine.job("events");
  response.set("Content-Type", "application/json");
  job.stdout.add(response.flushing());
  job.setenv("since", form.get("since"));
  job.setenv("until", form.get("until"));
  if (request.version.modern) {
    const filters = decodeFilters(form.get("filters"));
    if (filters.size > 0) job.setenv("filters", encodeFilters(filters));
    if (request.version.atLeast("1.22")) job.setenv("format", "actor");
  }
  await request.run(job);
}

/** @origin api/server/server.go postAuth */
export async function postAuth(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const job = api.engine.job("auth");
  job.setenv("authConfig", await request.text());
  if (request.version.modern) {
    job.setenv("apiVersion", request.version.toString());
    const answer = await jsonOf<JsonObject>(request, job);
    return response.json(200, `${goJson({ IdentityToken: answer["IdentityToken"], Status: answer["Status"] })}\n`);
  }
  const status = await lastLineOf(request, job);
  if (status === "") response.status(204);
  else await response.json(200, `${goJson({ Status: status })}\n`);
}
