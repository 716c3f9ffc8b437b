/**
 * Two ends of a connection that never leaves memory.
 *
 * They behave as a pair of stream sockets does: each direction has its own end, whoever does not read holds the other
 * side back, and closing with bytes unread resets the connection.
 *
 * @module
 */

import { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";

/** One end of a TCP connection. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** An error in the form that Node gives those of the system. */
export function systemError(code: string, errno: number, syscall: string, subject?: string, extra: object = {}): Error {
  const message = subject === undefined ? `${syscall} ${code}` : `${syscall} ${code} ${subject}`;
  return Object.assign(new Error(message), { code, errno: -errno, syscall, ...extra });
}

type Callback = (cause?: Error | null) => void;

/** An end of a connection: what the API server and the client use of `net.Socket`. */
export class MemorySocket extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** Called once, when this end is closed: what listens to events may be taken off. */
  onDestroyed: () => void = () => undefined;
  readonly #clock: Clock;
  #peer: MemorySocket | undefined;
  /** The other side's last write, while it does not fit. */
  #held: Callback | undefined;
  #endReceived = false;
  #timer = new AbortController();
  #lastUse = 0;

  private constructor(clock: Clock, local: Endpoint | undefined, remote: Endpoint | undefined) {
    super({ allowHalfOpen: true });
    this.#clock = clock;
    this.localAddress = local?.host;
    this.localPort = local?.port;
    this.remoteAddress = remote?.host;
    this.remotePort = remote?.port;
  }

  /**
   * Makes a connection.
   *
   * @param from - the dialling end, for TCP
   * @param to - the listening end, for TCP
   * @returns the dialling end and the listening end
   */
  static pair(clock: Clock, from?: Endpoint, to?: Endpoint): [MemorySocket, MemorySocket] {
    const [a, b] = [new MemorySocket(clock, from, to), new MemorySocket(clock, to, from)];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  /** Closes when everything written has arrived. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Emits `timeout` when nothing was sent or received for so long, on the host's clock; 0: never. */
  setTimeout(ms: number, listener?: () => void): this {
    this.#timer.abort();
    if (listener !== undefined && ms > 0) this.once("timeout", listener);
    if (ms > 0) {
      this.#timer = new AbortController();
      this.#lastUse = this.#clock.monotonicMs();
      void this.#watch(ms, this.#timer.signal);
    }
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _write(chunk: Buffer, _encoding: string, done: Callback): void {
    this.#lastUse = this.#clock.monotonicMs();
    // Never at once: the other side must not run inside of our write.
    queueMicrotask(() => this.#peer?.receive(chunk, done));
  }

  override _final(done: Callback): void {
    queueMicrotask(() => {
      this.#peer?.receiveEnd();
      done();
    });
  }

  override _read(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  override _destroy(cause: Error | null, done: Callback): void {
    this.#timer.abort();
    const unread = this.readableLength > 0 || this.#held !== undefined;
    const held = this.#held;
    this.#held = undefined;
    const peer = this.#peer;
    queueMicrotask(() => {
      if (unread && peer && !peer.destroyed) peer.destroy(systemError("ECONNRESET", 104, "read"));
      else peer?.receiveEnd();
      held?.(systemError("EPIPE", 32, "write"));
    });
    done(cause);
    this.onDestroyed();
  }

  /** Takes bytes of the other end. */
  private receive(chunk: Buffer, done: Callback): void {
    this.#lastUse = this.#clock.monotonicMs();
    if (this.destroyed) done(systemError("EPIPE", 32, "write"));
    else if (this.push(chunk)) done();
    else this.#held = done;
  }

  /** Notes that the other end sends nothing more. */
  private receiveEnd(): void {
    if (this.#endReceived || this.destroyed) return;
    this.#endReceived = true;
    this.push(null);
  }

  async #watch(ms: number, stop: AbortSignal): Promise<void> {
    try {
      for (let left = ms; left > 0; left = this.#lastUse + ms - this.#clock.monotonicMs()) {
        await this.#clock.sleep(left, stop);
      }
      this.emit("timeout");
    } catch {
      // Somebody set another time, or the connection is closed.
    }
  }
}
