/** An answer to exercise 2. @module */

/** Holds clients back until it opens. */
export class Gate<Client> {
  readonly serve: (client: Client) => void;
  /** A set keeps the order of arrival, and forgets who leaves. */
  readonly #waiting = new Set<Client>();
  #open = false;

  /** @param serve - called once for each client that gets in; it may bring new ones */
  constructor(serve: (client: Client) => void) {
    this.serve = serve;
  }

  /** Somebody still waits while the gate opens: whoever comes in that moment stands behind. */
  arrive(client: Client): void {
    if (this.#open && this.#waiting.size === 0) this.serve(client);
    else this.#waiting.add(client);
  }

  /** A client has lost its patience and is gone. */
  leave(client: Client): void {
    this.#waiting.delete(client);
  }

  /** Each is served while it is still in the set, and new ones join at its end: the loop comes to them, too. */
  open(): void {
    if (this.#open) return;
    this.#open = true;
    for (const client of this.#waiting) {
      this.serve(client);
      this.#waiting.delete(client);
    }
  }
}
