/**
 * Hashes without help of the runtime: the same in Node and in a page.
 *
 * @module
 */

import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Hasher } from "../host.ts";

const ALGORITHMS = { sha256, sha1, md5 };

/** Starts a hash. */
export function pureHash(algorithm: "sha256" | "sha1" | "md5"): Hasher {
  const hash = ALGORITHMS[algorithm].create();
  const hasher: Hasher = {
    update(chunk) {
      hash.update(typeof chunk === "string" ? utf8ToBytes(chunk) : chunk);
      return hasher;
    },
    hex: () => bytesToHex(hash.digest()),
  };
  return hasher;
}
