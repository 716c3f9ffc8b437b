/**
 * Files of environment variables, for `docker run --env-file`.
 *
 * @origin opts/envfile.go
 * @module
 */

import { BadRequestError, isErrno } from "../errdefs/errdefs.ts";
import { pathErrorText } from "../errdefs/errno-text.ts";
import type { FileSystem } from "../host/host.ts";
import { variable } from "./opts.ts";

/** What reading such a file touches. */
export interface EnvFileHost {
  readonly fs: Pick<FileSystem, "readFile">;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A variable's name holds a blank. @origin opts/envfile.go ErrBadEnvVariable */
export class BadEnvVariableError extends BadRequestError {
  /** Builds 1.2.0's text. */
  constructor(name: string) {
    super(`poorly formatted environment: variable '${name}' has white spaces`);
  }
}

/**
 * Reads `NAME=value` lines. `NAME` alone takes the value of the client's own environment; `#` in the first column starts
 * a comment.
 *
 * @throws {BadEnvVariableError} for a blank inside a name; Error with Go's text when the file cannot be read
 * @origin opts/envfile.go ParseEnvFile
 * @deviation A file that cannot be read to its end, or with a line above 64 KiB, is not cut short in silence.
 */
export async function parseEnvFile(filename: string, { fs, env }: EnvFileHost): Promise<string[]> {
  const text = await readText(filename, fs);
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  return lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => parseLine(line, env));
}

function parseLine(line: string, env: EnvFileHost["env"]): string {
  const equals = line.indexOf("=");
  // The name is looked up as it stands, blanks included: that finds nothing, as in 1.2.0.
  if (equals < 0) return `${line.trim()}=${variable(env, line)}`;
  const name = line.slice(0, equals).replace(/^[ \t]+/, "");
  if (/[ \t]/.test(name)) throw new BadEnvVariableError(name);
  return name + line.slice(equals);
}

async function readText(filename: string, fs: EnvFileHost["fs"]): Promise<string> {
  try {
    return String(await fs.readFile(filename));
  } catch (cause) {
    // A directory can be opened, but not read.
    const operation = isErrno(cause, "EISDIR") ? "read" : "open";
    throw new BadRequestError(pathErrorText(operation, filename, cause), { cause });
  }
}
