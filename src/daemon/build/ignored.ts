/**
 * The two files that a client of today sends even if its `.dockerignore` leaves them out: the daemon needs them, the image
 * does not.
 *
 * @since Docker 1.8 (builder)
 * @module
 */

import { join } from "node:path/posix";
import { fromText } from "../../archive/byte-string.ts";
import { isErrno } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import { readAll } from "../../sync/io.ts";
import { matches } from "../../utils/context.ts";
import type { BuildContext } from "./context.ts";
import { bytesOf } from "./copy-in.ts";

const DOCKERIGNORE = ".dockerignore";
const MAX_BYTES = 1 << 20;

/**
 * Takes out of the context what its `.dockerignore` leaves out: itself, and the Dockerfile, which has been read.
 *
 * @param dockerfile - its path in the context
 */
export async function removeIgnored(
  { fs }: Pick<Host, "fs">,
  { root, sums }: BuildContext,
  dockerfile: string,
): Promise<void> {
  const path = join(root, DOCKERIGNORE);
  const info = await fs.lstat(path).catch((cause: unknown) => {
    if (!isErrno(cause, "ENOENT")) throw cause;
    return undefined;
  });
  if (!info?.isFile() || info.size > MAX_BYTES) return;
  const patterns = patternsOf((await readAll(bytesOf({ fs }, path))).toString("latin1"));
  for (const name of [DOCKERIGNORE, dockerfile]) {
    if (name === "" || !isIgnored(fromText(name), patterns)) continue;
    await fs.rm(join(root, name), { force: true });
    sums.delete(fromText(name));
  }
}

/** The lines of the file, comments left out; byte strings. */
function patternsOf(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim().replace(/^(!?)\/?(?:\.\/)?/, "$1"))
    .filter((line) => line !== "" && line !== "!");
}

/** The last pattern that matches counts; `!` takes back. One that cannot be read matches nothing: the client has said so. */
function isIgnored(path: string, patterns: readonly string[]): boolean {
  let ignored = false;
  for (const pattern of patterns) {
    const exception = pattern.startsWith("!");
    try {
      if (matches(path, [exception ? pattern.slice(1) : pattern])) ignored = !exception;
    } catch {
      // See above.
    }
  }
  return ignored;
}
