/**
 * A connection of the HTTP server in memory: requests are cut out of what arrives, one after the other.
 *
 * @module
 */

import type { MemoryHttpServer } from "./http.ts";
import { checkStart, HttpParseError, MAX_HEAD_BYTES, parseHead, type RequestHead } from "./http-parser.ts";
import { MemoryRequest, MemoryResponse } from "./http-response.ts";
import type { MemorySocket } from "./socket.ts";

/** So much of the requests to come may wait for the answer before them. */
const MAX_WAITING_BYTES = 64 * 1024;

/** Cuts a chunked body out of what arrives. */
class ChunkedBody {
  #left = 0;
  #state: "size" | "data" | "end" | "trailer" = "size";

  /** Takes the next piece off the front. @returns `undefined`: more has to arrive; `done`: the body ended */
  take(bytes: Buffer): { piece: Buffer | undefined; used: number; done: boolean } | undefined {
    if (this.#state === "data") {
      if (bytes.length === 0) return undefined;
      const piece = bytes.subarray(0, this.#left);
      this.#left -= piece.length;
      if (this.#left === 0) this.#state = "end";
      return { piece, used: piece.length, done: false };
    }
    const end = bytes.indexOf("\r\n");
    if (end < 0) return undefined;
    const line = bytes.toString("latin1", 0, end);
    const used = end + 2;
    if (this.#state === "end") {
      if (line !== "") throw new HttpParseError("HPE_STRICT", "Expected LF after chunk data");
      this.#state = "size";
    } else if (this.#state === "size") {
      const size = /^([0-9a-fA-F]{1,12})(?:;.*)?$/.exec(line)?.[1];
      if (size === undefined) throw new HttpParseError("HPE_INVALID_CHUNK_SIZE", "Invalid character in chunk size");
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? "trailer" : "data";
    } else if (line === "") return { piece: undefined, used, done: true };
    return { piece: undefined, used, done: false };
  }
}

/** A request that is being received or answered. */
interface Exchange {
  readonly head: RequestHead;
  readonly req: MemoryRequest;
  readonly res: MemoryResponse;
  /** Bytes of the body still to come, or the reader of its chunks. */
  body: number | ChunkedBody;
}

/** Reads requests, and has the server answer them. */
export class Connection {
  readonly socket: MemorySocket;
  readonly #server: MemoryHttpServer;
  #waiting: Buffer = Buffer.alloc(0);
  #exchange: Exchange | undefined;
  #blocked = false;
  #over = false;
  readonly #listeners: Readonly<Record<string, (...args: never[]) => void>>;

  constructor(server: MemoryHttpServer, socket: MemorySocket) {
    this.#server = server;
    this.socket = socket;
    this.#listeners = {
      data: (chunk: Buffer) => this.#onData(chunk),
      end: () => this.#onEnd(),
      error: (cause: Error) => this.#fail(cause),
      drain: () => this.#exchange?.res.drained(),
      close: () => this.#onClose(),
    };
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener as () => void);
  }

  /** Whether no request is under way. */
  get idle(): boolean {
    return this.#exchange === undefined && this.#waiting.length === 0;
  }

  #onData(chunk: Buffer): void {
    if (this.#over) return;
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    this.#advance();
  }

