/**
 * `docker start`
 *
 * @module
 */

import { Env } from "../../../engine/env.ts";
import { messageOf } from "../../../errdefs/errdefs.ts";
import type { DockerCli } from "../cli.ts";
import { hijack } from "../hijack.ts";
import { query } from "../query.ts";
import { forwardAllSignals } from "../signals.ts";
import { call, monitorTtySize, readBody, readEnv } from "../utils.ts";

const FAILURE = "Error: failed to start one or more containers";

/**
 * Starts containers again, or one of them with its streams attached. The exit code is not the container's.
 *
 * @origin api/client/commands.go (*DockerCli).CmdStart
 */
export async function cmdStart(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("start", "CONTAINER [CONTAINER...]", "Restart a stopped container");
  const attachHelp = "Attach container's STDOUT and STDERR and forward all signals to the process";
  const attach = cmd.bool(["a", "-attach"], false, attachHelp);
  const interactive = cmd.bool(["i", "-interactive"], false, "Attach container's STDIN");
  cmd.parse(args);
  if (cmd.nArg() < 1) cmd.usage();
  const quiet = attach.value && interactive.value;
  if (!attach.value && !interactive.value) return startAll(cli, cmd.args(), quiet);
  if (cmd.nArg() > 1) throw new Error("You cannot start and attach multiple containers at once.");
  await startAttached(cli, cmd.arg(0), { interactive: interactive.value, quiet });
}

/** Starts each of them; names and failures are shown unless `quiet`. */
async function startAll(cli: DockerCli, names: readonly string[], quiet: boolean): Promise<void> {
  let failed = false;
  for (const name of names) {
    try {
      await readBody(call(cli, "POST", `/containers/${name}/start`));
    } catch (cause) {
      if (!quiet) await cli.err.write(`${messageOf(cause)}\n`);
      failed = true;
      continue;
    }
    if (!quiet) await cli.out.write(`${name}\n`);
  }
  if (failed) throw new Error(FAILURE);
}

async function startAttached(
  cli: DockerCli,
  name: string,
  options: { readonly interactive: boolean; readonly quiet: boolean },
): Promise<void> {
  const container = await readEnv(call(cli, "GET", `/containers/${name}/json`));
  const config = container.getSubEnv("Config") ?? new Env();
  const tty = config.getBool("Tty");
  const withStdin = options.interactive && config.getBool("OpenStdin");
  const stopSignals = tty ? undefined : forwardAllSignals(cli, name);
  const gaveUp = new AbortController();
  try {
    const values = query({ stream: "1", stdin: withStdin ? "1" : undefined, stdout: "1", stderr: "1" });
    const path = `/containers/${name}/attach${values}`;
    const streams = { in: withStdin ? cli.in : undefined, out: cli.out, err: cli.err };
    let attached = Promise.resolve();
    const ready = new Promise<void>((resolve, reject) => {
      attached = hijack(cli, "POST", path, { tty, ...streams, signal: gaveUp.signal, started: resolve });
      attached.catch(reject);
    });
    // The first bytes must not get lost: nothing starts before the connection is ours.
    await ready;
    try {
      await startAll(cli, [name], options.quiet);
    } catch (cause) {
      gaveUp.abort();
      await attached.catch(() => {});
      throw cause;
    }
    const stopResize = tty && cli.isTerminal ? await monitorTtySize(cli, name) : undefined;
    await attached.finally(() => stopResize?.());
  } finally {
    stopSignals?.();
  }
}
