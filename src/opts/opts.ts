/**
 * Flags that may be given many times, and what their values must look like.
 *
 * @origin opts/opts.go
 * @module
 */

import { normalize } from "node:path/posix";
import { validateHost } from "../api/common.ts";
import { BadRequestError } from "../errdefs/errdefs.ts";
import type { FlagHandle, FlagSet, Value } from "../pkg/mflag/mflag.ts";
import { parseIP } from "../pkg/net/ip.ts";
import { partParser } from "../pkg/parsers/parsers.ts";
import { validateMirror } from "./mirror.ts";

/** Checks one value and gives its normal form. @throws {BadRequestError} @origin opts/opts.go ValidatorFctType */
export type Validator = (text: string) => string;

/** The values of a flag that may be given many times, in order. @origin opts/opts.go ListOpts */
export class ListOpts implements Value {
  readonly #values: string[] = [];
  readonly #validator: Validator | undefined;

  /** @param validator - checks each value as it comes; none takes anything */
  constructor(validator?: Validator) {
    this.#validator = validator;
  }

  /** Go's `[a b]`. */
  toString(): string {
    return `[${this.#values.join(" ")}]`;
  }

  /** Checks a value and appends it. @origin opts/opts.go (*ListOpts).Set */
  set(text: string): void {
    this.#values.push(this.#validator === undefined ? text : this.#validator(text));
  }

  /** Removes the first element that is equal. @origin opts/opts.go (*ListOpts).Delete */
  delete(value: string): void {
    const at = this.#values.indexOf(value);
    if (at >= 0) this.#values.splice(at, 1);
  }

  /** The values without repetitions, in the order they came. @origin opts/opts.go (*ListOpts).GetMap */
  getMap(): Set<string> {
    return new Set(this.#values);
  }

  /** The values themselves. @origin opts/opts.go (*ListOpts).GetAll */
  getAll(): string[] {
    return this.#values;
  }

  /** Whether a value was given. @origin opts/opts.go (*ListOpts).Get */
  get(value: string): boolean {
    return this.#values.includes(value);
  }

  /** @origin opts/opts.go (*ListOpts).Len */
  len(): number {
    return this.#values.length;
  }
}

/** Declares a list that takes anything. @origin opts/opts.go ListVar */
export function listVar(fs: FlagSet, names: readonly string[], usage: string): FlagHandle<ListOpts> {
  return fs.var(new ListOpts(), names, usage);
}

/** Declares a list of daemon sockets. @origin opts/opts.go HostListVar */
export function hostListVar(fs: FlagSet, names: readonly string[], usage: string): FlagHandle<ListOpts> {
  return fs.var(new ListOpts(validateHost), names, usage);
}

/** Declares a list of addresses. @origin opts/opts.go IPListVar */
export function ipListVar(fs: FlagSet, names: readonly string[], usage: string): FlagHandle<ListOpts> {
  return fs.var(new ListOpts(validateIPAddress), names, usage);
}

/** Declares a list of DNS search domains. @origin opts/opts.go DnsSearchListVar */
export function dnsSearchListVar(fs: FlagSet, names: readonly string[], usage: string): FlagHandle<ListOpts> {
  return fs.var(new ListOpts(validateDnsSearch), names, usage);
}

/** Declares a list of registry mirrors. @since Docker 1.3 */
export function mirrorListVar(fs: FlagSet, names: readonly string[], usage: string): FlagHandle<ListOpts> {
  return fs.var(new ListOpts(validateMirror), names, usage);
}

const streams = new Set(["stdin", "stdout", "stderr"]);

/** Takes the name of a standard stream in any case. @origin opts/opts.go ValidateAttach */
export function validateAttach(text: string): string {
  const stream = text.toLowerCase();
  if (!streams.has(stream)) throw new BadRequestError("valid streams are STDIN, STDOUT and STDERR.");
  return stream;
}

/** Takes `name:alias`; either may be empty. @origin opts/opts.go ValidateLink */
export function validateLink(text: string): string {
  partParser("name:alias", text);
  return text;
}

/**
 * Takes `/container`, `/host:/container` and `/host:/container:mode`, and cleans the container's path.
 *
 * @origin opts/opts.go ValidatePath
 */
export function validatePath(text: string): string {
  const colon = text.indexOf(":");
  if (text.split(":").length > 3) throw new BadRequestError(`bad format for volumes: ${text}`);
  const inside = text.slice(colon + 1);
  if (!inside.startsWith("/")) throw new BadRequestError(`${inside} is not an absolute path`);
  return text.slice(0, colon + 1) + cleanPath(inside);
}

/** Go's `filepath.Clean`: no trailing slash, no `.` and `..`. */
function cleanPath(path: string): string {
  const clean = normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

/**
 * Completes `NAME` to `NAME=value` from the client's own environment.
 *
 * @origin opts/opts.go ValidateEnv
 */
export function validateEnv(env: Readonly<Record<string, string | undefined>>): Validator {
  return (text) => (text.includes("=") ? text : `${text}=${variable(env, text)}`);
}

/** A variable of an environment, or the empty text. */
export function variable(env: Readonly<Record<string, string | undefined>>, name: string): string {
  return (Object.hasOwn(env, name) ? env[name] : undefined) ?? "";
}

/** Takes an address and gives its canonical text. @origin opts/opts.go ValidateIPAddress */
export function validateIPAddress(text: string): string {
  const ip = parseIP(text.trim());
  if (ip === undefined) throw new BadRequestError(`${text} is not an ip address`);
  return ip;
}

/** Takes a domain for resolv.conf's search list; `.` is the empty one. @origin opts/opts.go ValidateDnsSearch */
export function validateDnsSearch(text: string): string {
  const trimmed = text.replace(/^ +/, "").replace(/ +$/, "");
  return trimmed === "." ? trimmed : validateDomain(trimmed);
}

// A colon may stand before a label or a dot: a slip of 1.2.0, which wrote `(:?` for `(?:` throughout.
const label = "(?::?[a-zA-Z0-9]|:?[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domain = new RegExp(`^(:?${label}(?::?\\.${label})*)\\.?[\\t\\n\\f\\r ]*$`);

function validateDomain(text: string): string {
  const name = /[a-zA-Z]/.test(text) ? domain.exec(text)?.[1] : undefined;
  if (name === undefined) throw new BadRequestError(`${text} is not a valid domain`);
  return name;
}
