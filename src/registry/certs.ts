/**
 * Certificates for a registry, in `<directory>/<host[:port]>/`.
 *
 * ```text
 * *.crt           authorities to trust instead of the system's
 * x.cert, x.key   a certificate to show, and its key; several are tried in the order of their names
 * ```
 *
 * @origin registry/registry.go doRequest
 * @module
 */

import { join } from "node:path/posix";
import { isErrno, SystemError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { TlsIdentity } from "../host/net.ts";

/** A host with or without port, and nothing that leads out of the directory. */
const AUTHORITY = /^[A-Za-z0-9.\-[\]:]+$/;

/**
 * Reads what is there for a host.
 *
 * @returns at least one identity to try; the empty one when there is nothing
 * @throws {SystemError} when a certificate has no key or the other way round
 */
export async function loadCertificates(
  fs: Pick<Host["fs"], "readFile" | "readdir">,
  directory: string,
  authority: string,
): Promise<TlsIdentity[]> {
  if (!AUTHORITY.test(authority) || /^\.+$/.test(authority)) return [{}];
  const home = join(directory, authority);
  let names: string[];
  try {
    names = (await fs.readdir(home)).sort();
  } catch (cause) {
    if (!isErrno(cause, "ENOENT", "ENOTDIR")) throw cause;
    return [{}];
  }
  const read = (name: string) => fs.readFile(join(home, name), "utf8");
  const authorities: string[] = [];
  const pairs: { cert: string; key: string }[] = [];
  for (const name of names) {
    if (name.endsWith(".crt")) {
      authorities.push(await read(name));
    } else if (name.endsWith(".cert")) {
      const key = `${name.slice(0, -".cert".length)}.key`;
      if (!names.includes(key)) throw new SystemError(`Missing key ${key} for certificate ${name}`);
      pairs.push({ cert: await read(name), key: await read(key) });
    } else if (name.endsWith(".key")) {
      const cert = `${name.slice(0, -".key".length)}.cert`;
      if (!names.includes(cert)) throw new SystemError(`Missing certificate ${cert} for key ${name}`);
    }
  }
  const ca = authorities.length > 0 ? authorities.join("\n") : undefined;
  return pairs.length === 0 ? [{ ca }] : pairs.map((pair) => ({ ca, ...pair }));
}
