/**
 * As much HTTP/1.1 as the client needs, on a bare connection.
 *
 * The client needs the bare connection anyway, for attach, and starts faster without an HTTP library: it is run
 * thousands of times. One request per connection; the body of the answer is a stream that holds the daemon back while
 * nobody reads it.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { isErrno } from "../../errdefs/errdefs.ts";
import { quote } from "../../pkg/strconv/strconv.ts";
import type { Reader } from "../../sync/io.ts";
import { ByteSource } from "./byte-source.ts";

/** What is sent. */
export interface Request {
  readonly method: string;
  /** Path and query as they appear on the wire. */
  readonly target: string;
  /** Value of the `Host` header. */
  readonly hostHeader: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Text goes with its length, a stream in chunks; `undefined`: no body. */
  readonly body?: string | Reader | undefined;
}

/** What came back; `body` has to be read or {@link ResponseHead.close} called. */
export interface Response extends ResponseHead {
  readonly body: Reader;
}

/** The first lines of an answer. */
export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; of a repeated header, the first. */
  readonly headers: ReadonlyMap<string, string>;
  /** Gives up the connection. */
  close(): void;
}

/** A line of a head, or all of its lines, may not be longer than this: 64 KiB, 1 MiB. */
const LINE_LIMIT = 64 << 10;
const HEAD_LIMIT = 1 << 20;

/** Bytes that would end a line of the head, or the head. */
const UNSAFE = /[\0\r\n]/;

/**
 * Writes the head and the body of a request.
 *
 * @throws RangeError when a part of the head holds a line break: a name out of a file must not become a header
 */
export async function writeRequest(socket: Duplex, request: Request): Promise<void> {
  const { method, target, hostHeader, headers, body } = request;
  const lines = [`${method} ${wireTarget(target)} HTTP/1.1`, `Host: ${hostHeader}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (typeof body === "string") lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  else if (body !== undefined) lines.push("Transfer-Encoding: chunked");
  else if (method === "POST" || method === "PUT") lines.push("Content-Length: 0");
  const unsafe = lines.find((line) => UNSAFE.test(line));
  if (unsafe !== undefined) throw new RangeError(`Cannot send the request: ${JSON.stringify(unsafe)} has a line break`);
  const head = `${lines.join("\r\n")}\r\n\r\n`;
  if (typeof body === "string") return send(socket, head + body);
  await send(socket, head);
  if (body === undefined) return;
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    const written = send(socket, "\r\n");
    socket.uncork();
    await written;
  }
  await send(socket, "0\r\n\r\n");
}

/** Blanks and what is not ASCII would break the request line; all else stays as it is, escaped or not. */
function wireTarget(target: string): string {
  return target.replace(/[^\x21-\x7e]/gu, (char) =>
    UNSAFE.test(char)
      ? char
      : Array.from(Buffer.from(char), (byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`).join(""),
  );
}

/** Resolves when the bytes are with the kernel. */
export function send(socket: Duplex, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(data, (cause) => (cause ? reject(cause) : resolve()));
  });
}

/**
 * Sends a request and reads the head of its answer.
 *
 * An answer that comes before the whole body was sent counts: the daemon may refuse an upload early.
 */
export async function roundTrip(socket: Duplex, request: Request): Promise<Response> {
  const source = new ByteSource(socket);
  // A failed upload shows in the answer, or in the missing answer.
  const sent = writeRequest(socket, request);
  const failed = sent.then(
    () => new Promise<never>(() => {}),
    (cause: unknown) => {
      if (!isErrno(cause, "EPIPE", "ECONNRESET")) throw cause;
      return new Promise<never>(() => {});
    },
  );
  let head: ResponseHead;
  try {
    head = await Promise.race([readHead(source, socket), failed]);
  } catch (cause) {
    socket.destroy();
    throw cause;
  }
  return { ...head, body: readBody(source, head, socket) };
}

/** Reads status line and headers; steps over `100 Continue`. */
export async function readHead(source: ByteSource, socket: Duplex): Promise<ResponseHead> {
  for (;;) {
    // A line that nothing ends is one, too: a daemon that speaks TLS answers with seven bytes and hangs up.
    const first = (await source.line(LINE_LIMIT)) ?? (await source.next())?.toString("latin1");
    if (first === undefined) throw Object.assign(new Error("EOF"), { code: "EOF" });
    const match = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first);
    if (!match) throw new Error(`malformed HTTP response ${quote(first)}`);
    const headers = new Map<string, string>();
    let size = 0;
    for (;;) {
      const line = await source.line(LINE_LIMIT);
      if (line === undefined) throw new Error("unexpected EOF");
      if (line === "") break;
      size += line.length;
      if (size > HEAD_LIMIT)
        throw new RangeError(`Cannot read the answer: its head is longer than ${HEAD_LIMIT} bytes`);
      const colon = line.indexOf(":");
      if (colon <= 0) throw new Error(`malformed MIME header line: ${line}`);
      const name = line.slice(0, colon).toLowerCase();
      if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
    }
    const status = Number(match[1]);
    if (status >= 200 || status === 101) return { status, headers, close: () => socket.destroy() };
  }
}

/** The body by the rules of RFC 7230 §3.3.3. */
async function* readBody(source: ByteSource, head: ResponseHead, socket: Duplex): AsyncGenerator<Buffer> {
  try {
    if (head.status === 204 || head.status === 304) return;
    const length = head.headers.get("content-length");
    if (head.headers.get("transfer-encoding")?.toLowerCase() === "chunked") yield* readChunks(source);
    else if (length !== undefined) yield* take(source, parseLength(length));
    else yield* source.rest();
  } finally {
    socket.destroy();
  }
}

function parseLength(text: string): number {
  const length = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(length)) throw new Error(`bad Content-Length ${JSON.stringify(text)}`);
  return length;
}

async function* readChunks(source: ByteSource): AsyncGenerator<Buffer> {
  for (;;) {
    const line = await source.line(LINE_LIMIT);
    const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line ?? "");
    if (!size) throw new Error(line === undefined ? "unexpected EOF" : "malformed chunked encoding");
    const left = Number.parseInt(size[1] as string, 16);
    if (left === 0) break;
    yield* take(source, left);
    if ((await source.line(LINE_LIMIT)) !== "") throw new Error("malformed chunked encoding");
  }
  // Trailers are allowed and mean nothing to us.
  for (let line = await source.line(LINE_LIMIT); line; line = await source.line(LINE_LIMIT));
}

/** Exactly `left` bytes. */
async function* take(source: ByteSource, left: number): AsyncGenerator<Buffer> {
  while (left > 0) {
    const piece = await source.next();
    if (piece === undefined) throw new Error("unexpected EOF");
    if (piece.length > left) {
      source.unread(piece.subarray(left));
      yield piece.subarray(0, left);
      return;
    }
    left -= piece.length;
    yield piece;
  }
}
