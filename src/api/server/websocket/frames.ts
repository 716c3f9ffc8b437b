/**
 * The frames of a WebSocket connection (RFC 6455, section 5).
 *
 * ```text
 * byte  0                 1                  2 (or 4, or 10)   then
 *       fin, rsv, opcode  mask bit, length   masking key       payload
 *                         126: 16 bits more, 127: 64 bits
 * ```
 *
 * 1.2.0 uses `go.net/websocket/hybi.go` here.
 *
 * @module
 */

/** What a frame is. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Why a connection is closed. */
export const CLOSE = { normal: 1000, protocolError: 1002, internalError: 1011 } as const;

/** Longest payload of a frame that is no data. */
const MAX_CONTROL_BYTES = 125;

/** What the other side did wrong. */
export class FrameError extends Error {
  /** The status to close with. */
  readonly status = CLOSE.protocolError;

  constructor(message: string) {
    super(message);
    this.name = "FrameError";
  }
}

/** One whole frame, as a server sends it: not masked. */
export function encodeFrame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) {
    head[1] = length;
  } else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** Tells the other side that this one is done. @param reason - at most 123 bytes count */
export function encodeClose(status: number, reason = ""): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(status);
  payload.write(reason, 2);
  // A character that is cut in two would be an error of its own.
  let end = Math.min(payload.length, MAX_CONTROL_BYTES);
  while (end < payload.length && ((payload[end] as number) & 0xc0) === 0x80) end--;
  return encodeFrame(OPCODE.close, payload.subarray(0, end));
}

/** What a client's frames mean. Payload of data comes in pieces as it arrives: there is no limit to how much. */
export interface FrameHandler {
  data(chunk: Buffer): void | Promise<void>;
  ping(payload: Buffer): void | Promise<void>;
  /** Nothing counts after this. @param status - `undefined`: the client gave none */
  close(status: number | undefined): void | Promise<void>;
}

/** A frame that is being read. */
interface Frame {
  readonly mask: Buffer;
  /** Bytes that are still to come. */
  left: number;
  /** Bytes that have come: says where in the mask we are. */
  done: number;
}

/** Takes a client's bytes apart. */
export class FrameParser {
  readonly #handler: FrameHandler;
  /** Bytes of a head or of a control frame that is not whole yet: 139 at most. */
  #head = Buffer.alloc(0);
  #frame: Frame | undefined;
  /** Between the first and the last frame of a message. */
  #fragmented = false;
  #closed = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Whether the client has said that it is done. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Reads the next bytes. @throws {FrameError} when they break the rules */
  async feed(chunk: Uint8Array): Promise<void> {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0 && !this.#closed) {
      rest = this.#frame === undefined ? await this.#begin(rest) : await this.#payload(this.#frame, rest);
    }
  }

  /** Reads the head of a frame, and of a control frame everything. @returns what comes behind it */
  async #begin(rest: Buffer): Promise<Buffer> {
    const had = this.#head.length;
    const bytes = had === 0 ? rest : Buffer.concat([this.#head, rest.subarray(0, MAX_CONTROL_BYTES + 14)]);
    const need = this.#check(bytes);
    if (bytes.length < need) {
      this.#head = Buffer.from(bytes);
      return rest.subarray(bytes.length - had);
    }
    this.#head = Buffer.alloc(0);
    const [opcode, size] = [(bytes[0] as number) & 15, (bytes[1] as number) & 127];
    const at = headBytes(size);
    const mask = Buffer.from(bytes.subarray(at - 4, at));
    if (opcode >= OPCODE.close) {
      await this.#control(opcode, unmasked(bytes.subarray(at, need), mask, 0));
    } else {
      const left = size < 126 ? size : size === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      this.#fragmented = ((bytes[0] as number) & 0x80) === 0;
      if (left > 0) this.#frame = { mask, left, done: 0 };
    }
    return rest.subarray(need - had);
  }

  /** Checks what is there of a head. @returns how many bytes are needed to go on */
  #check(bytes: Buffer): number {
    const first = bytes[0] as number;
    const [fin, opcode] = [(first & 0x80) !== 0, first & 15];
    if ((first & 0x70) !== 0) throw new FrameError("reserved bits are set");
    if (opcode > OPCODE.pong || (opcode > OPCODE.binary && opcode < OPCODE.close)) {
      throw new FrameError(`unknown opcode ${opcode}`);
    }
    const control = opcode >= OPCODE.close;
    if (control && !fin) throw new FrameError("a control frame is fragmented");
    if (!control && (opcode === OPCODE.continuation) !== this.#fragmented) {
      throw new FrameError(this.#fragmented ? "a message begins inside another one" : "nothing is to be continued");
    }
    const second = bytes[1];
    if (second === undefined) return 2;
    if ((second & 0x80) === 0) throw new FrameError("a client's frame is not masked");
    const size = second & 127;
    if (control && size > MAX_CONTROL_BYTES) throw new FrameError("a control frame is too long");
    if (size === 127 && bytes.length > 2 && (bytes[2] as number) >= 0x80) throw new FrameError("a length is negative");
    return headBytes(size) + (control ? size : 0);
  }

  async #control(opcode: number, payload: Buffer): Promise<void> {
    if (opcode === OPCODE.ping) await this.#handler.ping(payload);
    if (opcode !== OPCODE.close) return;
    if (payload.length === 1) throw new FrameError("half a status");
    this.#closed = true;
    await this.#handler.close(payload.length === 0 ? undefined : payload.readUInt16BE(0));
  }

  async #payload(frame: Frame, rest: Buffer): Promise<Buffer> {
    const part = rest.subarray(0, frame.left);
    const plain = unmasked(part, frame.mask, frame.done);
    frame.left -= part.length;
    frame.done = (frame.done + part.length) % 4;
    if (frame.left === 0) this.#frame = undefined;
    await this.#handler.data(plain);
    return rest.subarray(part.length);
  }
}

/** Bytes before the payload of a client's frame. @param size - the seven bits of its length */
function headBytes(size: number): number {
  return 2 + (size === 126 ? 2 : size === 127 ? 8 : 0) + 4;
}

/** @param done - how much of the payload came before */
function unmasked(bytes: Buffer, mask: Buffer, done: number): Buffer {
  const plain = Buffer.allocUnsafe(bytes.length);
  for (let i = 0; i < bytes.length; i++) plain[i] = (bytes[i] as number) ^ (mask[(i + done) & 3] as number);
  return plain;
}
