/**
 * Small tar archives in memory: ustar headers by hand, so that a reader sees all there is to them.
 *
 * @module
 */

/** A file, directory or link of an archive. */
export interface TarFile {
  /** At most 100 bytes. */
  readonly name: string;
  readonly type?: "file" | "dir" | "symlink";
  readonly mode?: number;
  readonly content?: string | Uint8Array;
  /** Where a symbolic link points to. */
  readonly link?: string;
}

const BLOCK = 512;
/** 13 May 2014: the same archive has the same digest whenever it is made. */
const MTIME = 1_400_000_000;

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, "0")}\0`;
}

function header(file: TarFile, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const kind = { file: "0", dir: "5", symlink: "2" }[file.type ?? "file"];
  if (Buffer.byteLength(file.name) > 100) throw new RangeError(`Cannot archive ${file.name}: the name is too long`);
  block.write(file.name, 0);
  block.write(octal(file.mode ?? (file.type === "dir" ? 0o755 : 0o644), 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(MTIME, 12), 136);
  block.write("        ", 148);
  block.write(kind, 156);
  block.write(file.link ?? "", 157);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** Packs files, ended by two empty blocks. */
export function tar(files: readonly TarFile[]): Buffer {
  const parts: Buffer[] = [];
  for (const file of files) {
    const content = Buffer.from((file.content ?? "") as Uint8Array);
    parts.push(header(file, content.length), content);
    if (content.length % BLOCK !== 0) parts.push(Buffer.alloc(BLOCK - (content.length % BLOCK)));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}
