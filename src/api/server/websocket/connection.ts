/**
 * A WebSocket connection as two streams.
 *
 * 1.2.0 uses `go.net/websocket/websocket.go` here.
 *
 * @module
 */

import type { Writer } from "../../../sync/io.ts";
import { type PipeReader, pipe } from "../../../sync/pipe.ts";
import type { Hijacked } from "../hijack.ts";
import { CLOSE, encodeClose, encodeFrame, FrameError, FrameParser, OPCODE } from "./frames.ts";

/** What data is sent as. */
export type PayloadType = "text" | "binary";

/**
 * The server's side of a connection after the handshake.
 */
export class WebSocketConnection {
  readonly #connection: Hijacked;
  readonly #type: PayloadType;
  readonly #writers: TextWriter[] = [];
  readonly #input = pipe();
  /** Nothing may follow our own close frame. */
  #closed = false;

  constructor(connection: Hijacked, type: PayloadType) {
    this.#connection = connection;
    this.#type = type;
  }

  /** What the client sends, without frames; ends when the client closes. */
  get reader(): PipeReader {
    return this.#input.reader;
  }

  /** A stream to the client: each write is a message. Several streams may share the connection. */
  writer(): Writer {
    const frames: Writer = { write: (chunk) => this.#send(this.#type, bytesOf(chunk)) };
    if (this.#type === "binary") return frames;
    const writer = new TextWriter(frames);
    this.#writers.push(writer);
    return writer;
  }

  /**
   * Reads frames until the client closes or is gone: answers pings, gives data to {@link reader}, or to nobody.
   *
   * @param wanted - whether somebody reads; else data is thrown away
   */
  async receive(wanted: boolean): Promise<void> {
    const { reader, writer } = this.#input;
    if (!wanted) reader.close();
    const parser = new FrameParser({
      // A container that reads no more is no reason to be deaf to pings and the end.
      data: (chunk) => (wanted ? writer.write(chunk).catch(() => undefined) : undefined),
      ping: (payload) => this.#sendFrame(encodeFrame(OPCODE.pong, payload)),
      close: (status) => this.close(status === undefined || !isStatus(status) ? CLOSE.normal : status),
    });
    try {
      for await (const chunk of this.#connection.reader) {
        await parser.feed(chunk);
        if (parser.closed) return;
      }
    } catch (cause) {
      if (cause instanceof FrameError) this.close(cause.status, cause.message);
    } finally {
      writer.close();
      this.#connection.discard();
    }
  }

  /** Says the last word; once. A client that does not read holds nobody up. */
  close(status: number = CLOSE.normal, reason = ""): void {
    if (this.#closed) return;
    for (const writer of this.#writers) this.#post(encodeFrame(OPCODE.text, Buffer.from(writer.rest())));
    this.#post(encodeClose(status, reason));
    this.#closed = true;
    this.#connection.end();
  }

  /** Sends a frame without waiting for a client that may be gone; nothing when it is empty text. */
  #post(frame: Uint8Array): void {
    if (frame.length > 2) this.#connection.write(frame).catch(() => undefined);
  }

  #send(type: PayloadType, payload: Uint8Array): Promise<void> {
    return this.#sendFrame(encodeFrame(OPCODE[type], payload));
  }

  async #sendFrame(frame: Uint8Array): Promise<void> {
    if (this.#closed) throw new Error("write: broken pipe");
    await this.#connection.write(frame);
  }
}

/** Whether a status may be sent: the standard keeps some for what is never on the wire. */
function isStatus(status: number): boolean {
  return (
    (status >= 1000 && status <= 1014 && ![1004, 1005, 1006].includes(status)) || (status >= 3000 && status < 5000)
  );
}

function bytesOf(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}

/**
 * Sends whole characters.
 *
 * @deviation 1.2.0 cuts text wherever a write ends, and sends what is no text; a client that keeps to the standard
 *   breaks the connection then. Here the first bytes of a character wait for the others, and what is no UTF-8 becomes
 *   U+FFFD. Clients since API 1.28 get the bytes as they are.
 */
class TextWriter implements Writer {
  readonly #out: Writer;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(out: Writer) {
    this.#out = out;
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    const text = this.#decoder.decode(bytesOf(chunk), { stream: true });
    if (text !== "") await this.#out.write(text);
  }

  /** What is left of a character that never came to its end. */
  rest(): string {
    return this.#decoder.decode();
  }
}
