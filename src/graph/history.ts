/**
 * The job `history`: how an image came about.
 *
 * @origin graph/history.go
 * @module
 */

import { Env } from "../engine/env.ts";
import type { Job } from "../engine/job.ts";
import { Table } from "../engine/table.ts";
import { BadRequestError } from "../errdefs/errdefs.ts";
import type { Image } from "../image/image.ts";
import { chainIds, parseConfig } from "../registry/v2/config.ts";
import { goJson } from "../utils/go-json.ts";
import { parseRfc3339, ZERO_TIME_NS } from "../utils/go-time.ts";
import { isToday } from "./api-version.ts";
import type { TagStore } from "./tags.ts";

interface Row {
  Id: string;
  Created: number;
  CreatedBy: string;
  Tags: string[] | null;
  Size: number;
  Comment: string;
}

/**
 * Lists an image and everything below it, nearest first.
 *
 * @origin graph/history.go (*TagStore).CmdHistory
 */
export async function cmdHistory(store: TagStore, job: Job): Promise<void> {
  if (job.args.length !== 1) throw new BadRequestError(`Usage: ${job.name} IMAGE`);
  const image = await store.lookupImage(job.args[0] as string);
  const names = store.byId();
  const images = await image.history();
  if (isToday(job)) {
    const rows = (await fromConfig(store, images)) ?? images.map((one) => rowOf(one));
    for (const row of rows) row.Tags = names.get(row.Id) ?? null;
    await job.stdout.write(`${goJson(rows)}\n`);
    return;
  }
  const table = new Table("Created");
  for (const one of images) {
    const row = new Env();
    row.set("Id", one.id);
    row.setInt("Created", one.createdUnix);
    row.set("CreatedBy", (one.containerConfig.Cmd ?? []).join(" "));
    row.setList("Tags", names.get(one.id));
    row.setInt("Size", one.size);
    table.add(row);
  }
  await table.writeListTo(job.stdout);
}

function rowOf(image: Image): Row {
  return {
    Id: image.id,
    Created: image.createdUnix,
    CreatedBy: (image.containerConfig.Cmd ?? []).join(" "),
    Tags: null,
    Size: image.size,
    Comment: image.comment,
  };
}

/** The lines of the configuration document, which also names the steps that made no layer. */
async function fromConfig(store: TagStore, images: readonly Image[]): Promise<Row[] | undefined> {
  const { graph } = store;
  const [top] = images;
  if (top === undefined) return undefined;
  const document = await graph.readExtra(top.id, "config.json");
  if (document === undefined) return undefined;
  // Of several images for one chain the lowest has the content.
  const sizes = new Map<string, number>();
  for (const image of images) sizes.set(String(await graph.readExtra(image.id, "chainid")), image.size);
  const layers =
    (JSON.parse(document.toString()) as { rootfs?: { diff_ids?: unknown[] } }).rootfs?.diff_ids?.length ?? 0;
  const platform = { os: top.os || "linux", architecture: top.architecture };
  const config = parseConfig(document, layers, platform, top.id);
  const chains = chainIds(config.diffIds, graph.host.hash);
  if (config.history.filter((entry) => !entry.emptyLayer).length !== chains.length) return undefined;
  let next = 0;
  const rows = config.history.map((entry): Row => {
    const chain = entry.emptyLayer ? undefined : chains[next++];
    return {
      Id: "<missing>",
      Created: secondsOf(entry.created),
      CreatedBy: entry.createdBy,
      Tags: null,
      Size: (chain === undefined ? 0 : sizes.get(chain)) ?? 0,
      Comment: entry.comment,
    };
  });
  rows.reverse();
  if (rows[0] !== undefined) rows[0].Id = top.id;
  return rows;
}

function secondsOf(created: string | undefined): number {
  let ns = ZERO_TIME_NS;
  try {
    if (created !== undefined) ns = parseRfc3339(created);
  } catch (cause) {
    // A line without a time is still a line.
    if (!(cause instanceof RangeError)) throw cause;
  }
  return Math.floor(Number(ns / 1_000_000n) / 1000);
}
