/**
 * Images: list, history, inspect, tag, remove, pull, push, search, import, load, save, commit. Builds are in `build.ts`.
 *
 * @origin api/server/server.go
 * @module
 */

import { Env } from "../../engine/env.ts";
import type { Job } from "../../engine/job.ts";
import { Table } from "../../engine/table.ts";
import { BadRequestError, messageOf, SystemError } from "../../errdefs/errdefs.ts";
import { goJson } from "../../utils/go-json.ts";
import { decodeNext, decodeObject } from "../../utils/go-json-decode.ts";
import { JSONStreamError } from "../../utils/json-message.ts";
import { StreamFormatter } from "../../utils/stream-formatter.ts";
import { decodeFilters } from "./filters.ts";
import { imageId, imageName, repositoryAndTag } from "./names.ts";
import type { ApiRequest } from "./request.ts";
import type { ResponseWriter } from "./response.ts";
import { type ApiServices, type JsonObject, jsonOf, lastLineOf, outputOf } from "./services.ts";
import { shapeDeleted, shapeHistoryRow, shapeImage } from "./shape/image.ts";
import { shapeSearch } from "./shape/search.ts";
import { serveJob } from "./system.ts";

/** Lets a job write JSON straight into the answer. @origin api/server/server.go streamJSON */
export function streamJson(job: Job, response: ResponseWriter): void {
  response.set("Content-Type", "application/json");
  job.stdout.add({ write: (chunk) => response.write(chunk) });
}

/** JSON in URL-safe base64; what cannot be read counts as empty, as in the original. */
export function decodedHeader(request: ApiRequest, name: string): JsonObject {
  try {
    return decodeObject(Buffer.from(request.header(name), "base64url").toString("utf8"));
  } catch {
    return {};
  }
}

/** `X-Meta-*` headers, spelt as Go spells them, for the registry. */
function metaHeaders(request: ApiRequest): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(request.head.headers)) {
    if (!name.startsWith("x-meta-") || value === undefined) continue;
    const canonical = name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
    found[canonical] = Array.isArray(value) ? value : [value];
  }
  return found;
}

/**
 * Runs a job that reports its progress. A failure becomes a status if nothing was reported before it, else the last
 * message.
 *
 * @deviation Clients newer than 1.2.0 are told the exit status of a command that failed in a build.
 */
export async function streamProgress(
  request: ApiRequest,
  response: ResponseWriter,
  job: Job,
  json: boolean,
): Promise<void> {
  if (json) {
    job.setenvBool("json", true);
    response.set("Content-Type", "application/json");
  }
  job.stdout.add(response.flushing());
  try {
    await request.run(job);
  } catch (cause) {
    if (!job.stdout.used()) throw cause;
    const reason = cause instanceof Error ? cause.cause : undefined;
    const code = request.version.modern && reason instanceof JSONStreamError ? reason.code : 0;
    await response.write(new StreamFormatter(json).formatError({ code, message: messageOf(cause) }));
  }
}

/** @origin api/server/server.go getImagesViz */
export async function getImagesViz(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  if (!request.version.after("1.6")) return serveJob(api, request, response);
  response.status(404);
  await response.flush();
  throw new SystemError("This is now implemented in the client.");
}

/** One row for each tag. @origin api/server/server.go getImagesJSON */
export function legacyImageRows(rows: Table): Table {
  const legacy = new Table();
  for (const row of rows.rows) {
    for (const name of row.getList("RepoTags") ?? []) {
      const [repository, tag] = repositoryAndTag(name);
      const out = new Env();
      out.set("Repository", repository);
      out.setJson("Tag", tag);
      for (const key of ["Id", "Created", "Size", "VirtualSize"]) out.set(key, row.get(key));
      legacy.add(out);
    }
  }
  return legacy;
}

/** @origin api/server/server.go getImagesHistory */
export async function getImagesHistory(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const job = api.engine.job("history", imageName(request.name, version));
  if (!version.modern) {
    streamJson(job, response);
    return request.run(job);
  }
  job.setenv("apiVersion", version.toString());
  const rows = await jsonOf<JsonObject[]>(request, job);
  await response.json(200, `${goJson(rows.map((row) => shapeHistoryRow(row, version)))}\n`);
}

/** @origin api/server/server.go getImagesByName */
export async function getImagesByName(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const job = api.engine.job("image_inspect", imageName(request.name, version));
  if (!version.modern) {
    if (version.before("1.12")) job.setenvBool("raw", true);
    streamJson(job, response);
    return request.run(job);
  }
  job.setenv("apiVersion", version.toString());
  const image = await jsonOf<JsonObject>(request, job);
  await response.json(200, `${goJson(shapeImage(image, version))}\n`);
}

/** @origin api/server/server.go getImagesSearch */
export async function getImagesSearch(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const form = await request.form();
  const job = api.engine.job("search", imageName(form.get("term"), version));
  job.setenvJson("metaHeaders", metaHeaders(request));
  job.setenvJson("authConfig", decodedHeader(request, "X-Registry-Auth"));
  if (!version.modern) {
    streamJson(job, response);
    return request.run(job);
  }
  const terms = { limit: form.get("limit"), filters: decodeFilters(form.get("filters")) };
  const rows = await jsonOf<JsonObject[]>(request, job);
  await response.json(200, `${goJson(shapeSearch(rows, terms, version))}\n`);
}

