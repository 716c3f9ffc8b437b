/**
 * Several images become visible together.
 *
 * ```text
 * 1. each description is written to <root>/_tmp/<random>/ and synced
 * 2. the list of ids goes to <root>/_tmp/<random>.commit, synced: parents first, the image itself last
 * 3. each directory is renamed to <root>/<id>, parents first; the root is synced
 * 4. the list is removed
 * ```
 *
 * A list that is found at the start tells of a crash during 3. If its last image is there, everything is. If not, those
 * that are there are half of something: they are removed again, unless another image has been built on them.
 *
 * @module
 */

import { join } from "node:path/posix";
import { isErrno } from "../errdefs/errdefs.ts";
import { syncDirectory, writeSynced } from "../utils/durable.ts";
import { generateRandomID, ID_PATTERN } from "../utils/utils.ts";
import type { Graph } from "./graph.ts";
import type { ExtraFiles, StagedImage } from "./staged.ts";

/** Moves prepared images in. The graph calls it, one call at a time. */
export async function commitStaged(
  graph: Graph,
  batch: readonly { staged: StagedImage; extra?: ExtraFiles }[],
): Promise<void> {
  const { fs } = graph;
  const waiting: { id: string; directory: string }[] = [];
  const moved: string[] = [];
  const list = join(graph.root, "_tmp", `${generateRandomID(graph.host.random)}.commit`);
  try {
    for (const { staged, extra } of batch) {
      const directory = await graph.mktemp();
      waiting.push({ id: staged.image.id, directory });
      await staged.store(directory, extra ?? {});
    }
    if (batch.length > 1) {
      await writeSynced(fs, list, waiting.map(({ id }) => `${id}\n`).join(""));
      await syncDirectory(fs, join(graph.root, "_tmp"));
    }
    for (const { id, directory } of waiting) {
      await fs.rename(directory, graph.imageRoot(id));
      moved.push(id);
    }
    await syncDirectory(fs, graph.root);
  } catch (cause) {
    for (const id of moved.reverse()) await fs.rm(graph.imageRoot(id), { recursive: true, force: true });
    throw cause;
  } finally {
    for (const { directory } of waiting) await fs.rm(directory, { recursive: true, force: true });
    await fs.rm(list, { force: true });
  }
}

/** Finishes or takes back what a crash interrupted. */
export async function recoverCommits(graph: Graph): Promise<void> {
  const temporary = join(graph.root, "_tmp");
  for (const name of await graph.fs.readdir(temporary)) {
    if (!name.endsWith(".commit")) continue;
    const text = await graph.fs.readFile(join(temporary, name), "utf8").catch((cause: unknown) => {
      if (!isErrno(cause, "EISDIR", "ENOENT")) throw cause;
      return "";
    });
    const ids = text.split("\n").filter((id) => ID_PATTERN.test(id));
    const present = new Set(graph.ids());
    const last = ids.at(-1);
    if (last === undefined || present.has(last)) continue;
    for (const id of ids.reverse()) {
      if (!present.has(id) || (await graph.byParent()).has(id)) continue;
      graph.log.info(`removing image ${id}: the pull it belongs to was interrupted`);
      await graph.revoke(id);
    }
  }
}
