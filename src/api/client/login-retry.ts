/**
 * A refused pull or push, once more with a password.
 *
 * @module
 */

import { messageOf } from "../../errdefs/errdefs.ts";
import type { DockerCli } from "./cli.ts";
import { cmdLogin } from "./commands/login.ts";
import { registryAuth } from "./config-file.ts";

/** How a daemon says that the registry wants to know who asks: versions 1 and 2 of registries, and today's daemons. */
const REFUSALS = /[Ss]tatus 401|Authentication is required|authentication required|no basic auth credentials/;

/**
 * Sends a request with the credentials for a registry. When they are missing or wrong, has the user log in and sends it
 * again.
 *
 * @param send - gets the value of `X-Registry-Auth`
 * @origin api/client/commands.go (*DockerCli).CmdPull, (*DockerCli).CmdPush
 * @deviation Asks only at a terminal: a script gets the error. 1.2.0 looks for `Status 401` alone, which is in the answer
 *   to a push, but not to a pull.
 */
export async function withLogin(
  cli: DockerCli,
  hostname: string,
  verb: "pull" | "push",
  send: (auth: string) => Promise<void>,
): Promise<void> {
  try {
    await send(await registryAuth(cli, hostname));
  } catch (cause) {
    if (!cli.host.stdin.isTerminal || !REFUSALS.test(messageOf(cause))) throw cause;
    await cli.out.write(`\nPlease login prior to ${verb}:\n`);
    await cmdLogin(cli, [hostname]);
    await send(await registryAuth(cli, hostname));
  }
}
