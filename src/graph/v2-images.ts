/**
 * Descriptions in the form of 2014 for the layers of an image of today.
 *
 * @since Docker 1.10
 * @module
 */

import type { ImageConfig } from "../registry/v2/config.ts";
import { goJson } from "../utils/go-json.ts";
import { ZERO_TIME } from "../utils/go-time.ts";

/**
 * For each layer, lowest first, what makes its description: id, parent, and the line of history that made it.
 *
 * The history counts only when it has one line for each layer.
 */
export function layerDescriptions(
  config: ImageConfig,
  chains: readonly string[],
): ((id: string, parent: string) => Buffer)[] {
  const lines = config.history.filter((entry) => !entry.emptyLayer);
  const usable = lines.length === chains.length;
  const created = typeof config.document["created"] === "string" ? config.document["created"] : ZERO_TIME;
  return chains.map((_, i) => (id, parent) => {
    const line = usable ? lines[i] : undefined;
    return Buffer.from(
      goJson({
        id,
        parent: parent || undefined,
        comment: line?.comment || undefined,
        created: line?.created ?? created,
        container_config: { Cmd: line === undefined || line.createdBy === "" ? null : [line.createdBy] },
        author: line?.author || undefined,
        architecture: config.document["architecture"],
        os: config.document["os"],
      }),
    );
  });
}

/** The configuration document itself, with an id and a parent; its own bytes are kept beside. */
export function topDescription(config: ImageConfig, id: string, parent: string): Buffer {
  const { id: _id, parent: _parent, container_config: made, created, ...document } = config.document;
  // The line that made the layer: the steps after it, which made none, are in the configuration itself.
  const last = config.history.findLast((entry) => !entry.emptyLayer) ?? config.history.at(-1);
  const command = last === undefined || last.createdBy === "" ? null : [last.createdBy];
  return Buffer.from(
    goJson({
      id,
      parent: parent || undefined,
      created: typeof created === "string" ? created : ZERO_TIME,
      container_config: made ?? { Cmd: command },
      ...document,
    }),
  );
}
