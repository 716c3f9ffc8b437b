/**
 * Runs a job for an HTTP request: the engine as a request handler.
 *
 * HTTP/1 has one stream back and no place for a status after the body, so standard output and error are mixed and the
 * status is always 200.
 *
 * @origin engine/http.go
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { basename } from "node:path/posix";
import type { Writer } from "../sync/io.ts";
import type { Engine } from "./engine.ts";
import { JobError } from "./job.ts";

/** What is needed of a response. */
export type JobResponse = Pick<
  ServerResponse,
  "setHeader" | "writeHead" | "flushHeaders" | "write" | "end" | "writableEnded"
>;

/**
 * Runs the job named by the last part of the path, with every `a` of the query as argument.
 *
 * @param signal - aborted when the client went away
 * @origin engine/http.go (*Engine).ServeHTTP
 */
export async function serveHTTP(
  eng: Engine,
  response: JobResponse,
  request: Pick<IncomingMessage, "url">,
  signal?: AbortSignal,
): Promise<void> {
  const [path = "/", query = ""] = (request.url ?? "/").split(/\?(.*)/s);
  const name = basename(decoded(path)) || "/";
  const args = new URLSearchParams(query).getAll("a");
  response.setHeader("Job-Name", headerValue(name));
  if (args.length > 0) response.setHeader("Job-Args", args.map(headerValue));
  const job = eng.job(name, ...args);
  const body = bodyWriter(response);
  job.stdout.add(body);
  job.stderr.add(body);
  response.writeHead(200);
  try {
    await job.run({ signal });
  } catch (cause) {
    // The body has told the client already; there is no other place to tell it.
    if (!(cause instanceof JobError)) throw cause;
  }
  if (!response.writableEnded) response.end();
}

/** A path without its percent signs; one that cannot be decoded stays as it is. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** UTF-8 as the bytes it is; line ends and other controls, which no header may have, as blanks. */
function headerValue(text: string): string {
  return Buffer.from(text.replace(/[\x00-\x1f\x7f]/g, " ").trim(), "utf8").toString("latin1");
}

/** Writes into the response and waits until the socket took it. */
function bodyWriter(response: JobResponse): Writer {
  return {
    write(chunk) {
      if (chunk.length === 0) {
        response.flushHeaders();
        return undefined;
      }
      return new Promise((ok, no) => {
        response.write(chunk, (cause) => (cause ? no(cause) : ok()));
      });
    },
  };
}
