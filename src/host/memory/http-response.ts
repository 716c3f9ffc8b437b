/**
 * Request and answer of the HTTP server in memory: what the API server uses of Node's `IncomingMessage` and
 * `ServerResponse`, byte for byte.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import { Readable } from "node:stream";
import type { RequestHead } from "./http-parser.ts";
import type { MemorySocket } from "./socket.ts";

/** Words for the statuses. */
const REASONS: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  304: "Not Modified",
  307: "Temporary Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

/** A request; its body is read from it. */
export class MemoryRequest extends Readable {
  readonly method: string;
  readonly url: string;
  readonly headers: RequestHead["headers"];
  readonly rawHeaders: readonly string[];
  readonly httpVersion: string;
  readonly httpVersionMajor = 1;
  readonly httpVersionMinor: number;
  readonly socket: MemorySocket;
  /** Whether the whole body has arrived. */
  complete = false;
  aborted = false;
  readonly #more: () => void;

  /** @param more - asks for more of the body */
  constructor(head: RequestHead, socket: MemorySocket, more: () => void) {
    super();
    this.method = head.method;
    this.url = head.url;
    this.headers = head.headers;
    this.rawHeaders = head.rawHeaders;
    this.httpVersionMinor = head.minor;
    this.httpVersion = `1.${head.minor}`;
    this.socket = socket;
    this.#more = more;
  }

  override _read(): void {
    this.#more();
  }

  override _destroy(cause: Error | null, done: (cause?: Error | null) => void): void {
    if (!this.readableEnded || !this.complete) {
      this.aborted = true;
      this.emit("aborted");
      if (!this.socket.destroyed) this.socket.destroy();
    }
    // Whoever reads is told; nobody else has to listen.
    done(this.listenerCount("error") > 0 ? cause : null);
  }
}

/** What a server adds to every answer. */
export interface AnswerDefaults {
  /** The value of `Date`. */
  date(): string;
  readonly keepAliveTimeout: number;
}

type Flat = readonly (string | number)[];

/** An answer. */
export class MemoryResponse extends EventEmitter {
  statusCode = 200;
  statusMessage: string | undefined;
  destroyed = false;
  writableEnded = false;
  headersSent = false;
  socket: MemorySocket | null;
  /** Whether the connection is given up: the HTTP server has no more to do with it. */
  detached = false;
  /** Whether the connection ends with this answer. */
  last = false;
  readonly #headers = new Map<string, [string, string | readonly string[]]>();
  readonly #removed = new Set<string>();
  readonly #keepAlive: boolean;
  readonly #mayChunk: boolean;
  readonly #server: AnswerDefaults;
  #hasBody: boolean;
  #chunked = false;
  #head = "";
  #needDrain = false;
  #flushed = false;

  constructor(head: RequestHead, socket: MemorySocket, server: AnswerDefaults) {
    super();
    this.socket = socket;
    this.#hasBody = head.method !== "HEAD";
    this.#mayChunk = head.minor === 1;
    this.#keepAlive = head.keepAlive;
    this.#server = server;
  }

  get finished(): boolean {
    return this.writableEnded;
  }

  /** Whether everything is with the other side. */
  get writableFinished(): boolean {
    return this.#flushed;
  }

