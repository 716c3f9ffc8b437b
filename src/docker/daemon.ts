/**
 * From flags to a daemon that serves.
 *
 * ```text
 * flags → engine → signal trap → builtins ─┬─ serveapi: listens, clients wait
 *                                          └─ daemon → its handlers → acceptconnections: clients are served
 * ```
 *
 * The sockets are open before the daemon exists: whoever comes while it boots waits and does not fail.
 *
 * @origin docker/daemon.go
 * @article 001/5
 * @deviation Nothing here starts this program again under another name (1.2.0's reexec): what such a child did inside a
 *   container `runc` does, and ports are forwarded without a process for each.
 * @module
 */

import { register } from "../builtins/builtins.ts";
import type { DaemonConfig } from "../daemon/config.ts";
import { GITCOMMIT, VERSION } from "../dockerversion/dockerversion.ts";
import { Engine, type Installer } from "../engine/engine.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../pkg/log/log.ts";
import type { FlagSet } from "../pkg/mflag/mflag.ts";
import { trap } from "../pkg/signal/trap.ts";
import type { DockerFlags } from "./flags.ts";

/** What is wired together here; a chapter or a test puts in its own. */
export interface DaemonParts {
  /** Registers the handlers that need no daemon. */
  register(eng: Engine, host: Host, log: Logger, config?: DaemonConfig): void;
  /** Boots the daemon. */
  newDaemon(config: DaemonConfig, eng: Engine, host: Host, log: Logger): Promise<Installer>;
}

const realParts: DaemonParts = {
  register,
  // Loaded in the background too: the sockets do not wait for the code either.
  newDaemon: async (...boot) => (await import("../daemon/new-daemon.ts")).newDaemon(...boot),
};

/**
 * Runs the daemon. Ends when the API is no longer served; a signal ends the process.
 *
 * @param set - left-over arguments are a mistake: they are answered with the usage screen
 * @throws when a part cannot be started; the caller logs it and exits with 1. Socket and pid file are gone then
 * @origin docker/daemon.go mainDaemon
 * @article 001/5
 * @article 001/5.1
 * @article 001/5.6
 */
export async function mainDaemon(
  flags: DockerFlags,
  host: Host,
  log: Logger,
  set: Pick<FlagSet, "nArg" | "usage">,
  parts: DaemonParts = realParts,
): Promise<void> {
  if (set.nArg() !== 0) {
    set.usage();
    return;
  }
  const eng = new Engine(host);
  trap(
    host,
    () => eng.shutdown(),
    (line) => log.std(line),
  );
  parts.register(eng, host, log, flags.config);
  const failure = load(eng, flags.config, host, log, parts);
  const { execDriver, graphDriver } = flags.config;
  log.std(`docker daemon: ${VERSION} ${GITCOMMIT}; execdriver: ${execDriver}; graphdriver: ${graphDriver}`);
  try {
    await Promise.race([serve(eng, flags), failure]);
  } catch (cause) {
    await eng.shutdown();
    throw cause;
  }
}

/**
 * Boots the daemon beside the server, lets it install its handlers and opens the gate for clients.
 *
 * @returns a promise that only ever rejects
 * @origin docker/daemon.go mainDaemon
 * @article 001/5.5
 * @deviation A daemon that is told to stop while it boots exits with 0; in 1.2.0 the next job it wants to run makes it
 *   exit with 1.
 */
async function load(
  eng: Engine,
  config: DaemonConfig,
  host: Host,
  log: Logger,
  parts: Pick<DaemonParts, "newDaemon">,
): Promise<never> {
  try {
    const daemon = await parts.newDaemon(config, eng, host, log);
    daemon.install(eng);
    await eng.job("acceptconnections").run();
  } catch (cause) {
    if (!eng.isShutdown()) throw cause;
  }
  return new Promise<never>(() => undefined);
}

/**
 * Serves the API on all addresses; resolves when no listener is left.
 *
 * @throws what stopped a listener
 * @origin docker/daemon.go mainDaemon
 * @article 001/5.7
 */
function serve(eng: Engine, flags: DockerFlags): Promise<void> {
  const job = eng.job("serveapi", ...flags.hosts.value.getAll());
  job.setenvBool("Logging", true);
  job.setenvBool("EnableCors", flags.enableCors.value);
  job.setenv("Version", VERSION);
  job.setenv("SocketGroup", flags.socketGroup.value);
  job.setenvBool("Tls", flags.tls.value);
  job.setenvBool("TlsVerify", flags.tlsVerify.value);
  job.setenv("TlsCa", flags.ca.value);
  job.setenv("TlsCert", flags.cert.value);
  job.setenv("TlsKey", flags.key.value);
  job.setenvBool("BufferRequests", true);
  return job.run();
}
