/**
 * Serves a function from `Request` to `Response` over HTTP on this machine.
 *
 * @module
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a small server is: the same function works under msw and inside a page. */
export type Handler = (request: Request) => Promise<Response>;

/** A server that runs. */
export interface RunningServer {
  /** `127.0.0.1:<port>` */
  readonly authority: string;
  close(): Promise<void>;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function answer(handler: Handler, message: IncomingMessage, out: ServerResponse): Promise<void> {
  const body = await bodyOf(message);
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const method = message.method ?? "GET";
  const response = await handler(
    new Request(`http://${message.headers.host ?? "127.0.0.1"}${message.url ?? "/"}`, {
      method,
      headers,
      ...(method === "GET" || method === "HEAD" ? {} : { body: body }),
    }),
  );
  out.writeHead(response.status, Object.fromEntries(response.headers));
  const reader = response.body?.getReader();
  if (reader === undefined) {
    out.end();
    return;
  }
  out.flushHeaders();
  out.on("close", () => void reader.cancel().catch(() => undefined));
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (!out.write(part.value)) await new Promise((resolve) => out.once("drain", resolve).once("close", resolve));
    if (out.destroyed) return;
  }
  out.end();
}

/** Listens on 127.0.0.1. @param port - 0: any free one */
export async function serve(handler: Handler, port = 0): Promise<RunningServer> {
  const server = createServer((message, out) => {
    // A body that breaks off is how a truncated download is made.
    answer(handler, message, out).catch(() => out.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    authority: `127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
