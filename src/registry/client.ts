/**
 * HTTP as the registry client speaks it: certificates per host, bounded redirects, bounded silence.
 *
 * @origin registry/registry.go newClient, doRequest
 * @module
 */

import { ForbiddenError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { FetchHeaders, FetchResponse, TlsIdentity } from "../host/net.ts";
import type { Reader } from "../sync/io.ts";
import { loadCertificates } from "./certs.ts";
import type { InsecurePolicy } from "./insecure.ts";
import { proxyFor } from "./proxy.ts";
import { SilenceGuard } from "./silence-guard.ts";
import { requestText, TransportError, transportError } from "./transport-error.ts";

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Those after which a request is sent as it was. */
const SAME_METHOD = new Set([307, 308]);
const EXPECTATION_FAILED = 417;
/** A minute without a byte: 1.2.0's ReceiveTimeout. */
const SILENCE_MS = 60_000;
/** For a ping, from the first packet to the last: 1.2.0's ConnectTimeout. */
const PING_MS = 10_000;
/** While something is sent the other side may be quiet for long: it stores what it got. */
const UPLOAD_SILENCE_MS = 10 * 60_000;

/** What is sent; with a function it can be sent again. */
export type HttpBody = string | Uint8Array | (() => Reader);

/** A request. `GET` and `HEAD` follow redirects, others where `follow` says so. */
export interface HttpRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  /** Which redirects are followed with the same method and body: those with 307 or 308, or every one. */
  readonly follow?: "same-method" | "every";
  /** `ping`: the whole exchange in 10 seconds; otherwise a minute for each silence. */
  readonly limit?: "ping" | "silence";
  /** Which headers another location gets; by default all but `Authorization`, and that too at the same origin. */
  readonly onRedirect?: (from: URL, to: URL) => "all" | "no-authorization";
  readonly signal?: AbortSignal | undefined;
}

/** An answer. Its body must be read or discarded. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: FetchHeaders;
  /** Where it came from in the end. */
  readonly url: string;
  readonly body: Reader;
  discard(): Promise<void>;
}

function sameOrigin(from: URL, to: URL): "all" | "no-authorization" {
  return from.origin === to.origin ? "all" : "no-authorization";
}

/** What requests touch of the world; the environment names the proxy. */
export type ClientHost = Pick<Host, "net" | "fs" | "clock" | "env">;

/** Sends requests. Remembers cookies and certificates; make one per pull. */
export class HttpClient {
  readonly #host: ClientHost;
  readonly #certsDir: string;
  readonly #certificates = new Map<string, Promise<TlsIdentity[]>>();
  readonly #cookies = new Map<string, Map<string, string>>();
  readonly insecure: InsecurePolicy;

  constructor(host: ClientHost, options: { insecure: InsecurePolicy; certsDir: string }) {
    this.#host = host;
    this.#certsDir = options.certsDir;
    this.insecure = options.insecure;
  }

  /**
   * Sends a request and follows its redirects.
   *
   * @throws {TransportError} when there is no answer; {ForbiddenError} for a redirect that must not be followed
   * @deviation At most ten redirects, and none from https to plain http; 1.2.0 follows any, without end.
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const first = new URL(request.url);
    const reads = (request.method ?? "GET") === "GET" || request.method === "HEAD";
    const what = requestText(request.method ?? "GET", first.href);
    let url = first;
    let headers = { ...request.headers };
    for (let hops = 0; ; hops++) {
      const response = await this.#exchange({ ...request, url: url.href, headers });
      const location = response.headers.get("location");
      const followed = reads || request.follow === "every" ? REDIRECTS : SAME_METHOD;
      const follows = (reads || request.follow !== undefined) && followed.has(response.status);
      if (!follows || location === null) return response;
      await response.discard();
      if (hops >= MAX_REDIRECTS) throw new ForbiddenError(`${what}: stopped after ${MAX_REDIRECTS} redirects`);
      const next = this.#redirect(requestText(request.method ?? "GET", url.href), url, location);
      if ((request.onRedirect ?? sameOrigin)(first, next) === "no-authorization") {
        headers = Object.fromEntries(
          Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
        );
      }
      url = next;
    }
  }

  #redirect(what: string, from: URL, location: string): URL {
    let next: URL;
    try {
      next = new URL(location, from);
    } catch (cause) {
      throw new ForbiddenError(`${what}: bad redirect to ${JSON.stringify(location)}`, { cause });
    }
    if (next.protocol !== "http:" && next.protocol !== "https:") {
      throw new ForbiddenError(`${what}: unsupported protocol scheme "${next.protocol.slice(0, -1)}"`);
    }
    if (from.protocol === "https:" && next.protocol === "http:" && !this.insecure(next.host)) {
      throw new ForbiddenError(`${what}: refused to follow a redirect to plain http (${next.host})`);
    }
    next.username = "";
    next.password = "";
    return next;
  }

  /** One request without redirects; the client certificates of the host are tried one after another. */
  async #exchange(request: HttpRequest): Promise<HttpResponse> {
    const { host } = new URL(request.url);
    let certificates = this.#certificates.get(host);
    if (certificates === undefined) {
      certificates = loadCertificates(this.#host.fs, this.#certsDir, host);
      this.#certificates.set(host, certificates);
    }
    const identities = await certificates;
    for (const [i, identity] of identities.entries()) {
      const last = i === identities.length - 1;
      try {
        let response = await this.#once(request, identity, true);
        if (response.status === EXPECTATION_FAILED && typeof request.body === "function") {
          // Something in between does not know how to ask for a body.
          await response.discard();
          response = await this.#once(request, identity, false);
        }
        if (last || (response.status !== 403 && response.status < 500)) return response;
        await response.discard();
      } catch (cause) {
        if (last || !(cause instanceof TransportError)) throw cause;
      }
    }
    throw new TransportError(`Get ${request.url}: no certificate to show`);
  }

