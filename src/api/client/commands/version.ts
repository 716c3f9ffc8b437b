/**
 * `docker version`
 *
 * @module
 */

import { GITCOMMIT, VERSION } from "../../../dockerversion/dockerversion.ts";
import { APIVERSION } from "../../common.ts";
import type { DockerCli } from "../cli.ts";
import { call, readEnv } from "../utils.ts";

/**
 * Shows the client's version, then the daemon's.
 *
 * @origin api/client/commands.go (*DockerCli).CmdVersion
 */
export async function cmdVersion(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("version", "", "Show the Docker version information.");
  cmd.parse(args);
  if (cmd.nArg() > 0) cmd.usage();
  const { machine } = cli.host;
  await cli.out.write(
    `Client version: ${VERSION}\n` +
      `Client API version: ${APIVERSION}\n` +
      `Go version (client): ${machine.runtime}\n` +
      `Git commit (client): ${GITCOMMIT}\n` +
      `OS/Arch (client): ${machine.os}/${machine.arch}\n`,
  );
  const remote = await readEnv(call(cli, "GET", "/version"));
  const line = (label: string, key: string) => `${label}: ${cli.show(remote.get(key))}\n`;
  await cli.out.write(
    line("Server version", "Version") +
      (remote.get("ApiVersion") === "" ? "" : line("Server API version", "ApiVersion")) +
      line("Go version (server)", "GoVersion") +
      line("Git commit (server)", "GitCommit"),
  );
}
