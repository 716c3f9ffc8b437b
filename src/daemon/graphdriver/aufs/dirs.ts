/**
 * What the driver's directories say: which layers there are, and what lies below each.
 *
 * @origin daemon/graphdriver/aufs/dirs.go
 * @module
 */

import { join } from "node:path/posix";
import { isErrno, SystemError } from "../../../errdefs/errdefs.ts";
import type { Host } from "../../../host/host.ts";
import { NoSuchLayerError } from "../errors.ts";

/** @origin daemon/graphdriver/aufs/dirs.go loadIds */
export async function loadIds({ fs }: Pick<Host, "fs">, dir: string): Promise<string[]> {
  const entries = await fs.readdir(dir, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/**
 * Reads the ids of the layers below one, nearest first; none for a base layer.
 *
 * @param root - the driver's directory
 * @throws {NoSuchLayerError} when there is no such layer
 * @throws {SystemError} when the file holds something else than ids: they become paths
 * @origin daemon/graphdriver/aufs/dirs.go getParentIds
 */
export async function getParentIds({ fs }: Pick<Host, "fs">, root: string, id: string): Promise<string[]> {
  const path = join(root, "layers", id);
  let text: string;
  try {
    text = await fs.readFile(path, "utf8");
  } catch (cause) {
    if (isErrno(cause, "ENOENT")) throw new NoSuchLayerError(path, "open");
    throw cause;
  }
  const ids = text.split("\n").filter((line) => line !== "");
  if (!ids.every((one) => /^[\w-]+$/.test(one))) throw new SystemError(`Cannot read ${path}: a line is no layer's id`);
  return ids;
}
