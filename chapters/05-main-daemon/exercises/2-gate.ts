/**
 * Exercise 2: build the gate.
 *
 * Clients arrive at any time. Until the gate opens they wait; then they are served in the order of their arrival, and
 * whoever comes later is served at once.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** Holds clients back until it opens. */
export class Gate<Client> {
  readonly serve: (client: Client) => void;

  /** @param serve - called once for each client that gets in; it may bring new ones */
  constructor(serve: (client: Client) => void) {
    this.serve = serve;
  }

  /** A client has connected. */
  arrive(client: Client): void {
    yourTurn(client);
  }

  /** A client has lost its patience and is gone. */
  leave(client: Client): void {
    yourTurn(client);
  }

  /** The daemon is complete. A second time changes nothing. */
  open(): void {
    yourTurn();
  }
}
