/**
 * HTTP as bytes: whatever is to be sent, and what came back of it.
 */

import { connect, type Socket } from "node:net";

/** What came back; `status` 0: nothing that could be read. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Undoes chunked encoding, as far as it came. */
function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n", at);
    const length = end < 0 ? 0 : Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (!(length > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
}

/** Reads an answer out of everything that a connection gave. */
export function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return { status: 0, headers: {}, body: bytes.toString("utf8") };
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const rest = bytes.subarray(end + 4);
  const body = headers["transfer-encoding"] === "chunked" ? unchunked(rest) : rest;
  return { status: Number(first.split(" ")[1]), headers, body: body.toString("utf8") };
}

/** The bytes of a request; a body is announced with its length unless a header says otherwise. */
export function requestBytes(
  method: string,
  path: string,
  options: { headers?: Readonly<Record<string, string>>; body?: string | Buffer } = {},
): Buffer {
  const { headers = {}, body } = options;
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const sized = names.includes("content-length") || names.includes("transfer-encoding");
  const length = body === undefined ? (method === "POST" ? 0 : undefined) : Buffer.byteLength(body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    "Host: localhost",
    "Connection: close",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(sized || length === undefined ? [] : [`Content-Length: ${length}`]),
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), Buffer.from(body ?? "")]);
}

/**
 * Sends bytes over a connection of its own and collects what comes until the other side ends.
 *
 * @param options - `timeoutMs`: how long to wait, then what came so far counts; `meanwhile`: called with the connection
 */
export function sendRaw(
  socketPath: string,
  bytes: Buffer | string,
  options: { timeoutMs?: number; meanwhile?: (socket: Socket) => void } = {},
): Promise<RawAnswer & { timedOut: boolean }> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    const parts: Buffer[] = [];
    let over = false;
    const finish = (timedOut: boolean) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      socket.destroy();
      resolve({ ...parseAnswer(Buffer.concat(parts)), timedOut });
    };
    const timer = setTimeout(() => finish(true), options.timeoutMs ?? 20_000);
    socket.on("connect", () => {
      socket.write(bytes);
      options.meanwhile?.(socket);
    });
    socket.on("data", (data) => parts.push(data));
    socket.on("end", () => finish(false));
    socket.on("close", () => finish(false));
    socket.on("error", () => finish(false));
  });
}