  /** @param asking - a stream is announced first, and sent when it is asked for */
  async #once(request: HttpRequest, identity: TlsIdentity, asking: boolean): Promise<HttpResponse> {
    const { hostname, host } = new URL(request.url);
    const method = request.method ?? "GET";
    const proxy = proxyFor(new URL(request.url), this.#host.env);
    const { body } = request;
    const limitMs = request.limit === "ping" ? PING_MS : body === undefined ? SILENCE_MS : UPLOAD_SILENCE_MS;
    const guard = new SilenceGuard(this.#host.clock, limitMs, request.signal);
    const headers: Record<string, string> = { "Accept-Encoding": "identity", ...request.headers };
    const cookies = this.#cookies.get(hostname);
    if (cookies !== undefined) headers["Cookie"] = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    let response: FetchResponse;
    try {
      response = await guard.watch(
        this.#host.net.fetch(request.url, {
          method,
          headers,
          redirect: "manual",
          signal: guard.signal,
          tls: { ...identity, insecure: this.insecure(host) },
          ...(proxy === undefined ? {} : { proxy }),
          ...(typeof body === "function" ? { body: watched(body(), guard), expectContinue: asking } : body && { body }),
        }),
      );
    } catch (cause) {
      guard.end();
      request.signal?.throwIfAborted();
      throw guard.timedOut
        ? new TransportError(`${requestText(method, request.url)}: i/o timeout`, {
            cause,
            timeout: true,
          })
        : transportError(method, request.url, cause);
    }
    if (request.limit !== "ping") guard.pause();
    this.#keepCookies(hostname, response.headers);
    return {
      status: response.status,
      headers: response.headers,
      url: request.url,
      body: readBody(response, request, guard, request.limit === "ping"),
      async discard() {
        guard.end();
        await response.body?.cancel().catch(() => undefined);
      },
    };
  }

  #keepCookies(hostname: string, headers: FetchHeaders): void {
    for (const line of headers.getSetCookie()) {
      const found = /^([^=;\s]+)=([^;\r\n]*)/.exec(line);
      if (found === null || line.length > 4096) continue;
      const jar = this.#cookies.get(hostname) ?? new Map<string, string>();
      if (jar.size < 32) jar.set(found[1] as string, found[2] as string);
      this.#cookies.set(hostname, jar);
    }
  }
}

/** What is sent: each piece that the other side takes is a sign of life. */
async function* watched(body: Reader, guard: SilenceGuard): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    guard.alive();
    yield chunk;
  }
}

/** The body, each chunk within the time limit. Leaving the loop early ends the connection. */
async function* readBody(
  response: FetchResponse,
  request: HttpRequest,
  guard: SilenceGuard,
  whole: boolean,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) {
    guard.end();
    return;
  }
  try {
    for (;;) {
      const { done, value } = await guard.watch(reader.read());
      if (done || value === undefined) return;
      // The time the consumer takes is not the registry's silence.
      if (!whole) guard.pause();
      yield value;
    }
  } catch (cause) {
    request.signal?.throwIfAborted();
    if (guard.timedOut) {
      throw new TransportError(`read ${new URL(request.url).host}: i/o timeout`, { cause, timeout: true });
    }
    throw transportError(request.method ?? "GET", request.url, cause);
  } finally {
    guard.end();
    await reader.cancel().catch(() => undefined);
  }
}
