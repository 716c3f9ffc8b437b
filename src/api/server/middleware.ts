/**
 * What happens to every request before and after its handler.
 *
 * @origin api/server/server.go makeHttpHandler
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { BadRequestError, ForbiddenError, messageOf } from "../../errdefs/errdefs.ts";
import { equal } from "../../pkg/version/version.ts";
import { deferred } from "../../sync/deferred.ts";
import type { Reader } from "../../sync/io.ts";
import { statusOf, writeError } from "./errors.ts";
import { afterHead, Hijacked, takeOver } from "./hijack.ts";
import { cleanPath, decodePath, encodePath } from "./query.ts";
import { ApiRequest } from "./request.ts";
import { httpSink, ResponseWriter, rawSink } from "./response.ts";
import type { Match, Router } from "./router.ts";
import type { ApiServices } from "./services.ts";
import { API_VERSION, ApiVersion, MAX_API_VERSION } from "./version.ts";

/** Settings of the job `serveapi` that requests are treated by. */
export interface ApiSettings {
  /** Write a line for each request. */
  readonly logging: boolean;
  readonly enableCors: boolean;
  /** Version of the daemon, which clients of old compare with theirs. */
  readonly version: string;
}

/** A request that was received, in one of two ways. */
interface Received {
  readonly req: IncomingMessage;
  readonly response: ResponseWriter;
  readonly body: Reader;
  readonly signal: AbortSignal;
  readonly connection: Hijacked | undefined;
}

/** Of a body nobody wants, so much is read, and so long. */
const DISCARD_BYTES = 16 << 20;
const DISCARD_MS = 1000;

/** Answers the requests of one listener. */
export class RequestHandler {
  readonly #api: ApiServices;
  readonly #router: Router;
  readonly #settings: ApiSettings;
  /** Connections taken over, for bytes that the parser still reports. */
  readonly #hijacked = new WeakMap<object, Hijacked>();
  readonly #open = new Set<Hijacked>();

  constructor(api: ApiServices, router: Router, settings: ApiSettings) {
    this.#api = api;
    this.#router = router;
    this.#settings = settings;
  }

  /** Listener for `request`. */
  onRequest(req: IncomingMessage, res: ServerResponse): void {
    const before = this.#hijacked.get(req.socket);
    if (before) {
      // What a client sends to a container happens to look like HTTP: too late to give it to the container.
      before.socket.destroy();
      return;
    }
    if (this.#mayHijack(req)) {
      const connection = takeOver(req, res);
      this.#hijacked.set(req.socket, connection);
      void this.#handle(this.#onConnection(req, connection));
      return;
    }
    const gone = new AbortController();
    res.on("close", () => {
      if (!res.writableFinished) gone.abort(new Error("the client closed the connection"));
    });
    res.on("error", () => undefined);
    const response = new ResponseWriter(httpSink(res), req.method ?? "");
    const body = { [Symbol.asyncIterator]: () => req.iterator({ destroyOnReturn: false }) };
    void this.#handle({ req, response, body, signal: gone.signal, connection: undefined });
  }

  /** Listener for `upgrade`: the HTTP server is done with the connection. */
  onUpgrade(req: IncomingMessage, socket: Socket, head: Uint8Array): void {
    void this.#handle(this.#onConnection(req, new Hijacked(socket, head)));
  }

