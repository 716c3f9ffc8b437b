/**
 * `docker events`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { query } from "../query.ts";
import { unixTime } from "../time.ts";
import { stream } from "../utils.ts";

/**
 * Shows what happens in the daemon, from now on or from a moment on.
 *
 * @origin api/client/commands.go (*DockerCli).CmdEvents
 */
export async function cmdEvents(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("events", "[OPTIONS]", "Get real time events from the server");
  const since = cmd.string(["#since", "-since"], "", "Show all events created since timestamp");
  const until = cmd.string(["-until"], "", "Stream events until this timestamp");
  cmd.parse(args);
  if (cmd.nArg() !== 0) cmd.usage();
  const moment = (text: string) => (text === "" ? undefined : (unixTime(text, cli.host.clock.now()) ?? text));
  await stream(cli, "GET", `/events${query({ since: moment(since.value), until: moment(until.value) })}`, {
    out: cli.out,
  });
}
