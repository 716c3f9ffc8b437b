/**
 * `docker logout`
 *
 * @module
 */

import { messageOf } from "../../../errdefs/errdefs.ts";
import { saveConfig } from "../../../registry/config-file.ts";
import { indexServerAddress } from "../../../registry/names.ts";
import type { DockerCli } from "../cli.ts";
import { loadConfigFile } from "../config-file.ts";

/**
 * Forgets the credentials for a registry. No daemon and no registry hears of it.
 *
 * @origin api/client/commands.go (*DockerCli).CmdLogout
 */
export async function cmdLogout(cli: DockerCli, args: string[]): Promise<void> {
  const index = indexServerAddress();
  const description = `Log out from a Docker registry, if no server is specified "${index}" is the default.`;
  const cmd = cli.subcmd("logout", "[SERVER]", description);
  cmd.parse(args);
  const server = cmd.nArg() > 0 ? cmd.arg(0) : index;
  const config = await loadConfigFile(cli);
  if (!config.configs.delete(server)) {
    await cli.out.write(`Not logged in to ${server}\n`);
    return;
  }
  await cli.out.write(`Remove login credentials for ${server}\n`);
  try {
    await saveConfig(cli.host, config);
  } catch (cause) {
    throw new Error(`Failed to save docker config: ${messageOf(cause)}`, { cause });
  }
}
