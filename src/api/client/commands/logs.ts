/**
 * `docker logs`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { query } from "../query.ts";
import { call, readEnv, stream } from "../utils.ts";

/**
 * Shows what a container has written, and what it writes.
 *
 * @origin api/client/commands.go (*DockerCli).CmdLogs
 */
export async function cmdLogs(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("logs", "CONTAINER", "Fetch the logs of a container");
  const follow = cmd.bool(["f", "-follow"], false, "Follow log output");
  const times = cmd.bool(["t", "-timestamps"], false, "Show timestamps");
  const tailHelp = "Output the specified number of lines at the end of logs (defaults to all logs)";
  const tail = cmd.string(["-tail"], "all", tailHelp);
  cmd.parse(args);
  if (cmd.nArg() !== 1) cmd.usage();
  const name = cmd.arg(0);
  const container = await readEnv(call(cli, "GET", `/containers/${name}/json`));
  const values = query({
    stdout: "1",
    stderr: "1",
    timestamps: times.value ? "1" : undefined,
    follow: follow.value ? "1" : undefined,
    tail: tail.value,
  });
  const raw = container.getSubEnv("Config")?.getBool("Tty") ?? false;
  await stream(cli, "GET", `/containers/${name}/logs${values}`, { out: cli.out, err: cli.err, raw });
}
