/**
 * Checksums of what is in an archive, file by file, taken while the archive passes through.
 *
 * ```text
 * archive → TarSum → the same archive, headers written anew, without its end mark
 *             ├─ getSums()   one SHA-256 for each entry: twelve fields of its header, then its content
 *             └─ sum()       one SHA-256 over these, sorted: the order of the entries does not matter
 * ```
 *
 * Compression, extended attributes and fractions of seconds make no difference; owner, mode and time do. What is kept
 * is one piece of the stream, and name and sum of each entry.
 *
 * @origin pkg/tarsum/tarsum.go
 * @module
 */

import { gzip } from "../../archive/compression.ts";
import type { Header } from "../../archive/tar/header.ts";
import { TarParser } from "../../archive/tar/parser.ts";
import { encodeHeader, paddingOf } from "../../archive/tar/writer.ts";
import type { Hasher, Host } from "../../host/host.ts";
import type { Reader } from "../../sync/io.ts";
import type { Logger } from "../log/log.ts";
import { type Part, Parts } from "./parts.ts";

/** Before the digits of a sum; there is no other kind. */
const LABEL = "tarsum+sha256:";
/** How many entries, and how many bytes of their names, an archive may have. */
const MAX_ENTRIES = 1 << 21;
const MAX_NAME_BYTES = 256 << 20;
/** How many bytes of holes: they cost nothing to send, but time to sum. */
const MAX_HOLE_BYTES = 2 ** 37;
/** In the place of the process that writes an extended header: the same archive goes on as the same bytes. */
const NOBODY = 0;
const ZEROS = Buffer.alloc(256 << 10);

/** What summing touches. */
export type TarSumHost = Pick<Host, "hash">;

/** How to sum. */
export interface TarSumOptions {
  /** The archive goes on as it is; otherwise compressed with gzip. */
  readonly disableCompression?: boolean;
  /** Is told all sums when the total is asked for, as 1.2.0 logs them. */
  readonly log?: Pick<Logger, "info">;
}

/**
 * An archive that is summed while somebody reads it. The sums are complete when the reading has come to its end.
 *
 * @origin pkg/tarsum/tarsum.go TarSum
 * @deviation A file with holes goes on as an ordinary one; 1.2.0 writes its content behind a header that promises holes.
 *   The source is read to its end, also behind the archive's, so that a broken compression is noticed. More than two
 *   million entries, or 128 GiB of holes, are refused.
 */
export class TarSum implements Reader {
  readonly #host: TarSumHost;
  readonly #source: Reader;
  readonly #options: TarSumOptions;
  readonly #sums = new Map<string, string>();
  #hash: Hasher | undefined;
  #name = "";
  #size = 0;
  #nameBytes = 0;
  #holeBytes = 0;

  /** @param source - an archive without compression */
  constructor(host: TarSumHost, source: Reader, options: TarSumOptions = {}) {
    this.#host = host;
    this.#source = source;
    this.#options = options;
  }

  /**
   * The archive, summed as it goes. Can be read once.
   *
   * @throws {TarError} for a broken archive
   * @origin pkg/tarsum/tarsum.go (*TarSum).Read
   */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#options.disableCompression === true ? this.#plain() : gzip(this.#plain());
  }

  /**
   * The sum of each entry, in hexadecimal digits, by its name without `./` before and `/` behind. Of entries with the
   * same name the last counts. Names are byte strings (see `archive/byte-string.ts`).
   *
   * @origin pkg/tarsum/tarsum.go (*TarSum).GetSums
   */
  getSums(): ReadonlyMap<string, string> {
    return this.#sums;
  }

  /**
   * The sum of everything: `tarsum+sha256:` and 64 hexadecimal digits.
   *
   * @param extra - goes before the entries: the JSON of an image
   * @origin pkg/tarsum/tarsum.go (*TarSum).Sum
   */
  sum(extra?: Uint8Array | string): string {
    const total = this.#host.hash("sha256");
    if (extra !== undefined) total.update(extra);
    for (const sum of [...this.#sums.values()].sort()) {
      this.#options.log?.info(`-->${sum}<--`);
      total.update(sum);
    }
    const checksum = LABEL + total.hex();
    this.#options.log?.info(`checksum processed: ${checksum}`);
    return checksum;
  }

  async *#plain(): AsyncGenerator<Uint8Array> {
    const parts = new Parts();
    const parser = new TarParser(parts);
    for await (const chunk of this.#source) {
      if (parser.done) continue;
      parser.feed(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      for (const part of parts.take()) yield* this.#pass(part);
    }
    parser.end();
  }

  /** Sums a part, and gives it as it goes on. */
  *#pass(part: Part): Generator<Uint8Array> {
    if ("header" in part) {
      yield this.#begin(part.header);
    } else if ("data" in part) {
      this.#hash!.update(part.data);
      yield part.data;
    } else if ("zeros" in part) {
      this.#holeBytes += part.zeros;
      if (this.#holeBytes > MAX_HOLE_BYTES)
        throw new Error(`Cannot sum the archive: holes of ${this.#holeBytes} bytes`);
      for (let left = part.zeros; left > 0; left -= ZEROS.length) {
        const some = ZEROS.subarray(0, left);
        this.#hash!.update(some);
        yield some;
      }
    } else {
      this.#sums.set(this.#name, this.#hash!.hex());
      const padding = paddingOf(this.#size);
      if (padding > 0) yield ZEROS.subarray(0, padding);
    }
  }

  #begin(header: Header): Buffer {
    this.#name = header.name.replace(/^\.\//, "").replace(/\/$/, "");
    this.#size = header.size;
    this.#nameBytes += this.#name.length;
    if (this.#sums.size >= MAX_ENTRIES || this.#nameBytes > MAX_NAME_BYTES)
      throw new Error(`Cannot sum the archive: it has more than ${MAX_ENTRIES} entries, or too long names`);
    this.#hash = this.#host.hash("sha256").update(Buffer.from(headerText(header), "latin1"));
    const { typeflag, fullMode } = header;
    const type = typeflag === "\0" || typeflag === "7" || typeflag === "g" ? typeflag : header.type;
    return encodeHeader({ ...header, type, mode: fullMode }, NOBODY);
  }
}

/**
 * The fields that are summed, each name directly before its value.
 *
 * @origin pkg/tarsum/tarsum.go (*TarSum).encodeHeader
 */
function headerText(header: Header): string {
  return [
    `name${header.name}`,
    `mode${header.fullMode}`,
    `uid${header.uid}`,
    `gid${header.gid}`,
    `size${header.size}`,
    `mtime${header.mtime}`,
    `typeflag${header.typeflag}`,
    `linkname${header.linkname}`,
    `uname${header.uname}`,
    `gname${header.gname}`,
    `devmajor${header.devMajor}`,
    `devminor${header.devMinor}`,
  ].join("");
}
