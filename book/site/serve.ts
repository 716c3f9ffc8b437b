/**
 * Serves the built site on this machine: files of one folder, nothing else.
 *
 * @module
 */

import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

/** A site that is being served. */
export interface ServedSite {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  close(): Promise<void>;
}

/** The file of a folder that an address names; `undefined` for none, and for one outside. */
export function fileFor(folder: string, path: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const full = normalize(join(folder, decoded));
  if (decoded.includes("\0") || (full !== normalize(folder) && !full.startsWith(normalize(folder + sep))))
    return undefined;
  for (const file of [full, join(full, "index.html"), `${full.replace(/[\\/]$/, "")}.html`]) {
    if (existsSync(file) && statSync(file).isFile()) return file;
  }
  return undefined;
}

/** Listens on 127.0.0.1. @param port - 0: any free one */
export async function serveSite(folder: string, port = 0): Promise<ServedSite> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const found = fileFor(folder, pathname);
    const file = found ?? fileFor(folder, "/404.html");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405).end();
    } else if (file === undefined) {
      response.writeHead(404, { "Content-Type": "text/plain" }).end("404: no such page\n");
    } else {
      const type = TYPES[extname(file)] ?? "application/octet-stream";
      response.writeHead(found === undefined ? 404 : 200, {
        "Content-Type": type,
        "Content-Length": statSync(file).size,
      });
      if (request.method === "HEAD") response.end();
      else createReadStream(file).pipe(response);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
