/**
 * `docker port`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { call, readEnv } from "../utils.ts";

/** Where a port of a container is published. */
interface PortBinding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

/**
 * Shows where a port of a container is reached from outside.
 *
 * @origin api/client/commands.go (*DockerCli).CmdPort
 */
export async function cmdPort(cli: DockerCli, args: string[]): Promise<void> {
  const description = "Lookup the public-facing port that is NAT-ed to PRIVATE_PORT";
  const cmd = cli.subcmd("port", "CONTAINER PRIVATE_PORT", description);
  cmd.parse(args);
  if (cmd.nArg() !== 2) cmd.usage();
  const [name, wanted] = [cmd.arg(0), cmd.arg(1)];
  // `53/udp`; what has nothing behind the slash is taken as it is, and `/tcp` added.
  const key = /^[^/]*\/./.test(wanted) ? wanted : `${wanted}/tcp`;
  const container = await readEnv(call(cli, "GET", `/containers/${name}/json`));
  const ports = container.getSubEnv("NetworkSettings")?.getJson<Record<string, PortBinding[] | null>>("Ports") ?? {};
  const bindings = Object.hasOwn(ports, key) ? ports[key] : undefined;
  if (!bindings) throw new Error(`Error: No public port '${wanted}' published for ${name}`);
  for (const { HostIp = "", HostPort = "" } of bindings) await cli.out.write(`${HostIp}:${HostPort}\n`);
}
