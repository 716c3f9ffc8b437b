/**
 * Requests to registries, over Node's own HTTP client.
 *
 * The standard `fetch` passes each byte through two queues of promises: a third of a pull's time was spent there.
 *
 * @module
 */

import type { Agent, IncomingMessage } from "node:http";
import type { FetchHeaders, FetchOptions, FetchResponse, TlsIdentity } from "../net.ts";
import { builtin } from "./lazy.ts";

/** Connections that are idle this long are closed: a registry must not be kept busy by a daemon that pulls no more. */
const IDLE_MS = 10_000;

/** One pool of connections per scheme and set of certificates. */
const agents = new Map<string, Agent>();

/** The fields of a TLS identity that are there. */
export function present(tls: TlsIdentity): { ca?: string; cert?: string; key?: string } {
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
}

function agentOf(secure: boolean, tls: NonNullable<FetchOptions["tls"]>): Agent {
  const identity = secure ? { ...present(tls), rejectUnauthorized: tls.insecure !== true } : {};
  const key = `${secure} ${JSON.stringify(identity)}`;
  let agent = agents.get(key);
  if (agent === undefined) {
    const options = { keepAlive: true, timeout: IDLE_MS, ...identity };
    agent = secure ? new (builtin("https").Agent)(options) : new (builtin("http").Agent)(options);
    agents.set(key, agent);
  }
  return agent;
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

/** @see Net.fetch */
export function httpFetch(url: string, options: FetchOptions = {}): Promise<FetchResponse> {
  const secure = url.startsWith("https:");
  const { method = "GET", headers = {}, body, signal, tls = {} } = options;
  return new Promise((resolve, reject) => {
    const agent = agentOf(secure, tls);
    const request = (secure ? builtin("https") : builtin("http")).request(url, {
      method,
      headers,
      agent,
      ...(signal !== undefined && { signal }),
    });
    request.once("error", reject);
    request.once("response", (message) => {
      // From here on a failure is the body's.
      request.off("error", reject);
      request.on("error", () => {});
      const empty = method === "HEAD" || message.statusCode === 204 || message.statusCode === 304;
      if (empty) message.resume();
      resolve({ status: message.statusCode ?? 0, headers: headersOf(message), body: empty ? null : bodyOf(message) });
    });
    request.end(body);
  });
}
