/**
 * `docker cp`
 *
 * @module
 */

import posix from "node:path/posix";
import type { DockerCli } from "../cli.ts";
import { DaemonError } from "../errors.ts";
import { call } from "../utils.ts";

/**
 * Copies a file or a directory out of a container, into a directory of this machine.
 *
 * @origin api/client/commands.go (*DockerCli).CmdCp
 * @deviation What arrives is unpacked below the directory and nowhere else, whatever names and links it holds; files
 *   belong to the caller, as with 1.2.0 when it is not root.
 */
export async function cmdCp(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("cp", "CONTAINER:PATH HOSTPATH", "Copy files/folders from the PATH to the HOSTPATH");
  cmd.parse(args);
  if (cmd.nArg() !== 2) cmd.usage();
  const [name = "", path, ...more] = cmd.arg(0).split(":");
  if (path === undefined || more.length > 0) throw new Error("Error: Path not specified");
  const target = cmd.arg(1);
  const data = { HostPath: target, Resource: path };
  const answer = await call(cli, "POST", `/containers/${name}/copy`, data).catch((cause: unknown) => {
    if (cause instanceof DaemonError && cause.statusCode === 404) throw new Error(`No such container: ${name}`);
    throw cause;
  });
  const root = posix.resolve(target);
  await cli.host.fs.mkdir(root, { recursive: true });
  try {
    await cli.host.pool.unpack({ root, whiteouts: "keep", chown: false, compression: "none" }, answer.body);
  } finally {
    await cli.host.pool.close();
  }
}
