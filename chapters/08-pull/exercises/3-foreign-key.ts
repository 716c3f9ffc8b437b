/**
 * Exercise 3: somebody else's key.
 *
 * {@link OldPool} does what poolAdd and poolRemove of 1.2.0 do, for one key, `layer:x`. A client calls `enter()`: it
 * downloads when the key was free, and waits otherwise; when the download that it waited for is over, it goes on without
 * calling `enter()` again. At the end of its pull it calls `end()`, and `end()` frees the key, whoever has it by then.
 *
 * Find an order of calls after which two clients download the layer at the same time.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** The pool of 1.2.0 and its clients. */
export class OldPool {
  /** Who has the key. */
  #owner: string | undefined;
  readonly #downloading = new Set<string>();
  /** Who waits, and for whose download. */
  readonly #waiting = new Map<string, string>();

  /** @origin graph/tags.go poolAdd */
  enter(client: string): "downloads" | "waits" {
    if (this.#owner !== undefined) {
      this.#waiting.set(client, this.#owner);
      return "waits";
    }
    this.#owner = client;
    this.#downloading.add(client);
    return "downloads";
  }

  /** @origin graph/tags.go poolRemove @throws while the client still waits: it cannot end */
  end(client: string): void {
    if (this.#waiting.has(client)) throw new Error(`${client} still waits for ${this.#waiting.get(client)}`);
    this.#downloading.delete(client);
    const freed = this.#owner;
    this.#owner = undefined;
    // Closing the channel wakes all who wait on it.
    for (const [waiter, other] of this.#waiting) if (other === freed) this.#waiting.delete(waiter);
  }

  /** Who downloads just now. */
  get downloading(): string[] {
    return [...this.#downloading];
  }
}

/** A step of the story. */
export type Step = readonly [client: string, call: "enter" | "end"];

/** The order of calls. */
export function story(): readonly Step[] {
  return yourTurn();
}
