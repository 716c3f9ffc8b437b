/**
 * Requests to registries, over Node's own HTTP client.
 *
 * The standard `fetch` passes each byte through two queues of promises: a third of a pull's time was spent there.
 *
 * @module
 */

import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import type { AgentOptions } from "node:https";
import { isErrno } from "../../errdefs/errdefs.ts";
import type { Reader } from "../../sync/io.ts";
import type { FetchHeaders, FetchOptions, FetchResponse, TlsIdentity } from "../net.ts";
import { builtin } from "./lazy.ts";
import { tunnelAgent, viaProxy } from "./proxy.ts";

/** Connections that are idle this long are closed: a registry must not be kept busy by a daemon that pulls no more. */
const IDLE_MS = 10_000;

/** How long a server may think about whether it wants a body; many never say so. */
const CONTINUE_MS = 1_000;

/** One pool of connections per scheme, set of certificates and proxy. */
const agents = new Map<string, Agent>();

/** The fields of a TLS identity that are there. */
export function present(tls: TlsIdentity): { ca?: string; cert?: string; key?: string } {
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
}

function agentOf(secure: boolean, { tls = {}, proxy, body }: FetchOptions): Agent {
  const identity = secure ? { ...present(tls), rejectUnauthorized: tls.insecure !== true } : {};
  // A stream cannot be sent again when a connection that was idle turns out to be closed: it gets one of its own.
  const keepAlive = !isStream(body);
  const key = `${secure} ${keepAlive} ${JSON.stringify(identity)} ${proxy ?? ""}`;
  let agent = agents.get(key);
  if (agent === undefined) {
    agent = makeAgent(secure, { keepAlive, timeout: IDLE_MS, ...identity }, proxy);
    agents.set(key, agent);
  }
  return agent;
}

function isStream(body: FetchOptions["body"]): body is Reader {
  return body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
}

function makeAgent(secure: boolean, options: AgentOptions, proxy: string | undefined): Agent {
  if (secure && proxy !== undefined) return tunnelAgent(proxy, options);
  const direct = secure || proxy?.startsWith("https:") === true;
  return direct ? new (builtin("https").Agent)(options) : new (builtin("http").Agent)(options);
}

function headersOf(message: IncomingMessage): FetchHeaders {
  return {
    get(name) {
      const value = message.headers[name.toLowerCase()];
      return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
    },
    getSetCookie: () => message.headers["set-cookie"] ?? [],
  };
}

/** The body of an answer. A connection that breaks in the middle is an error, however it broke. */
function bodyOf(message: IncomingMessage): NonNullable<FetchResponse["body"]> {
  const chunks = message[Symbol.asyncIterator]();
  const cancel = async () => {
    message.destroy();
  };
  const reader = {
    async read() {
      const { done = false, value } = await chunks.next();
      return done ? { done: true } : { done: false, value: value as Uint8Array };
    },
    cancel,
  };
  return { getReader: () => reader, cancel };
}

/** Opens the request, directly or by way of a proxy. */
function open(url: string, options: FetchOptions): ClientRequest {
  const { method = "GET", signal, proxy } = options;
  const expect: Record<string, string> = options.expectContinue === true ? { Expect: "100-continue" } : {};
  const headers = { ...options.headers, ...expect };
  const secure = url.startsWith("https:");
  const agent = agentOf(secure, options);
  const common = { method, agent, ...(signal !== undefined && { signal }) };
  if (secure || proxy === undefined) {
    return (secure ? builtin("https") : builtin("http")).request(url, { ...common, headers });
  }
  const way = viaProxy(proxy, url);
  const protocol = proxy.startsWith("https:") ? builtin("https") : builtin("http");
  return protocol.request({ ...way, ...common, headers: { ...headers, ...way.headers } });
}

/** Waits until the other side wants the body, answers without it, or keeps quiet about it. */
async function untilAsked(request: ClientRequest): Promise<void> {
  request.flushHeaders();
  await new Promise<void>((resolve) => {
    const go = () => {
      clearTimeout(timer);
      for (const event of ["continue", "response", "close"]) request.off(event, go);
      resolve();
    };
    const timer = setTimeout(go, CONTINUE_MS);
    for (const event of ["continue", "response", "close"]) request.once(event, go);
  });
}

/** Sends a stream as fast as the other side takes it. A source that fails breaks the request off. */
async function feed(request: ClientRequest, body: Reader, asked: boolean): Promise<void> {
  let answered = false;
  request.once("response", () => {
    answered = true;
  });
  try {
    if (asked) await untilAsked(request);
    for await (const chunk of body) {
      // What has arrived meanwhile is read first: behind an early answer the connection may be closed, and with the failure
      // to write to it the answer would be lost.
      await new Promise((resolve) => setImmediate(resolve));
      // What is answered before its end is not sent any further.
      if (request.destroyed || answered) return;
      if (chunk.length === 0 || request.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        const go = () => {
          for (const event of ["drain", "close", "response"]) request.off(event, go);
          resolve();
        };
        for (const event of ["drain", "close", "response"]) request.once(event, go);
      });
    }
    request.end();
  } catch (cause) {
    request.destroy(cause instanceof Error ? cause : new Error(String(cause)));
  }
}

/** @see Net.fetch */
export function httpFetch(url: string, options: FetchOptions = {}): Promise<FetchResponse> {
  const { method = "GET", body } = options;
  return new Promise((resolve, reject) => {
    const request = open(url, options);
    const failed = (cause: Error) => {
      // The other side has closed a connection that was idle, and has seen nothing of this.
      const stale = request.reusedSocket && isErrno(cause, "ECONNRESET", "EPIPE") && !isStream(body);
      if (stale && options.signal?.aborted !== true) resolve(httpFetch(url, options));
      else reject(cause);
    };
    request.once("error", failed);
    request.once("response", (message) => {
      // From here on a failure is the body's.
      request.off("error", failed);
      request.on("error", () => {});
      // A connection that was left in the middle of a body is of no further use.
      message.once("end", () => void (request.writableEnded || request.destroy()));
      const empty = method === "HEAD" || message.statusCode === 204 || message.statusCode === 304;
      if (empty) message.resume();
      resolve({ status: message.statusCode ?? 0, headers: headersOf(message), body: empty ? null : bodyOf(message) });
    });
    if (isStream(body)) void feed(request, body, options.expectContinue === true);
    else request.end(body);
  });
}
