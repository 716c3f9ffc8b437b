/**
 * What of a directory belongs to the context of a build.
 *
 * @origin utils/utils.go
 * @module
 */

import posix from "node:path/posix";
import { isErrno } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { match } from "../pkg/filepath/match.ts";
import type { Logger } from "../pkg/log/log.ts";

/** Where it is told what is left out. */
export type MatchLog = Pick<Logger, "debug" | "error">;

const O_NONBLOCK = 0o4000;

/**
 * Whether one of the patterns matches a path. The whole context cannot be left out: a pattern that does is only told.
 *
 * @param path - relative to the context, `.` for the context itself; a byte string, as the patterns are
 * @throws {BadPatternError}
 * @origin utils/utils.go Matches
 */
export function matches(path: string, patterns: readonly string[], log?: MatchLog): boolean {
  for (const pattern of patterns) {
    let matched: boolean;
    try {
      matched = match(pattern, path);
    } catch (cause) {
      log?.error("utils.go:678", `Error matching: ${text(path)} (pattern: ${text(pattern)})`);
      throw cause;
    }
    if (!matched) continue;
    if (path !== ".") {
      log?.debug("utils.go:686", `Skipping excluded path: ${text(path)}`);
      return true;
    }
    log?.error("utils.go:683", `Can't exclude whole path, excluding pattern: ${text(pattern)}`);
  }
  return false;
}

function text(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

/** Whom a context is checked for, and without what. */
export interface ContextTerms {
  /** Patterns of what is left out, byte strings. */
  readonly excludes: readonly string[];
  readonly log?: MatchLog;
}

/**
 * Checks that everything in a directory can be read, but for what is left out. Where links point does not matter.
 *
 * @param dir - as it appears in messages
 * @throws Error `can't stat '…'`, `no permission to read from '…'`, or `BadPatternError`
 * @origin utils/utils.go ValidateContextDirectory
 * @deviation A directory that cannot be listed is told; 1.2.0 sends it without what is in it.
 */
export async function validateContextDirectory(
  { fs }: Pick<Host, "fs">,
  dir: string,
  { excludes, log }: ContextTerms,
): Promise<void> {
  const visit = async (path: string): Promise<void> => {
    if (matches(path, excludes, log)) return;
    const shown = posix.join(dir, text(path));
    const at = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(path, "latin1")]);
    const cannotStat = (cause: unknown) => denied(cause, `can't stat '${shown}'`);
    const info = await fs.lstat(at).catch(cannotStat);
    if (info?.isDirectory()) {
      const names = (await fs.readdir(at, "latin1" as BufferEncoding).catch(cannotStat)) as string[] | undefined;
      for (const name of (names ?? []).sort()) await visit(path === "." ? name : `${path}/${name}`);
    } else if (info?.isFile()) {
      await fs
        .open(at, O_NONBLOCK)
        .then((file) => file.close())
        .catch((cause) => denied(cause, `no permission to read from '${shown}'`));
    }
  };
  await visit(".");
}

/** What is gone meanwhile is not there; what may not be looked at is an error. */
function denied(cause: unknown, message: string): undefined {
  if (isErrno(cause, "EACCES", "EPERM")) throw new Error(message, { cause });
  return undefined;
}
