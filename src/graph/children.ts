/**
 * Which images stand directly on which one.
 *
 * @module
 */

import type { Image } from "../image/image.ts";

/** What is looked at: the ids of all images, whether one is there, and how one is read. */
export interface ImageSource {
  ids(): string[];
  has(id: string): boolean;
  get(id: string): Promise<Image>;
}

/** Read when first asked for, then kept up to date by the graph. */
export class Children {
  readonly #images: ImageSource;
  readonly #parents = new Map<string, string>();
  readonly #children = new Map<string, Set<string>>();
  #read: Promise<void> | undefined;

  constructor(images: ImageSource) {
    this.#images = images;
  }

  /** The ids of the images on top of one; of `""`: on top of nothing. */
  async of(parent: string): Promise<string[]> {
    this.#read ??= this.#readAll();
    await this.#read;
    return [...(this.#children.get(parent) ?? [])];
  }

  /** An image has come. */
  add(id: string, parent: string): void {
    this.#parents.set(id, parent);
    const known = this.#children.get(parent);
    if (known === undefined) this.#children.set(parent, new Set([id]));
    else known.add(id);
  }

  /** An image has gone. */
  delete(id: string): void {
    const parent = this.#parents.get(id);
    if (parent === undefined) return;
    this.#parents.delete(id);
    const left = this.#children.get(parent);
    left?.delete(id);
    if (left?.size === 0) this.#children.delete(parent);
  }

  /** What cannot be read stands on nothing that could be found. */
  async #readAll(): Promise<void> {
    await Promise.all(
      this.#images.ids().map(async (id) => {
        const image = await this.#images.get(id).catch(() => undefined);
        // It may have gone meanwhile.
        if (image !== undefined && this.#images.has(id)) this.add(id, image.parent);
      }),
    );
  }
}
