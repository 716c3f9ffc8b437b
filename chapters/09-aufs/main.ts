/**
 * Chapter 09: where images are kept. The storage driver holds the layers, the graph beside it what is known of each.
 *
 * @module
 */

import { join } from "node:path/posix";
import type { GraphDriver } from "../../src/daemon/graphdriver/driver.ts";
import { newGraphDriver } from "../../src/daemon/graphdriver/graphdriver.ts";
import { Graph } from "../../src/graph/graph.ts";
import type { Host } from "../../src/host/host.ts";
import { newImgJSON } from "../../src/image/image.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import type { Reader } from "../../src/sync/io.ts";

/** What a daemon has of images on its disk. */
export interface Stores {
  readonly driver: GraphDriver;
  readonly graph: Graph;
}

/** Opens both below one directory, as a daemon does when it boots with `-s aufs`. @param root - `/var/lib/docker` */
export async function openStores(root: string, host: Host): Promise<Stores> {
  const log = new Logger(host);
  const driver = await newGraphDriver(root, { name: "aufs", env: host.env }, host, log);
  return { driver, graph: await Graph.open(join(root, "graph"), driver, host, log) };
}

/**
 * Registers an image of one layer on top of another one.
 *
 * @param json - its description; `id` and `parent` are all that storage asks for
 * @param layer - an archive, packed or not
 */
export async function addImage({ graph }: Stores, json: string, layer: Reader): Promise<void> {
  await graph.register(newImgJSON(json), { json: Buffer.from(json), layer });
}

/**
 * Makes the writable layer of a container.
 *
 * @param image - the id of the image below
 * @throws {ConflictError} when the stack would get too high
 */
export async function addContainer({ driver, graph }: Stores, id: string, image: string): Promise<void> {
  await (await graph.get(image)).checkDepth();
  await driver.create(id, image);
}
