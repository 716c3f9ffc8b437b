/**
 * The list of containers, and the filters that came after 1.2.0.
 *
 * @origin api/server/server.go getContainersJSON
 * @module
 */

import { Table } from "../../engine/table.ts";
import { BadRequestError, NotFoundError } from "../../errdefs/errdefs.ts";
import { goJson } from "../../utils/go-json.ts";
import { acceptOnly, decodeFilters, type Filters, hasLabel } from "./filters.ts";
import { streamJson } from "./images.ts";
import { imageName } from "./names.ts";
import type { Query } from "./query.ts";
import type { ApiRequest } from "./request.ts";
import type { ResponseWriter } from "./response.ts";
import { type ApiServices, type JsonObject, jsonOf, listAt, objectAt, outputOf, textAt } from "./services.ts";
import { shapeRow } from "./shape/container.ts";

const PARAMETERS = ["all", "size", "since", "before", "limit", "filters"];

/**
 * Before 1.5 the answer is always empty: 1.2.0 reads the job's array as if it were objects one after the other, and
 * finds none.
 *
 * @origin api/server/server.go getContainersJSON
 */
export async function getContainersJson(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const form = await request.form();
  if (request.version.modern) return modernContainers(api, request, response, form);
  const job = api.engine.job("containers");
  for (const key of PARAMETERS) job.setenv(key, form.get(key));
  if (request.version.before("1.5")) {
    await outputOf(request, job);
    response.set("Content-Type", "application/json");
    await response.write(new Table().toListString());
    return;
  }
  streamJson(job, response);
  await request.run(job);
}

const FILTERS = [
  "id",
  "name",
  "status",
  "label",
  "ancestor",
  "exited",
  "before",
  "since",
  "network",
  "volume",
  "health",
  "is-task",
];
const STATES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

/** A row with what `container_inspect` says of the container. */
interface Listed {
  readonly row: JsonObject;
  readonly container: JsonObject | undefined;
}

async function modernContainers(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
  form: Query,
): Promise<void> {
  const { version } = request;
  const filters = decodeFilters(form.get("filters"));
  acceptOnly(filters, FILTERS);
  for (const state of filters.get("status") ?? []) {
    if (!STATES.includes(state)) throw new BadRequestError(`Invalid filter 'status=${state}'`);
  }
  const limit = Number.parseInt(form.get("limit"), 10) || 0;
  const job = api.engine.job("containers");
  // Filters that 1.2.0 does not know are applied here, and the limit counts what they let through.
  const narrow = filters.size > 0;
  const everything = form.bool("all") || filters.has("status") || filters.has("exited") || limit > 0;
  job.setenvBool("all", everything);
  job.setenvBool("extended", true);
  job.setenv("size", form.get("size"));
  job.setenv("since", form.get("since") || (filters.get("since")?.[0] ?? ""));
  job.setenv("before", form.get("before") || (filters.get("before")?.[0] ?? ""));
  if (!narrow && limit > 0) job.setenvInt("limit", limit);
  const rows = await jsonOf<JsonObject[]>(request, job);

  const listed = await Promise.all(
    rows.map(async (row): Promise<Listed> => {
      const inspect = api.engine.job("container_inspect", textAt(row, "Id"));
      inspect.setenvBool("extended", true);
      // It may have been removed since the list was made.
      return { row, container: await jsonOf<JsonObject>(request, inspect).catch(() => undefined) };
    }),
  );
  let left = listed.filter((item) => fits(item, filters, request));
  if (filters.has("ancestor")) left = await withAncestor(api, request, left, filters.get("ancestor") ?? []);
  if (limit > 0) left = left.slice(0, limit);
  const named = await namedAsGiven(api, request, left);
  await response.json(200, `${goJson(named.map(({ row, container }) => shapeRow(row, container, version)))}\n`);
}

/**
 * Rows with the image's name as the user gave it, as long as it still means that image. 1.2.0 shows the first of all its
 * names.
 */
