/**
 * Chapter 08: the engine gets a store of images, names for them, and the job that fetches both from a registry.
 *
 * @module
 */

import { join } from "node:path/posix";
import type { GraphDriver } from "../../src/daemon/graphdriver/driver.ts";
import { Graph } from "../../src/graph/graph.ts";
import { TagStore } from "../../src/graph/tags.ts";
import type { Host } from "../../src/host/host.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import type { Started } from "../02-engine/main.ts";

/**
 * Opens graph and tag store below the daemon's root, as NewDaemon does, and adds their jobs to the engine.
 *
 * @param driver - holds the layers; its name becomes part of the file of names
 */
export async function openStore({ flags, eng }: Started, host: Host, driver: GraphDriver): Promise<TagStore> {
  const { root, insecureRegistries } = flags.config;
  const log = new Logger(host);
  await host.fs.mkdir(root, { recursive: true, mode: 0o700 });
  const graph = await Graph.open(join(root, "graph"), driver, host, log);
  const names = join(root, `repositories-${driver.name}`);
  const store = await TagStore.open(names, graph, host, log, { insecureRegistries });
  store.install(eng);
  return store;
}
