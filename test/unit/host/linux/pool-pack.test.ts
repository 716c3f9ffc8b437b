import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ThreadPool } from "../../../../src/host/linux/pool.ts";

async function* bytes(total: number, chunk = 16_384): AsyncGenerator<Buffer> {
  for (let left = total; left > 0; left -= chunk) yield Buffer.alloc(Math.min(chunk, left));
}

/** A worker that packs by passing on, and tells what it was given. */
const PACKER = `
const { parentPort } = require("node:worker_threads");
let credits, size, waiting, ended, how;
const go = () => {
  while (waiting.length > 0 && credits > 0) {
    const chunk = waiting.shift();
    size += chunk.length;
    credits--;
    parentPort.postMessage({ packed: Buffer.from(chunk) });
    parentPort.postMessage(chunk, [chunk.buffer]);
  }
  if (ended && waiting.length === 0) ended = void parentPort.postMessage({ result: { diffId: "", digest: "", size } });
};
parentPort.on("message", (m) => {
  if (m.pack) { [credits, size, waiting, ended] = [2, 0, [], false]; return; }
  if (m instanceof Uint8Array && m[0] === 66) { parentPort.postMessage({ error: { message: "bad", code: "EBAD" } }); return; }
  if (m.end) ended = true; else if (m.more) credits++; else waiting.push(m);
  go();
});
`;

function packers(): ThreadPool {
  const dir = mkdtempSync(join(tmpdir(), "drydock-pool-"));
  writeFileSync(join(dir, "worker.cjs"), PACKER);
  const pool = new ThreadPool({ workers: 1, script: join(dir, "worker.cjs") });
  onTestFinished(async () => {
    await pool.close();
    rmSync(dir, { recursive: true });
  });
  return pool;
}

test("WorkerPool.pack() hands on what comes of a stream, no faster than it is taken", async () => {
  const pool = packers();
  let [taken, working] = [0, 0];
  const write = async (chunk: Uint8Array) => {
    expect(++working).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    taken += chunk.length;
    working--;
  };
  expect(await pool.pack(bytes(3_000_001), write)).toMatchObject({ size: 3_000_001 });
  expect(taken).toBe(3_000_001);
  expect(await pool.pack(bytes(0), write)).toMatchObject({ size: 0 });
});

test("WorkerPool.pack() ends with whoever fails: the source, the taker, the thread, the caller", async () => {
  const pool = packers();
  const nothing = () => undefined;
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(10);
    throw new Error("no such file");
  }
  await expect(pool.pack(broken(), nothing)).rejects.toThrow("no such file");
  const full = async () => {
    throw new Error("disk full");
  };
  await expect(pool.pack(bytes(1 << 20), full)).rejects.toThrow("disk full");
  async function* bad(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(1 << 20, 66);
  }
  await expect(pool.pack(bad(), nothing)).rejects.toMatchObject({ message: "bad", code: "EBAD" });
  const stop = new AbortController();
  const held = pool.pack(bytes(1 << 24), () => new Promise((resolve) => setImmediate(resolve)), stop.signal);
  stop.abort(new Error("gone"));
  await expect(held).rejects.toThrow("gone");
  expect(await pool.pack(bytes(5), nothing)).toMatchObject({ size: 5 });
});
