/**
 * The jobs about images.
 *
 * @origin graph/service.go
 * @article 001/5.5.2
 * @module
 */

import type { Engine } from "../engine/engine.ts";
import type { Job } from "../engine/job.ts";
import { BadRequestError, messageOf, SystemError } from "../errdefs/errdefs.ts";
import { newImgJSON } from "../image/image.ts";
import { cmdImageExport } from "./export.ts";
import { cmdHistory } from "./history.ts";
import { cmdImport } from "./import.ts";
import { cmdImageGet, cmdImageInspect, cmdTarLayer } from "./inspect.ts";
import { cmdImages } from "./list.ts";
import { cmdLoad } from "./load.ts";
import { cmdPull } from "./pull.ts";
import { cmdPush } from "./push.ts";
import { cmdTag, cmdTagLegacy } from "./tag.ts";
import type { TagStore } from "./tags.ts";
import { cmdViz } from "./viz.ts";

type Command = (store: TagStore, job: Job) => Promise<void>;

const COMMANDS: readonly [string, Command][] = [
  ["image_set", cmdSet],
  ["image_tag", cmdTag],
  ["tag", cmdTagLegacy],
  ["image_get", cmdImageGet],
  ["image_inspect", cmdImageInspect],
  ["image_tarlayer", cmdTarLayer],
  ["image_export", cmdImageExport],
  ["history", cmdHistory],
  ["images", cmdImages],
  ["viz", cmdViz],
  ["load", cmdLoad],
  ["import", cmdImport],
  ["pull", cmdPull],
  ["push", cmdPush],
];

/** Adds the jobs to an engine. @origin graph/service.go (*TagStore).Install */
export function install(store: TagStore, engine: Engine): void {
  for (const [name, command] of COMMANDS) {
    try {
      engine.register(name, (job) => command(store, job));
    } catch (cause) {
      throw new SystemError(`Could not register "${name}": ${messageOf(cause)}`, { cause });
    }
  }
}

/**
 * Adds an image: its description from the environment's `json`, byte for byte, its layer from standard input.
 *
 * @origin graph/service.go (*TagStore).CmdSet
 */
async function cmdSet(store: TagStore, job: Job): Promise<void> {
  if (job.args.length !== 1) throw new BadRequestError(`usage: ${job.name} NAME`);
  const json = job.getenv("json");
  if (json === "") throw new BadRequestError("mandatory key 'json' is not set");
  const layer = job.stdin.connected ? job.stdin : undefined;
  await store.graph.register(newImgJSON(json), { json: Buffer.from(json), layer, signal: job.signal });
}
