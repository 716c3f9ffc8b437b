import { connect } from "node:net";
import { Duplex } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteSource } from "../../../../src/api/client/byte-source.ts";
import { type Request, roundTrip, writeRequest } from "../../../../src/api/client/http.ts";
import { indent } from "../../../../src/api/client/indent.ts";
import { query } from "../../../../src/api/client/query.ts";
import { unixTime } from "../../../../src/api/client/time.ts";
import { readAll } from "../../../../src/sync/io.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";

/** A connection that gives these pieces and keeps what it is sent. */
function connection(...pieces: (string | Buffer)[]): Duplex & { sent: string } {
  const socket = Object.assign(
    new Duplex({
      read() {
        const next = pieces.shift();
        this.push(next === undefined ? null : Buffer.from(next as string));
      },
      write(chunk, _, done) {
        socket.sent += chunk;
        done();
      },
    }),
    { sent: "" },
  );
  return socket;
}

const get: Request = { method: "GET", target: "/x", hostHeader: "h", headers: [] };

async function body(...pieces: (string | Buffer)[]): Promise<string> {
  const answer = await roundTrip(connection(...pieces), get);
  return (await readAll(answer.body)).toString();
}

test("roundTrip() reads a body of known length, in chunks, and until the end", async () => {
  expect(await body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcde")).toBe("abc");
  expect(await body("HTTP/1.1 200 OK\r\n\r\nabc", "de")).toBe("abcde");
  const chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0a;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  expect(await body(chunked)).toBe("abc0123456789");
  expect(await body("HTTP/1.1 204 No Content\r\n\r\nnot a body")).toBe("");
  expect(await body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\r\nContent-Length: 1\r\n\r\nx")).toBe("x");
});

test("roundTrip() reads the same from any division into packets", async () => {
  const payload = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(payload, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), async (chunks, sizes) => {
      const wire = Buffer.concat([
        Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ...chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]),
        Buffer.from("0\r\n\r\n"),
      ]);
      const packets: Buffer[] = [];
      for (let at = 0, i = 0; at < wire.length; i++) {
        const size = sizes[i % sizes.length] as number;
        packets.push(wire.subarray(at, at + size));
        at += size;
      }
      const answer = await roundTrip(connection(...packets), get);
      expect((await readAll(answer.body)).equals(Buffer.concat(chunks))).toBe(true);
    }),
  );
});

test.each([
  ["", "EOF"],
  ["SSH-2.0-OpenSSH\r\n", 'malformed HTTP response "SSH-2.0-OpenSSH"'],
  ["\x15\x03\x01\x00\x02\x02\x16", 'malformed HTTP response "\\x15\\x03\\x01\\x00\\x02\\x02\\x16"'],
  ["HTTP/1.1 200 OK\r\nA: b\r\n", "unexpected EOF"],
  ["HTTP/1.1 200 OK\r\n: b\r\n\r\n", "malformed MIME header line: : b"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", "unexpected EOF"],
  ["HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nabc", 'bad Content-Length "-4"'],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "malformed chunked encoding"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", "malformed chunked encoding"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", "unexpected EOF"],
])("roundTrip() refuses %j", async (wire, message) => {
  await expect(body(wire)).rejects.toThrow(message);
});

test("roundTrip() does not read a head without end", async () => {
  const line = `x: ${"y".repeat(1000)}\r\n`;
  await expect(body("HTTP/1.1 200 OK\r\n", ...Array.from({ length: 2000 }, () => line))).rejects.toThrow(
    "its head is longer",
  );
  await expect(body("HTTP/1.1 200 OK\r\n", ...Array.from({ length: 200 }, () => "y".repeat(1000)))).rejects.toThrow(
    "a line is longer",
  );
});

test("roundTrip() takes an answer that comes before the body was sent", async () => {
  await using daemon = await FakeDaemon.start({});
  const server = connect({ path: daemon.path, allowHalfOpen: true });
  const endless = (async function* () {
    yield Buffer.from("GET is not read to its end");
    await new Promise(() => {});
  })();
  const early = connection("HTTP/1.1 500 no\r\nContent-Length: 2\r\n\r\nno");
  const answer = await roundTrip(early, { ...get, method: "POST", body: endless });
  expect(answer.status).toBe(500);
  answer.close();
  server.destroy();
});

