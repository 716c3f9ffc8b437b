/**
 * A registry that misbehaves on demand: a proxy in front of the real one.
 */

import { createServer, type IncomingMessage, request as openRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { deferred } from "../../src/sync/deferred.ts";

/** What to do to an answer. */
export type Fault =
  | { readonly status: number; readonly body?: string }
  | { readonly truncateTo: number }
  | { readonly flipByteAt: number }
  /** Sends so many bytes, then nothing until `release` settles; then the rest, or with `cut` the connection breaks. */
  | { readonly holdAfter: number; readonly release: Promise<unknown>; readonly cut?: boolean }
  /** Passes so many bytes of what is sent on to the registry, then the connection breaks. */
  | { readonly cutUploadAt: number }
  /** Sends the client elsewhere. */
  | { readonly redirect: string; readonly with?: number }
  /** Says something else in the head of the answer. */
  | { readonly headers: Readonly<Record<string, string>> };

/** The proxy. */
export interface FaultyRegistry {
  readonly address: string;
  /** Requests so far, `GET /v2/…`. */
  readonly requests: string[];
  /** The `Range` headers that came. */
  readonly ranges: string[];
  /** Chooses the fault for a request, by method and path. */
  fault: (request: string) => Fault | undefined;
  /** Resolves when a request whose text matches has been seen. */
  seen(pattern: RegExp): Promise<void>;
  stop(): Promise<void>;
}

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Passes the beginning of an upload on, and waits until the registry has taken it. */
async function cutUpload(upstream: string, req: IncomingMessage, bytes: number): Promise<void> {
  const out = openRequest(`http://${upstream}${req.url}`, {
    method: req.method ?? "PATCH",
    headers: { ...req.headers, host: upstream },
  });
  out.on("error", () => undefined);
  let left = bytes;
  for await (const part of req) {
    const some = (part as Buffer).subarray(0, left);
    left -= some.length;
    await new Promise((resolve) => out.write(some, resolve));
    if (left === 0) break;
  }
  out.destroy();
  await new Promise((resolve) => out.once("close", resolve));
}

/** Starts a proxy in front of `upstream` (`127.0.0.1:5000`). */
export async function startFaultyRegistry(upstream: string): Promise<FaultyRegistry> {
  const requests: string[] = [];
  const ranges: string[] = [];
  const waiting: { pattern: RegExp; resolve: () => void }[] = [];
  const proxy = {
    address: "",
    requests,
    ranges,
    fault: (_request: string): Fault | undefined => undefined,
    seen: async (pattern: RegExp) => {
      if (requests.some((request) => pattern.test(request))) return;
      const { promise, resolve } = deferred();
      waiting.push({ pattern, resolve: () => resolve() });
      await promise;
    },
  };
  const handle = async (req: IncomingMessage, res: ServerResponse, asked = false) => {
    const request = `${req.method} ${req.url}`;
    requests.push(request);
    if (req.headers.range) ranges.push(req.headers.range);
    for (const { pattern, resolve } of waiting) if (pattern.test(request)) resolve();
    const fault = proxy.fault(request);
    if (asked && !(fault && ("status" in fault || "redirect" in fault))) res.writeContinue();
    if (fault && "status" in fault) {
      res
        .writeHead(fault.status, { "content-type": "application/json" })
        .end(fault.body ?? '{"errors":[{"code":"UNKNOWN","message":"planted"}]}');
      return;
    }
    if (fault && "redirect" in fault) {
      req.resume();
      res.writeHead(fault.with ?? 307, { location: fault.redirect }).end();
      return;
    }
    if (fault && "cutUploadAt" in fault) {
      await cutUpload(upstream, req, fault.cutUploadAt);
      res.destroy();
      return;
    }
    const headers: Record<string, string> = {};
    for (const name of ["accept", "range", "authorization", "content-type", "content-range"])
      if (req.headers[name]) headers[name] = String(req.headers[name]);
    const writes = req.method !== "GET" && req.method !== "HEAD";
    const sent = writes ? { body: await bodyOf(req) } : {};
    const answer = await fetch(`http://${upstream}${req.url}`, {
      method: req.method ?? "GET",
      headers,
      redirect: "manual",
      ...sent,
    });
    const body = Buffer.from(await answer.arrayBuffer());
    const passed = Object.fromEntries(
      [...answer.headers].filter(([name]) => !["transfer-encoding", "connection", "content-encoding"].includes(name)),
    );
    // An upload goes on where it began: here.
    if (passed["location"]) passed["location"] = passed["location"].replace(`//${upstream}/`, `//${proxy.address}/`);
    if (fault && "headers" in fault) Object.assign(passed, fault.headers);
    res.writeHead(answer.status, req.method === "HEAD" ? passed : { ...passed, "content-length": String(body.length) });
    if (req.method === "HEAD" || fault === undefined || "headers" in fault) {
      res.end(body);
    } else if ("truncateTo" in fault) {
      res.write(body.subarray(0, fault.truncateTo), () => res.destroy());
    } else if ("flipByteAt" in fault) {
      body[fault.flipByteAt] = (body[fault.flipByteAt] ?? 0) ^ 0xff;
      res.end(body);
    } else if ("holdAfter" in fault) {
      res.write(body.subarray(0, fault.holdAfter));
      await fault.release;
      if (fault.cut) res.destroy();
      else res.end(body.subarray(fault.holdAfter));
    }
  };
  const server = createServer((req, res) => {
    handle(req, res).catch(() => res.destroy());
  });
  // As a registry does it: a body that will be refused is not asked for.
  server.on("checkContinue", (req, res) => {
    handle(req, res, true).catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(proxy, {
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}
