/**
 * The program: flags, then daemon or client.
 *
 * @origin docker/docker.go
 * @article 003/s2
 * @module
 */

import { DockerCli } from "../api/client/cli.ts";
import { GITCOMMIT, VERSION } from "../dockerversion/dockerversion.ts";
import { isErrno, messageOf } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { Logger } from "../pkg/log/log.ts";
import { FlagError, FlagSet } from "../pkg/mflag/mflag.ts";
import { printable } from "../pkg/term/printable.ts";
import { StatusError } from "../utils/status-error.ts";
import { clientTls } from "./client-tls.ts";
import { defaultHost } from "./default-host.ts";
import { type DockerFlags, installDockerFlags } from "./flags.ts";

/** Exit code of a program whose reader went away: 128 and the number of SIGPIPE. */
const BROKEN_PIPE = 141;

/** What the client part leaves to the caller. */
export interface MainOptions {
  /** Name of the program in its usage screen. */
  readonly argv0: string;
  /** Runs the daemon until it ends; loaded only for `-d`. */
  readonly mainDaemon: (flags: DockerFlags, host: Host, log: Logger, set: FlagSet) => Promise<void>;
  /** Makes the client; a chapter puts in one that it can watch. */
  readonly newClient?: (...parts: ConstructorParameters<typeof DockerCli>) => DockerCli;
}

/**
 * Runs a command line.
 *
 * @param args - without the program's name
 * @returns the exit code
 * @origin docker/docker.go main
 * @article 003/s2
 */
export async function main(args: readonly string[], host: Host, options: MainOptions): Promise<number> {
  const log = new Logger(host);
  // The text may come from a registry or a daemon that is not ours.
  const fatal = (text: string) => log.std(host.stderr.isTerminal ? printable(text) : text);
  try {
    await run(args, host, log, options);
    return 0;
  } catch (cause) {
    if (isErrno(cause, "EPIPE")) return BROKEN_PIPE;
    if (cause instanceof StatusError) {
      if (cause.message !== "") fatal(cause.message);
      return cause.statusCode;
    }
    fatal(messageOf(cause));
    return 1;
  }
}

async function run(args: readonly string[], host: Host, log: Logger, options: MainOptions): Promise<void> {
  const set = new FlagSet(options.argv0, "continue", { stderr: host.stderr, exit: (code) => host.signals.exit(code) });
  const flags = installDockerFlags(set, host.env);
  try {
    set.parse(args);
  } catch (cause) {
    // Message and usage were written by the flags themselves.
    if (cause instanceof FlagError) throw new StatusError(2);
    throw cause;
  }
  if (flags.version.value) return showVersion(host);
  if (flags.debug.value) host.env["DEBUG"] = "1";
  const hosts = flags.hosts.value.getAll();
  if (hosts.length === 0) hosts.push(defaultHost(host, flags.daemon.value));
  if (flags.daemon.value) return options.mainDaemon(flags, host, log, set);

  const [only, ...others] = hosts as [string, ...string[]];
  if (others.length > 0) throw new Error("Please specify only one -H");
  const [proto, addr] = splitHost(only);
  const tls = await clientTls(host, flags);
  const cli = options.newClient?.(host, proto, addr, tls) ?? new DockerCli(host, proto, addr, tls);
  await cli.cmd(...set.args());
}

/** `unix:///var/run/docker.sock` → `unix` and `/var/run/docker.sock`. */
function splitHost(text: string): [proto: string, addr: string] {
  const at = text.indexOf("://");
  return [text.slice(0, at), text.slice(at + 3)];
}

/** @origin docker/docker.go showVersion */
async function showVersion(host: Pick<Host, "stdout">): Promise<void> {
  await host.stdout.write(`Docker version ${VERSION}, build ${GITCOMMIT}\n`);
}
