/**
 * The list of images, and the filters that came after 1.2.0.
 *
 * @origin api/server/server.go getImagesJSON
 * @module
 */

import { goJson } from "../../utils/go-json.ts";
import { decodeFilters, encodeFilters } from "./filters.ts";
import { legacyImages, streamJson } from "./images.ts";
import { imageName } from "./names.ts";
import type { ApiRequest } from "./request.ts";
import type { ResponseWriter } from "./response.ts";
import { type ApiServices, type JsonObject, jsonOf } from "./services.ts";
import { shapeImageRow } from "./shape/image.ts";

/** @origin api/server/server.go getImagesJSON */
export async function getImagesJson(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  if (request.version.modern) return modernImages(api, request, response);
  const form = await request.form();
  const job = api.engine.job("images");
  for (const key of ["filters", "filter", "all"]) job.setenv(key, form.get(key));
  if (request.version.before("1.7")) return legacyImages(request, response, job);
  streamJson(job, response);
  await request.run(job);
}

async function modernImages(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const form = await request.form();
  const filters = decodeFilters(form.get("filters"));
  for (const kind of ["reference", "before", "since"]) {
    const names = filters.get(kind);
    if (names)
      filters.set(
        kind,
        names.map((name) => imageName(name, version)),
      );
  }
  const job = api.engine.job("images");
  job.setenv("apiVersion", version.toString());
  job.setenv("all", form.get("all"));
  job.setenv("filter", form.get("filter"));
  if (filters.size > 0) job.setenv("filters", encodeFilters(filters));
  const rows = await jsonOf<JsonObject[]>(request, job);
  await response.json(200, `${goJson(rows.map((row) => shapeImageRow(row, version)))}\n`);
}
