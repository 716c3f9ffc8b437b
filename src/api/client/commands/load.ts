/**
 * `docker load`
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import { pathErrorText } from "../../../errdefs/errno-text.ts";
import { fileChunks } from "../../../sync/file-chunks.ts";
import type { DockerCli } from "../cli.ts";
import { stream } from "../utils.ts";

/**
 * Loads the images of an archive: of standard input, or of a file.
 *
 * @origin api/client/commands.go (*DockerCli).CmdLoad
 * @deviation A terminal is no archive, as since Docker 1.10; 1.2.0 waits for one.
 */
export async function cmdLoad(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("load", "", "Load an image from a tar archive on STDIN");
  const infile = cmd.string(["i", "-input"], "", "Read from a tar archive file, instead of STDIN");
  cmd.parse(args);
  if (cmd.nArg() !== 0) cmd.usage();
  if (infile.value === "" && cli.host.stdin.isTerminal) {
    throw new Error("requested load from stdin, but stdin is empty");
  }
  const input = infile.value === "" ? cli.in : fileChunks(await open(cli, infile.value));
  await stream(cli, "POST", "/images/load", { in: input, out: cli.out });
}

async function open(cli: DockerCli, path: string): Promise<FileHandle> {
  try {
    return await cli.host.fs.open(path, "r");
  } catch (cause) {
    throw new Error(pathErrorText("open", path, cause), { cause });
  }
}