  /** Listener for `clientError`: what arrived is no HTTP. */
  onClientError(cause: NodeJS.ErrnoException & { rawPacket?: Uint8Array }, socket: Socket): void {
    const connection = this.#hijacked.get(socket);
    if (connection) {
      // The client's first input came with the head of the request; the parser has no use for it, the container has.
      if (cause.rawPacket) connection.push(afterHead(cause.rawPacket));
      return;
    }
    // A client that failed to prove who it is has no connection to be answered on: TLS itself tells it why.
    if (!socket.writable || !/^(HPE|ERR_HTTP)_/.test(cause.code ?? "")) {
      socket.destroy();
      return;
    }
    const status =
      cause.code === "HPE_HEADER_OVERFLOW"
        ? "431 Request Header Fields Too Large"
        : cause.code === "ERR_HTTP_REQUEST_TIMEOUT"
          ? "408 Request Timeout"
          : "400 Bad Request";
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n` +
        `Content-Length: ${status.length}\r\n\r\n${status}`,
    );
  }

  #mayHijack(req: IncomingMessage): boolean {
    try {
      const path = decodePath((req.url ?? "").split("?")[0] ?? "");
      return cleanPath(path) === path && this.#router.mayHijack(req.method ?? "", path);
    } catch {
      return false;
    }
  }

  /** Cuts the connections that were taken over; the HTTP server has forgotten them. */
  close(): void {
    for (const { socket } of this.#open) socket.destroy();
  }

  #onConnection(req: IncomingMessage, connection: Hijacked): Received {
    this.#open.add(connection);
    connection.gone.addEventListener("abort", () => this.#open.delete(connection));
    const length = Number(req.headers["content-length"] ?? 0) || 0;
    const response = new ResponseWriter(rawSink(connection.socket), req.method ?? "");
    const signal = connection.gone;
    return { req, response, connection, signal, body: { [Symbol.asyncIterator]: () => connection.body(length) } };
  }

  /** Answers, whatever happens. */
  async #handle(received: Received): Promise<void> {
    try {
      await this.#answer(received);
    } catch (cause) {
      // Only a client that is gone gets here: there is nobody to tell.
      if (!received.signal.aborted) this.#api.log.error("server.go:1062", `Cannot answer: ${messageOf(cause)}`);
      received.req.socket.destroy();
    }
  }

  async #answer(received: Received): Promise<void> {
    const { req, response } = received;
    const method = req.method ?? "";
    const url = req.url ?? "";
    let path: string;
    try {
      path = decodePath(url.split("?")[0] ?? "");
    } catch {
      await discardBody(received);
      return notFound(response, 400, "400 Bad Request");
    }
    const clean = cleanPath(path);
    if (clean !== path) {
      await discardBody(received);
      const query = url.indexOf("?");
      response.status(301).set("Location", encodePath(clean) + (query < 0 ? "" : url.slice(query)));
      return response.end();
    }
    const match = this.#router.match(method, path);
    if (!match) {
      await discardBody(received);
      return notFound(response, 404, "404 page not found\n");
    }
    await this.#run(received, match);
  }

  async #run(received: Received, match: Match): Promise<void> {
    const { req, response, body, signal, connection } = received;
    const { log } = this.#api;
    const { route } = match;
    const version = new ApiVersion(match.version || API_VERSION);
    log.debug("server.go:1036", `Calling ${route.method} ${route.path}`);
    if (this.#settings.logging) log.info(`${req.method} ${printable(req.url ?? "")}`);
    this.#compareClient(req);
    if (this.#settings.enableCors) writeCorsHeaders(response);
    if (version.modern || route.path === "/_ping") this.#writeServerHeaders(response);

    const head = { method: req.method ?? "", url: req.url ?? "", headers: req.headers, version, name: match.name };
    const request = new ApiRequest(head, body, signal, connection);
    try {
      if (version.after(MAX_API_VERSION)) {
        throw new BadRequestError(
          `client version ${version} is too new. Maximum supported API version is ${MAX_API_VERSION}`,
        );
      }
      this.#refuseBrowsers(req);
      await route.handle(this.#api, request, response);
    } catch (cause) {
      // A connection that was taken over and answered has no place for a status.
      if (signal.aborted) return void req.socket.destroy();
      const text = messageOf(cause);
      const status = statusOf(cause, version);
      log.error("server.go:1062", `Handler for ${route.method} ${route.path} returned error: ${printable(text)}`);
      log.error("server.go:91", `HTTP Error: statusCode=${status} ${printable(text)}`);
      await writeError(response, version, status, text);
      await discardBody(received);
      return response.end();
    }
    if (route.hijacks) return;
    await discardBody(received);
    await response.end();
  }

  /** Notes when a 1.2.0 client is of another version than this daemon. */
  #compareClient(req: IncomingMessage): void {
    const agent = req.headers["user-agent"] ?? "";
    if (!agent.includes("Docker-Client/")) return;
    const [, theirs, ...more] = agent.split("/");
    if (theirs === undefined || more.length > 0 || equal(theirs, this.#settings.version)) return;
    const text = `(client: ${printable(theirs)}, server: ${this.#settings.version})`;
    this.#api.log.debug("server.go:1045", `Warning: client and server don't have the same version ${text}`);
  }

  #writeServerHeaders(response: ResponseWriter): void {
    const { os } = this.#api.host.machine;
    response
      .set("Api-Version", MAX_API_VERSION)
      .set("Docker-Experimental", "false")
      .set("Ostype", os)
      .set("Server", `Docker/${this.#settings.version} (${os})`);
  }

  /**
   * Whoever reaches the API is root. A page in a browser can reach a TCP port of its own machine, so requests that a
   * browser marks as coming from a page are refused there, unless CORS was switched on.
   *
   * @deviation 1.2.0 serves them, so any page could start containers.
   */
  #refuseBrowsers(req: IncomingMessage): void {
    if (this.#settings.enableCors || req.socket.remoteAddress === undefined) return;
    if (req.headers.origin !== undefined || req.headers["sec-fetch-site"] === "cross-site") {
      throw new ForbiddenError("Requests from web pages are refused: --api-enable-cors is off");
    }
  }
}

/** Text of a client as one line of a log: no control characters. */
function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]/g, (c) => JSON.stringify(c).slice(1, -1));
}

/** @origin api/server/server.go writeCorsHeaders */
function writeCorsHeaders(response: ResponseWriter): void {
  response
    .set("Access-Control-Allow-Origin", "*")
    .set("Access-Control-Allow-Headers", "Origin, X-Requested-With, Content-Type, Accept")
    .set("Access-Control-Allow-Methods", "GET, POST, DELETE, PUT, OPTIONS");
}

/**
 * Takes what the client still sends of a body nobody wants. The connection may close with the answer, and a client in
 * the middle of its sending would then see a broken pipe, not the answer.
 */
async function discardBody({ req, connection, signal }: Received): Promise<void> {
  if (req.complete || connection !== undefined || signal.aborted) return;
  const { promise, resolve } = deferred();
  let bytes = 0;
  const enough = () => resolve();
  const timer = setTimeout(enough, DISCARD_MS);
  signal.addEventListener("abort", enough);
  req.on("end", enough).on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > DISCARD_BYTES) resolve();
  });
  await promise;
  clearTimeout(timer);
}

async function notFound(response: ResponseWriter, status: number, text: string): Promise<void> {
  response.status(status).set("Content-Type", "text/plain; charset=utf-8");
  await response.write(text);
  await response.end();
}
