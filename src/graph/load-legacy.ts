/**
 * Archives of 1.2.0: a directory for each image, and a file `repositories`.
 *
 * @origin graph/load.go (*TagStore).recursiveLoad
 * @module
 */

import { BadRequestError, ConflictError, SystemError } from "../errdefs/errdefs.ts";
import { type Image, newImgJSON } from "../image/image.ts";
import { asObject, JsonError, unmarshal } from "../utils/go-json-decode.ts";
import { validateID } from "../utils/utils.ts";
import { type Bundle, MAX_LIST_BYTES } from "./bundle.ts";
import { fillFromBundle } from "./load-layer.ts";
import { checkedName, type LoadedImage, type LoadedName, type LoadPlan, MAX_CHAIN, MAX_IMAGES } from "./load-plan.ts";
import type { ProgressSink } from "./progress-sink.ts";
import type { LayerPlan } from "./stack.ts";
import type { ExtraFiles } from "./staged.ts";
import type { TagStore } from "./tags.ts";

/** Finds out what is in the archive. @throws {BadRequestError} when an image of it cannot be loaded */
export async function planLegacy(
  store: TagStore,
  bundle: Bundle,
  progress: ProgressSink | undefined,
): Promise<LoadPlan> {
  const plans = new Map<string, LayerPlan>();
  const directories = bundle.directories();
  if (directories.length > MAX_IMAGES) {
    throw new BadRequestError(`Cannot load the archive: more than ${MAX_IMAGES} images`);
  }
  for (const name of directories) await planChain(store, bundle, name, plans, progress);
  checkDepth(plans);
  const names = await readRepositories(bundle);
  for (const id of names.keys()) {
    if (!plans.has(id)) await store.graph.get(id);
  }
  const images = [...names].map(([id, tags]): LoadedImage => ({ id, names: tags }));
  const parents = new Set([...plans.values()].map(({ on }) => on));
  for (const [id, plan] of plans) if (!parents.has(plan) && !names.has(id)) images.push({ id, names: [] });
  return { layers: [...plans.values()], images };
}

/** An image and what is missing below it. */
async function planChain(
  store: TagStore,
  bundle: Bundle,
  top: string,
  plans: Map<string, LayerPlan>,
  progress: ProgressSink | undefined,
): Promise<void> {
  const missing: { image: Image; json: Buffer }[] = [];
  const seen = new Set<string>();
  for (let id = top; id !== "" && !plans.has(id) && !(await isThere(store, id)); ) {
    store.log.debug("load.go:91", `Loading ${id}`);
    const one = await describe(bundle, id);
    seen.add(id);
    if (seen.has(one.image.parent)) throw new ConflictError(`Conflict, image ${one.image.parent} is its own ancestor`);
    missing.push(one);
    id = one.image.parent;
  }
  for (const { image, json } of missing.reverse()) {
    plans.set(image.id, v1Plan(store, bundle, { image, json, on: plans.get(image.parent), progress }));
  }
}

/** @param plans - each behind what it lies on */
function checkDepth(plans: ReadonlyMap<string, LayerPlan>): void {
  const depths = new Map<LayerPlan, number>();
  for (const [id, plan] of plans) {
    const depth = plan.on === undefined ? 1 : (depths.get(plan.on) ?? 0) + 1;
    if (depth > MAX_CHAIN) throw new BadRequestError(`Cannot load ${id}: it stands on more than ${MAX_CHAIN} images`);
    depths.set(plan, depth);
  }
}

async function isThere({ graph }: TagStore, id: string): Promise<boolean> {
  return graph.has(id) && (await graph.exists(id));
}

/** Reads a description. The file of the layer has to be there, too. */
async function describe(bundle: Bundle, id: string): Promise<{ image: Image; json: Buffer }> {
  const json = await bundle.document(`${id}/json`);
  bundle.open(`${id}/layer.tar`);
  const image = newImgJSON(json);
  validateID(image.id);
  if (image.parent !== "") validateID(image.parent);
  if (image.id !== id) throw new SystemError(`Image stored at '${id}' has wrong id '${image.id}'`);
  return { image, json };
}

/** An image of 2014. */
export interface V1Layer {
  readonly image: Image;
  readonly json: Buffer;
  readonly on: LayerPlan | undefined;
  readonly progress: ProgressSink | undefined;
  /**
   * What its layer has to unpack to, how many are below it, and what is written beside its description. Without a digest
   * it has no layer of its own, whatever the archive holds.
   */
  readonly expected?: { readonly diffId: string | undefined; readonly index: number; readonly extra: ExtraFiles };
}

/** Its layer lies in `<id>/layer.tar`. */
export function v1Plan(store: TagStore, bundle: Bundle, layer: V1Layer): LayerPlan {
  const { graph } = store;
  const { image, json, on, progress, expected } = layer;
  return {
    on,
    key: `layer:${image.id}`,
    present: () => (graph.has(image.id) ? image.id : undefined),
    describe: () => ({ id: image.id, json }),
    fill: async (staged, signal) => {
      const { diffId, index = 0, extra = {} } = expected ?? {};
      if (expected !== undefined && diffId === undefined) {
        staged.image.size = 0;
        return extra;
      }
      const name = `${image.id}/layer.tar`;
      await fillFromBundle({ bundle, name, index, diffId, progress, clock: store.host.clock }, staged, signal);
      staged.image.size = await graph.driver.diffSize(image.id, image.parent || undefined);
      return extra;
    },
    onStep: (step, id) => {
      const chain = expected?.extra["chainid"];
      if (step === "done" && typeof chain === "string") graph.chains.add(chain, id);
    },
  };
}

/** The names by image. @throws {JsonError} in Go's words; {BadRequestError} for a name that is none */
export async function readRepositories(bundle: Bundle): Promise<Map<string, LoadedName[]>> {
  const names = new Map<string, LoadedName[]>();
  if (!bundle.has("repositories")) return names;
  const document = unmarshal((await bundle.document("repositories", MAX_LIST_BYTES)).toString("utf8"));
  for (const [repository, tags] of Object.entries(asObject(document))) {
    for (const [tag, id] of Object.entries(asObject(tags))) {
      if (typeof id !== "string") throw new JsonError("json: cannot unmarshal value into Go value of type string");
      validateID(id);
      const known = names.get(id) ?? [];
      known.push(checkedName(repository, tag));
      names.set(id, known);
    }
  }
  return names;
}
