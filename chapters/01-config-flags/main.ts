/**
 * Chapter 01: a command line becomes the configuration of a daemon.
 *
 * Nothing runs yet. What later chapters start from is a {@link Command} that was declared, parsed, completed and settled,
 * in this order: four moments, and the value of a flag may differ after each.
 *
 * @module
 */

import { checkDaemonConfig, type DaemonConfig, getDefaultNetworkMtu } from "../../src/daemon/config.ts";
import { checkLocalDns } from "../../src/daemon/local-dns.ts";
import { makeRoot } from "../../src/daemon/root.ts";
import { defaultHost } from "../../src/docker/default-host.ts";
import { type DockerFlags, installDockerFlags } from "../../src/docker/flags.ts";
import type { Host } from "../../src/host/host.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { FlagSet } from "../../src/pkg/mflag/mflag.ts";

/** A command line, and the flags it may hold. */
export interface Command {
  readonly set: FlagSet;
  readonly flags: DockerFlags;
}

/** Moment 1: every flag has its default. In Go this happens before `main`, in `init` functions. */
export function declare(host: Pick<Host, "env" | "stderr" | "signals">): Command {
  const set = new FlagSet("docker", "exit", { stderr: host.stderr, exit: (code) => host.signals.exit(code) });
  return { set, flags: installDockerFlags(set, host.env) };
}

/** Moment 3: what `main` adds to a parsed command line. Moment 2 is `set.parse(args)`. */
export function complete({ flags }: Command, host: Pick<Host, "env">): void {
  if (flags.debug.value) host.env["DEBUG"] = "1";
  const hosts = flags.hosts.value.getAll();
  if (hosts.length === 0) hosts.push(defaultHost(host, flags.daemon.value));
}

/**
 * Moment 4: what the daemon makes of its configuration while it boots.
 *
 * @throws with 1.2.0's text when settings contradict each other
 */
export async function settle(config: DaemonConfig, host: Host): Promise<void> {
  if (config.mtu === 0) config.mtu = getDefaultNetworkMtu(host);
  checkDaemonConfig(config);
  await makeRoot(config.root, host);
  config.root = await host.fs.realpath(config.root);
  await checkLocalDns({ config, host, log: new Logger(host) });
}

/** All of it but the last moment: where the chapters after this one begin. */
export function configure(args: readonly string[], host: Pick<Host, "env" | "stderr" | "signals">): Command {
  const command = declare(host);
  command.set.parse(args);
  complete(command, host);
  return command;
}
