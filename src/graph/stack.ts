/**
 * Layers become images: those that are missing are filled, all at once where the driver allows it, and become visible
 * together.
 *
 * @module
 */

import { newImgJSON } from "../image/image.ts";
import { BeingAddedError } from "./holds.ts";
import { raceAbort } from "./shared-work.ts";
import type { ExtraFiles, StagedImage } from "./staged.ts";
import type { TagStore } from "./tags.ts";
import type { LayerTransfer } from "./transfers.ts";

/** What becomes of a layer: it was there before, it is being filled, somebody else does it, it is in. */
export type LayerStep = "present" | "begun" | "shared" | "done";

/** A layer, and the image it becomes. */
export interface LayerPlan {
  /** What it lies on; `undefined`: nothing. */
  readonly on: LayerPlan | undefined;
  /** Under it the layer's transfer is found by others who want the same. */
  readonly key: string;
  /** The image that stands for the layer already. Must not wait. @param below - id of its parent; `""`: none */
  present(below: string): string | undefined;
  /** The image it becomes. @param below - as above */
  describe(below: string): { readonly id: string; readonly json: Buffer };
  /** Unpacks the layer and sets the image's size. @returns what is written beside the description */
  fill(staged: StagedImage, signal: AbortSignal): Promise<ExtraFiles>;
  /** Called when something has become of it; with `done`, also which image it is. */
  onStep?(step: LayerStep, id: string): void;
}

/** How often a layer that somebody else failed to get is tried again. */
const RETRIES = 3;

/**
 * Gets what is missing of some layers and makes it visible. A layer that somebody else was getting and could not get is got
 * from its own source then.
 *
 * @param plans - each behind what it lies on; two with one key, or that become one image, are one layer
 * @throws what a layer threw: nothing is left then but what was there before
 */
export async function stackLayers(store: TagStore, plans: readonly LayerPlan[], signal: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await stackOnce(store, plans, signal);
      return;
    } catch (cause) {
      if (!(cause instanceof OthersFailure)) throw cause;
      if (tries >= RETRIES) throw cause.cause;
      // By now we hold nothing that the other one could wait for.
      if (cause.cause instanceof BeingAddedError) await raceAbort(cause.cause.ended, signal);
    }
  }
}

/** A layer failed that somebody else was getting, from a place of its own, or that somebody else adds in another way. */
class OthersFailure extends Error {}

async function stackOnce(
  { graph, layers: transfers }: TagStore,
  plans: readonly LayerPlan[],
  signal: AbortSignal,
): Promise<void> {
  for (const { key } of plans) await transfers.settled(key);
  // From here to the end of the loop nothing waits: what is found stays until it is held.
  const leaving: (() => Promise<void> | void)[] = [];
  const entered: { plan: LayerPlan; transfer: LayerTransfer; fresh: boolean }[] = [];
  const ids = new Map<LayerPlan, string>();
  const byKey = new Map<string, LayerTransfer>();
  const byId = new Map<string, LayerTransfer>();
  try {
    for (const plan of plans) {
      const below = plan.on === undefined ? "" : (ids.get(plan.on) ?? "");
      const present = plan.present(below);
      if (present !== undefined) {
        graph.hold(present);
        leaving.push(() => graph.release(present));
        plan.onStep?.("present", present);
        ids.set(plan, present);
        continue;
      }
      const { id, json } = plan.describe(below);
      const twin = byKey.get(plan.key) ?? byId.get(id);
      if (twin !== undefined) {
        ids.set(plan, twin.id);
        continue;
      }
      const under = byId.get(below);
      const { transfer, fresh, leave } = transfers.enter(plan.key, () => ({
        id,
        prepare: async () => {
          if (graph.driver.independentLayers) await under?.prepared;
          else await under?.work.result();
          return graph.prepare(newImgJSON(json), json);
        },
        fetch: (staged, stop) => plan.fill(staged, stop),
      }));
      leaving.push(leave);
      entered.push({ plan, transfer, fresh });
      ids.set(plan, transfer.id);
      byKey.set(plan.key, transfer);
      byId.set(transfer.id, transfer);
      plan.onStep?.(fresh ? "begun" : "shared", id);
    }
    const batch = await waitForAll(
      entered.map(async ({ transfer, fresh }) => {
        try {
          return await transfer.work.join(signal);
        } catch (cause) {
          if (signal.aborted || (fresh && !(cause instanceof BeingAddedError))) throw cause;
          throw new OthersFailure("", { cause });
        }
      }),
    );
    signal.throwIfAborted();
    await graph.commit(batch);
    for (const { plan, transfer } of entered) plan.onStep?.("done", transfer.id);
  } finally {
    // All are told to stop before any is waited for; children before their parents.
    for (const end of leaving.reverse().map((leave) => leave())) await end;
  }
}

/** The first failure ends the waiting; the others are not lost, their owners are told by leaving. */
async function waitForAll<T>(work: readonly Promise<T>[]): Promise<T[]> {
  for (const promise of work) promise.catch(() => undefined);
  return Promise.all(work);
}
