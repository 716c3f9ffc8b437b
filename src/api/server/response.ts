/**
 * Answers, written the way Go's HTTP server writes them.
 *
 * What a handler writes is held back until there is more than 2 KiB of it, the handler flushes, or it is done: so a
 * short answer gets a `Content-Length`, and an error found in time still becomes a status.
 *
 * @module
 */

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Writer } from "../../sync/io.ts";

const HOLD_BYTES = 2048;

/** Where an answer goes: a response of the HTTP server, or a bare connection. */
export interface Sink {
  /** The head of an answer whose length is not known yet. */
  head(status: number, headers: readonly (readonly [string, string])[]): void;
  /** A whole answer at once: one packet, one system call. */
  whole(status: number, headers: readonly (readonly [string, string])[], body: Uint8Array, length: number): void;
  /** Resolves when the peer takes more. @throws when it is gone */
  write(chunk: Uint8Array): Promise<void>;
  end(): void;
}

/** Resolves at `drain`, throws at `close`: waits until a stream takes more. */
function drained(stream: ServerResponse | Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (gone: boolean) => {
      stream.off("drain", ok).off("close", no);
      if (gone) reject(new Error("write: broken pipe"));
      else resolve();
    };
    const ok = () => settle(false);
    const no = () => settle(true);
    stream.on("drain", ok).on("close", no);
  });
}

/** Writes to a stream with back-pressure. @throws when the peer is gone */
export async function writeTo(stream: ServerResponse | Socket, chunk: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.writableEnded) throw new Error("write: broken pipe");
  if (!stream.write(chunk)) await drained(stream);
}

/** The ordinary sink. */
export function httpSink(res: ServerResponse): Sink {
  const head = (status: number, headers: readonly (readonly [string, string])[], length: number | undefined) => {
    // Go sends neither `Connection: keep-alive` nor `Keep-Alive`: both are the default of HTTP/1.1.
    res.removeHeader("Connection");
    const flat = headers.flat();
    if (length !== undefined && status !== 204 && status !== 304) flat.push("Content-Length", String(length));
    res.writeHead(status, flat);
  };
  return {
    head(status, headers) {
      head(status, headers, undefined);
      res.flushHeaders();
    },
    whole(status, headers, body, length) {
      head(status, headers, length);
      // As text, head and body become one piece and one system call; as bytes, or given to end(), they would be two.
      if (body.length > 0)
        res.write(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1"), "latin1");
      res.end();
    },
    write: (chunk) => writeTo(res, chunk),
    end: () => void res.end(),
  };
}

/** Words for the statuses that an error has. */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  301: "Moved Permanently",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  406: "Not Acceptable",
  409: "Conflict",
  500: "Internal Server Error",
};

/** The head of an answer on a bare connection. */
export function rawHead(status: number, headers: readonly (readonly [string, string])[]): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${REASONS[status] ?? "Status"}\r\n${lines.join("")}\r\n`;
}

/** A sink for a connection that the HTTP server has given up: the end of the body is the end of the connection. */
export function rawSink(socket: Socket): Sink {
  const head = (status: number, headers: readonly (readonly [string, string])[], length: number | undefined) => {
    const all = [...headers, ["Connection", "close"] as const];
    if (length !== undefined) all.push(["Content-Length", String(length)]);
    socket.write(rawHead(status, all));
  };
  return {
    head: (status, headers) => head(status, headers, undefined),
    whole(status, headers, body, length) {
      head(status, headers, length);
      socket.end(body);
    },
    write: (chunk) => writeTo(socket, chunk),
    end: () => void socket.end(),
  };
}

/** What Go's `http.DetectContentType` makes of the first bytes, as far as our answers go: text, gzip, or something. */
export function sniff(bytes: Uint8Array): string {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "application/x-gzip";
  for (const c of bytes.subarray(0, 512)) {
    if (c < 0x20 && !(c === 9 || c === 10 || c === 12 || c === 13 || c === 0x1b)) return "application/octet-stream";
  }
  return "text/plain; charset=utf-8";
}

/** One answer. */
export class ResponseWriter implements Writer {
  readonly #sink: Sink;
  readonly #bodyless: boolean;
  readonly #headers = new Map<string, (readonly [string, string])[]>();
  #status = 200;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #started = false;
  #ended = false;

  /** @param method - the answer to a `HEAD` has no body */
  constructor(sink: Sink, method: string) {
    this.#sink = sink;
    this.#bodyless = method === "HEAD";
  }

  /** Whether the head is on its way: status and headers are settled. */
  get started(): boolean {
    return this.#started;
  }

  /** Whether the handler has written anything. */
  get used(): boolean {
    return this.#started || this.#heldBytes > 0;
  }

  /** Replaces a header. */
  set(name: string, value: string): this {
    this.#headers.set(name.toLowerCase(), [[name, value]]);
    return this;
  }

  /** Adds a header that may appear several times. */
  append(name: string, value: string): this {
    const key = name.toLowerCase();
    this.#headers.set(key, [...(this.#headers.get(key) ?? []), [name, value]]);
    return this;
  }

  /** Sets the status, unless the head is gone already. */
  status(code: number): this {
    this.#status = code;
    return this;
  }

  /** Resolves when the client can take more. @throws when the client is gone */
  async write(chunk: Uint8Array | string): Promise<void> {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (this.#ended) throw new Error("write: broken pipe");
    if (this.#started) {
      if (bytes.length > 0 && !this.#bodyless) await this.#sink.write(bytes);
      return;
    }
    // Held bytes outlive this call; the caller may use its buffer again.
    this.#held.push(Uint8Array.prototype.slice.call(bytes));
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > HOLD_BYTES) await this.flush();
  }

  /** Sends the head and what was held back. */
  async flush(): Promise<void> {
    if (this.#started || this.#ended) return;
    await this.#start();
  }

  /** A writer that sends each write at once. @origin utils/utils.go WriteFlusher */
  flushing(): Writer {
    return {
      write: async (chunk) => {
        await this.write(chunk);
        await this.flush();
      },
    };
  }

  /** Writes a JSON value with Go's final line end. */
  async json(code: number, text: string): Promise<void> {
    this.status(code).set("Content-Type", "application/json");
    await this.write(text);
  }

  /** Forgets what was held back and the type announced for it: an error takes its place. */
  reset(): void {
    if (this.#started) return;
    this.#held = [];
    this.#heldBytes = 0;
    this.#headers.delete("content-type");
  }

  /** Ends the answer. Safe to call twice. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#started) {
      this.#sink.end();
      return;
    }
    this.#started = true;
    const length = this.#heldBytes;
    const body = this.#takeHeld();
    this.#sink.whole(this.#status, this.#head(body), this.#bodyless ? body.subarray(0, 0) : body, length);
  }

  async #start(): Promise<void> {
    this.#started = true;
    const body = this.#takeHeld();
    this.#sink.head(this.#status, this.#head(body));
    if (body.length > 0 && !this.#bodyless) await this.#sink.write(body);
  }

  #takeHeld(): Uint8Array {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held.length === 1 ? (held[0] as Uint8Array) : Buffer.concat(held);
  }

  #head(body: Uint8Array): (readonly [string, string])[] {
    const empty = this.#status === 204 || this.#status === 304 || (this.#status >= 300 && this.#status < 400);
    if (!this.#headers.has("content-type") && !empty) this.set("Content-Type", sniff(body));
    return [...this.#headers.values()].flat();
  }
}
