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
import { TransportError, transportError } from "./transport-error.ts";

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** A minute without a byte: 1.2.0's ReceiveTimeout. */
const SILENCE_MS = 60_000;
/** For a ping, from the first packet to the last: 1.2.0's ConnectTimeout. */
const PING_MS = 10_000;

/** A request. Only `GET` and `HEAD` follow redirects. */
export interface HttpRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
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

/** Sends requests. Remembers cookies and certificates; make one per pull. */
export class HttpClient {
  readonly #host: Pick<Host, "net" | "fs" | "clock">;
  readonly #certsDir: string;
  readonly #certificates = new Map<string, Promise<TlsIdentity[]>>();
  readonly #cookies = new Map<string, Map<string, string>>();
  readonly insecure: InsecurePolicy;

  constructor(host: Pick<Host, "net" | "fs" | "clock">, options: { insecure: InsecurePolicy; certsDir: string }) {
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
    const follows = (request.method ?? "GET") === "GET" || request.method === "HEAD";
    let url = first;
    let headers = { ...request.headers };
    for (let hops = 0; ; hops++) {
      const response = await this.#exchange({ ...request, url: url.href, headers });
      const location = response.headers.get("location");
      if (!follows || !REDIRECTS.has(response.status) || location === null) return response;
      await response.discard();
      if (hops >= MAX_REDIRECTS)
        throw new ForbiddenError(`Get ${first.href}: stopped after ${MAX_REDIRECTS} redirects`);
      const next = this.#redirect(url, location);
      if ((request.onRedirect ?? sameOrigin)(first, next) === "no-authorization") {
        headers = Object.fromEntries(
          Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
        );
      }
      url = next;
    }
  }

  #redirect(from: URL, location: string): URL {
    let next: URL;
    try {
      next = new URL(location, from);
    } catch (cause) {
      throw new ForbiddenError(`Get ${from.href}: bad redirect to ${JSON.stringify(location)}`, { cause });
    }
    if (next.protocol !== "http:" && next.protocol !== "https:") {
      throw new ForbiddenError(`Get ${from.href}: unsupported protocol scheme "${next.protocol.slice(0, -1)}"`);
    }
    if (from.protocol === "https:" && next.protocol === "http:" && !this.insecure(next.host)) {
      throw new ForbiddenError(`Get ${from.href}: refused to follow a redirect to plain http (${next.host})`);
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
        const response = await this.#once(request, identity);
        if (last || (response.status !== 403 && response.status < 500)) return response;
        await response.discard();
      } catch (cause) {
        if (last || !(cause instanceof TransportError)) throw cause;
      }
    }
    throw new TransportError(`Get ${request.url}: no certificate to show`);
  }

  async #once(request: HttpRequest, identity: TlsIdentity): Promise<HttpResponse> {
    const { hostname, host } = new URL(request.url);
    const method = request.method ?? "GET";
    const guard = new SilenceGuard(this.#host.clock, request.limit === "ping" ? PING_MS : SILENCE_MS, request.signal);
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
          ...(request.body === undefined ? {} : { body: request.body }),
        }),
      );
    } catch (cause) {
      guard.end();
      request.signal?.throwIfAborted();
      throw guard.timedOut
        ? new TransportError(`${method === "GET" ? "Get" : method} ${request.url}: i/o timeout`, {
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

/** Aborts an exchange that is silent for too long, or whose caller goes away. */
class SilenceGuard {
  readonly #clock: Host["clock"];
  readonly #limitMs: number;
  readonly #stop = new AbortController();
  readonly #timer = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = () => this.#stop.abort(this.#caller?.reason);
  /** When the wait that is going on began; `undefined` while nobody waits. */
  #since: number | undefined;
  #ended = false;
  timedOut = false;

  constructor(clock: Host["clock"], limitMs: number, caller: AbortSignal | undefined) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#caller = caller;
    if (caller?.aborted) this.#onAbort();
    else caller?.addEventListener("abort", this.#onAbort, { once: true });
    this.#since = clock.monotonicMs();
    void this.#run();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** One timer for the whole exchange, not one for each chunk. */
  async #run(): Promise<void> {
    try {
      while (!this.#ended) {
        const silent = this.#since === undefined ? 0 : this.#clock.monotonicMs() - this.#since;
        if (silent >= this.#limitMs) {
          this.timedOut = true;
          this.#stop.abort(new TransportError("i/o timeout", { timeout: true }));
          return;
        }
        await this.#clock.sleep(this.#limitMs - silent, this.#timer.signal);
      }
    } catch {
      // Ended: the sleep was aborted.
    }
  }

  /** Waits for the other side; ends when the guard does, also where the source does not heed the signal. */
  async watch<T>(promise: Promise<T>): Promise<T> {
    this.#since ??= this.#clock.monotonicMs();
    if (this.signal.aborted) throw this.signal.reason;
    return new Promise<T>((resolve, reject) => {
      const abort = () => reject(this.signal.reason);
      this.signal.addEventListener("abort", abort, { once: true });
      promise.then(resolve, reject).finally(() => this.signal.removeEventListener("abort", abort));
    });
  }

  /** The other side has answered: the time does not count until the next {@link watch}. */
  pause(): void {
    this.#since = undefined;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer.abort();
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }
}
