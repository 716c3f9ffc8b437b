/** The sums of archives: their fields as the original's own tar library reads them. */

import fc from "fast-check";
import { fromText } from "../../../src/archive/byte-string.ts";
import { encodeHeader, paddingOf, TRAILER, type WriteHeader } from "../../../src/archive/tar/writer.ts";
import { pureHash } from "../../../src/host/memory/hash.ts";
import type { TarSumHost } from "../../../src/pkg/tarsum/tarsum.ts";
import { TarSum } from "../../../src/pkg/tarsum/tarsum.ts";
import { subject } from "../original.ts";
import { joined, oneOf } from "./texts.ts";

interface Input {
  /** Base64. */
  readonly Archive: string;
  readonly Extra: string;
  /** Whether its end is missing. */
  readonly Cut: boolean;
}

const host: TarSumHost = { hash: pureHash as TarSumHost["hash"] };
const name = fc.oneof(
  joined(["a", "b", "/", "./", "d/", "é", "中", ".", " ", "..", "x".repeat(60), "y".repeat(120)], 5),
  oneOf("./", "/", ".", "a/", "./a", "//a", "a//", "../a"),
);
const number = fc.oneof(fc.nat(5), fc.constantFrom(0o777777, 0o7777777, 0o10000000, 2 ** 31), fc.nat(2 ** 31));
const header = fc.record(
  {
    name: name.filter((text) => text !== ""),
    type: fc.constantFrom<WriteHeader["type"]>("0", "0", "\0", "1", "2", "3", "4", "5", "6"),
    mode: fc.oneof(fc.nat(0o7777), fc.constantFrom(0o100644, 0o40755, 0o120777, 0o20600)),
    uid: number,
    gid: number,
    mtime: fc.oneof(fc.nat(5), fc.constantFrom(1400000000, 2 ** 31, 2 ** 33 - 1, 2 ** 33)),
    mtimeNs: fc.constantFrom(0, 0, 5, 999_999_999),
    uname: oneOf("", "root", "é", "u".repeat(31)),
    gname: oneOf("", "root", "wheel"),
    linkname: fc.oneof(oneOf("", "a", "/x", "../y"), name),
    devMajor: fc.nat(300),
    devMinor: fc.nat(300),
    content: oneOf("", "", "hello\n", "x".repeat(511), "y".repeat(512), "z".repeat(1025)),
  },
  { requiredKeys: ["name", "type", "mode", "uid", "gid", "mtime", "content"] },
);

type Entry = Omit<WriteHeader, "size"> & { readonly content: string };

function blocks({ content, ...entry }: Entry): Buffer {
  // With a slash at its end it is a directory to us, as to GNU tar: what comes behind it is no content.
  const isFile = (entry.type === "0" || entry.type === "\0") && !entry.name.endsWith("/");
  const bytes = isFile ? Buffer.from(content) : Buffer.alloc(0);
  const bytesOf = (text: string | undefined) => (text === undefined ? {} : { text: fromText(text) });
  const texts = {
    name: fromText(entry.name),
    uname: bytesOf(entry.uname).text ?? "",
    gname: bytesOf(entry.gname).text ?? "",
    linkname: bytesOf(entry.linkname).text ?? "",
  };
  return Buffer.concat([
    encodeHeader({ ...entry, ...texts, size: bytes.length }, 1),
    bytes,
    Buffer.alloc(paddingOf(bytes.length)),
  ]);
}

/** A byte of a name changed, a byte that the checksum does not fit, or the end cut off. Of other fields each reads what it needs. */
const damage = fc.oneof(
  { weight: 6, arbitrary: fc.constant((archive: Buffer) => archive) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.oneof(fc.nat(99), fc.integer({ min: 157, max: 256 })),
        fc.constantFrom(0, 0x20, 0x2f, 0x30, 0x37, 0x38, 0x41, 0xff),
      )
      .map(
        ([at, byte]) =>
          (archive: Buffer) =>
            mended(archive, at, byte),
      ),
  },
  { weight: 1, arbitrary: fc.nat(2000).map((length) => (archive: Buffer) => archive.subarray(0, length)) },
  {
    weight: 1,
    arbitrary: fc
      .nat(511)
      .map(
        (at) => (archive: Buffer) =>
          Buffer.concat([archive.subarray(0, at), Buffer.from("?"), archive.subarray(at + 1)]),
      ),
  },
);

const CHECKSUM = 148;

function mended(archive: Buffer, at: number, byte: number): Buffer {
  if (archive.length === 0) return archive;
  const copy = Buffer.from(archive);
  copy[at] = byte;
  copy.fill(0x20, CHECKSUM, CHECKSUM + 8);
  const sum = copy.subarray(0, 512).reduce((a, b) => a + b, 0);
  copy.write(`${sum.toString(8).padStart(6, "0")}\0 `, CHECKSUM, "latin1");
  return copy;
}

const inputs = fc
  .tuple(fc.array(header, { maxLength: 4 }), fc.boolean(), damage, oneOf("", "{}", "é"))
  .map(([entries, whole, change, Extra]): Input => {
    const intact = Buffer.concat([...entries.map(blocks), ...(whole ? [TRAILER] : [])]);
    const archive = change(intact);
    return { Archive: archive.toString("base64"), Extra, Cut: archive.length < intact.length };
  });

async function sumOf({ Archive, Extra }: Input): Promise<unknown> {
  const bytes = Buffer.from(Archive, "base64");
  const source = (async function* () {
    yield bytes;
  })();
  const sum = new TarSum(host, source, { disableCompression: true });
  for await (const _ of sum);
  const sums = [...sum.getSums()].map(([name, hex]) => [Buffer.from(name, "latin1").toString(), hex]);
  return { sum: sum.sum(Extra), sums: Object.fromEntries(sums) };
}

export const tarsums = [
  subject<Input>({
    name: "tarsum",
    inputs,
    records: 34,
    // Which field of a header is wrong is said by us alone.
    anyError: true,
    differs: ({ Cut }, original) =>
      Cut && "ok" in original ? "the original does not notice every missing end" : undefined,
    ours: sumOf,
  }),
];