/**
 * Sends an archive of one image, or of those that `names` lists.
 *
 * @origin api/server/server.go getImagesGet
 */
export async function getImagesGet(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const names = request.name === "" ? request.query().all("names") : [request.name];
  if (names.length === 0) throw new BadRequestError("Bad parameter: names has to list the images");
  if (version.after("1.0")) response.set("Content-Type", "application/x-tar");
  const job = api.engine.job("image_export", ...names.map((name) => imageName(name, version)));
  job.stdout.add({ write: (chunk) => response.write(chunk) });
  await request.run(job);
}

/**
 * Takes an archive of images. From 1.23 on it tells what it does, with `quiet=0` how far it is, too.
 *
 * @origin api/server/server.go postImagesLoad
 */
export async function postImagesLoad(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const job = api.engine.job("load");
  job.stdin.add(request.body);
  if (!request.version.atLeast("1.23")) return request.run(job);
  const query = request.query();
  job.setenvBool("quiet", !query.has("quiet") || query.bool("quiet"));
  await streamProgress(request, response, job, true);
}

/**
 * @origin api/server/server.go postImagesTag
 * @deviation From 1.22 on a tag moves without `force`, as Docker 1.10 and newer do it.
 */
export async function postImagesTag(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const form = await request.form();
  const repository = imageName(form.get("repo"), version);
  const job = api.engine.job("tag", imageName(request.name, version), repository, form.get("tag"));
  job.setenv("force", version.atLeast("1.22") ? "1" : form.get("force"));
  await request.run(job);
  response.status(201);
}

/** @origin api/server/server.go deleteImages */
export async function deleteImages(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const form = await request.form();
  const job = api.engine.job("image_delete", imageName(request.name, version));
  job.setenv("force", form.get("force"));
  job.setenv("noprune", form.get("noprune"));
  if (version.modern) job.setenv("apiVersion", version.toString());
  if (!version.modern) {
    streamJson(job, response);
    return request.run(job);
  }
  const rows = await jsonOf<JsonObject[]>(request, job);
  await response.json(200, `${goJson(rows.map((row) => shapeDeleted(row, version)))}\n`);
}

/**
 * Pulls or imports.
 *
 * @origin api/server/server.go postImagesCreate
 */
export async function postImagesCreate(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const form = await request.form();
  let tag = form.get("tag");
  let job: Job;
  if (form.get("fromImage") !== "") {
    let image = imageName(form.get("fromImage"), version);
    if (tag === "") {
      const digest = version.modern ? image.indexOf("@") : -1;
      [image, tag] = digest < 0 ? repositoryAndTag(image) : [image.slice(0, digest), image.slice(digest + 1)];
    }
    job = api.engine.job("pull", image, tag);
    if (version.modern) {
      job.setenv("apiVersion", version.toString());
      job.setenv("platform", form.get("platform"));
    }
    job.setenvBool("parallel", version.after("1.3"));
    job.setenvJson("metaHeaders", metaHeaders(request));
    job.setenvJson("authConfig", decodedHeader(request, "X-Registry-Auth"));
  } else {
    let repository = imageName(form.get("repo"), version);
    if (tag === "") [repository, tag] = repositoryAndTag(repository);
    job = api.engine.job("import", form.get("fromSrc"), repository, tag);
    job.stdin.add(request.body);
    if (version.modern) {
      job.setenv("apiVersion", version.toString());
      job.setenv("message", form.get("message"));
      job.setenvList("changes", form.all("changes"));
    }
  }
  await streamProgress(request, response, job, version.after("1.0"));
}

/** @origin api/server/server.go postImagesPush */
export async function postImagesPush(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const form = await request.form();
  // Clients of old send the account as the body.
  const authConfig =
    request.header("X-Registry-Auth") !== ""
      ? decodedHeader(request, "X-Registry-Auth")
      : decodeObject(await request.text());
  const job = api.engine.job("push", imageName(request.name, version));
  job.setenvJson("metaHeaders", metaHeaders(request));
  job.setenvJson("authConfig", authConfig);
  job.setenv("tag", form.get("tag"));
  if (version.modern) job.setenv("apiVersion", version.toString());
  await streamProgress(request, response, job, version.after("1.0"));
}

/** @origin api/server/server.go postCommit */
export async function postCommit(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const form = await request.form();
  const job = api.engine.job("commit", form.get("container"));
  const config = new Env();
  try {
    const first = decodeNext(await request.text());
    if (first !== undefined && first.value !== null) config.import(first.value);
  } catch (cause) {
    // A configuration that cannot be read counts as none.
    api.log.error("server.go:441", messageOf(cause));
  }
  job.setenv("pause", form.get("pause") === "" && version.atLeast("1.13") ? "1" : form.get("pause"));
  job.setenv("repo", imageName(form.get("repo"), version));
  for (const key of ["tag", "author", "comment"]) job.setenv(key, form.get(key));
  if (version.modern) job.setenvList("changes", form.all("changes"));
  job.setenvSubEnv("config", config);
  const id = await lastLineOf(request, job);
  await response.json(201, `${goJson({ Id: imageId(id, version) })}\n`);
}

/** @origin api/server/server.go getImagesJSON */
export async function legacyImages(request: ApiRequest, response: ResponseWriter, job: Job): Promise<void> {
  const rows = new Table();
  rows.readListFrom(await outputOf(request, job));
  response.set("Content-Type", "application/json");
  await response.write(legacyImageRows(rows).toListString());
}
