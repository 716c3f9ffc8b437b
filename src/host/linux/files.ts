/**
 * Node's files, but for the one call that can hang.
 *
 * @module
 */

import fs from "node:fs/promises";
import { dirname } from "node:path/posix";
import { isErrno } from "../../errdefs/errdefs.ts";
import type { FileSystem } from "../host.ts";

type MakeDirectory = FileSystem["mkdir"];

/** How a directory is made: Node's options, or the mode alone. */
type MakeOptions = Exclude<Parameters<MakeDirectory>[1], number | string | null | undefined>;

/**
 * Makes a directory and those above it that are missing.
 *
 * Node's own `recursive` spins for ever in a thread of its pool where a directory exists and lets nothing be made in it
 * (`/proc/x/y`): any client could ask for that.
 *
 * @returns the first directory that was made; `undefined` when all were there
 * @throws the error of the path that could not be made
 */
async function makeAll(path: string, options: MakeOptions): Promise<string | undefined> {
  const { recursive: _, ...plain } = options;
  try {
    await fs.mkdir(path, plain);
    return path;
  } catch (cause) {
    if (isErrno(cause, "EEXIST", "EISDIR")) {
      if ((await fs.stat(path)).isDirectory()) return undefined;
      throw cause;
    }
    const above = dirname(path);
    if (!isErrno(cause, "ENOENT") || above === path) throw cause;
    const first = await makeAll(above, options);
    // Somebody else may have been faster.
    const made = await fs.mkdir(path, plain).catch(async (again: unknown) => {
      if (!isErrno(again, "EEXIST") || !(await fs.stat(path)).isDirectory()) throw again;
    });
    return first ?? (made === undefined ? path : undefined);
  }
}

const mkdir = ((path, options) => {
  if (typeof path !== "string" || typeof options !== "object" || options?.recursive !== true) {
    return fs.mkdir(path, options);
  }
  return makeAll(path.replace(/(.)\/+$/, "$1"), options);
}) as MakeDirectory;

/** The files of this machine. */
export const linuxFiles: FileSystem = { ...fs, mkdir };
