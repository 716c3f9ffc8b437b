/**
 * Archives that nobody may trust: each of a kind, with what is said of it.
 */

import { execFileSync } from "node:child_process";
import { deflateRawSync, gzipSync } from "node:zlib";
import { type LayerEntry, layer } from "./layers.ts";

/** An archive, made behind other entries. */
export interface BadLayer {
  /** @param first - whole entries, without an end mark */
  make(first: Buffer): Buffer;
  /** What a refusal says; `undefined`: it is not refused, and nothing of it lies outside. */
  readonly says: RegExp | undefined;
  /** The same where whiteouts are files like any other; default: {@link says}. */
  readonly saysOfFiles?: RegExp | undefined;
}

/** Entries without an end mark. */
export function entries(...some: LayerEntry[]): Buffer {
  return layer(...some).subarray(0, -1024);
}

const END = Buffer.alloc(1024);
const CONTENT = "content\n".repeat(400);

function of(says: BadLayer["says"], ...some: LayerEntry[]): BadLayer {
  return { says, make: (first) => Buffer.concat([first, entries(...some), END]) };
}

/** The first entry with other bytes in its header, and the right checksum. */
function patched(says: RegExp, entry: LayerEntry, at: number, bytes: string | Buffer, repair = true): BadLayer {
  const block = entries(entry);
  Buffer.from(bytes).copy(block, at);
  if (repair) {
    block.write("        ", 148);
    const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  }
  return { says, make: (first) => Buffer.concat([first, block, END]) };
}

