/**
 * A flag that holds an IP address.
 *
 * @origin opts/ip.go
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import type { FlagHandle, FlagSet, Value } from "../pkg/mflag/mflag.ts";
import { parseIP } from "../pkg/net/ip.ts";

/** @origin opts/ip.go IpOpt */
export class IpOpt implements Value {
  #ip: string;

  /** @param initial - the default; a text that is no address leaves the flag without one */
  constructor(initial: string) {
    this.#ip = parseIP(initial) ?? "<nil>";
  }

  /** The address in canonical form. */
  toString(): string {
    return this.#ip;
  }

  /** @throws {BadRequestError} for anything but an address @origin opts/ip.go (*IpOpt).Set */
  set(text: string): void {
    const ip = parseIP(text);
    if (ip === undefined) throw new BadRequestError(`${text} is not an ip address`);
    this.#ip = ip;
  }
}

/** Declares an address. @origin opts/opts.go IPVar */
export function ipVar(fs: FlagSet, names: readonly string[], initial: string, usage: string): FlagHandle<IpOpt> {
  return fs.var(new IpOpt(initial), names, usage);
}
