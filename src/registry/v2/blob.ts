/**
 * Downloads a blob, taking it up again where a connection broke.
 *
 * @since Docker 1.6
 * @module
 */

import { SystemError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import type { HttpResponse } from "../client.ts";
import { TransportError } from "../transport-error.ts";
import type { Descriptor } from "./manifest.ts";
import { BusyError, backOffMs, isTransient, pauseMs } from "./retry.ts";

/** Failures without a byte in between before it gives up. */
const MAX_FAILURES = 5;
/** Failures in all: a registry that sends a byte and hangs up must not keep us for ever. */
const MAX_FAILURES_IN_ALL = 20;
/** Silences of a minute in all. */
const MAX_SILENCES = 2;

/** How to ask, and what to do about an answer that is no success. */
export interface BlobSource {
  get(headers: Record<string, string>): Promise<HttpResponse>;
  refuse(response: HttpResponse): Promise<never>;
  readonly clock: Pick<Host["clock"], "now" | "sleep">;
  /** Is told what went wrong, and how much has come before. */
  onRetry?: (cause: unknown, got: number) => void;
}

/**
 * Streams exactly `descriptor.size` bytes.
 *
 * @throws {SystemError} when the registry sends more or fewer; {TransportError} when it keeps breaking off
 */
export async function* downloadBlob(
  source: BlobSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let got = 0;
  let failures = 0;
  let failuresInAll = 0;
  let silences = 0;
  for (;;) {
    const start = got;
    try {
      for await (const chunk of request(source, descriptor, got)) {
        got += chunk.length;
        if (got > descriptor.size) {
          throw new SystemError(
            `blob ${descriptor.digest} is longer than the ${descriptor.size} bytes of its manifest`,
          );
        }
        yield chunk;
      }
      if (got === descriptor.size) return;
      throw new TransportError(
        `unexpected EOF: blob ${descriptor.digest} ended after ${got} of ${descriptor.size} bytes`,
      );
    } catch (cause) {
      signal?.throwIfAborted();
      if (!(cause instanceof TransportError)) throw cause;
      if (got > start) failures = 0;
      failures++;
      failuresInAll++;
      if (cause.timeout) silences++;
      if (failures >= MAX_FAILURES || failuresInAll >= MAX_FAILURES_IN_ALL || silences >= MAX_SILENCES) throw cause;
      const pause = cause instanceof BusyError ? cause.pauseMs : 0;
      if (!Number.isFinite(pause)) throw cause;
      source.onRetry?.(cause, got);
      await source.clock.sleep(backOffMs(failures, pause), signal);
    }
  }
}

async function* request(source: BlobSource, descriptor: Descriptor, from: number): AsyncGenerator<Uint8Array> {
  const response = await source.get(from > 0 ? { Range: `bytes=${from}-` } : {});
  if (isTransient(response.status)) {
    const { status } = response;
    const pause = pauseMs(response.headers, source.clock.now());
    await source.refuse(response).catch((cause: unknown) => {
      throw new BusyError(cause instanceof Error ? cause.message : `HTTP status ${status}`, pause, { cause });
    });
  }
  if (response.status === 206 && from > 0) {
    const range = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "");
    if (range === null || Number(range[1]) !== from) {
      await response.discard();
      throw new SystemError(`blob ${descriptor.digest}: the registry resumed at the wrong byte`);
    }
    yield* response.body;
    return;
  }
  if (response.status !== 200) return source.refuse(response);
  // A registry that ignores the range sends it all again: what we have is skipped.
  let skip = from;
  for await (const chunk of response.body) {
    if (skip >= chunk.length) {
      skip -= chunk.length;
      continue;
    }
    yield skip > 0 ? chunk.subarray(skip) : chunk;
    skip = 0;
  }
}
