/**
 * Writes small files so that they are whole after any crash: old or new, never between.
 *
 * @module
 */

import posix from "node:path/posix";
import type { Host } from "../host/host.ts";
import { syncDirectory } from "../utils/durable.ts";

/** Of a file that is not whole yet. */
const ending = ".tmp";

/** Removes what a crash left of {@link writeDurably} in a directory. @returns the names in it */
export async function removeUnwritten({ fs }: Pick<Host, "fs">, directory: string): Promise<string[]> {
  const names = await fs.readdir(directory);
  for (const name of names) {
    if (name.endsWith(ending)) await fs.rm(posix.join(directory, name), { recursive: true, force: true });
  }
  return names;
}

/**
 * Writes files of one directory: each to a temporary name, synced, renamed; then the directory is synced once.
 *
 * @param files - text by file name
 * @param mode - permission bits of the files
 */
export async function writeDurably(
  host: Pick<Host, "fs">,
  directory: string,
  files: Readonly<Record<string, string>>,
  mode = 0o644,
): Promise<void> {
  await Promise.all(
    Object.entries(files).map(async ([name, text]) => {
      const path = posix.join(directory, name);
      const file = await host.fs.open(`${path}${ending}`, "w", mode);
      try {
        await file.writeFile(text);
        await file.datasync();
      } finally {
        await file.close();
      }
      await host.fs.rename(`${path}${ending}`, path);
    }),
  );
  await syncDirectory(host.fs, directory);
}
