/**
 * The list of images as clients of API 1.22 and newer expect it.
 *
 * @since Docker 1.10
 * @module
 */

import type { Job } from "../engine/job.ts";
import { BadRequestError } from "../errdefs/errdefs.ts";
import type { Image } from "../image/image.ts";
import type { Args } from "../pkg/parsers/filters/parse.ts";
import { parseRepositoryTag } from "../pkg/parsers/parsers.ts";
import { goJson } from "../utils/go-json.ts";
import { pathMatch } from "./match.ts";
import { newestFirst } from "./order.ts";
import type { TagStore } from "./tags.ts";

const FILTERS = new Set(["dangling", "label", "before", "since", "reference"]);

/** Writes the list. @throws {BadRequestError} for an unknown filter; {NoSuchError} when `before` or `since` is unknown */
export async function listToday(store: TagStore, job: Job, filters: Args): Promise<void> {
  for (const name of filters.keys()) if (!FILTERS.has(name)) throw new BadRequestError(`Invalid filter '${name}'`);
  const dangling = danglingOf(filters);
  const references = [...(filters.get("reference") ?? [])];
  if (job.getenv("filter") !== "") references.push(job.getenv("filter"));
  const [before, since] = await Promise.all([boundary(store, filters, "before"), boundary(store, filters, "since")]);
  const all = await store.graph.map();
  const heads = await store.graph.heads();
  const names = store.byId();
  const rows: { image: Image; tags: string[]; digests: string[] }[] = [];
  for (const image of all.values()) {
    let tags = names.get(image.id) ?? [];
    let digests = store.repoDigests(image.id);
    if (references.length > 0) {
      tags = tags.filter((name) => references.some((pattern) => fits(pattern, name)));
      digests = digests.filter((name) => references.some((pattern) => fits(pattern, name)));
      if (tags.length + digests.length === 0) continue;
    }
    const isNamed = tags.length + digests.length > 0;
    if (!isNamed && !heads.has(image.id) && !job.getenvBool("all")) continue;
    if (dangling !== undefined && dangling !== (tags.length === 0 && heads.has(image.id))) continue;
    if (before !== undefined && image.createdNs >= before.createdNs) continue;
    if (since !== undefined && image.createdNs <= since.createdNs) continue;
    if (!hasLabels(image, filters.get("label") ?? [])) continue;
    rows.push(isNamed ? { image, tags, digests } : { image, tags: ["<none>:<none>"], digests: ["<none>@<none>"] });
  }
  const list = await Promise.all(
    newestFirst(rows).map(async ({ image, tags, digests }) => {
      const size = (await image.getParentsSize()) + image.size;
      return {
        Containers: -1,
        Created: image.createdUnix,
        Id: image.id,
        Labels: image.config?.Labels ?? null,
        ParentId: image.parent,
        RepoDigests: digests,
        RepoTags: tags,
        SharedSize: -1,
        Size: size,
        VirtualSize: size,
      };
    }),
  );
  await job.stdout.write(`${goJson(list)}\n`);
}

function danglingOf(filters: Args): boolean | undefined {
  const value = filters.get("dangling")?.[0]?.toLowerCase();
  if (value === undefined) return undefined;
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new BadRequestError(`Invalid filter 'dangling=${value}'`);
}

async function boundary(store: TagStore, filters: Args, key: "before" | "since"): Promise<Image | undefined> {
  const name = filters.get(key)?.[0];
  return name === undefined ? undefined : store.lookupImage(name);
}

/** A pattern fits a name with its tag or digest, or without. */
function fits(pattern: string, name: string): boolean {
  const bare = name.includes("@") ? name.slice(0, name.indexOf("@")) : parseRepositoryTag(name)[0];
  return pathMatch(pattern, name) || pathMatch(pattern, bare);
}

function hasLabels(image: Image, wanted: readonly string[]): boolean {
  const labels = image.config?.Labels ?? {};
  return wanted.every((text) => {
    const equals = text.indexOf("=");
    const key = equals < 0 ? text : text.slice(0, equals);
    return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === text.slice(equals + 1));
  });
}
