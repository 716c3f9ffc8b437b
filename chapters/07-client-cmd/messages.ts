/**
 * Messages of HTTP out of the bytes of a connection.
 *
 * @module
 */

/** A message as it was on the wire. */
export interface Message {
  /** Request line or status line. */
  readonly first: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Put together again if it came in chunks. */
  readonly body: string;
}

/** The data of a body in chunks; what is incomplete ends it. */
function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = end < 0 ? 0 : Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 4 + size;
  }
}

/** Reads one message. @returns `undefined` for no bytes, and the bytes as text when they are no HTTP */
export function readMessage(bytes: Buffer): Message | string | undefined {
  if (bytes.length === 0) return undefined;
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return bytes.toString("latin1");
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const chunked = headers.some(([name, value]) => /^transfer-encoding$/i.test(name) && /chunked/i.test(value));
  const rest = bytes.subarray(end + 4);
  return { first, headers, body: (chunked ? unchunk(rest) : rest).toString() };
}

/** The value of a header, whatever the case of its name. */
export function headerOf(message: Message, name: string): string | undefined {
  return message.headers.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];
}
