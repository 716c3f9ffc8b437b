/**
 * Files into and out of containers, as clients since Docker 1.8 copy them.
 *
 * @since Docker 1.8
 * @module
 */

import { BadRequestError } from "../../errdefs/errdefs.ts";
import { goJson } from "../../utils/go-json.ts";
import type { ApiRequest } from "./request.ts";
import type { ResponseWriter } from "./response.ts";
import { type ApiServices, type JsonObject, lastLineOf } from "./services.ts";

const STAT_HEADER = "X-Docker-Container-Path-Stat";

/** The job, and the request's switches. */
async function copyJob(api: ApiServices, request: ApiRequest, direction: "stat" | "in" | "out") {
  const form = await request.form();
  const path = form.get("path");
  // The blank is missing there, too.
  if (request.name === "") throw new BadRequestError("bad parameter: namecannot be empty");
  if (path === "") throw new BadRequestError("bad parameter: pathcannot be empty");
  const job = api.engine.job("container_copy", request.name, path);
  job.setenv("direction", direction);
  return { job, form };
}

function encoded(stat: string): string {
  return Buffer.from(stat).toString("base64");
}

/** What is at a path, in a header. */
export async function headContainersArchive(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const { job } = await copyJob(api, request, "stat");
  response.set(STAT_HEADER, encoded(await lastLineOf(request, job)));
}

/** What is at a path, as a tar. */
export async function getContainersArchive(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const { job } = await copyJob(api, request, "out");
  job.stdout.add({
    write: (chunk) => {
      if (!response.used) {
        response.set(STAT_HEADER, encoded(goJson(job.getenvJson<JsonObject>("stat"))));
        response.set("Content-Type", "application/x-tar");
      }
      return response.write(chunk);
    },
  });
  await request.run(job);
}

/** Unpacks a tar into a directory. */
export async function putContainersArchive(api: ApiServices, request: ApiRequest): Promise<void> {
  const { job, form } = await copyJob(api, request, "in");
  for (const key of ["noOverwriteDirNonDir", "copyUIDGID"]) job.setenvBool(key, form.bool(key));
  job.stdin.add(request.body);
  await request.run(job);
}
