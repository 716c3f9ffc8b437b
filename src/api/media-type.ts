/**
 * Reads media types as Go's `mime.ParseMediaType` does, with its error texts.
 *
 * @module
 */

/** `text/plain; charset=utf-8` taken apart. */
export interface MediaType {
  /** Lower case, without parameters. */
  readonly type: string;
  /** By name in lower case. */
  readonly params: ReadonlyMap<string, string>;
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;
const quoted = /^"((?:[^"\\\r\n]|\\[^\r\n])*)"/;

/**
 * Takes a Content-Type header apart.
 *
 * @throws Error with Go's text when it is malformed or names a parameter twice
 */
export function parseMediaType(header: string): MediaType {
  const semicolon = header.indexOf(";");
  const type = (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  checkType(type);
  const params = new Map<string, string>();
  let rest = semicolon < 0 ? "" : header.slice(semicolon).trimStart();
  while (rest !== "") {
    const found = readParameter(rest);
    if (found === undefined) {
      // A semicolon that nothing follows is common, and forgiven.
      if (rest.trim() === ";") break;
      throw new Error("mime: invalid media parameter");
    }
    if (params.has(found.name)) throw new Error("mime: duplicate parameter name");
    params.set(found.name, found.value);
    rest = found.rest;
  }
  return { type, params };
}

function checkType(type: string): void {
  const [major = ""] = token.exec(type) ?? [];
  if (major === "") throw new Error("mime: no media type");
  const rest = type.slice(major.length);
  if (rest === "") return;
  if (!rest.startsWith("/")) throw new Error("mime: expected slash after first token");
  const [minor = ""] = token.exec(rest.slice(1)) ?? [];
  if (minor === "") throw new Error("mime: expected token after slash");
  if (rest.length > minor.length + 1) throw new Error("mime: unexpected content after media subtype");
}

function readParameter(text: string): { name: string; value: string; rest: string } | undefined {
  const body = text.replace(/^;\s*/, "");
  const [name = ""] = token.exec(body) ?? [];
  const afterName = body.slice(name.length).trimStart();
  if (body === text || name === "" || !afterName.startsWith("=")) return undefined;
  const source = afterName.slice(1).trimStart();
  const string = quoted.exec(source);
  const value = string === null ? token.exec(source)?.[0] : (string[1] ?? "").replace(/\\(.)/g, "$1");
  if (value === undefined) return undefined;
  const used = string === null ? value.length : string[0].length;
  return { name: name.toLowerCase(), value, rest: source.slice(used).trimStart() };
}