async function namedAsGiven(api: ApiServices, request: ApiRequest, listed: Listed[]): Promise<Listed[]> {
  const ids = new Map<string, Promise<string>>();
  const idOf = (name: string): Promise<string> => {
    let id = ids.get(name);
    if (!id) {
      id = jsonOf<JsonObject>(request, api.engine.job("image_inspect", name)).then(
        (image) => textAt(image, "Id"),
        () => "",
      );
      ids.set(name, id);
    }
    return id;
  };
  return Promise.all(
    listed.map(async (item) => {
      const given = textAt(objectAt(item.container, "Config"), "Image");
      const means = given !== "" && (await idOf(given)) === textAt(item.container, "Image");
      return means ? { ...item, row: { ...item.row, Image: given } } : item;
    }),
  );
}

/** Whether every filter, apart from `ancestor`, lets the container through: one of its values has to. */
function fits({ row, container }: Listed, filters: Filters, request: ApiRequest): boolean {
  const shaped = shapeRow(row, container, request.version);
  const state = objectAt(container, "State");
  const names = listAt<string>(row, "Names");
  const passes: Record<string, (wanted: string) => boolean> = {
    id: (wanted) => textAt(row, "Id").startsWith(wanted),
    name: (wanted) => names.some((name) => nameFits(wanted, name)),
    status: (wanted) => shaped["State"] === wanted,
    exited: (wanted) => shaped["State"] === "exited" && String(state["ExitCode"]) === wanted,
    network: (wanted) => Object.hasOwn(objectAt(objectAt(shaped, "NetworkSettings"), "Networks"), wanted),
    volume: (wanted) =>
      listAt<JsonObject>(shaped, "Mounts").some((m) => [m["Name"], m["Source"], m["Destination"]].includes(wanted)),
    health: (wanted) => wanted === "none",
    "is-task": (wanted) => wanted === "false",
  };
  for (const [kind, wanted] of filters) {
    if (kind === "label") {
      if (!wanted.every((label) => hasLabel(objectAt(shaped, "Labels"), label))) return false;
    } else if (wanted.length > 0 && passes[kind] && !wanted.some(passes[kind])) return false;
  }
  return true;
}

/** A name filter is an expression, looked for with and without the leading slash. */
function nameFits(wanted: string, name: string): boolean {
  if (wanted.length > 256) throw new BadRequestError("Invalid filter 'name'");
  let expression: RegExp;
  try {
    expression = new RegExp(wanted);
  } catch (cause) {
    throw new BadRequestError(`Invalid filter 'name=${wanted}'`, { cause });
  }
  return expression.test(name) || expression.test(name.replace(/^\//, ""));
}

/** Those made from an image or from one that is built on it. */
async function withAncestor(
  api: ApiServices,
  request: ApiRequest,
  listed: Listed[],
  names: readonly string[],
): Promise<Listed[]> {
  const wanted = new Set<string>();
  for (const name of names) {
    try {
      const image = await jsonOf<JsonObject>(
        request,
        api.engine.job("image_inspect", imageName(name, request.version)),
      );
      wanted.add(textAt(image, "Id"));
    } catch (cause) {
      // An image that is not there is nobody's ancestor.
      if (!(cause instanceof Error) || !cause.message.includes("No such"))
        throw new NotFoundError(String(cause), { cause });
    }
  }
  const cache = new Map<string, Promise<boolean>>();
  const descends = (id: string): Promise<boolean> => {
    if (wanted.has(id)) return Promise.resolve(true);
    let found = cache.get(id);
    if (!found) {
      found = jsonOf<JsonObject[]>(request, api.engine.job("history", id)).then(
        (rows) => rows.some((row) => wanted.has(textAt(row, "Id"))),
        () => false,
      );
      cache.set(id, found);
    }
    return found;
  };
  const kept = await Promise.all(listed.map(({ container }) => descends(textAt(container, "Image"))));
  return listed.filter((_, i) => kept[i]);
}
