/**
 * Connections through a proxy: plain requests are handed to it whole, TLS goes through a tunnel.
 *
 * @module
 */

import type { Agent, RequestOptions } from "node:http";
import type { AgentOptions } from "node:https";
import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { builtin } from "./lazy.ts";

/** How long a proxy may take to open a tunnel. */
const TUNNEL_MS = 30_000;

/** A request to a proxy. */
export type ProxyRequest = Omit<RequestOptions, "headers"> & { readonly headers: Record<string, string> };

/** What a proxy's address says: where it is, and who asks. */
function optionsOf(proxy: URL): ProxyRequest {
  const { protocol, hostname, port, username, password } = proxy;
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const headers: Record<string, string> = {};
  if (username !== "" || password !== "") headers["Proxy-Authorization"] = basic(user);
  return {
    protocol,
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port: port || (protocol === "https:" ? 443 : 80),
    headers,
  };
}

function basic(user: string): string {
  return `Basic ${Buffer.from(user, "utf8").toString("base64")}`;
}

/** How a plain request is sent to a proxy: with the whole address in the place of the path. */
export function viaProxy(proxy: string, url: string): ProxyRequest {
  const options = optionsOf(new URL(proxy));
  return { ...options, path: url.replace(/#.*$/, ""), headers: { ...options.headers, Host: new URL(url).host } };
}

/** Makes a pool of TLS connections through a proxy's tunnels. @param options - of the TLS connections */
export function tunnelAgent(proxy: string, options: AgentOptions): Agent {
  const agent: Agent = new (builtin("https").Agent)(options);
  const createConnection = (to: Target, done: Connected): void => {
    openTunnel(new URL(proxy), to).then(
      (socket) => done(null, builtin("tls").connect({ ...to, socket })),
      (cause: Error) => done(cause),
    );
  };
  return Object.assign(agent, { createConnection });
}

type Target = ConnectionOptions & { host: string; port: number };
type Connected = (cause: Error | null, socket?: Socket) => void;

/** Asks a proxy for a connection. @throws with the proxy's answer when it refuses */
function openTunnel(proxy: URL, to: { host: string; port: number }): Promise<Socket> {
  const authority = `${to.host.includes(":") ? `[${to.host}]` : to.host}:${to.port}`;
  const options = optionsOf(proxy);
  return new Promise((resolve, reject) => {
    const request = builtin(proxy.protocol === "https:" ? "https" : "http").request({
      ...options,
      method: "CONNECT",
      path: authority,
      headers: { ...options.headers, Host: authority },
      agent: false,
      timeout: TUNNEL_MS,
    });
    request.once("timeout", () => request.destroy(new Error(`${proxy.host}: i/o timeout`)));
    request.on("error", (cause) => reject(Object.assign(cause, { proxy: true })));
    request.once("response", (answer) => {
      answer.destroy();
      reject(new Error(`proxyconnect tcp: ${proxy.host}: unexpected answer`));
    });
    request.once("connect", (answer, socket, head) => {
      if (answer.statusCode === 200 && head.length === 0) {
        socket.setTimeout(0);
        resolve(socket as Socket);
        return;
      }
      socket.destroy();
      reject(
        new Error(`proxyconnect tcp: ${proxy.host}: ${answer.statusCode} ${answer.statusMessage ?? ""}`.trimEnd()),
      );
    });
    request.end();
  });
}
