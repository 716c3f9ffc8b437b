/**
 * Paths, queries and forms, read as Go's `net/url` reads them.
 *
 * @module
 */

import { BadRequestError, SystemError } from "../../errdefs/errdefs.ts";

/** Undoes percent-encoding; bytes that are no UTF-8 become U+FFFD. `undefined`: an escape is broken. */
function percentDecoded(text: string): string | undefined {
  if (!text.includes("%")) return text;
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  const bytes = Buffer.from(text.replace(/[^\0-\x7f]+/g, encodeURIComponent), "latin1");
  let at = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 0x25) {
      bytes[at++] = Number.parseInt(bytes.toString("latin1", i + 1, i + 3), 16);
      i += 2;
    } else {
      bytes[at++] = bytes[i] as number;
    }
  }
  return bytes.toString("utf8", 0, at);
}

/**
 * The path of a request, decoded: `%2F` separates like `/`.
 *
 * @throws {BadRequestError} an escape is broken
 */
export function decodePath(path: string): string {
  const decoded = percentDecoded(path);
  if (decoded === undefined) throw new BadRequestError("400 Bad Request");
  return decoded;
}

/**
 * The shortest path of the same meaning: no `//`, `.` or `..`; a final slash stays.
 *
 * @origin vendor/src/github.com/gorilla/mux/mux.go cleanPath
 */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.length === 0 ? "/" : `/${parts.join("/")}${path.endsWith("/") ? "/" : ""}`;
}

/** Encodes a decoded path for a `Location` header. */
export function encodePath(path: string): string {
  return encodeURIComponent(path).replace(/%(24|26|2B|2C|2F|3A|3B|3D|40)/g, (code) => decodeURIComponent(code));
}

/** Names and values of a query or a form; the first value of a name counts. */
export class Query {
  readonly #values = new Map<string, string[]>();

  /** @throws {SystemError} `invalid URL escape "%zz"`, after everything else was read, as in the original */
  constructor(text: string) {
    this.add(text);
  }

  /** Reads more of the same. */
  add(text: string): void {
    let broken: string | undefined;
    for (const pair of text.split(/[&;]/)) {
      if (pair === "") continue;
      const equals = pair.indexOf("=");
      const [key, value] = equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
      const [name, decoded] = [percentDecoded(key.replaceAll("+", " ")), percentDecoded(value.replaceAll("+", " "))];
      if (name === undefined || decoded === undefined) {
        broken ??= /%(?![0-9a-fA-F]{2}).{0,2}/.exec(pair)?.[0] ?? pair;
        continue;
      }
      const values = this.#values.get(name);
      if (values) values.push(decoded);
      else this.#values.set(name, [decoded]);
    }
    if (broken !== undefined) throw new SystemError(`invalid URL escape ${JSON.stringify(broken)}`);
  }

  /** The first value, or the empty string. */
  get(name: string): string {
    return this.#values.get(name)?.[0] ?? "";
  }

  /** Whether the name is there at all. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** All values of a name. */
  all(name: string): string[] {
    return this.#values.get(name) ?? [];
  }

  /** A switch: everything but empty, `0`, `no`, `false` and `none` is on. @origin engine/env.go (*Env).GetBool */
  bool(name: string): boolean {
    return !["", "0", "no", "false", "none"].includes(this.get(name).trim().toLowerCase());
  }
}
