/**
 * Reads the body of a request to its end, asking for the rest where a connection broke.
 *
 * @origin pkg/httputils/resumablerequestreader.go
 * @module
 */

import { messageOf, SystemError } from "../../errdefs/errdefs.ts";
import type { Clock } from "../../host/clock.ts";
import type { Reader } from "../../sync/io.ts";
import type { Logger } from "../log/log.ts";

/** As much of an HTTP answer as is needed here. */
export interface ResumableResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: Reader;
  discard(): Promise<void>;
}

/** How to ask again. */
export interface ResumableTerms {
  /** Sends the request again, with a `Range` header. */
  request(range: string): Promise<ResumableResponse>;
  readonly initial: ResumableResponse;
  /** Tries before the last failure is thrown. */
  readonly maxFailures: number;
  /** Bytes of the whole body. */
  readonly totalSize: number;
  readonly clock: Pick<Clock, "sleep">;
  readonly log: Pick<Logger, "info">;
  /** Whether the failure is of the kind that asking again can cure. */
  isTransient(cause: unknown): boolean;
  readonly signal?: AbortSignal | undefined;
}

const PAUSE_MS = 5_000;

/**
 * Streams the body.
 *
 * @throws {SystemError} `the server doesn't support byte ranges`
 * @origin pkg/httputils/resumablerequestreader.go ResumableRequestReaderWithInitialResponse
 * @deviation An answer that begins at another byte than the one asked for is refused; 1.2.0 appends it. A connection
 *   that keeps breaking without a byte in between is given up; 1.2.0 asks for ever.
 */
export async function* resumableRequestReader(terms: ResumableTerms): AsyncGenerator<Uint8Array> {
  let response: ResumableResponse | "end" | undefined = terms.initial;
  let got = 0;
  let failures = 0;
  for (;;) {
    const before = got;
    try {
      if (response === undefined) response = await ask(terms, got);
      if (response === "end") return;
      for await (const chunk of response.body) {
        got += chunk.length;
        yield chunk;
      }
      return;
    } catch (cause) {
      terms.signal?.throwIfAborted();
      if (!terms.isTransient(cause)) throw cause;
      failures = got > before ? 1 : failures + 1;
      if (failures >= terms.maxFailures) throw cause;
      terms.log.info(`encountered error during pull and clearing it before resume: ${messageOf(cause)}`);
      response = undefined;
      await terms.clock.sleep(PAUSE_MS * failures, terms.signal);
    }
  }
}

async function ask(terms: ResumableTerms, got: number): Promise<ResumableResponse | "end"> {
  if (terms.totalSize <= 0) throw new SystemError("failed to auto detect content length");
  const response = await terms.request(`bytes=${got}-${terms.totalSize}`);
  if (got === 0 && response.status === 200) return response;
  if (response.status === 416 && got === terms.totalSize && response.headers.get("content-length") === "0") {
    await response.discard();
    return "end";
  }
  const range = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "");
  if (response.status === 206 && (range === null || Number(range[1]) === got)) return response;
  await response.discard();
  if (response.status === 206) throw new SystemError("the server resumed at the wrong byte");
  throw new SystemError("the server doesn't support byte ranges");
}
