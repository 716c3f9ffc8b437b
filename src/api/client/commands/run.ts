/**
 * `docker run`: create, attach, start, wait.
 *
 * @module
 */

import type { Env } from "../../../engine/env.ts";
import { messageOf } from "../../../errdefs/errdefs.ts";
import type { Config } from "../../../runconfig/config.ts";
import { type ParsedRun, parseSubcommand } from "../../../runconfig/parse.ts";
import { StatusError } from "../../../utils/status-error.ts";
import { type CidFile, createCidFile } from "../cid-file.ts";
import type { DockerCli } from "../cli.ts";
import { DaemonError } from "../errors.ts";
import { hijack } from "../hijack.ts";
import { query } from "../query.ts";
import { forwardAllSignals } from "../signals.ts";
import { call, getExitCode, monitorTtySize, readBody, readEnv, waitForExit } from "../utils.ts";

/** How long the output of a container that could not be started is waited for. */
const LAST_WORDS_MS = 200;

/**
 * Runs a command in a new container.
 *
 * @throws {StatusError} with the exit code of the container's process, when it is not 0
 * @origin api/client/commands.go (*DockerCli).CmdRun
 */
export async function cmdRun(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("run", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Run a command in a new container");
  const parsed = await parseSubcommand(cmd, args, cli.host);
  if (parsed.config.Image === "") cmd.usage();
  const cidPath = parsed.hostConfig.ContainerIDFile;
  const cidFile = cidPath === "" ? undefined : await createCidFile(cli, cidPath);
  try {
    await runContainer(cli, parsed, cidFile);
  } finally {
    await cidFile?.close();
  }
}

async function runContainer(cli: DockerCli, parsed: ParsedRun, cidFile: CidFile | undefined): Promise<void> {
  const { config, run } = parsed;
  const created = await create(cli, config, query({ name: run.name.value || undefined }));
  for (const warning of created.getList("Warnings") ?? []) await cli.err.write(cli.show(`WARNING: ${warning}\n`));
  const id = created.get("Id");
  await cidFile?.write(id);
  // With a terminal the keys themselves go to the container.
  const stopSignals = run.sigProxy.value && !config.Tty ? forwardAllSignals(cli, id) : undefined;
  try {
    const detached = !config.AttachStdout && !config.AttachStderr;
    if (detached) await cli.out.write(`${id}\n`);
    await startAttached(cli, id, parsed);
    if (detached) return;
    const code = await finish(cli, id, config, run.autoRemove.value);
    if (code !== 0) throw new StatusError(code);
  } finally {
    stopSignals?.();
  }
}

/** Creates the container; an image that is not there is pulled first. */
async function create(cli: DockerCli, config: Config, values: string): Promise<Env> {
  const post = () => readEnv(call(cli, "POST", `/containers/create${values}`, config));
  try {
    return await post();
  } catch (cause) {
    if (!(cause instanceof DaemonError) || cause.statusCode !== 404) throw cause;
  }
  await cli.err.write(`Unable to find image '${config.Image}' locally\n`);
  const { pullImage } = await import("./pull.ts");
  await pullImage(cli, config.Image);
  return post();
}

/** Attaches what is to be attached, starts the container, and waits until the streams have ended. */
async function startAttached(cli: DockerCli, id: string, { config, hostConfig }: ParsedRun): Promise<void> {
  const attaches = config.AttachStdin || config.AttachStdout || config.AttachStderr;
  const gaveUp = new AbortController();
  let attached = Promise.resolve();
  if (attaches) {
    const on = (flag: boolean) => (flag ? "1" : undefined);
    const values = query({
      stream: "1",
      stdin: on(config.AttachStdin),
      stdout: on(config.AttachStdout),
      stderr: on(config.AttachStderr),
    });
    await new Promise<void>((resolve, reject) => {
      attached = hijack(cli, "POST", `/containers/${id}/attach${values}`, {
        tty: config.Tty,
        in: config.AttachStdin ? cli.in : undefined,
        out: config.AttachStdout ? cli.out : undefined,
        err: config.AttachStderr ? (config.Tty ? cli.out : cli.err) : undefined,
        started: resolve,
        signal: gaveUp.signal,
      });
      attached.catch(reject);
    });
  }
  try {
    await readBody(call(cli, "POST", `/containers/${id}/start`, hostConfig));
  } catch (cause) {
    // The daemon tells the container's streams too what went wrong: let that arrive, if it comes at once.
    await Promise.race([attached.catch(() => {}), cli.host.clock.sleep(LAST_WORDS_MS)]);
    gaveUp.abort();
    throw cause;
  }
  const stopResize = attaches && config.Tty && cli.isTerminal ? await monitorTtySize(cli, id) : undefined;
  try {
    await attached;
  } catch (cause) {
    cli.log.debug("commands.go:2158", `Error hijack: ${messageOf(cause)}`);
    throw cause;
  } finally {
    stopResize?.();
  }
}

/** What is left to do when the streams have ended. Returns the exit code. */
async function finish(cli: DockerCli, id: string, config: Config, autoRemove: boolean): Promise<number> {
  if (autoRemove) {
    await readBody(call(cli, "POST", `/containers/${id}/wait`));
    const { code } = await getExitCode(cli, id);
    await readBody(call(cli, "DELETE", `/containers/${id}?v=1`));
    return code;
  }
  // Without a terminal nobody can detach, so the container has ended or is about to.
  if (!config.Tty) return waitForExit(cli, id);
  return (await getExitCode(cli, id)).code;
}
