/**
 * The head of an HTTP/1.1 request, read as strictly as Node's parser reads it.
 *
 * @module
 */

/** Longest head, bytes; Node's default. */
export const MAX_HEAD_BYTES = 16 * 1024;

const METHODS = (
  "DELETE GET HEAD POST PUT CONNECT OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND " +
  "UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PATCH PURGE MKCALENDAR LINK UNLINK " +
  "SOURCE QUERY"
).split(" ");

/** Of several headers of one of these names, the first counts; those of other names are joined. */
const SINGLE = new Set(
  (
    "age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since " +
    "last-modified location max-forwards proxy-authorization referer retry-after server user-agent"
  ).split(" "),
);

/** What arrived is no HTTP. */
export class HttpParseError extends Error {
  readonly code: string;
  /** What had arrived. */
  rawPacket: Uint8Array = new Uint8Array(0);

  /** @param code - as Node calls it: `HPE_INVALID_METHOD` */
  constructor(code: string, text: string) {
    super(`Parse Error: ${text}`);
    this.name = "Error";
    this.code = code;
  }
}

/** How the end of a body is known. */
export type Framing = { readonly kind: "length"; readonly length: number } | { readonly kind: "chunked" };

/** Everything before the body. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly minor: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly framing: Framing;
  /** Whether the client is ready for another answer on this connection. */
  readonly keepAlive: boolean;
  /** Whether it asks for another protocol. */
  readonly upgrade: boolean;
}

/** Looks at the first bytes of a head that is not complete: garbage is noticed before it ends. */
export function checkStart(text: string): void {
  const method = text.split(" ", 1)[0] ?? "";
  const fits = text.includes(" ") ? METHODS.includes(method) : METHODS.some((known) => known.startsWith(method));
  if (!fits) throw new HttpParseError("HPE_INVALID_METHOD", "Invalid method encountered");
}

function parseRequestLine(line: string): { method: string; url: string; minor: number } {
  checkStart(line);
  const match = /^([A-Z-]+) ([^ ]+) HTTP\/(\d)\.(\d)$/.exec(line);
  if (!match) {
    const target = line.split(" ")[1] ?? "";
    if (target === "") throw new HttpParseError("HPE_INVALID_URL", "Unexpected start char in url");
    throw new HttpParseError("HPE_INVALID_CONSTANT", "Expected HTTP/");
  }
  const [, method = "", url = "", major, minor] = match;
  if (/[\x00-\x20\x7f]/.test(url) || !/^([/*]|[A-Za-z]+:\/\/)/.test(url)) {
    throw new HttpParseError("HPE_INVALID_URL", "Invalid characters in url");
  }
  if (`${major}.${minor}` !== "1.1" && `${major}.${minor}` !== "1.0") {
    throw new HttpParseError("HPE_INVALID_VERSION", "Invalid HTTP version");
  }
  return { method, url, minor: Number(minor) };
}

function parseHeaders(lines: readonly string[]): [string, string][] {
  return lines.map((line) => {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/s.exec(line);
    if (!match) throw new HttpParseError("HPE_INVALID_HEADER_TOKEN", "Invalid header token");
    const [, name = "", value = ""] = match;
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
      throw new HttpParseError("HPE_INVALID_HEADER_TOKEN", "Invalid header value char");
    }
    return [name, value];
  });
}

function joined(pairs: readonly [string, string][]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [raw, value] of pairs) {
    const name = raw.toLowerCase();
    const before = headers[name];
    if (name === "set-cookie") headers[name] = [...(Array.isArray(before) ? before : []), value];
    else if (before === undefined) headers[name] = value;
    else if (!SINGLE.has(name)) headers[name] = `${before}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return headers;
}

function framingOf(pairs: readonly [string, string][]): Framing {
  const values = (wanted: string) => pairs.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  const lengths = values("content-length");
  const encodings = values("transfer-encoding");
  if (lengths.length > 1) throw new HttpParseError("HPE_UNEXPECTED_CONTENT_LENGTH", "Content-Length already present");
  if (lengths.length > 0 && encodings.length > 0) {
    throw new HttpParseError("HPE_INVALID_TRANSFER_ENCODING", "Transfer-Encoding can't be present with Content-Length");
  }
  if (encodings.length > 0) {
    if (/(^|[, ])chunked$/i.test(encodings.at(-1) ?? "")) return { kind: "chunked" };
    throw new HttpParseError("HPE_INVALID_TRANSFER_ENCODING", "Request has invalid `Transfer-Encoding`");
  }
  const [length = "0"] = lengths;
  if (!/^\d+$/.test(length) || !Number.isSafeInteger(Number(length))) {
    throw new HttpParseError("HPE_INVALID_CONTENT_LENGTH", "Invalid character in Content-Length");
  }
  return { kind: "length", length: Number(length) };
}

/**
 * Reads a head.
 *
 * @param text - the head without its empty line, one character a byte
 * @throws {HttpParseError} with Node's code
 */
export function parseHead(text: string): RequestHead {
  const [first = "", ...rest] = text.split("\r\n");
  const { method, url, minor } = parseRequestLine(first);
  const pairs = parseHeaders(rest);
  const headers = joined(pairs);
  const connection = String(headers["connection"] ?? "").toLowerCase();
  const options = connection.split(",").map((option) => option.trim());
  return {
    method,
    url,
    minor,
    headers,
    rawHeaders: pairs.flat(),
    framing: framingOf(pairs),
    keepAlive: minor === 1 ? !options.includes("close") : options.includes("keep-alive"),
    upgrade: method === "CONNECT" || (options.includes("upgrade") && headers["upgrade"] !== undefined),
  };
}
