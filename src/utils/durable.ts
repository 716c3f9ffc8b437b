/**
 * Writing that survives a crash: a temporary name, synced, then renamed over the old file, then the directory synced.
 *
 * @module
 */

import { basename, dirname, join } from "node:path/posix";
import { isErrno } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";

type Files = Pick<Host["fs"], "open" | "rename" | "unlink">;

/** Makes the names in a directory durable. File systems that cannot sync a directory do it by themselves. */
export async function syncDirectory(fs: Pick<Files, "open">, path: string): Promise<void> {
  const handle = await fs.open(path, "r");
  try {
    await handle.sync();
  } catch (cause) {
    if (!isErrno(cause, "EINVAL", "EISDIR", "ENOTSUP", "EBADF")) throw cause;
  } finally {
    await handle.close();
  }
}

/** Writes a file and makes its content, not yet its name, durable. The file must not be there. */
export async function writeSynced(
  fs: Pick<Files, "open">,
  path: string,
  data: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  const handle = await fs.open(path, "wx", mode);
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

let counter = 0;
const TEMPORARY = ".tmp-";

/** Removes what a crash left of {@link replaceFile} beside a file. To be called before anybody writes it. */
export async function removeUnfinished(fs: Pick<Host["fs"], "readdir" | "unlink">, path: string): Promise<void> {
  const directory = dirname(path);
  for (const name of await fs.readdir(directory)) {
    if (name.startsWith(`${basename(path)}${TEMPORARY}`)) await fs.unlink(join(directory, name));
  }
}

/**
 * Replaces a file at once: whoever reads it sees the old content or the new one, also after a crash.
 *
 * @throws what the file system throws (`ENOSPC` …); the old file is untouched then and nothing is left beside it
 */
export async function replaceFile(fs: Files, path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = `${path}${TEMPORARY}${counter++}`;
  try {
    // Left by a crash: this process has not used the name yet.
    await fs.unlink(temporary).catch(() => undefined);
    await writeSynced(fs, temporary, data, mode);
    await fs.rename(temporary, path);
  } catch (cause) {
    await fs.unlink(temporary).catch(() => undefined);
    throw cause;
  }
  await syncDirectory(fs, dirname(path));
}
