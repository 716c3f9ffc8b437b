/**
 * Finds the last lines of a file without reading the rest.
 *
 * @origin pkg/tailfile/tailfile.go
 * @module
 */

import type { FileHandle } from "node:fs/promises";

const blockSize = 16 * 1024;

/**
 * Where the last `lines` lines begin.
 *
 * @param file - open for reading
 * @param end - looks at this many bytes from the beginning only: the size at the time of the question
 * @returns the offset of the first byte of the first wanted line; a last piece without an end counts as no line
 * @throws RangeError `Lines number must be positive`
 * @origin pkg/tailfile/tailfile.go TailFile
 * @deviation Gives the place, not the lines: 1.2.0 holds them all in memory.
 */
export async function tailOffset(file: Pick<FileHandle, "read">, end: number, lines: number): Promise<number> {
  if (lines <= 0) throw new RangeError("Lines number must be positive");
  const block = Buffer.alloc(blockSize);
  let seen = 0;
  let position = end;
  while (position > 0) {
    const size = Math.min(blockSize, position);
    const start = position - size;
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await file.read(block, filled, size - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    for (let at = filled - 1; at >= 0; at--) {
      // The line's own end is met first, then the ends of the lines before it.
      if (block[at] === 0x0a && ++seen > lines) return start + at + 1;
    }
    position = start;
  }
  return 0;
}
