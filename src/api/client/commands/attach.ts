/**
 * `docker attach`
 *
 * @module
 */

import { Env } from "../../../engine/env.ts";
import { StatusError } from "../../../utils/status-error.ts";
import type { DockerCli } from "../cli.ts";
import { hijack } from "../hijack.ts";
import { query } from "../query.ts";
import { forwardAllSignals } from "../signals.ts";
import { call, getExitCode, monitorTtySize, readEnv } from "../utils.ts";

/**
 * Connects to the streams of a running container, and ends with its exit code.
 *
 * @origin api/client/commands.go (*DockerCli).CmdAttach
 */
export async function cmdAttach(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("attach", "[OPTIONS] CONTAINER", "Attach to a running container");
  const noStdin = cmd.bool(["#nostdin", "-no-stdin"], false, "Do not attach STDIN");
  const proxyHelp =
    "Proxy all received signals to the process (even in non-TTY mode). SIGCHLD, SIGKILL, and SIGSTOP are not proxied.";
  const proxy = cmd.bool(["#sig-proxy", "-sig-proxy"], true, proxyHelp);
  cmd.parse(args);
  if (cmd.nArg() !== 1) cmd.usage();
  const name = cmd.arg(0);

  const container = await readEnv(call(cli, "GET", `/containers/${name}/json`));
  if (!container.getSubEnv("State")?.getBool("Running")) {
    throw new Error("You cannot attach to a stopped container, start it first");
  }
  const config = container.getSubEnv("Config") ?? new Env();
  const tty = config.getBool("Tty");
  const withStdin = !noStdin.value && config.getBool("OpenStdin");
  const stopResize = tty && cli.isTerminal ? await monitorTtySize(cli, name) : undefined;
  const stopSignals = proxy.value && !tty ? forwardAllSignals(cli, name) : undefined;
  try {
    const values = query({ stream: "1", stdin: withStdin ? "1" : undefined, stdout: "1", stderr: "1" });
    const streams = { in: withStdin ? cli.in : undefined, out: cli.out, err: cli.err };
    await hijack(cli, "POST", `/containers/${name}/attach${values}`, { tty, ...streams });
  } finally {
    stopResize?.();
    stopSignals?.();
  }
  const { code } = await getExitCode(cli, name);
  if (code !== 0) throw new StatusError(code);
}
