/**
 * An HTTP/1.1 server over connections in memory, with the events of Node's own.
 *
 * It has what the API server needs, and is as strict and as verbose as Node's: the same requests give the same bytes. It
 * needs neither `node:http` nor `node:net`, so a daemon can serve in a web page.
 *
 * @deviation Requests that a client sends without waiting for answers are handled one after the other; limits of time
 *   for heads and idle connections do not exist, for there is no network to be slow.
 * @module
 */

import { EventEmitter } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { Clock } from "../clock.ts";
import { Connection } from "./http-connection.ts";
import type { MemorySocket } from "./socket.ts";

/** What is used of Node's `http.Server`, apart from `listen`: that is the network's. */
export class MemoryHttpServer extends EventEmitter {
  requestTimeout = 0;
  headersTimeout = 0;
  keepAliveTimeout = 5000;
  listening = false;
  /** Stops listening; set by the network. */
  stopListening: () => void = () => undefined;
  /** Where it listens, as Node tells it. */
  where: ReturnType<HttpServer["address"]> = null;
  readonly #clock: Clock;
  readonly #sockets = new Set<MemorySocket>();
  readonly #connections = new Map<MemorySocket, Connection>();
  #closing = false;

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
    this.on("connection", (socket: MemorySocket) => this.#connections.set(socket, new Connection(this, socket)));
  }

  /** Takes a connection. */
  accept(socket: MemorySocket): void {
    this.#sockets.add(socket);
    socket.onDestroyed = () => {
      this.#sockets.delete(socket);
      this.#connections.delete(socket);
      this.#closeWhenEmpty();
    };
    this.emit("connection", socket);
  }

  address(): ReturnType<HttpServer["address"]> {
    return this.where;
  }

  /** The time as `Date` has it. */
  date(): string {
    return new Date(this.#clock.now()).toUTCString();
  }

  /** Stops listening; `close` is emitted when the last connection has ended. Idle ones are ended. */
  close(done?: (cause?: Error) => void): this {
    const cause = this.listening ? undefined : Object.assign(new Error("Server is not running."), NOT_RUNNING);
    if (done) this.once("close", () => done(cause));
    this.#closing = true;
    this.listening = false;
    this.stopListening();
    this.closeIdleConnections();
    this.#closeWhenEmpty();
    return this;
  }

  closeIdleConnections(): void {
    for (const connection of [...this.#connections.values()]) if (connection.idle) connection.socket.destroy();
  }

  /** Cuts all connections, but for those that were taken over. */
  closeAllConnections(): void {
    for (const socket of [...this.#connections.keys()]) socket.destroy();
  }

  /** Notes that a connection is waiting for its next request. */
  answered(connection: Connection): void {
    if (this.#closing && connection.idle) queueMicrotask(() => connection.socket.destroy());
  }

  /** Forgets a connection that was taken over. */
  forget(connection: Connection): void {
    this.#connections.delete(connection.socket);
  }

  #closeWhenEmpty(): void {
    if (!this.#closing || this.#sockets.size > 0) return;
    this.#closing = false;
    queueMicrotask(() => this.emit("close"));
  }
}

const NOT_RUNNING = { code: "ERR_SERVER_NOT_RUNNING" };
