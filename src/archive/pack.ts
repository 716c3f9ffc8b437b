/**
 * A layer on its way out, in one pass: hashed, compressed, hashed again.
 *
 * @module
 */

import type { Hasher } from "../host/host.ts";
import type { ArchiveSink, PackResult } from "../host/pool.ts";
import type { Reader } from "../sync/io.ts";
import { gzip } from "./compression.ts";

/** Compresses a stream. @see WorkerPool.pack */
export async function packStream(
  source: Reader,
  sha256: () => Hasher,
  write: ArchiveSink["write"],
): Promise<PackResult> {
  const [plain, packed] = [sha256(), sha256()];
  let size = 0;
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      plain.update(chunk);
      yield chunk;
    }
  }
  for await (const chunk of gzip(hashed())) {
    packed.update(chunk);
    size += chunk.length;
    await write(chunk);
  }
  return { diffId: `sha256:${plain.hex()}`, digest: `sha256:${packed.hex()}`, size };
}
