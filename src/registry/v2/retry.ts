/**
 * Asking again, when a registry is not well or wants to be left alone for a while.
 *
 * @since Docker 1.6
 * @module
 */

import type { Host } from "../../host/host.ts";
import type { FetchHeaders } from "../../host/net.ts";
import type { HttpResponse } from "../client.ts";
import { TransportError } from "../transport-error.ts";

const MAX_TRIES = 4;
const BACK_OFF_MS = 500;
/** Who says that it will take longer is believed, and not waited for. */
const MAX_PAUSE_MS = 60_000;

/** Whether the same request may have more luck later. */
export function isTransient(status: number): boolean {
  return status === 429 || status >= 500;
}

/** The registry has answered that it cannot answer now. */
export class BusyError extends TransportError {
  /** How long it wants to be left alone; 0: it does not say, infinite: longer than anybody waits. */
  readonly pauseMs: number;

  constructor(message: string, pauseMs: number, options?: ErrorOptions) {
    super(message, options);
    this.pauseMs = pauseMs;
  }
}

/**
 * How long `Retry-After` tells to wait, in seconds or until a date.
 *
 * @returns 0 when it says nothing; infinity for more than a minute
 */
export function pauseMs(headers: FetchHeaders, now: number): number {
  const text = headers.get("retry-after") ?? "";
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  if (!(ms > 0)) return 0;
  return ms > MAX_PAUSE_MS ? Number.POSITIVE_INFINITY : ms;
}

/** How long to wait after so many failures. */
export function backOffMs(failures: number, pause = 0): number {
  return Math.max(BACK_OFF_MS * 2 ** (failures - 1), pause);
}

/** Sends a small request, again when the other side is not well or the connection breaks. */
export async function patiently(
  clock: Pick<Host["clock"], "now" | "sleep">,
  send: () => Promise<HttpResponse>,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  for (let tries = 1; ; tries++) {
    let pause = 0;
    try {
      const response = await send();
      pause = pauseMs(response.headers, clock.now());
      if (!isTransient(response.status) || tries >= MAX_TRIES || !Number.isFinite(pause)) return response;
      await response.discard();
    } catch (cause) {
      signal?.throwIfAborted();
      if (!(cause instanceof TransportError) || cause.timeout || tries >= MAX_TRIES) throw cause;
    }
    await clock.sleep(backOffMs(tries, pause), signal);
  }
}
