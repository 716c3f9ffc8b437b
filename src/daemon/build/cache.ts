/**
 * The image that a step has made before.
 *
 * @origin daemon/daemon.go
 * @module
 */

import { join } from "node:path/posix";
import { isErrno } from "../../errdefs/errdefs.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Image } from "../../image/image.ts";
import { compare } from "../../runconfig/compare.ts";
import type { Config } from "../../runconfig/config.ts";

/** A file beside the description of an image that was built here on top of nothing. */
export const BUILT = "built";

/** Settings of a container that change what a command does, and that 1.2.0 does not compare. */
const alsoEqual = ["Domainname", "WorkingDir", "NetworkDisabled"] as const;

/**
 * The newest image on top of `parent` whose container was configured like this.
 *
 * @param parent - id; `""` for none
 * @origin daemon/daemon.go (*Daemon).ImageGetCached
 * @deviation Working directory, domain and missing network count, too. On top of nothing only what was built here counts:
 *   anybody can publish an image that says of itself it was made by this step (CVE-2024-24557).
 */
export async function imageGetCached(graph: Graph, parent: string, config: Config): Promise<Image | undefined> {
  let match: Image | undefined;
  for (const image of await graph.childrenOf(parent)) {
    const { containerConfig } = image;
    if (!compare(containerConfig, config)) continue;
    if (!alsoEqual.every((key) => containerConfig[key] === config[key])) continue;
    if (parent === "" && !(await wasBuiltHere(graph, image.id))) continue;
    if (match === undefined || match.createdNs < image.createdNs) match = image;
  }
  return match;
}

async function wasBuiltHere(graph: Graph, id: string): Promise<boolean> {
  try {
    await graph.fs.access(join(graph.imageRoot(id), BUILT));
    return true;
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
    return false;
  }
}
