/**
 * Links between containers: kept as names in the graph, made real when the parent starts.
 *
 * @origin daemon/daemon.go RegisterLinks, Children; daemon/container.go setupLinkedContainers
 * @module
 */

import posix from "node:path/posix";
import { SystemError } from "../errdefs/errdefs.ts";
import { Link } from "../links/links.ts";
import { partParser } from "../pkg/parsers/parsers.ts";
import type { HostConfig } from "../runconfig/host-config.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";

/**
 * Names each link of the configuration below the container, and takes the links out of the configuration.
 *
 * @throws `Could not find entity for <name>`, `Invalid format to parse.  …`
 * @origin daemon/daemon.go RegisterLinks
 */
export function registerLinks(daemon: Daemon, container: Container, hostConfig: HostConfig): void {
  for (const link of hostConfig.Links ?? []) {
    const { name, alias } = partParser("name:alias", link);
    const child = daemon.getByName(name);
    const path = posix.join(container.name, alias);
    if (!daemon.containerGraph.exists(path)) daemon.containerGraph.set(path, child.id);
  }
  hostConfig.Links = null;
}

/**
 * Opens the way to every linked container.
 *
 * @returns the variables that tell of them
 * @origin daemon/container.go setupLinkedContainers
 */
export async function setupLinkedContainers(daemon: Daemon, container: Container): Promise<string[]> {
  const env: string[] = [];
  for (const [name, child] of daemon.children(container.name)) {
    if (!child.state.running) {
      throw new SystemError(`Cannot link to a non running container: ${child.name} AS ${name}`);
    }
    const link = new Link(
      {
        parentIp: container.networkSettings.IPAddress,
        childIp: child.networkSettings.IPAddress,
        name,
        childEnv: child.config.Env ?? [],
        ports: Object.keys(child.config.ExposedPorts ?? {}),
      },
      daemon.eng,
    );
    container.activeLinks.push(link);
    await link.enable();
    env.push(...link.toEnv());
  }
  return env;
}
