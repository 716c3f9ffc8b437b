/**
 * The certificates of the client.
 *
 * @origin docker/docker.go
 * @article 003/s4
 * @module
 */

import { pathErrorText } from "../errdefs/errno-text.ts";
import type { Host } from "../host/host.ts";
import type { TlsIdentity } from "../host/net.ts";

/** The flags that decide about TLS. */
export interface TlsFlags {
  readonly tls: { readonly value: boolean };
  readonly tlsVerify: { readonly value: boolean };
  /** Paths of PEM files. */
  readonly ca: { readonly value: string };
  readonly cert: { readonly value: string };
  readonly key: { readonly value: string };
}

/**
 * What the client shows the daemon, and whether it checks the daemon's certificate.
 *
 * A client certificate is sent when both of its files are there; without `--tlsverify` nothing is checked.
 *
 * @returns `undefined` when no flag asks for TLS
 * @throws Error when a file cannot be used
 * @origin docker/docker.go main
 * @article 003/s4
 */
export async function clientTls(
  host: Pick<Host, "fs">,
  flags: TlsFlags,
): Promise<(TlsIdentity & { verify: boolean }) | undefined> {
  const verify = flags.tlsVerify.value;
  if (!flags.tls.value && !verify) return undefined;
  const ca = verify ? await readCa(host, flags.ca.value) : undefined;
  return { ca, verify, ...(await readPair(host, flags.cert.value, flags.key.value)) };
}

async function readCa({ fs }: Pick<Host, "fs">, path: string): Promise<string> {
  try {
    return await fs.readFile(path, "utf8");
  } catch (cause) {
    throw new Error(`Couldn't read ca cert ${path}: ${pathErrorText("open", path, cause)}`, { cause });
  }
}

async function readPair({ fs }: Pick<Host, "fs">, certPath: string, keyPath: string): Promise<TlsIdentity> {
  try {
    await Promise.all([fs.stat(certPath), fs.stat(keyPath)]);
  } catch {
    return {};
  }
  const fail = (what: string, cause?: unknown): never => {
    throw new Error(`Couldn't load X509 key pair: ${what}. Key encrypted?`, { cause });
  };
  const read = (path: string) =>
    fs.readFile(path, "utf8").catch((cause: unknown) => fail(pathErrorText("open", path, cause), cause));
  const cert = await read(certPath);
  const key = await read(keyPath);
  if (!cert.includes("-----BEGIN CERTIFICATE-----")) fail("crypto/tls: failed to parse certificate PEM data");
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) fail("crypto/tls: failed to parse key PEM data");
  if (/ENCRYPTED/.test(key)) fail("crypto/tls: failed to parse private key");
  return { cert, key };
}
