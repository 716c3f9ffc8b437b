/**
 * Layers on their way into the graph, each fetched once however many pulls want it.
 *
 * A transfer belongs to all pulls that entered it. It stops when the last one leaves, and what it unpacked is removed
 * unless one of them has committed it.
 *
 * A pull enters a layer's parent before the layer itself, and a transfer waits for nothing but the one of its parent: no
 * two of them can wait for each other.
 *
 * @module
 */

import type { Graph } from "./graph.ts";
import { SharedWork } from "./shared-work.ts";
import type { ExtraFiles, StagedImage } from "./staged.ts";

/** A layer that is complete but not visible yet. */
export interface FetchedLayer {
  readonly staged: StagedImage;
  /** Written beside the description when it is committed. */
  readonly extra: ExtraFiles;
}

/** One layer on its way in. */
export class LayerTransfer {
  /** Id it will have in the graph. */
  readonly id: string;
  /** Resolves when the layer below may be built upon; and when this layer is complete. */
  readonly prepared: Promise<StagedImage>;
  readonly work: SharedWork<FetchedLayer>;

  constructor(id: string, prepared: Promise<StagedImage>, work: SharedWork<FetchedLayer>) {
    this.id = id;
    this.prepared = prepared;
    this.work = work;
    prepared.catch(() => undefined);
  }
}

/** What a new transfer does, in two steps. */
export interface TransferSteps {
  readonly id: string;
  /** Makes the empty layer. */
  prepare(signal: AbortSignal): Promise<StagedImage>;
  /** Fills it. */
  fetch(staged: StagedImage, signal: AbortSignal): Promise<ExtraFiles>;
}

interface Entry {
  readonly transfer: LayerTransfer;
  users: number;
  /** Set while the last user's leaving is being cleared up. */
  ending: Promise<void> | undefined;
}

/** The transfers of one graph by key: `layer:<id>` or `layer:<chain id>`. */
export class LayerTransfers {
  readonly #graph: Graph;
  readonly #entries = new Map<string, Entry>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** How many layers are on their way. */
  get size(): number {
    return this.#entries.size;
  }

  /** Waits until nothing that was given up under this key is left. */
  async settled(key: string): Promise<void> {
    for (let entry = this.#entries.get(key); entry?.ending !== undefined; entry = this.#entries.get(key)) {
      await entry.ending;
    }
  }

  /** The transfer under a key, if one is under way that can be entered. */
  find(key: string): LayerTransfer | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.ending !== undefined ? undefined : entry.transfer;
  }

  /**
   * Enters the transfer under a key, starting it when there is none. Call {@link settled} right before.
   *
   * @returns the transfer, whether it is new, and what leaves it
   */
  enter(
    key: string,
    steps: () => TransferSteps,
  ): { transfer: LayerTransfer; fresh: boolean; leave: () => Promise<void> } {
    let entry = this.#entries.get(key);
    const fresh = entry === undefined;
    if (entry === undefined) {
      entry = { transfer: this.#start(steps()), users: 0, ending: undefined };
      this.#entries.set(key, entry);
    }
    const joined = entry;
    joined.users++;
    const leaveWork = joined.transfer.work.enter();
    let left: Promise<void> | undefined;
    const leave = () => {
      left ??= (async () => {
        joined.users--;
        leaveWork();
        if (joined.users > 0) return;
        joined.ending = this.#end(key, joined.transfer);
        await joined.ending;
      })();
      return left;
    };
    return { transfer: joined.transfer, fresh, leave };
  }

  #start(steps: TransferSteps): LayerTransfer {
    let resolve!: (staged: StagedImage | PromiseLike<StagedImage>) => void;
    const prepared = new Promise<StagedImage>((ok) => {
      resolve = ok;
    });
    const work = new SharedWork<FetchedLayer>(async (signal) => {
      const staging = steps.prepare(signal);
      resolve(staging);
      const staged = await staging;
      const extra = await steps.fetch(staged, signal);
      return { staged, extra };
    });
    return new LayerTransfer(steps.id, prepared, work);
  }

  async #end(key: string, transfer: LayerTransfer): Promise<void> {
    await transfer.work.ended();
    const staged = await transfer.prepared.catch(() => undefined);
    try {
      await staged?.discard();
    } catch (cause) {
      this.#graph.log.error("pull.go:240", `Cannot remove the layer ${transfer.id}: ${String(cause)}`);
    } finally {
      this.#entries.delete(key);
    }
  }
}