function extended(says: RegExp, type: string, body: Buffer): BadLayer {
  const block = entries({ name: "pax", content: body.toString("latin1") });
  const head = patched(says, { name: "pax" }, 124, `${body.length.toString(8).padStart(11, "0")}\0`);
  const header = Buffer.from(head.make(Buffer.alloc(0)).subarray(0, 512));
  header.write(type, 156);
  header.write("        ", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const data = Buffer.concat([body, Buffer.alloc(-body.length & 511)]);
  return { says, make: (first) => Buffer.concat([first, header, data, block, END]) };
}

function packed(says: RegExp, program: readonly [string, ...string[]], mangle: (bytes: Buffer) => Buffer): BadLayer {
  const [command, ...args] = program;
  return {
    says,
    make: (first) => {
      const input = Buffer.concat([first, entries({ name: "f", content: CONTENT }), END]);
      return mangle(command === "gzip" ? gzipSync(input) : execFileSync(command, args, { input }));
    },
  };
}

const cut = (bytes: number) => (whole: Buffer) => whole.subarray(0, whole.length - bytes);
const flip = (fromEnd: number) => (whole: Buffer) => {
  const bytes = Buffer.from(whole);
  bytes[bytes.length - fromEnd] = (bytes[bytes.length - fromEnd] ?? 0) ^ 0x55;
  return bytes;
};

const symlink = (name: string, link: string): LayerEntry => ({ name, type: "2", link });
const hardlink = (name: string, link: string): LayerEntry => ({ name, type: "1", link });
const file = (name: string, content = "evil"): LayerEntry => ({ name, content });

/** All of them. @param victim - see {@link badNames} */
export function badLayers(victim: string): Record<string, BadLayer> {
  return { ...badNames(victim), ...headers(), ...streams() };
}

/**
 * Those that are well made, but for their names, links and whiteouts.
 *
 * @param victim - an absolute path of a directory with a `file` in it, which is none of an archive's business
 */
export function badNames(victim: string): Record<string, BadLayer> {
  const up = `${"../".repeat(20)}${victim.slice(1)}`;
  const names: Record<string, BadLayer> = {
    "a name that climbs": of(/lies outside the archive/, file(`${up}/file`)),
    "a name that climbs from a directory": of(/lies outside the archive/, { name: "a/" }, file(`a/../${up}/file`)),
    "an absolute name": of(undefined, file(`${victim}/file`)),
    "a name through a link": of(undefined, symlink("l", victim), file("l/file")),
    "a name through a link that climbs": of(undefined, symlink("l", up), file("l/file")),
    "a file in the place of a link": of(undefined, symlink("l", `${victim}/file`), file("l")),
    "a directory over a link": of(undefined, symlink("l", victim), { name: "l/", mode: 0o777, uid: 7 }),
    "a hard link that climbs": of(/lies outside the archive/, hardlink("h", `${up}/file`)),
    "a hard link to what is not in the archive": of(/no such file/, hardlink("h", `${victim}/file`)),
    "a hard link through a link": of(/no such file/, symlink("l", victim), hardlink("h", "l/file")),
    "a hard link to a link, and its mode": of(undefined, symlink("l", `${victim}/file`), hardlink("h", "l")),
    "a circle of links": of(/too many links/, symlink("a", "b"), symlink("b", "a"), file("a/x")),
    "a file in a file": of(/is no directory/, file("f"), file("f/x")),
    "a link in the place of the root": of(/would replace the root/, symlink("./", victim), file("file")),
    "a file in the place of the root": of(/would replace the root/, file("/.")),
    "a path of 4000 bytes": of(/longer than 3584 bytes/, file("d/".repeat(2000).concat("x"))),
    "a deep directory in the place of which comes a file": of(undefined, { name: "d/".repeat(1700) }, file("d")),
    "a name of 300 bytes": of(/name too long|ENAMETOOLONG/, file("n".repeat(300))),
    "a device beyond all numbers": of(/is out of range/, { name: "dev", type: "3", device: [0o77777, 1] }),
    "a device that hides": {
      ...of(/would hide a file/, { name: "dev", type: "3", device: [0, 0] }),
      saysOfFiles: undefined,
    },
  };
  for (const name of [".wh.", ".wh..", ".wh...", "d/.wh..."])
    names[`a whiteout called ${name}`] = { ...of(/invalid whiteout name/, file(name, "")), saysOfFiles: undefined };
  for (const name of [`.wh..wh.plnk/../${up}`, `../.wh.file`])
    names[`a whiteout called ${name.slice(0, 15)}`] = of(/lies outside the archive/, file(name, ""));
  return names;
}

function headers(): Record<string, BadLayer> {
  const one = file("f", "x");
  const binary = (...bytes: number[]) => Buffer.from(bytes);
  const pax = (text: string) => extended(/invalid tar header/, "x", Buffer.from(text, "latin1"));
  const raw = (says: RegExp, make: BadLayer["make"]): BadLayer => ({ says, make });
  return {
    "a wrong checksum": patched(/checksum/, one, 0, "g", false),
    "a size that is no number": patched(/size is not a number/, one, 124, "zzz"),
    "a negative size": patched(/negative size/, one, 124, Buffer.alloc(12, 0xff)),
    "a size beyond all numbers": patched(
      /size is out of range/,
      one,
      124,
      binary(0x80, 0, 0, 0x7f, 1, 1, 1, 1, 1, 1, 1, 1),
    ),
    "a size of petabytes": patched(/unexpected EOF/, one, 124, binary(0x80, 0, 0, 0, 0, 0x0f, 0, 0, 0, 0, 0, 0)),
    "a type that is none": patched(/Unhandled tar header type/, one, 156, "Z"),
    "holes that overlap": patched(/sparse map|sparse/, one, 156, "S"),
    "an extended header without a length": pax("path=x\n"),
    "an extended header that is longer than itself": pax("99 path=x\n"),
    "an extended header of no length": pax("0 path=x\n"),
    "a NUL in an extended name": pax("14 path=../\0ab\n"),
    "a negative extended size": pax("11 size=-1\n"),
    "a time that is none": pax("14 mtime=now!\n"),
    "two megabytes of extended header": extended(/extended header of 2097152 bytes/, "x", Buffer.alloc(2 << 20, 0x31)),
    "two megabytes of name": extended(/extended header of 2097152 bytes/, "L", Buffer.alloc(2 << 20, 0x31)),
    "an extended name that climbs": extended(/lies outside the archive/, "L", Buffer.from("../../up\0")),
    "a lone block of zeros": raw(/a lone zero block/, (first) =>
      Buffer.concat([first, Buffer.alloc(512), entries(one)]),
    ),
    "an extended header and nothing behind": raw(/unexpected EOF/, (first) =>
      Buffer.concat([
        first,
        extended(/x/, "x", Buffer.from("9 path=x\n")).make(Buffer.alloc(0)).subarray(0, 1024),
        END,
      ]),
    ),
    "half a header": raw(/unexpected EOF/, (first) => Buffer.concat([first, entries(one).subarray(0, 300)])),
    "half a file": raw(/unexpected EOF/, (first) =>
      Buffer.concat([first, entries(file("f", CONTENT)).subarray(0, 900)]),
    ),
  };
}

function streams(): Record<string, BadLayer> {
  const greedy = ["xz", "--lzma2=preset=0,dict=512MiB", "-c"] as const;
  const bomb = (): Buffer => {
    const deflated = deflateRawSync(Buffer.alloc(1 << 20));
    return Buffer.concat([Buffer.from("1f8b0800000000000003", "hex"), deflated, Buffer.alloc(8)]);
  };
  return {
    "gzip with another sum": packed(/gzip: invalid checksum/, ["gzip"], flip(8)),
    "gzip with another length": packed(/gzip: invalid checksum/, ["gzip"], flip(2)),
    "gzip that is cut": packed(/unexpected EOF/, ["gzip"], cut(20)),
    "gzip of zeros without end": { says: /gzip: invalid checksum|tar header|EOF/, make: bomb },
    "bzip2 with another bit": packed(/bzip2|invalid tar header/, ["bzip2", "-c"], flip(40)),
    "bzip2 that is cut": packed(/bzip2/, ["bzip2", "-c"], cut(20)),
    "xz that is cut": packed(/xz/, ["xz", "-c"], cut(20)),
    "xz that wants much memory": packed(/Memory usage limit reached; .*The limit is 256 MiB/, greedy, (whole) => whole),
    "zstd that is cut": packed(/zstd/, ["zstd", "-c"], cut(20)),
    "no archive": { says: /invalid tar header/, make: () => Buffer.from("no archive at all".repeat(99)) },
  };
}
