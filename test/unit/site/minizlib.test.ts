import { randomFillSync } from "node:crypto";
import { deflateRawSync, gunzipSync, gzipSync } from "node:zlib";
import { Gunzip as Real } from "minizlib";
import { describe, expect, test } from "vitest";
import { Gunzip, Gzip } from "../../../book/site/shims/minizlib.ts";

interface Stream {
  on(event: string, listener: (value: never) => void): unknown;
  write(chunk: Buffer): unknown;
  end(): unknown;
}

function inflate(stream: Stream, bytes: Buffer, step: number): { data: Buffer; error: string } {
  const out: Buffer[] = [];
  let error = "";
  stream.on("data", (chunk: Buffer) => out.push(chunk));
  stream.on("error", (cause: Error) => {
    error ||= cause.message.replace(/^zlib: /, "");
  });
  for (let at = 0; at < bytes.length && error === ""; at += step) stream.write(bytes.subarray(at, at + step));
  if (error === "") stream.end();
  return { data: Buffer.concat(out), error };
}

const plain = Buffer.concat([Buffer.from("a layer ".repeat(5000)), randomFillSync(Buffer.alloc(70_000))]);
const packed = gzipSync(plain);
const broken = (at: number) => Buffer.from(packed.map((byte, i) => (i === at ? byte ^ 0xff : byte)));

describe.each([7, 4096, 1 << 20])("the page's gunzip, %d bytes at a time", (step) => {
  test("gives what the engine's gives", () => {
    expect(inflate(new Gunzip(), packed, step).data.equals(plain)).toBe(true);
    expect(inflate(new Gunzip(), packed, step).error).toBe("");
  });

  test.each([
    ["that ends too early", packed.subarray(0, -20)],
    ["with a wrong sum", broken(packed.length - 6)],
    ["with a wrong length", broken(packed.length - 2)],
    ["that is no gzip", Buffer.from("this is a page of HTML, not a layer")],
  ])("complains in the same words about data %s", (_, bytes) => {
    const theirs = inflate(new Real({}) as unknown as Stream, bytes, step).error;
    expect(theirs).not.toBe("");
    expect(inflate(new Gunzip(), bytes, step).error).toBe(theirs);
  });
});

test("several members one behind the other are one stream", () => {
  const two = Buffer.concat([gzipSync("one, "), gzipSync("two")]);
  expect(inflate(new Gunzip(), two, 5).data.toString()).toBe("one, two");
});

test("data without gzip's head is refused", () => {
  expect(inflate(new Gunzip(), deflateRawSync("x"), 100).error).not.toBe("");
});

test.each([7, 4096, 1 << 20])("the page's gzip, %d bytes at a time, is read by zlib, and always the same", (step) => {
  const made = [1, 2].map(() => inflate(new Gzip(), plain, step).data);
  expect(gunzipSync(made[0] ?? "").equals(plain)).toBe(true);
  expect(made[1]?.equals(made[0] ?? Buffer.alloc(0))).toBe(true);
  expect(inflate(new Gzip(), Buffer.alloc(0), step).data.length).toBeGreaterThan(0);
});
