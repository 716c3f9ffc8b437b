/**
 * One rtnetlink socket: a request, its answer, synchronously.
 *
 * The kernel builds its answer while it handles the request, so nothing here ever waits.
 *
 * @module
 */

import { closeSync } from "node:fs";
import { call, SystemCallError } from "../libc.ts";
import { decodeMessages, encodeMessage, FLAG, type Message, TYPE } from "./message.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;

/** The kernel fills at most 32 KiB per part of a dump. */
const BUFFER_BYTES = 64 << 10;

/** How often a list is asked for anew when it changed while the kernel was writing it. */
const DUMP_ATTEMPTS = 10;

/** A conversation with the namespace the thread was in when it was opened. */
export class NetlinkSocket {
  #fd: number;
  #sequence = 0;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

  /** Opens the socket in the current network namespace, where it stays. */
  constructor() {
    this.#fd = call("socket", "AF_NETLINK", AF_NETLINK, SOCK_RAW_CLOEXEC, 0);
  }

  /**
   * Asks for a change and waits for the kernel's word.
   *
   * @param what - the operation and what it is about, for the error
   */
  change(
    what: { operation: string; subject: string },
    type: number,
    flags: number,
    ...body: readonly Uint8Array[]
  ): void {
    this.#send(type, flags | FLAG.REQUEST | FLAG.ACK, body);
    for (;;) {
      for (const message of this.#receive()) if (this.#isLast(message, what)) return;
    }
  }

  /** Asks for one object. */
  get(what: { operation: string; subject: string }, type: number, ...body: readonly Uint8Array[]): Message {
    this.#send(type, FLAG.REQUEST, body);
    for (;;) {
      for (const message of this.#receive()) if (!this.#isLast(message, what)) return message;
    }
  }

  /** Asks for a list, however many parts it comes in. */
  dump(what: { operation: string; subject: string }, type: number, ...body: readonly Uint8Array[]): Message[] {
    for (let attempt = 1; ; attempt++) {
      this.#send(type, FLAG.REQUEST | FLAG.DUMP, body);
      const found: Message[] = [];
      let interrupted = false;
      for (let done = false; !done; ) {
        for (const message of this.#receive()) {
          interrupted ||= (message.flags & FLAG.DUMP_INTERRUPTED) !== 0;
          if (this.#isLast(message, what)) done = true;
          // The buffer is used again for the next part.
          else found.push({ ...message, body: Buffer.from(message.body) });
        }
      }
      if (!interrupted || attempt === DUMP_ATTEMPTS) return found;
    }
  }

  /** Closes the socket; safe to call twice. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #send(type: number, flags: number, body: readonly Uint8Array[]): void {
    const message = encodeMessage(type, flags, ++this.#sequence, ...body);
    call("sendto", "netlink", this.#fd, message, message.length, 0, null, 0);
  }

  /** Messages of one datagram that answer the last request. */
  #receive(): Message[] {
    const size = call("recv", "netlink", this.#fd, this.#buffer, BUFFER_BYTES, MSG_DONTWAIT | MSG_TRUNC);
    if (size > BUFFER_BYTES) throw new RangeError(`Cannot read the kernel's answer: ${size} bytes in one part`);
    return decodeMessages(this.#buffer.subarray(0, size)).filter((message) => message.sequence === this.#sequence);
  }

  /** Whether the answer ends here. @throws {SystemCallError} when it says that the request failed */
  #isLast(message: Message, what: { operation: string; subject: string }): boolean {
    if (message.type === TYPE.DONE || message.type === TYPE.ERROR) {
      const errno = message.body.length >= 4 ? -message.body.readInt32LE(0) : 0;
      if (errno > 0) throw new SystemCallError(what.operation, errno, what.subject);
      return true;
    }
    return false;
  }
}
