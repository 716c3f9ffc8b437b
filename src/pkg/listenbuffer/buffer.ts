/**
 * Lets a server listen before it can answer: connections wait until it is activated.
 *
 * The socket is there from the first moment of boot, so a client that comes early waits instead of failing.
 *
 * @origin pkg/listenbuffer/buffer.go
 * @module
 */

import type { Server, Socket } from "node:net";
import { type Deferred, deferred } from "../../sync/deferred.ts";

/** A gate that is opened once. */
export class Activation {
  readonly #gate: Deferred<void> = deferred();
  readonly #held = new Set<Socket>();
  #open = false;

  /** Whether {@link open} was called. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Resolves when the gate is open. */
  get opened(): Promise<void> {
    return this.#gate.promise;
  }

  /** Lets everybody in, now and later. */
  open(): void {
    this.#open = true;
    this.#gate.resolve();
  }

  /** Keeps a connection until it ends or {@link release} takes it. */
  hold(socket: Socket): void {
    // Nobody reads it: it takes what fits into its buffer, and the rest waits with the client.
    this.#held.add(socket);
    socket.on("error", ignore);
    socket.once("close", () => this.#held.delete(socket));
  }

  /** @returns `false` when the connection ended meanwhile */
  release(socket: Socket): boolean {
    socket.off("error", ignore);
    return this.#held.delete(socket) && !socket.destroyed;
  }

  /** Cuts everybody who waits: a server that closes before it was activated would wait for them. */
  drop(): void {
    for (const socket of this.#held) socket.destroy();
  }
}

/** A connection that breaks while nobody uses it is no error. */
function ignore(): void {}

/**
 * Holds a server's connections back until `activation` opens; from then on they come as always.
 *
 * Call it when the server has its own listeners and before it listens. It works below HTTP and TLS: neither sees a
 * held connection, so their limits of time begin when it is let in.
 *
 * @origin pkg/listenbuffer/buffer.go NewListenBuffer
 * @deviation Node accepts by itself: the connections wait here, not in the kernel's queue. One that its client gives up
 *   meanwhile is forgotten.
 */
export function holdConnections(server: Server, activation: Activation): void {
  const listeners = server.listeners("connection") as ((socket: Socket) => void)[];
  const waiting: Socket[] = [];

  const hold = (socket: Socket) => {
    activation.hold(socket);
    waiting.push(socket);
  };
  server.removeAllListeners("connection");
  server.on("connection", hold);

  void activation.opened.then(() => {
    server.off("connection", hold);
    for (const listener of listeners) server.on("connection", listener);
    for (const socket of waiting.splice(0)) {
      if (activation.release(socket)) for (const listener of listeners) listener.call(server, socket);
    }
  });
}
