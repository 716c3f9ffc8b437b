/**
 * Connections that stop being HTTP: from some point on both sides send whatever they like, and the client may close its
 * half while it still listens.
 *
 * @origin api/server/server.go hijackServer
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { deferred } from "../../sync/deferred.ts";
import type { Reader, Writer } from "../../sync/io.ts";
import { writeTo } from "./response.ts";

/** More than this waiting for a reader stops the client. */
const MAX_WAITING_BYTES = 64 * 1024;
/** How long a client may keep its half open after the end, in milliseconds. */
const LINGER_MS = 10_000;
/** How often it is looked whether a client that says no more still listens, in milliseconds. */
const WATCH_MS = 1000;
/** After so long a silence a TCP client is asked whether it is there, in milliseconds. */
const KEEP_ALIVE_MS = 30_000;

/**
 * A connection taken over.
 *
 * @deviation Bytes that came together with the head of the request are read too; 1.2.0 loses them.
 */
export class Hijacked implements Writer {
  readonly socket: Socket;
  readonly #gone = new AbortController();
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #ended = false;
  #discarding = false;
  #wake = deferred();

  /** @param head - what was read beyond the head of the request */
  constructor(socket: Socket, head: Uint8Array) {
    this.socket = socket;
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.on("data", (chunk: Uint8Array) => this.push(chunk));
    socket.setKeepAlive?.(true, KEEP_ALIVE_MS);
    socket.on("end", () => {
      this.#end();
      this.#watch();
    });
    socket.on("error", () => this.#leave());
    socket.on("close", () => this.#leave());
    this.push(head);
    socket.resume();
  }

  /** Aborted when the client is gone for good. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Adds bytes from the client. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#ended || this.#discarding) return;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.socket.pause();
    this.#wake.resolve();
  }

  /** What the client sends, until it closes its half. Ending the loop leaves the connection open. */
  get reader(): Reader & { close(): void } {
    return { [Symbol.asyncIterator]: () => this.#read(), close: () => this.#end() };
  }

  /** The first `length` bytes: the body of a request that came with an `Upgrade` we do not follow. */
  async *body(length: number): AsyncGenerator<Uint8Array> {
    let left = length;
    if (left === 0) return;
    for await (const chunk of this.#read()) {
      yield chunk.subarray(0, left);
      left -= chunk.length;
      if (left <= 0) return;
    }
  }

  /** Reads and throws away: nobody wants the client's input, but its end should be noticed. */
  discard(): void {
    this.#discarding = true;
    this.#waiting = [];
    this.socket.resume();
  }

  /** Resolves when the client can take more. @throws when it is gone */
  write(chunk: Uint8Array | string): Promise<void> {
    return writeTo(this.socket, typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  }

  /** Closes our half; the whole connection when the client has closed its own, or after 10 s. */
  end(): void {
    const { socket } = this;
    this.discard();
    if (socket.destroyed) return;
    socket.setTimeout(LINGER_MS, () => socket.destroy());
    if (socket.readableEnded) socket.destroySoon();
    else socket.end().once("end", () => socket.destroySoon());
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    while (true) {
      const chunk = this.#waiting.shift();
      if (chunk !== undefined) {
        this.#waitingBytes -= chunk.length;
        if (this.#waitingBytes <= MAX_WAITING_BYTES) this.socket.resume();
        yield chunk;
      } else if (this.#ended) {
        return;
      } else {
        this.#wake = deferred();
        await this.#wake.promise;
      }
    }
  }

  /**
   * Notices that a client is gone that seemed to have closed its half only: to a unix socket nothing can be written
   * then, not even nothing. Otherwise it would stay attached until its container prints something.
   */
  #watch(): void {
    const { socket } = this;
    if (socket.remoteAddress !== undefined) return; // TCP: the machine asks
    const timer = setInterval(() => {
      if (socket.writable && socket.writableLength === 0) socket.write(new Uint8Array(0));
    }, WATCH_MS);
    socket.once("close", () => clearInterval(timer));
  }

  #end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  #leave(): void {
    this.#end();
    this.#gone.abort(new Error("the client closed the connection"));
  }
}

/** Listeners of the HTTP server on a connection; one that is taken over must not hear them any more. */
const HTTP_EVENTS = ["data", "end", "timeout", "close", "drain", "error", "pause", "resume"];

/**
 * Takes the connection of a request away from the HTTP server. Has to be called before anything else is awaited: what
 * the client sends next would be parsed as another request.
 */
export function takeOver(req: IncomingMessage, res: ServerResponse): Hijacked {
  const { socket } = req;
  for (const event of HTTP_EVENTS) socket.removeAllListeners(event);
  // Adding a data listener makes the HTTP server give back the handle that its parser reads from.
  res.detachSocket(socket);
  return new Hijacked(socket, new Uint8Array(0));
}

/** What follows the head of a request in the last packet that was parsed. */
export function afterHead(packet: Uint8Array): Uint8Array {
  const at = Buffer.from(packet.buffer, packet.byteOffset, packet.length).indexOf("\r\n\r\n");
  return at < 0 ? packet : packet.subarray(at + 4);
}
