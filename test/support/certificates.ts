/**
 * Certificates for tests: an authority, and what it signs.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";

/** A certificate and its key, in PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

const common = { keyType: "ec", algorithm: "sha256" } as const;

/** Makes a certificate authority. */
export async function makeAuthority(name: string): Promise<Pair> {
  const made = await generate([{ name: "commonName", value: name }], {
    ...common,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, digitalSignature: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** Has the authority sign a certificate for `localhost` and these addresses. @param until - default: a year from now */
export async function sign(ca: Pair, name: string, addresses: readonly string[] = [], until?: Date): Promise<Pair> {
  const made = await generate([{ name: "commonName", value: name }], {
    ...common,
    ca,
    ...(until && { notBeforeDate: new Date(until.getTime() - 86_400_000), notAfterDate: until }),
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          ...["127.0.0.1", ...addresses].map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** Writes `ca.pem`, `cert.pem` and `key.pem` into a directory of their own, where both clients look for them. @returns it */
export function writeCertificates(dir: string, ca: Pair, pair?: Pair): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "ca.pem"), ca.cert);
  if (pair) {
    writeFileSync(join(dir, "cert.pem"), pair.cert);
    writeFileSync(join(dir, "key.pem"), pair.key, { mode: 0o600 });
  }
  return dir;
}
