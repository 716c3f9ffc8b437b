import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { isErrno } from "../../../../src/errdefs/errdefs.ts";
import { linuxExec } from "../../../../src/host/linux/exec.ts";
import { linuxKernel as kernel } from "../../../../src/host/linux/kernel.ts";

const exec = linuxExec(process.env);

/** Starts `script` `count` times as grandchildren whose parents are gone; what remains is ours by adoption. */
async function orphans(script: string, count = 1): Promise<number[]> {
  kernel.becomeSubreaper();
  const all = `i=0; while [ $i -lt ${count} ]; do (${script}) >/dev/null 2>&1 & echo $!; i=$((i+1)); done`;
  const { stdout } = await exec.run("sh", ["-c", all]);
  return stdout.toString().trim().split("\n").map(Number);
}

test("waitPid() gives the exit code of an adopted process", async () => {
  const [pid] = await orphans("sleep 0.05; exit 7");
  expect(await kernel.waitPid(pid!)).toEqual({ code: 7, signal: undefined });
});

test("waitPid() gives the signal that ended it", async () => {
  const [pid] = await orphans("exec sleep 60");
  const end = kernel.waitPid(pid!);
  expect(kernel.kill(pid!, 9)).toBe(true);
  expect(await end).toEqual({ code: undefined, signal: 9 });
});

test("waitPid() answers a caller who comes after the end", async () => {
  const [first] = await orphans("sleep 0.02; exit 3");
  // The second ends after the first: once it is reaped, the first one's end has been seen too.
  const [second] = await orphans("sleep 0.1; exit 4");
  expect(await kernel.waitPid(second!)).toEqual({ code: 4, signal: undefined });
  expect(await kernel.waitPid(first!)).toEqual({ code: 3, signal: undefined });
});

test("waitPid() answers every caller of one process", async () => {
  const [pid] = await orphans("sleep 0.05; exit 5");
  const ends = await Promise.all([kernel.waitPid(pid!), kernel.waitPid(pid!)]);
  expect(ends).toEqual([
    { code: 5, signal: undefined },
    { code: 5, signal: undefined },
  ]);
});

test("waitPid() keeps 200 apart that end at once, beside 50 children of our own", async () => {
  // They must outlive the shell that starts them, also on a busy machine.
  const pids = await orphans("sleep 1; exit $((i % 100))", 200);
  const ends = pids.map((pid) => kernel.waitPid(pid));
  const children = Array.from({ length: 50 }, (_, index) => spawn("sh", ["-c", `sleep 0.5; exit ${index}`]));
  const codes = children.map(async (child: ChildProcess) => (await once(child, "exit"))[0] as number);
  expect(await Promise.all(codes)).toEqual(children.map((_, index) => index));
  expect(await Promise.all(ends)).toEqual(pids.map((_, index) => ({ code: index % 100, signal: undefined })));
});

test("orphans nobody asks for do not stay as zombies", async () => {
  const pids = await orphans("sleep 0.02", 20);
  const [last] = await orphans("sleep 0.2; exit 0");
  await kernel.waitPid(last!);
  // One more child of our own: the loop has gone round, every zombie from before is collected.
  await exec.run("sleep", ["0.1"]);
  expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
});

test("waitPid() refuses what is not a child and what is not a process id", async () => {
  const error = await kernel.waitPid(1).catch((cause: unknown) => cause);
  expect(isErrno(error, "ECHILD")).toBe(true);
  await expect(kernel.waitPid(0)).rejects.toThrow(RangeError);
  await expect(kernel.waitPid(-1)).rejects.toThrow(RangeError);
});

test("a child of another thread is left to that thread, however busy it is", async () => {
  kernel.becomeSubreaper();
  const code = `
    const { parentPort } = require("node:worker_threads");
    const child = require("node:child_process").spawn("sh", ["-c", "exit 6"]);
    child.on("close", (code) => parentPort.postMessage(code));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  `;
  const worker = new Worker(code, { eval: true });
  const [exit] = await once(worker, "message", { signal: AbortSignal.timeout(5000) });
  expect(exit).toBe(6);
});
