/**
 * A WebSocket client made by hand, which can also do what a good one never does.
 */

import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/** A frame from the server. */
export interface Frame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly payload: Buffer;
}

/** How to open a connection. */
export interface OpenOptions {
  /** More headers, or others; `undefined` leaves one out. */
  readonly headers?: Record<string, string | undefined>;
  /** Sent in the same packet as the head. */
  readonly early?: Buffer;
}

const KEY = randomBytes(16).toString("base64");

/** What the server has to answer to our key. */
export const ACCEPT = createHash("sha1").update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

/** A frame of a client: masked, unless it is told otherwise. */
export function frame(
  opcode: number,
  payload: Buffer | string = "",
  { fin = true, masked = true, rsv = 0, length = 0 } = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const size = length || bytes.length;
  const bits = masked ? 0x80 : 0;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  if (size < 126) head.push(bits | size);
  else if (size < 65_536) head.push(bits | 126, size >> 8, size & 255);
  else head.push(bits | 127, ...Buffer.from(BigInt.asUintN(64, BigInt(size)).toString(16).padStart(16, "0"), "hex"));
  if (!masked) return Buffer.concat([Buffer.from(head), bytes]);
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from(head), mask, bytes.map((byte, i) => byte ^ (mask[i & 3] as number))]);
}

/** The whole frames of a server, and what comes behind them. */
export function readFrames(bytes: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = [];
  for (let rest = bytes; ; ) {
    const size = (rest[1] ?? 0) & 127;
    const at = size < 126 ? 2 : size === 126 ? 4 : 10;
    if (rest.length < at) return { frames, rest };
    const length = size < 126 ? size : size === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
    if (rest.length < at + length) return { frames, rest };
    const first = rest[0] as number;
    const payload = Buffer.from(rest.subarray(at, at + length));
    frames.push({ opcode: first & 15, fin: (first & 0x80) !== 0, payload });
    rest = rest.subarray(at + length);
  }
}

/** One connection. */
export class TestWebSocket {
  readonly socket: Socket;
  /** Status line and headers of the answer. */
  head = "";
  readonly frames: Frame[] = [];
  ended = false;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      this.#read();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.ended = true;
    });
    socket.on("end", () => {
      this.ended = true;
    });
  }

  get status(): number {
    return Number(this.head.split(" ")[1]);
  }

  /** Everything but control frames, joined. */
  get data(): Buffer {
    return Buffer.concat(this.frames.filter(({ opcode }) => opcode < 8).map(({ payload }) => payload));
  }

  get text(): string {
    return this.data.toString("utf8");
  }

  /** Status and reason of the server's close frame. */
  get close(): [status: number, reason: string] | undefined {
    const payload = this.frames.find(({ opcode }) => opcode === 8)?.payload;
    return payload && [payload.readUInt16BE(0), payload.toString("utf8", 2)];
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  #read(): void {
    if (this.head === "") {
      const at = this.#rest.indexOf("\r\n\r\n");
      if (at < 0) return;
      this.head = this.#rest.toString("latin1", 0, at);
      this.#rest = this.#rest.subarray(at + 4);
    }
    if (this.status !== 101) return;
    const { frames, rest } = readFrames(this.#rest);
    this.frames.push(...frames);
    this.#rest = rest;
  }

  /** The body of an answer that is no handshake. */
  get body(): string {
    return this.#rest.toString("utf8");
  }
}

/** Asks for a WebSocket on a unix socket or, with a number, on a port of this machine. */
export async function openWebSocket(
  where: string | number,
  path: string,
  { headers = {}, early = Buffer.alloc(0) }: OpenOptions = {},
): Promise<TestWebSocket> {
  const all: Record<string, string | undefined> = {
    Host: "docker",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  const socket = typeof where === "number" ? connect(where, "127.0.0.1") : connect(where);
  const client = new TestWebSocket(socket);
  socket.write(Buffer.concat([Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`), early]));
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (client.head !== "") resolve();
    };
    socket.on("data", look);
    socket.on("close", () => (client.head === "" ? reject(new Error("no answer")) : resolve()));
  });
  return client;
}