  /** Reads on as far as possible. */
  #advance(): void {
    try {
      while (!this.#over && !this.#blocked && this.#step());
    } catch (cause) {
      if (!(cause instanceof HttpParseError)) throw cause;
      cause.rawPacket = this.#waiting;
      this.#fail(cause);
    }
    const full = this.#exchange?.req.complete === true && this.#waiting.length > MAX_WAITING_BYTES;
    if (!this.#over && (this.#blocked || full)) this.socket.pause();
  }

  /** One step. @returns `false`: something has to happen first */
  #step(): boolean {
    if (this.#exchange === undefined) return this.#readHead();
    if (this.#exchange.req.complete) return false;
    return this.#readBody(this.#exchange);
  }

  #readHead(): boolean {
    while (this.#waiting[0] === 13 && this.#waiting[1] === 10) this.#waiting = this.#waiting.subarray(2);
    if (this.#waiting.length === 0) return false;
    const end = this.#waiting.indexOf("\r\n\r\n");
    if (end > MAX_HEAD_BYTES || (end < 0 && this.#waiting.length > MAX_HEAD_BYTES)) {
      throw new HttpParseError("HPE_HEADER_OVERFLOW", "Header overflow");
    }
    if (end < 0) {
      checkStart(this.#waiting.toString("latin1", 0, 64).split("\r\n", 1)[0] ?? "");
      return false;
    }
    const head = parseHead(this.#waiting.toString("latin1", 0, end));
    this.#waiting = this.#waiting.subarray(end + 4);
    const { socket } = this;
    const req = new MemoryRequest(head, socket, () => this.#wanted());
    if (head.upgrade && (head.method === "CONNECT" || this.#server.listenerCount("upgrade") > 0)) {
      this.#leave();
      if (head.method === "CONNECT") socket.destroy();
      else this.#server.emit("upgrade", req, socket, this.#waiting);
      return false;
    }
    this.#answer(head, req);
    return true;
  }

  #answer(head: RequestHead, req: MemoryRequest): void {
    const res = new MemoryResponse(head, this.socket, this.#server);
    const { framing } = head;
    this.#exchange = { head, req, res, body: framing.kind === "length" ? framing.length : new ChunkedBody() };
    res.on("finish", () => this.#onFinish());
    const { expect } = head.headers;
    if (expect !== undefined && head.minor === 1) {
      if (!/(?:^|\W)100-continue(?:$|\W)/i.test(String(expect))) {
        res.writeHead(417);
        res.end();
        return;
      }
      res.writeContinue();
    }
    this.#server.emit("request", req, res);
    if (!res.detached) return;
    // Node's parser takes what follows for another request, fails, and shows what it had: so do we.
    const rest = this.#waiting;
    this.#leave();
    if (rest.length === 0) return;
    const lost = new HttpParseError("HPE_INVALID_METHOD", "Invalid method encountered");
    lost.rawPacket = Buffer.concat([Buffer.from("\r\n\r\n"), rest]);
    this.#server.emit("clientError", lost, this.socket);
  }

  #readBody(exchange: Exchange): boolean {
    const { req } = exchange;
    let piece: Buffer | undefined;
    let done = false;
    if (typeof exchange.body === "number") {
      piece = this.#waiting.subarray(0, exchange.body);
      exchange.body -= piece.length;
      done = exchange.body === 0;
      if (piece.length === 0 && !done) return false;
      this.#waiting = this.#waiting.subarray(piece.length);
    } else {
      const taken = exchange.body.take(this.#waiting);
      if (taken === undefined) return false;
      this.#waiting = this.#waiting.subarray(taken.used);
      ({ piece, done } = taken);
    }
    if (piece !== undefined && piece.length > 0 && !req.push(piece)) this.#blocked = true;
    if (done) {
      this.#blocked = false;
      req.complete = true;
      req.push(null);
    }
    return true;
  }

  /** The body is being read again. */
  #wanted(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    queueMicrotask(() => {
      if (this.#over) return;
      this.socket.resume();
      this.#advance();
    });
  }

  #onFinish(): void {
    const { socket } = this;
    const exchange = this.#exchange;
    if (exchange === undefined || this.#over) return;
    const { req, res } = exchange;
    // Nobody read the body: it has to go before the next request can be seen.
    if (!req.readableEnded) req.resume();
    queueMicrotask(() => res.closed());
    if (res.last) {
      socket.destroySoon();
      return;
    }
    const next = () => {
      this.#exchange = undefined;
      if (this.#over) return;
      this.#server.answered(this);
      socket.resume();
      this.#advance();
    };
    if (req.complete) next();
    else req.once("end", next);
  }

  #onEnd(): void {
    const unfinished = this.#waiting.length > 0 || this.#exchange?.req.complete === false;
    if (unfinished && !this.#over) {
      this.#fail(new HttpParseError("HPE_INVALID_EOF_STATE", "Invalid EOF state"));
      return;
    }
    const req = this.#exchange?.req;
    if (req && !req.destroyed) req.destroy(aborted());
    this.socket.end();
  }

  #onClose(): void {
    this.#over = true;
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (!exchange.req.destroyed && !exchange.req.complete) exchange.req.destroy(aborted());
    exchange.res.closed();
  }

  #fail(cause: Error): void {
    this.#over = true;
    const { socket } = this;
    socket.off("error", this.#listeners["error"] as () => void).on("error", () => undefined);
    if (!this.#server.emit("clientError", cause, socket)) socket.destroy();
  }

  /** Gives the connection up: somebody else reads and writes it from now on. */
  #leave(): void {
    this.#over = true;
    this.#server.answered(this);
    for (const [event, listener] of Object.entries(this.#listeners)) this.socket.off(event, listener as () => void);
    this.#server.forget(this);
  }
}

function aborted(): Error {
  return Object.assign(new Error("aborted"), { code: "ECONNRESET" });
}
