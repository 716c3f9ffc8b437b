/**
 * A daemon that is only a socket: it keeps what it is asked and answers what the test says.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A request as it came, byte by byte. */
export interface CapturedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Name and value of each header, in order. */
  readonly headers: [string, string][];
  readonly body: string;
  /** The connection, for an answer that takes it over. */
  readonly socket: Socket;
}

/** An answer: an object becomes JSON, text is sent as it is. `undefined`: the handler took the connection over. */
export interface CannedResponse {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer | object;
  /** Sent chunk by chunk instead of `body`. */
  readonly chunks?: AsyncIterable<string | Buffer> | Iterable<string | Buffer>;
}

export type Handler = (request: CapturedRequest) => CannedResponse | undefined | Promise<CannedResponse | undefined>;

/** Answers by `METHOD /path` without version and query; a function sees the whole request. */
export type Routes = Record<string, CannedResponse | Handler>;

/** The head of the answer to an attach. */
export const HIJACKED = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";

/** One frame of an attached container's output. */
export function frame(stream: 0 | 1 | 2, text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

/** A fake daemon on a unix socket of its own. */
export class FakeDaemon {
  readonly requests: CapturedRequest[] = [];
  readonly path: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "fake-daemon-"));
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #routes: Routes;

  private constructor(routes: Routes) {
    this.#routes = routes;
    this.path = join(this.#directory, "docker.sock");
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      void this.#serve(socket);
    });
  }

  /** Starts one. */
  static async start(routes: Routes): Promise<FakeDaemon> {
    const daemon = new FakeDaemon(routes);
    await new Promise<void>((resolve) => daemon.#server.listen(daemon.path, resolve));
    return daemon;
  }

  /** `METHOD /path?query` of each request, in order of arrival. */
  get lines(): string[] {
    return this.requests.map(({ method, target }) => `${method} ${target}`);
  }

  /** Closes everything. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #serve(socket: Socket): Promise<void> {
    const request = await readRequest(socket);
    if (!request) return;
    this.requests.push(request);
    const key = `${request.method} ${request.target.replace(/\?.*/, "").replace(/^\/v[\d.]+/, "")}`;
    const route = this.#routes[key] ?? { status: 404, body: `no route for ${key}` };
    const response = typeof route === "function" ? await route(request) : route;
    if (response) await respond(socket, response);
  }
}

async function readRequest(socket: Socket): Promise<CapturedRequest | undefined> {
  let bytes = Buffer.alloc(0);
  let ended = false;
  const more = () =>
    new Promise<void>((resolve) => {
      if (ended) return resolve();
      const settle = () => {
        socket.off("data", data);
        socket.off("end", end);
        socket.off("close", end);
        socket.pause();
        resolve();
      };
      const data = (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        settle();
      };
      const end = () => {
        ended = true;
        settle();
      };
      socket.on("data", data);
      socket.on("end", end);
      socket.on("close", end);
      socket.resume();
    });
  while (!bytes.includes("\r\n\r\n") && !ended) await more();
  if (ended) return undefined;
  const end = bytes.indexOf("\r\n\r\n");
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  bytes = bytes.subarray(end + 4);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
  const header = (name: string) => headers.find(([key]) => key.toLowerCase() === name)?.[1];
  const length = Number(header("content-length") ?? 0);
  while (bytes.length < length && !ended) await more();
  let body = bytes.toString("utf8", 0, length);
  if (header("transfer-encoding") === "chunked") {
    while (!bytes.toString("latin1").endsWith("0\r\n\r\n") && !ended) await more();
    body = unchunk(bytes).toString();
  }
  const [method = "", target = ""] = first.split(" ");
  return { method, target, headers, body, socket };
}

function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (!size) return Buffer.concat(parts);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 4 + size;
  }
}

async function respond(socket: Socket, response: CannedResponse): Promise<void> {
  const { status = 200, headers = {}, body, chunks } = response;
  const json = typeof body === "object" && !Buffer.isBuffer(body);
  const bytes = Buffer.from(json ? JSON.stringify(body) : ((body ?? "") as string));
  const all = { ...(json ? { "Content-Type": "application/json" } : {}), ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const write = (data: string | Buffer) => new Promise<void>((resolve) => socket.write(data, () => resolve()));
  if (chunks) {
    await write(`HTTP/1.1 ${status} X\r\n${head.join("")}Transfer-Encoding: chunked\r\n\r\n`);
    for await (const chunk of chunks) {
      const data = Buffer.from(chunk as string);
      await write(Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")]));
    }
    socket.end("0\r\n\r\n");
    return;
  }
  const length = status === 204 || status === 304 ? "" : `Content-Length: ${bytes.length}\r\n`;
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} X\r\n${head.join("")}${length}\r\n`), bytes]));
}
