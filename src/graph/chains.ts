/**
 * Finds layers by what is in them.
 *
 * A chain id names a stack of layers by their digests (OCI image specification). An image that was pulled with
 * verification has it in a file `chainid`, and one whose layers were read and summed for a push; a description that
 * anybody could have sent proves nothing, whatever id it claims, so that nobody can put a layer in another one's place
 * (CVE-2014-8178).
 *
 * ```text
 * <graph>/<id>/chainid      sha256:<hex> of the image's layer and all below it
 * <graph>/<id>/config.json  the configuration document whose digest is the id; top images only
 * ```
 *
 * @module
 */

import { join } from "node:path/posix";
import { isErrno } from "../errdefs/errdefs.ts";
import type { Graph } from "./graph.ts";

const CHAIN_FILE = "chainid";
const CHAIN = /^sha256:[a-f0-9]{64}$/;

/** @since Docker 1.10 */
export class Chains {
  readonly #graph: Graph;
  readonly #byChain = new Map<string, string>();
  #scan: Promise<void> | undefined;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Reads the files of all images, once: only a pull needs them. */
  load(): Promise<void> {
    this.#scan ??= this.#read().catch((cause: unknown) => {
      this.#scan = undefined;
      throw cause;
    });
    return this.#scan;
  }

  async #read(): Promise<void> {
    const { fs } = this.#graph;
    // Only what stands on complete ancestors: anything else is fetched anew.
    const usable = await this.#graph.map();
    await Promise.all(
      [...usable.keys()].map(async (id) => {
        const text = await fs.readFile(join(this.#graph.imageRoot(id), CHAIN_FILE), "utf8").catch((cause: unknown) => {
          if (!isErrno(cause, "ENOENT")) throw cause;
          return "";
        });
        if (CHAIN.test(text) && !this.#byChain.has(text)) this.#byChain.set(text, id);
      }),
    );
  }

  /** The image that stands for a chain; call {@link load} before. */
  find(chainId: string): string | undefined {
    return this.#byChain.get(chainId);
  }

  /** An image was added. */
  add(chainId: string, id: string): void {
    if (!this.#byChain.has(chainId)) this.#byChain.set(chainId, id);
  }

  /** Writes down what an image stands for, whose layer and all below it were read. It must be held. */
  async note(chainId: string, id: string): Promise<void> {
    if ((await this.#graph.readExtra(id, CHAIN_FILE)) !== undefined) return;
    await this.#graph.writeExtra(id, CHAIN_FILE, chainId);
    this.add(chainId, id);
  }

  /** An image was deleted; another one may stand for the same chain. */
  forget(id: string): void {
    for (const [chain, known] of this.#byChain) {
      if (known !== id) continue;
      this.#byChain.delete(chain);
      this.#scan = undefined;
    }
  }

  /**
   * Whether the image is the one a configuration document with this digest describes.
   *
   * @param id - hexadecimal digits of the document's digest
   */
  async isVerified(id: string): Promise<boolean> {
    const { fs, host } = this.#graph;
    try {
      const document = await fs.readFile(join(this.#graph.imageRoot(id), "config.json"));
      return host.hash("sha256").update(document).hex() === id && (await this.#graph.map()).has(id);
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) return false;
      throw cause;
    }
  }
}
