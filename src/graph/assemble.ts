/**
 * Puts an image together of its configuration document and its layers, wherever these come from.
 *
 * Every layer becomes an image of the graph: the top one has the digits of the configuration's digest as its id, the
 * others those of their chain id, which names the stack of layers up to there. Nothing is visible before everything is
 * complete and verified.
 *
 * @since Docker 1.10
 * @module
 */

import { chainIds, type ImageConfig } from "../registry/v2/config.ts";
import { digestHex } from "../registry/v2/digest.ts";
import type { LayerPlan, LayerStep } from "./stack.ts";
import type { ExtraFiles, StagedImage } from "./staged.ts";
import type { TagStore } from "./tags.ts";
import { layerDescriptions, topDescription } from "./v2-images.ts";

/** Where a layer comes from. */
export interface LayerSource {
  /**
   * Unpacks the layer.
   *
   * @param diffId - what its digest has to be
   * @returns its size unpacked, in bytes; and more to write beside its description
   * @throws when it is not what was announced
   */
  fill(staged: StagedImage, diffId: string, signal: AbortSignal): Promise<{ size: number; extra?: ExtraFiles }>;
  /** @param id - the image it has become, or will be */
  onStep?(step: LayerStep, id: string, diffId: string): void;
}

/** An image to put together. */
export interface ImageParts {
  /** Digits of its configuration's digest. */
  readonly id: string;
  /** The configuration document, byte for byte, … */
  readonly document: Buffer;
  /** … and what it says. */
  readonly config: ImageConfig;
  /** Lowest first; as many as the configuration has. */
  readonly layers: readonly LayerSource[];
  /** More to write beside its description. */
  readonly extra?: ExtraFiles;
}

/** The layers of an image for `stackLayers` (see `stack.ts`), the image itself last. */
export async function planImage({ graph }: TagStore, parts: ImageParts): Promise<LayerPlan[]> {
  const { config, id: topId } = parts;
  const topFiles = { "config.json": parts.document, ...parts.extra };
  const chains = chainIds(config.diffIds, graph.host.hash);
  const descriptions = layerDescriptions(config, chains);
  await graph.chains.load();
  const plans: LayerPlan[] = [];
  for (const [i, source] of parts.layers.entries()) {
    const [chain = "", diffId = "", describe] = [chains[i], config.diffIds[i], descriptions[i]];
    const isTop = i === chains.length - 1;
    const id = isTop ? topId : digestHex(chain);
    plans.push({
      on: plans.at(-1),
      key: chain,
      present: () => graph.chains.find(chain),
      describe: (below) => ({
        id,
        json: isTop || describe === undefined ? topDescription(config, id, below) : describe(id, below),
      }),
      fill: async (staged, stop) => {
        const { size, extra } = await source.fill(staged, diffId, stop);
        staged.image.size = size;
        return { chainid: chain, ...(isTop && topFiles), ...extra };
      },
      onStep: (step, made) => {
        if (step === "done") graph.chains.add(chain, made);
        source.onStep?.(step, made, diffId);
      },
    });
  }
  // When another image stands for these layers already, this one differs from it in its configuration only.
  const chain = chains.at(-1);
  plans.push({
    on: plans.at(-1),
    key: `image:${topId}`,
    present: (below) => (below === topId || graph.has(topId) ? topId : undefined),
    describe: (below) => ({ id: topId, json: topDescription(config, topId, below) }),
    fill: async (staged) => {
      staged.image.size = 0;
      return { ...(chain !== undefined && { chainid: chain }), ...topFiles };
    },
  });
  return plans;
}
