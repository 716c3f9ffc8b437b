/**
 * Intel's ISA-L, if this machine has it: undoes gzip in a third of zlib's time.
 *
 * ```text
 * struct inflate_state    0 next_out *   8 avail_out u32   16 next_in *   32 avail_in u32
 * 87368 bytes             21160 block_state u32 (5: the end)   21172 crc_flag u32 (1: gzip, with its header and sum)
 * ```
 *
 * The layout is that of version 2.30 for 64 bits, which the soname stands for. A library that is laid out otherwise
 * fails the trial it is put to before it is used, within memory that is ours.
 *
 * @module
 */

import { type Inflated, InflateError, type InflateFailure, type Inflater } from "../inflater.ts";
import { loadKoffi } from "./libc.ts";

const SONAME = "libisal.so.2";

/** More than the state takes: a trial of another version must not write beyond it. */
const STATE_BYTES = 256 << 10;
/** Places in units of 8 and 4 bytes. */
const [NEXT_OUT, NEXT_IN] = [0 / 8, 16 / 8];
const [AVAIL_OUT, AVAIL_IN, BLOCK_STATE, CRC_FLAG] = [8 / 4, 32 / 4, 21160 / 4, 21172 / 4];
const BLOCK_FINISH = 5;
const ISAL_GZIP = 1;

/** One piece of output: a core's second cache holds it while it is hashed and written. */
const OUTPUT_BYTES = 256 << 10;

const FAILURES: Readonly<Record<number, InflateFailure>> = {
  [-1]: "data",
  [-2]: "data",
  [-3]: "data",
  [-4]: "header",
  [-5]: "header",
  [-6]: "checksum",
};

/** The word `trial`, as gzip 1.12 compresses it. */
const TRIAL = Buffer.from("H4sIAAAAAAAAAyspykzMAQA/XqJ0BQAAAA==", "base64");

interface Library {
  init(state: Uint32Array): void;
  inflate(state: Uint32Array): number;
  address(memory: Uint8Array): bigint;
}

function open(): Library {
  const koffi = loadKoffi();
  const library = koffi.load(SONAME);
  return {
    init: library.func("void isal_inflate_init(void *state)") as Library["init"],
    inflate: library.func("int isal_inflate(void *state)") as Library["inflate"],
    address: koffi.address,
  };
}

class IsalInflater implements Inflater {
  readonly #library: Library;
  readonly #words = new Uint32Array(STATE_BYTES / 4);
  readonly #pointers = new BigUint64Array(this.#words.buffer);
  readonly #output: Buffer;
  readonly #outputAt: bigint;

  constructor(library: Library, outputBytes: number) {
    this.#library = library;
    this.#output = Buffer.allocUnsafeSlow(outputBytes);
    this.#outputAt = library.address(this.#output);
  }

  reset(): void {
    this.#library.init(this.#words);
    this.#words[CRC_FLAG] = ISAL_GZIP;
  }

  inflate(input: Uint8Array): Inflated {
    const words = this.#words;
    const size = this.#output.length;
    this.#pointers[NEXT_IN] = input.length === 0 ? this.#outputAt : this.#library.address(input);
    words[AVAIL_IN] = input.length;
    this.#pointers[NEXT_OUT] = this.#outputAt;
    words[AVAIL_OUT] = size;
    const code = this.#library.inflate(words);
    if (code < 0) throw new InflateError(FAILURES[code] ?? "data");
    const made = size - (words[AVAIL_OUT] as number);
    const ended = words[BLOCK_STATE] === BLOCK_FINISH;
    const used = input.length - (words[AVAIL_IN] as number);
    return { output: this.#output.subarray(0, made), used, ended, more: !ended && made === size };
  }
}

/** Whether the library does what it should, with the memory it is given and no other. */
function isGood(inflater: Inflater): boolean {
  inflater.reset();
  const first = inflater.inflate(TRIAL.subarray(0, 15));
  const text = Buffer.from(first.output).toString();
  const { output, used, ended } = inflater.inflate(TRIAL.subarray(15));
  return first.used === 15 && !first.ended && ended && used === TRIAL.length - 15 && text + output === "trial";
}

/**
 * Loads the library, once for a thread, while its files can still be seen.
 *
 * @param outputBytes - the longest piece of output
 * @returns what inflates, or `undefined` on a machine without it
 */
export function isalInflater(outputBytes = OUTPUT_BYTES): Inflater | undefined {
  if (process.arch !== "x64") return undefined;
  try {
    const inflater = new IsalInflater(open(), outputBytes);
    return isGood(inflater) ? inflater : undefined;
  } catch {
    return undefined;
  }
}
