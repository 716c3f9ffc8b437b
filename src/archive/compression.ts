/**
 * Which compression a stream has, told by its first bytes.
 *
 * @origin archive/archive.go DetectCompression
 * @module
 */

/** @origin archive/archive.go Compression */
export type Compression = "none" | "gzip" | "bzip2" | "xz" | "zstd";

const MAGIC: [Compression, number[]][] = [
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
];

/** How many bytes {@link detectCompression} wants to see. @origin archive/archive.go DecompressStream */
export const MAGIC_BYTES = 10;

/**
 * @param head - the first bytes of the stream
 * @origin archive/archive.go DetectCompression
 * @deviation zstd is known too: registries of today serve it.
 */
export function detectCompression(head: Uint8Array): Compression {
  return MAGIC.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0] ?? "none";
}

/** The program that undoes a compression we do not undo ourselves. */
export const PROGRAMS: Partial<Record<Compression, { command: string; args: string[]; package: string }>> = {
  xz: { command: "xz", args: ["-d", "-c", "-q"], package: "xz-utils" },
  bzip2: { command: "bzip2", args: ["-d", "-c", "-q"], package: "bzip2" },
};