  setHeader(name: string, value: string | number | readonly string[]): this {
    if (this.#head !== "") throw new Error("Cannot set headers after they are sent to the client");
    this.#headers.set(name.toLowerCase(), [name, Array.isArray(value) ? value.map(String) : String(value)]);
    return this;
  }

  getHeader(name: string): string | readonly string[] | undefined {
    return this.#headers.get(name.toLowerCase())?.[1];
  }

  /** Leaves a header out, also one that the server would add. */
  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase());
    this.#removed.add(name.toLowerCase());
  }

  /** @param headers - names and values in turn, or an object */
  writeHead(status: number, headers: Flat | Readonly<Record<string, string | number | readonly string[]>> = []): this {
    if (this.#head !== "") throw new Error("Cannot write headers after they are sent to the client");
    this.statusCode = status;
    const given: [string, string][] = [];
    const add = (name: string, value: unknown) => {
      for (const one of Array.isArray(value) ? value : [value]) given.push([name, String(one)]);
    };
    if (Array.isArray(headers)) for (let i = 0; i < headers.length; i += 2) add(String(headers[i]), headers[i + 1]);
    else for (const [name, value] of Object.entries(headers)) add(name, value);
    const replaced = new Set(given.map(([name]) => name.toLowerCase()));
    const before: [string, string][] = [];
    for (const [key, [name, value]] of this.#headers) {
      if (!replaced.has(key)) for (const one of [value].flat()) before.push([name, String(one)]);
    }
    this.#makeHead([...before, ...given], undefined);
    return this;
  }

  /** Sends the head now. */
  flushHeaders(): void {
    if (this.#head === "") this.writeHead(this.statusCode);
    this.#send("");
  }

  writeContinue(): void {
    this.socket?.write("HTTP/1.1 100 Continue\r\n\r\n");
  }

  write(chunk: Uint8Array | string, encoding?: BufferEncoding | Done, done?: Done): boolean {
    const bytes = asBytes(chunk, encoding);
    const callback = typeof encoding === "function" ? encoding : done;
    if (this.writableEnded || this.destroyed) {
      const cause = new Error(this.destroyed ? "write EPIPE" : "write after end");
      queueMicrotask(() => callback?.(cause));
      return false;
    }
    if (this.#head === "") this.writeHead(this.statusCode);
    if (!this.#hasBody || (bytes.length === 0 && this.#chunked)) {
      queueMicrotask(() => callback?.());
      return true;
    }
    if (!this.#chunked) return this.#send(bytes, callback);
    return this.#send(
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]),
      callback,
    );
  }

  end(chunk?: Uint8Array | string | Done, encoding?: BufferEncoding | Done, done?: Done): this {
    if (this.writableEnded) return this;
    const callback = [chunk, encoding, done].find((given) => typeof given === "function") as Done | undefined;
    const bytes = chunk === undefined || typeof chunk === "function" ? undefined : asBytes(chunk, encoding);
    if (this.#head === "") {
      const own = [...this.#headers.values()].flatMap(([name, value]) =>
        [value].flat().map((one): [string, string] => [name, String(one)]),
      );
      this.#makeHead(own, bytes?.length ?? 0);
    }
    if (bytes !== undefined) this.write(bytes);
    this.writableEnded = true;
    this.#send(this.#chunked && this.#hasBody ? "0\r\n\r\n" : "", () => {
      this.#flushed = true;
      callback?.();
      this.emit("finish");
    });
    return this;
  }

  /** Gives the connection away. */
  detachSocket(_socket: unknown): void {
    this.detached = true;
    this.socket = null;
  }

  /** Passes on that the connection takes more. */
  drained(): void {
    if (!this.#needDrain || this.writableEnded) return;
    this.#needDrain = false;
    this.emit("drain");
  }

  /** Says once that the connection is gone, or the answer done. */
  closed(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }

  #send(data: Uint8Array | string, done?: Done): boolean {
    const { socket } = this;
    if (socket === null || socket.destroyed) {
      queueMicrotask(() => done?.(new Error("write EPIPE")));
      return false;
    }
    const head = this.headersSent ? "" : this.#head;
    this.headersSent = true;
    const text = typeof data === "string" ? Buffer.from(head + data, "latin1") : data;
    const whole = typeof data === "string" || head === "" ? text : Buffer.concat([Buffer.from(head, "latin1"), text]);
    const ready = socket.write(whole, done);
    if (!ready) this.#needDrain = true;
    return ready;
  }

  /** Puts the head together as Node does: what was given first, then what the server adds. */
  #makeHead(headers: readonly (readonly [string, string])[], length: number | undefined): void {
    const { statusCode: status } = this;
    if (status === 204 || status === 304 || (status >= 100 && status < 200)) this.#hasBody = false;
    const has = (name: string) => headers.some(([given]) => given.toLowerCase() === name);
    const given = (name: string) => headers.find(([given]) => given.toLowerCase() === name)?.[1] ?? "";
    const lines = headers.map(([name, value]) => `${name}: ${value}`);
    if (!has("date") && !this.#removed.has("date")) lines.push(`Date: ${this.#server.date()}`);
    this.#chunked = /(^|[, ])chunked/i.test(given("transfer-encoding"));
    if (has("connection")) this.last = /close/i.test(given("connection"));
    else if (this.#removed.has("connection")) this.last = !this.#keepAlive;
    else if (this.#keepAlive && (has("content-length") || this.#mayChunk)) {
      lines.push("Connection: keep-alive");
      const seconds = Math.floor(this.#server.keepAliveTimeout / 1000);
      if (seconds > 0) lines.push(`Keep-Alive: timeout=${seconds}`);
    } else {
      this.last = true;
      lines.push("Connection: close");
    }
    if (!has("content-length") && !has("transfer-encoding") && this.#hasBody) {
      if (!this.#mayChunk) this.last = true;
      else if (length !== undefined) lines.push(`Content-Length: ${length}`);
      else {
        lines.push("Transfer-Encoding: chunked");
        this.#chunked = true;
      }
    }
    const reason = this.statusMessage ?? REASONS[status] ?? "unknown";
    this.#head = `HTTP/1.1 ${status} ${reason}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
  }
}

type Done = (cause?: Error | null) => void;

function asBytes(chunk: Uint8Array | string, encoding: BufferEncoding | Done | undefined): Uint8Array {
  if (typeof chunk !== "string") return chunk;
  return Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8");
}
