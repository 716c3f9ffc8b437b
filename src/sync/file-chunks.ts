/**
 * Reads files piece by piece.
 *
 * @module
 */

import type { FileSystem } from "../host/host.ts";

type FileHandle = Awaited<ReturnType<FileSystem["open"]>>;

const CHUNK_BYTES = 256 << 10;

/** The rest of an open file, which is closed at the end, or when the loop is left. */
export async function* fileChunks(file: FileHandle): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
