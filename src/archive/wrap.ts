/**
 * Archives made of what is in memory.
 *
 * @origin archive/wrap.go
 * @module
 */

import { fromText } from "./byte-string.ts";
import { encodeHeader, paddingOf, TRAILER } from "./tar/writer.ts";

/**
 * Makes an archive of plain files: no mode, no owner, no time.
 *
 * @param files - names and contents
 * @origin archive/wrap.go Generate
 */
export async function* generate(
  files: readonly (readonly [name: string, content: Uint8Array | string])[],
): AsyncGenerator<Uint8Array> {
  for (const [name, content] of files) {
    const bytes = Buffer.from(content as Uint8Array);
    const header = { name: fromText(name), type: "0", mode: 0, uid: 0, gid: 0, size: bytes.length, mtime: 0 } as const;
    yield Buffer.concat([encodeHeader(header, 0), bytes, Buffer.alloc(paddingOf(bytes.length))]);
  }
  yield TRAILER;
}
