/**
 * A stream kept in a file of the store until it has been sent: its size and digest have to be known before, and a
 * connection that breaks must not mean to begin anew.
 *
 * @origin archive/archive.go NewTempArchive
 * @module
 */

import { join } from "node:path/posix";
import { namingRoom, withRoom } from "../archive/room.ts";
import type { Reader } from "../sync/io.ts";
import type { Graph } from "./graph.ts";

const READ_BYTES = 256 << 10;

/** A file that goes with {@link remove}. */
export interface Spooled {
  /** Bytes. */
  readonly size: number;
  /** `sha256:<hex>` of the bytes. */
  readonly digest: string;
  /** The bytes from an offset on, up to an end. */
  read(from?: number, end?: number): AsyncGenerator<Uint8Array>;
  remove(): Promise<void>;
}

/**
 * Writes a stream to the disk.
 *
 * @throws what the stream throws, or {NoRoomError}; nothing is left then
 * @origin graph/graph.go (*Graph).TempLayerArchive
 */
export async function spool(graph: Graph, source: Reader, signal: AbortSignal): Promise<Spooled> {
  const { fs, host } = graph;
  const directory = await graph.mktemp();
  const path = join(directory, "layer");
  const remove = () => fs.rm(directory, { recursive: true, force: true });
  try {
    const hash = host.hash("sha256");
    let size = 0;
    const file = await fs.open(path, "wx", 0o600);
    try {
      await namingRoom(directory, async () => {
        for await (const chunk of withRoom(host, directory, source)) {
          signal.throwIfAborted();
          hash.update(chunk);
          size += chunk.length;
          await file.writeFile(chunk);
        }
      });
    } finally {
      await file.close();
    }
    const read = (from = 0, end = size) => readFrom(fs, path, from, end);
    return { size, digest: `sha256:${hash.hex()}`, read, remove };
  } catch (cause) {
    await remove();
    throw cause;
  }
}

async function* readFrom(fs: Graph["fs"], path: string, from: number, end: number): AsyncGenerator<Uint8Array> {
  const file = await fs.open(path, "r");
  try {
    for (let at = from; at < end; ) {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new Error(`unexpected EOF: ${path} has ended at ${at} of ${end} bytes`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