test("writeRequest() sends text with its length and a stream in chunks", async () => {
  const text = connection();
  await writeRequest(text, { ...get, method: "POST", body: "é", headers: [["A", "b"]] });
  expect(text.sent).toBe("POST /x HTTP/1.1\r\nHost: h\r\nA: b\r\nContent-Length: 2\r\n\r\né");
  const stream = connection();
  const pieces = (async function* () {
    yield Buffer.from("abc");
    yield Buffer.alloc(0);
    yield Buffer.from("0123456789abcdef");
  })();
  await writeRequest(stream, { ...get, method: "POST", body: pieces });
  expect(stream.sent).toBe(
    "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n",
  );
});

test("writeRequest() lets no name become a header or a second request", async () => {
  const socket = connection();
  await expect(writeRequest(socket, { ...get, target: "/x\r\nX-Evil: 1" })).rejects.toThrow("has a line break");
  await expect(writeRequest(socket, { ...get, headers: [["A", "b\nC: d"]] })).rejects.toThrow("has a line break");
  expect(socket.sent).toBe("");
  await writeRequest(socket, { ...get, target: "/containers/a b/é" });
  expect(socket.sent).toMatch(/^GET \/containers\/a%20b\/%C3%A9 HTTP\/1\.1\r\n/);
});

test("ByteSource gives back what was read too far", async () => {
  const source = new ByteSource(connection("a\r\nb\nc", "d"));
  expect([await source.line(99), await source.line(99)]).toEqual(["a", "b"]);
  source.unread(Buffer.from("X"));
  expect((await source.next())?.toString()).toBe("Xc");
  expect((await readAll(source.rest())).toString()).toBe("d");
  expect(await source.line(99)).toBeUndefined();
});

test("query() sorts and escapes as Go's url.Values does", () => {
  expect(query({})).toBe("");
  expect(query({ z: "a b+c", a: "~x-y_z.", é: "/:*'()!", none: undefined, n: 1 })).toBe(
    "?a=~x-y_z.&n=1&z=a+b%2Bc&%C3%A9=%2F%3A%2A%27%28%29%21",
  );
});

test("indent() changes white space and nothing else", () => {
  expect(indent(' {"a" : [1.50,{},"x,y:{}\\""] , "b":{"c":null}}\n')).toBe(
    '{\n    "a": [\n        1.50,\n        {},\n        "x,y:{}\\""\n    ],\n    "b": {\n        "c": null\n    }\n}\n',
  );
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(JSON.parse(indent(text))).toEqual(JSON.parse(text));
    }),
  );
  expect(() => indent("{bad")).toThrow("invalid character 'b' looking for beginning of object key string");
  expect(() => indent("")).toThrow("unexpected end of JSON input");
});

test.each([
  ["2014-08-20T20:20:14", 1408566014],
  ["2014-08-20T20:20:14.5", 1408566014],
  ["2014-08-20", 1408492800],
  ["2014", 1388534400],
])("unixTime() reads %s in the local zone", (text, seconds) => {
  const now = Date.parse("2014-08-20T00:00:00Z");
  expect(unixTime(text, now)).toBe(seconds + new Date(now).getTimezoneOffset() * 60);
});

test("unixTime() reads a zone only where the layout has one, and refuses what Go refuses", () => {
  expect(unixTime("2014-08-20T20:20:14.123456789+02:00", 0)).toBe(1408558814);
  expect(unixTime("2014-08-20T20:20:14.123456789Z", 0)).toBe(1408566014);
  for (const text of [
    "2014-08-20T20:20:14Z",
    "1408565614",
    "2014-02-30",
    "2014-13",
    "x",
    "2014-08-20T25",
    "2014-08-20T20:20:14.",
  ]) {
    expect(unixTime(text, 0)).toBeUndefined();
  }
});
