/**
 * `docker save`
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import { isErrno } from "../../../errdefs/errdefs.ts";
import { pathErrorText } from "../../../errdefs/errno-text.ts";
import type { Writer } from "../../../sync/io.ts";
import type { DockerCli } from "../cli.ts";
import { query } from "../query.ts";
import { stream } from "../utils.ts";

/**
 * Writes images and all below them as an archive, to standard output or to a file.
 *
 * @origin api/client/commands.go (*DockerCli).CmdSave
 * @deviation Several images go into one archive, as since Docker 1.5. A terminal is no place for an archive, as since
 *   Docker 1.3; and a file gets its name when it is complete: 1.2.0 leaves a part of one.
 */
export async function cmdSave(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("save", "IMAGE", "Save an image to a tar archive (streamed to STDOUT by default)");
  const outfile = cmd.string(["o", "-output"], "", "Write to an file, instead of STDOUT");
  cmd.parse(args);
  if (cmd.nArg() < 1) cmd.usage();
  const names = cmd.args();
  const path = names.length === 1 ? `/images/${names[0]}/get` : `/images/get${query({ names })}`;
  if (outfile.value !== "") {
    await intoFile(cli, outfile.value, (out) => stream(cli, "GET", path, { out }));
    return;
  }
  if (cli.isTerminal) throw new Error("Cowardly refusing to save to a terminal. Use the -o flag or redirect.");
  await stream(cli, "GET", path, { out: cli.out });
}

/** What is written gets its name at the end; what is no plain file, like a pipe, is written as it stands. */
async function intoFile(cli: DockerCli, path: string, write: (out: Writer) => Promise<void>): Promise<void> {
  const { fs } = cli.host;
  const there = await fs.stat(path).catch((cause: unknown) => {
    if (!isErrno(cause, "ENOENT")) throw new Error(pathErrorText("open", path, cause), { cause });
    return undefined;
  });
  const inPlace = there !== undefined && !there.isFile();
  const temporary = inPlace ? path : `${path}.part-${cli.host.machine.pid}`;
  let file: FileHandle;
  try {
    file = await fs.open(temporary, "w", 0o666);
  } catch (cause) {
    throw new Error(pathErrorText("open", path, cause), { cause });
  }
  try {
    try {
      await write({ write: async (chunk) => void (await file.writeFile(chunk)) });
    } finally {
      await file.close();
    }
    if (!inPlace) await fs.rename(temporary, path);
  } catch (cause) {
    if (!inPlace) await fs.rm(temporary, { force: true });
    throw cause;
  }
}
