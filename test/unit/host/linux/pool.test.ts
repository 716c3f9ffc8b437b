import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ThreadPool } from "../../../../src/host/linux/pool.ts";
import type { UnpackJob } from "../../../../src/host/pool.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

/** A worker of the protocol that counts instead of unpacking; `root` says how it behaves. */
const WORKER = `
const { parentPort, threadId } = require("node:worker_threads");
let job, received = 0, chunks = 0;
parentPort.on("message", (m) => {
  if (m.open) { job = m.open; received = chunks = 0; return; }
  if (m.end) { parentPort.postMessage({ result: { digest: "sha256:" + threadId, diffId: "", size: chunks, received, entries: 0 } }); return; }
  received += m.length; chunks++;
  if (job.root === "/fail") parentPort.postMessage({ error: { message: "archive/tar: invalid tar header", code: "EBADTAR" } });
  else if (job.root === "/throw") throw new Error("out of cheese");
  else if (job.root === "/exit") process.exit(3);
  else if (job.root !== "/silent") parentPort.postMessage(m, [m.buffer]);
});
`;

function poolOf(workers: number): ThreadPool {
  const script = join(temporaryDirectory("drydock-pool-"), "worker.cjs");
  writeFileSync(script, WORKER);
  const pool = new ThreadPool({ workers, script });
  onTestFinished(() => pool.close());
  return pool;
}

const job = (root = "/ok"): UnpackJob => ({ root, whiteouts: "keep", chown: false, compression: "auto" });

async function* bytes(total: number, chunk = 16_384): AsyncGenerator<Buffer> {
  for (let left = total; left > 0; left -= chunk) yield Buffer.alloc(Math.min(chunk, left));
}

test("WorkerPool.unpack() passes every byte on, gathered", async () => {
  const result = await poolOf(1).unpack(job(), bytes(1_000_001));
  expect(result.received).toBe(1_000_001);
  expect(result.size).toBe(4);
});

test("WorkerPool.unpack() leaves the source its chunks", async () => {
  const whole = Buffer.alloc(300_000, 1);
  const result = await poolOf(1).unpack(
    job(),
    (async function* () {
      yield whole;
    })(),
  );
  expect([result.received, whole.length, whole[299_999]]).toEqual([300_000, 300_000, 1]);
});

test("WorkerPool.unpack() does an empty source", async () => {
  expect((await poolOf(1).unpack(job(), bytes(0))).received).toBe(0);
});

test("WorkerPool.unpack() runs more jobs than threads, one after another in the same threads", async () => {
  const pool = poolOf(2);
  const results = await Promise.all(
    Array.from({ length: 6 }, (_, index) => pool.unpack(job(), bytes(100_000 + index))),
  );
  expect(results.map(({ received }) => received)).toEqual([0, 1, 2, 3, 4, 5].map((index) => 100_000 + index));
  expect(new Set(results.map(({ digest }) => digest)).size).toBe(2);
});

test("WorkerPool.unpack() runs no more at once than it has threads", async () => {
  const pool = poolOf(2);
  let open = 0;
  let most = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    most = Math.max(most, ++open);
    yield* bytes(50_000);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
  }
  await Promise.all(Array.from({ length: 5 }, () => pool.unpack(job(), counted())));
  expect(most).toBe(2);
});

test("WorkerPool.unpack() stops asking the source when the thread falls behind", async () => {
  const stop = new AbortController();
  let asked = 0;
  let released = false;
  const full = new Promise<void>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        for (;;) {
          asked += 1 << 20;
          clearTimeout(timer);
          timer = setTimeout(resolve, 100); // nobody asked for a while: the credits are used up
          yield Buffer.alloc(1 << 20);
        }
      } finally {
        released = true;
      }
    }
    poolOf(1)
      .unpack(job("/silent"), source(), stop.signal)
      .catch(() => {});
  });
  await full;
  expect(asked).toBeLessThanOrEqual(16 << 20);
  stop.abort();
  await expect.poll(() => released).toBe(true);
});

test("WorkerPool.unpack() fails as the thread fails", async () => {
  const pool = poolOf(2);
  await expect(pool.unpack(job("/fail"), bytes(1 << 24))).rejects.toMatchObject({
    message: "archive/tar: invalid tar header",
    code: "EBADTAR",
  });
  await expect(pool.unpack(job("/throw"), bytes(1 << 24))).rejects.toThrow("Cannot unpack the layer: out of cheese");
  await expect(pool.unpack(job("/exit"), bytes(1 << 24))).rejects.toThrow("its thread ended before the work was done");
  expect((await pool.unpack(job(), bytes(10))).received).toBe(10);
});

