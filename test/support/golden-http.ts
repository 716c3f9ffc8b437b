/** One HTTP exchange, byte by byte, over a connection of its own. */

import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import type { GoldenRecord, GoldenRequest, TarEntry } from "./golden.ts";
import { frame } from "./websocket.ts";

/** What came back; `status` 0: nothing. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

const IDLE_MS = 400;
const PATIENCE_MS = 2_000;
const LIMIT_MS = 60_000;

/** The bytes of a body. */
/** The bytes of a recorded body, and the type that goes with them. */
export async function bodyBytes(
  body: GoldenRequest["body"],
  files: (name: string) => Buffer,
): Promise<{ bytes: Buffer; type?: string }> {
  if (body === undefined) return { bytes: Buffer.alloc(0) };
  if (typeof body === "string") return { bytes: Buffer.from(body) };
  if (typeof body === "object" && body !== null) {
    if ("$file" in body) return { bytes: files(String(body["$file"])) };
    if ("$base64" in body) return { bytes: Buffer.from(String(body["$base64"]), "base64") };
    if ("$tar" in body) {
      const bytes = await tarBytes(body["$tar"] as TarEntry[]);
      return { bytes: "gzip" in body && body["gzip"] ? gzipSync(bytes) : bytes };
    }
  }
  return { bytes: Buffer.from(JSON.stringify(body)), type: "application/json" };
}

async function tarBytes(entries: TarEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, type = "file", mode = 0o644, content = "", link } of entries) {
    const kind = type === "dir" ? "directory" : type;
    const header = { name, mode, uid: 0, gid: 0, mtime: new Date(1_400_000_000_000), type: kind as "file" };
    archive.entry(link === undefined ? header : { ...header, linkname: link }, Buffer.from(content, "latin1"));
  }
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Undoes chunked encoding. `done`: the last chunk is there. */
function unchunked(bytes: Buffer): { body: Buffer; done: boolean } {
  const parts: Buffer[] = [];
  let at = 0;
  while (true) {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) return { body: Buffer.concat(parts), done: false };
    const length = Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (length === 0) return { body: Buffer.concat(parts), done: true };
    parts.push(bytes.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
    if (at > bytes.length) return { body: Buffer.concat(parts), done: false };
  }
}

/** What has arrived, as far as it can be understood. */
function parse(bytes: Buffer, method: string): { answer: Answer; complete: boolean } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const at = line.indexOf(":");
    const name = line.slice(0, at).toLowerCase();
    const value = Buffer.from(line.slice(at + 1).trim(), "latin1").toString("utf8");
    headers[name] = value; // the last of several, as in the records
  }
  const status = Number(first.split(" ")[1]);
  const rest = bytes.subarray(end + 4);
  if (headers["transfer-encoding"] === "chunked") {
    const { body, done } = unchunked(rest);
    return { answer: { status, headers, body }, complete: done };
  }
  const length = headers["content-length"];
  const none = method === "HEAD" || status === 204 || status === 304;
  const complete = none || (length !== undefined && rest.length >= Number(length));
  return { answer: { status, headers, body: rest }, complete };
}

/**
 * Sends a request and collects the answer: until it is complete, until the connection ends, or, where the recorded
 * client gave up too, until nothing more comes.
 */
export async function exchange(
  socketPath: string,
  request: GoldenRequest,
  files: (name: string) => Buffer,
  expected: GoldenRecord["response"],
): Promise<Answer> {
  const { bytes, type } = await bodyBytes(request.body, files);
  const lines = [`${request.method} ${request.path} HTTP/1.1`, "Host: localhost"];
  const headers = { ...(type === undefined ? {} : { "Content-Type": type }), ...request.headers };
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  const sized = ["POST", "PUT", "PATCH"].includes(request.method) || request.body !== undefined;
  if (request.chunked) lines.push("Transfer-Encoding: chunked");
  else if (sized) lines.push(`Content-Length: ${bytes.length}`);
  const upgrading = request.headers?.["Upgrade"] === "websocket";
  if (upgrading) {
    lines.push("Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
  }
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
  const body = request.chunked
    ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n0\r\n\r\n")])
    : bytes;

  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    let all = Buffer.alloc(0);
    let hijacked = false;
    let idle: NodeJS.Timeout | undefined;
    const limit = setTimeout(() => finish(), expected.status === null ? PATIENCE_MS : LIMIT_MS);
    const finish = () => {
      clearTimeout(limit);
      clearTimeout(idle);
      socket.destroy();
      resolve(parse(all, request.method)?.answer ?? { status: 0, headers: {}, body: all });
    };
    const onHead = async () => {
      hijacked = true;
      if (request.afterHijack !== undefined) {
        const [method = "", path = ""] = request.afterHijack.split(" ");
        await exchange(socketPath, { method, path }, files, { ...expected, status: 204 });
      }
      if (upgrading) {
        if (request.stdin !== undefined) socket.write(frame(1, request.stdin));
        return;
      }
      if (request.stdin !== undefined) socket.write(request.stdin);
      if (request.stdinHalfClose || request.stdin === undefined) socket.end();
    };
    socket.on("connect", () => socket.write(Buffer.concat([head, body])));
    socket.on("data", (data) => {
      all = Buffer.concat([all, data]);
      const parsed = parse(all, request.method);
      if (parsed?.complete) return finish();
      const { headers: answered = {}, status } = parsed?.answer ?? {};
      const raw = answered["content-type"] === "application/vnd.docker.raw-stream" || (upgrading && status === 101);
      if (raw && !hijacked) void onHead();
      if (expected.endedBy !== undefined && parsed) {
        clearTimeout(idle);
        idle = setTimeout(finish, IDLE_MS * 3);
      }
      return undefined;
    });
    socket.on("end", finish);
    socket.on("error", (cause) => {
      clearTimeout(limit);
      clearTimeout(idle);
      if (all.length > 0) resolve(parse(all, request.method)?.answer ?? { status: 0, headers: {}, body: all });
      else reject(cause);
    });
  });
}
