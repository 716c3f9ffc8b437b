/**
 * Images that may not go, and images on their way in.
 *
 * @module
 */

import { ConflictError } from "../errdefs/errdefs.ts";
import { type Deferred, deferred } from "../sync/deferred.ts";

/** Somebody else adds the same image just now. */
export class BeingAddedError extends ConflictError {
  /** Resolves when it is in, or given up. */
  readonly ended: Promise<void>;

  constructor(id: string, ended: Promise<void>) {
    super(`Image ${id} is being added by somebody else`);
    this.ended = ended;
  }
}

/** Who is kept, by id. */
export class Holds {
  /** How many build upon an id. */
  readonly #held = new Map<string, number>();
  readonly #arriving = new Map<string, Deferred<void>>();

  /** Keeps an image until {@link release}. */
  hold(id: string): void {
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
  }

  /** Gives back one {@link hold}. */
  release(id: string): void {
    const left = (this.#held.get(id) ?? 0) - 1;
    if (left > 0) this.#held.set(id, left);
    else this.#held.delete(id);
  }

  /** Whether somebody builds upon the image just now. */
  isHeld(id: string): boolean {
    return this.#held.has(id);
  }

  /** Whether the image is on its way in. */
  isArriving(id: string): boolean {
    return this.#arriving.has(id);
  }

  /**
   * Says that an image comes: it and its parent are held meanwhile.
   *
   * @param parent - `""`: none
   * @returns the end of it
   * @throws {BeingAddedError} when it is on its way already
   */
  arrive(id: string, parent: string): () => void {
    const other = this.#arriving.get(id);
    if (other !== undefined) throw new BeingAddedError(id, other.promise);
    const arriving = deferred();
    this.#arriving.set(id, arriving);
    const held = [id, parent].filter((each) => each !== "");
    for (const each of held) this.hold(each);
    return () => {
      this.#arriving.delete(id);
      arriving.resolve();
      for (const each of held) this.release(each);
    };
  }
}
