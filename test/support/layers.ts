/**
 * Hand-made layers: honest ones and hostile ones, without any tar program in between.
 */

import type { EntryType } from "../../src/archive/tar/header.ts";
import { encodeHeader, paddingOf, TRAILER, TYPE_BITS } from "../../src/archive/tar/writer.ts";

/** An entry of a layer; the mode is that of a file or directory unless given. */
export interface LayerEntry {
  readonly name: string;
  readonly type?: EntryType;
  readonly content?: string;
  /** In the place of a text. */
  readonly bytes?: Uint8Array;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly device?: [number, number];
  readonly xattrs?: Record<string, Buffer>;
}

/** The archive of these entries. */
export function layer(...entries: LayerEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    const type = entry.type ?? (entry.name.endsWith("/") ? "5" : "0");
    const content = entry.bytes === undefined ? Buffer.from(entry.content ?? "") : Buffer.from(entry.bytes);
    const [devMajor = 0, devMinor = 0] = entry.device ?? [];
    parts.push(
      encodeHeader(
        {
          name: entry.name,
          type,
          mode: (entry.mode ?? (type === "5" ? 0o755 : 0o644)) | TYPE_BITS[type],
          uid: entry.uid ?? 0,
          gid: entry.gid ?? 0,
          size: content.length,
          mtime: 1400000000,
          linkname: entry.link ?? "",
          devMajor,
          devMinor,
          xattrs: entry.xattrs ? new Map(Object.entries(entry.xattrs)) : undefined,
        },
        1,
      ),
      content,
      Buffer.alloc(paddingOf(content.length)),
    );
  }
  return Buffer.concat([...parts, TRAILER]);
}

/** A stream of one piece. */
export async function* streamOf(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}
