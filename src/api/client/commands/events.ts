/**
 * `docker events`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { query } from "../query.ts";
import { unixTime } from "../time.ts";
import { stream } from "../utils.ts";

/** What people write for "everything there is", … */
const BEGINNING = "0";
/** … and what the daemon does not take for "nothing of the past". */
const FIRST_SECOND = 1;

/**
 * Shows what happens in the daemon, from now on or from a moment on.
 *
 * @origin api/client/commands.go (*DockerCli).CmdEvents
 * @deviation `--since=0` is said as the first second; 1.2.0 reads it as the day 0, long before that.
 */
export async function cmdEvents(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("events", "[OPTIONS]", "Get real time events from the server");
  const since = cmd.string(["#since", "-since"], "", "Show all events created since timestamp");
  const until = cmd.string(["-until"], "", "Stream events until this timestamp");
  cmd.parse(args);
  if (cmd.nArg() !== 0) cmd.usage();
  const moment = (text: string) => (text === "" ? undefined : (unixTime(text, cli.host.clock.now()) ?? text));
  const from = since.value === BEGINNING ? FIRST_SECOND : moment(since.value);
  await stream(cli, "GET", `/events${query({ since: from, until: moment(until.value) })}`, { out: cli.out });
}
