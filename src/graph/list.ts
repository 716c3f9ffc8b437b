/**
 * The job `images`: what there is.
 *
 * @origin graph/list.go
 * @module
 */

import { Env } from "../engine/env.ts";
import type { Job } from "../engine/job.ts";
import { Table } from "../engine/table.ts";
import { messageOf } from "../errdefs/errdefs.ts";
import type { Image } from "../image/image.ts";
import { type Args, fromParam } from "../pkg/parsers/filters/parse.ts";
import { compareBytes } from "../utils/go-json.ts";
import { isToday } from "./api-version.ts";
import { listToday } from "./list-today.ts";
import { pathMatch } from "./match.ts";
import { newestFirst } from "./order.ts";
import type { TagStore } from "./tags.ts";

const UNTAGGED = "<none>:<none>";

/**
 * Lists images, newest first.
 *
 * Environment: `filters` (`{"dangling":["true"]}`), `filter` (a pattern for repository names), `all`.
 *
 * @origin graph/list.go (*TagStore).CmdImages
 */
export async function cmdImages(store: TagStore, job: Job): Promise<void> {
  const filters = fromParam(job.getenv("filters"));
  if (isToday(job)) {
    await listToday(store, job, filters);
    return;
  }
  const danglingOnly = wantsDangling(filters);
  const pattern = job.getenv("filter");
  const untagged = job.getenvBool("all") && !danglingOnly ? await store.graph.map() : await store.graph.heads();
  const rows = new Map<string, { image: Image; tags: string[] }>();
  for (const [repository, tags] of store.repositories) {
    if (pattern !== "" && !pathMatch(pattern, repository)) continue;
    for (const [tag, id] of tags) {
      let image: Image;
      try {
        image = await store.graph.get(id);
      } catch (cause) {
        store.log.std(`Warning: couldn't load ${id} from ${repository}/${tag}: ${messageOf(cause)}`);
        continue;
      }
      untagged.delete(id);
      const row = rows.get(id);
      if (row === undefined) rows.set(id, { image, tags: [`${repository}:${tag}`] });
      else row.tags.push(`${repository}:${tag}`);
    }
  }
  const shown = danglingOnly ? [] : [...rows.values()];
  if (pattern === "") for (const image of untagged.values()) shown.push({ image, tags: [UNTAGGED] });
  const table = new Table("Created");
  for (const { image, tags } of newestFirst(shown)) table.add(await rowOf(image, tags));
  table.reverseSort();
  await table.writeListTo(job.stdout);
}

function wantsDangling(filters: Args): boolean {
  return (filters.get("dangling") ?? []).some((value) => value.toLowerCase() === "true");
}

async function rowOf(image: Image, tags: string[]): Promise<Env> {
  const row = new Env();
  row.set("ParentId", image.parent);
  row.setList("RepoTags", tags.sort(compareBytes));
  row.set("Id", image.id);
  row.setInt("Created", image.createdUnix);
  row.setInt("Size", image.size);
  row.setInt("VirtualSize", (await image.getParentsSize()) + image.size);
  return row;
}