test("WorkerPool.unpack() fails as the source fails, and goes on with the next", async () => {
  const pool = poolOf(1);
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(10);
    throw new Error("connection lost");
  }
  await expect(pool.unpack(job(), broken())).rejects.toThrow("connection lost");
  expect((await pool.unpack(job(), bytes(10))).received).toBe(10);
});

test("WorkerPool.unpack() stops when aborted: at work, in the queue, before it begins", async () => {
  const pool = poolOf(1);
  const stop = new AbortController();
  async function* stalled(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(10);
    await new Promise(() => {});
  }
  const outcomes = Promise.allSettled([
    pool.unpack(job(), stalled(), stop.signal),
    pool.unpack(job(), bytes(10), stop.signal),
  ]);
  const other = pool.unpack(job(), bytes(10));
  stop.abort(new Error("enough"));
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: "rejected", reason: { message: "enough" } });
  await expect(pool.unpack(job(), bytes(10), stop.signal)).rejects.toThrow("enough");
  expect((await other).received).toBe(10);
});

test("WorkerPool says what is wrong when its script is missing", async () => {
  const pool = new ThreadPool({ workers: 1, script: "/no/such/worker.cjs" });
  await expect(pool.unpack(job(), bytes(10))).rejects.toThrow(/Cannot unpack the layer: .*\/no\/such\/worker.cjs/);
});

/** A worker that answers what is looked for; `path` says how it behaves. */
const LOOKER = `
const { parentPort, threadId } = require("node:worker_threads");
let more = 0;
parentPort.on("message", (m) => {
  if (m.more) { more++; if (more === 3) parentPort.postMessage({ result: undefined }); return; }
  const { what, path } = m.look;
  if (path === "/nope") parentPort.postMessage({ error: { message: "lstat /nope: no such file or directory", code: "ENOENT", clean: true } });
  else if (path === "/exit") process.exit(3);
  else if (what === "stat") parentPort.postMessage({ result: { name: String(threadId) } });
  else if (what === "archive") {
    more = 0;
    parentPort.postMessage({ stat: { name: "x" } });
    for (const byte of [1, 2, 3]) parentPort.postMessage(new Uint8Array([byte]));
  }
});
`;

function lookers(): ThreadPool {
  const script = join(temporaryDirectory("drydock-pool-"), "worker.cjs");
  writeFileSync(script, LOOKER);
  const pool = new ThreadPool({ workers: 1, script });
  onTestFinished(() => pool.close());
  return pool;
}

const VIEW = { root: "/c", mounts: [], confine: true };

test("WorkerPool.stat() gives what the thread found, or its failure, and goes on", async () => {
  const pool = lookers();
  const first = await pool.stat(VIEW, "/x");
  await expect(pool.stat(VIEW, "/nope")).rejects.toMatchObject({ code: "ENOENT", message: /no such file/ });
  expect((await pool.stat(VIEW, "/x")).name).toBe(first.name);
  await expect(pool.stat(VIEW, "/exit")).rejects.toThrow("the thread ended before the work was done");
  // A thread whose job failed is not used again.
  expect((await pool.stat(VIEW, "/x")).name).not.toBe(first.name);
});

test("WorkerPool.archive() asks for more only when a chunk is done with", async () => {
  const seen: unknown[] = [];
  let open = 0;
  await lookers().archive(VIEW, "/x", {
    begin: ({ name }) => void seen.push(name),
    write: async ([byte]) => {
      expect(++open).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(byte);
      open--;
    },
  });
  expect(seen).toEqual(["x", 1, 2, 3]);
});

test("WorkerPool.archive() fails with whoever takes the archive, and with the signal", async () => {
  const pool = lookers();
  const begin = () => undefined;
  const gone = () => Promise.reject(new Error("write: broken pipe"));
  await expect(pool.archive(VIEW, "/x", { begin, write: gone })).rejects.toThrow("write: broken pipe");
  const refuse = () => {
    throw new Error("no header any more");
  };
  await expect(pool.archive(VIEW, "/x", { begin: refuse, write: begin })).rejects.toThrow("no header any more");
  const stop = new AbortController();
  const never = new Promise<void>(() => undefined);
  const stopped = pool.archive(
    VIEW,
    "/x",
    { begin: () => stop.abort(new Error("enough")), write: () => never },
    stop.signal,
  );
  await expect(stopped).rejects.toThrow("enough");
  expect((await pool.stat(VIEW, "/x")).name).toMatch(/^\d+$/);
});
