import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { linuxExec } from "../../../../src/host/linux/exec.ts";
import { linuxKernel as kernel } from "../../../../src/host/linux/kernel.ts";
import { readAll } from "../../../../src/sync/io.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const exec = linuxExec(process.env);

async function* chunks(...parts: string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

test("Exec.run() gives the exit code and both streams", async () => {
  const end = await exec.run("sh", ["-c", "echo out; echo err >&2; exit 3"]);
  expect([end.code, end.signal, `${end.stdout}`, `${end.stderr}`]).toEqual([3, undefined, "out\n", "err\n"]);
});

test("Exec.run() gives the signal that ended the program", async () => {
  expect(await exec.run("sh", ["-c", "kill -TERM $$"])).toMatchObject({ code: undefined, signal: "SIGTERM" });
});

test("Exec.run() names a program that is not there", async () => {
  await expect(exec.run("no-such-program", [])).rejects.toMatchObject({
    code: "ENOENT",
    path: "no-such-program",
    message: 'exec: "no-such-program": executable file not found in $PATH',
  });
  await expect(exec.run("/no/such/program", [])).rejects.toMatchObject({ code: "ENOENT", path: "/no/such/program" });
});

test("Exec.run() passes PATH and nothing else of the environment", async () => {
  const { stdout } = await exec.run("env", []);
  expect(`${stdout}`).toBe(`PATH=${process.env["PATH"]}\n`);
  expect(`${(await exec.run("env", [], { env: { A: "b" } })).stdout}`).toBe("A=b\n");
});

test("Exec.run() feeds text, bytes and streams", async () => {
  expect(`${(await exec.run("cat", [], { input: "text" })).stdout}`).toBe("text");
  expect(`${(await exec.run("cat", [], { input: Buffer.from("bytes") })).stdout}`).toBe("bytes");
  expect(`${(await exec.run("cat", [], { input: chunks("a", "b") })).stdout}`).toBe("ab");
  expect((await exec.run("true", [], { input: "x".repeat(1 << 20) })).code).toBe(0);
});

test("Exec.run() gives the program descriptors of ours", async () => {
  const { read, write } = kernel.pipe();
  // A real pipe: opening /dev/stdout again works, which it does not on a socket.
  const end = await exec.run("sh", ["-c", "echo one > /dev/stdout; echo two >&2"], {
    stdio: ["ignore", write, "capture"],
  });
  kernel.closeFd(write);
  expect(`${await readAll(kernel.readFd(read))}`).toBe("one\n");
  expect(`${end.stderr}`).toBe("two\n");
});

test("Exec.run() of a group kills what the program has started, too", async () => {
  const stop = new AbortController();
  // The pipe is closed when nobody writes any more: with the sleeping one alive this would take a minute.
  const end = exec.run("sh", ["-c", "sleep 60 & sleep 60"], { signal: stop.signal, group: true });
  stop.abort(new Error("enough"));
  await expect(end).rejects.toThrow("enough");
});

test("Exec.run() kills the program when it is aborted", async () => {
  const stop = new AbortController();
  const end = exec.run("sleep", ["60"], { signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(end).rejects.toThrow("enough");
  await expect(exec.run("true", [], { signal: stop.signal })).rejects.toThrow("enough");
});

test("Exec.run() starts in the directory it is told", async () => {
  expect(`${(await exec.run("pwd", [], { cwd: "/usr" })).stdout}`).toBe("/usr\n");
});

test("Exec.lookPath() searches PATH in order and skips relative entries", async () => {
  const first = temporaryDirectory("drydock-path-");
  const second = temporaryDirectory("drydock-path-");
  for (const directory of [first, second]) writeFileSync(join(directory, "tool"), "");
  chmodSync(join(second, "tool"), 0o755); // the one in `first` cannot be run
  const own = linuxExec({ PATH: `.:${first}:${second}` });
  expect(await own.lookPath("tool")).toBe(join(second, "tool"));
  expect(await own.lookPath("missing")).toBeUndefined();
  expect(await linuxExec({ PATH: "" }).lookPath("sh")).toMatch(/\/sh$/);
});

test("Exec.pipe() streams through a program", async () => {
  const out = await readAll(exec.pipe("tr", ["a-z", "A-Z"], chunks("hello ", "world")));
  expect(`${out}`).toBe("HELLO WORLD");
});

test("Exec.pipe() fails with what the program says", async () => {
  const out = readAll(exec.pipe("sh", ["-c", "cat >/dev/null; echo broken >&2; exit 2"], chunks("x")));
  await expect(out).rejects.toThrow("sh failed: broken (exit status 2)");
});

test("Exec.pipe() fails with its input", async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from("part");
    throw new Error("connection lost");
  }
  await expect(readAll(exec.pipe("cat", [], broken()))).rejects.toThrow("connection lost");
});

test("Exec.pipe() stops the program when the consumer leaves", async () => {
  let released = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.alloc(65_536);
    } finally {
      released = true;
    }
  }
  for await (const _ of exec.pipe("cat", [], endless())) break;
  await expect.poll(() => released).toBe(true);
});
