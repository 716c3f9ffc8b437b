/**
 * The list of images, and the filters that came after 1.2.0.
 *
 * @origin api/server/server.go getImagesJSON
 * @module
 */

import { NotFoundError } from "../../errdefs/errdefs.ts";
import { goJson } from "../../utils/go-json.ts";
import { acceptOnly, decodeFilters, type Filters, globMatches, hasLabel } from "./filters.ts";
import { legacyImages, streamJson } from "./images.ts";
import { imageName } from "./names.ts";
import type { ApiRequest } from "./request.ts";
import type { ResponseWriter } from "./response.ts";
import { type ApiServices, type JsonObject, jsonOf, listAt, numberAt, objectAt, textAt } from "./services.ts";
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

/** Whether `pattern` means the name: its repository or all of it, with or without wildcards. */
function referenceFits(pattern: string, name: string): boolean {
  const repository = name.slice(0, name.lastIndexOf(":"));
  return [name, repository].some((text) => text === pattern || globMatches(pattern, text));
}

async function modernImages(api: ApiServices, request: ApiRequest, response: ResponseWriter): Promise<void> {
  const { version } = request;
  const form = await request.form();
  const filters = decodeFilters(form.get("filters"));
  acceptOnly(filters, ["dangling", "label", "before", "since", "reference"]);
  if (form.get("filter") !== "") filters.set("reference", [form.get("filter")]);

  const job = api.engine.job("images");
  job.setenv("all", form.get("all"));
  const dangling = filters.get("dangling")?.[0];
  if (dangling !== undefined && ["1", "true"].includes(dangling)) job.setenvJson("filters", { dangling: ["true"] });
  let rows = await jsonOf<JsonObject[]>(request, job);
  if (dangling !== undefined && ["0", "false"].includes(dangling)) {
    rows = rows.filter((row) => listAt(row, "RepoTags")[0] !== "<none>:<none>");
  }
  rows = await selected(api, request, rows, filters);
  await response.json(200, `${goJson(rows.map((row) => shapeImageRow(row, version)))}\n`);
}

/** The rows that the filters let through. */
async function selected(
  api: ApiServices,
  request: ApiRequest,
  rows: JsonObject[],
  filters: Filters,
): Promise<JsonObject[]> {
  let left = rows;
  const inspect = (name: string) => jsonOf<JsonObject>(request, api.engine.job("image_inspect", name));
  const created = async (name: string) => {
    const image = await inspect(imageName(name, request.version));
    const row = rows.find(({ Id }) => Id === image["Id"]);
    if (!row) throw new NotFoundError(`No such image: ${name}`);
    return numberAt(row, "Created");
  };
  const patterns = filters.get("reference")?.map((pattern) => imageName(pattern, request.version));
  if (patterns) {
    left = left.flatMap((row) => {
      const names = listAt<string>(row, "RepoTags").filter((name) => patterns.some((p) => referenceFits(p, name)));
      return names.length > 0 ? [{ ...row, RepoTags: names }] : [];
    });
  }
  for (const name of filters.get("before") ?? []) {
    const limit = await created(name);
    left = left.filter((row) => numberAt(row, "Created") < limit);
  }
  for (const name of filters.get("since") ?? []) {
    const limit = await created(name);
    left = left.filter((row) => numberAt(row, "Created") > limit);
  }
  const labels = filters.get("label");
  if (labels) {
    const fits = await Promise.all(
      left.map(async (row) => {
        const found = objectAt(objectAt(await inspect(textAt(row, "Id")), "Config"), "Labels");
        return labels.every((wanted) => hasLabel(found, wanted));
      }),
    );
    left = left.filter((_, i) => fits[i]);
  }
  return left;
}
