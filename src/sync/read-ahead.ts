/**
 * Reads before anybody asks, so that a writer need not wait for a reader that is still busy.
 *
 * @module
 */

import type { Reader } from "./io.ts";

/**
 * Begins to read at once, and goes on until `limit` bytes are kept. From the first read on nothing is read ahead any
 * more.
 */
export function readAhead(from: Reader & { destroy(): void }, limit: number): Reader & { destroy(): void } {
  const source = from[Symbol.asyncIterator]();
  const kept: Promise<IteratorResult<Uint8Array>>[] = [];
  let wanted = false;
  const read = async (): Promise<void> => {
    for (let bytes = 0; !wanted && bytes < limit; ) {
      const next = source.next();
      kept.push(next);
      const result = await next;
      if (result.done === true) return;
      bytes += result.value.length;
    }
  };
  // A failure is kept too: whoever reads meets it at its place.
  read().catch(() => undefined);
  return {
    async *[Symbol.asyncIterator]() {
      wanted = true;
      try {
        for (;;) {
          const result = await (kept.shift() ?? source.next());
          if (result.done === true) return;
          yield result.value;
        }
      } finally {
        from.destroy();
      }
    },
    destroy: () => from.destroy(),
  };
}
