import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JsonFileLog } from "../../../../src/daemon/logger/jsonfilelog/jsonfilelog.ts";
import { type LogBatch, readLog } from "../../../../src/daemon/logger/jsonfilelog/read.ts";
import type { FileSystem } from "../../../../src/host/host.ts";
import { encodeJsonLog } from "../../../../src/pkg/jsonlog/jsonlog.ts";

let dir: string;
beforeEach(async () => {
  dir = await fs.mkdtemp(join(tmpdir(), "jsonfilelog-"));
});
afterEach(() => fs.rm(dir, { recursive: true }));

const line = (log: string) => encodeJsonLog({ log, stream: "stdout", time: "2014-08-20T20:13:34Z" });
const texts = (batch: LogBatch) => batch.lines.map((l) => l.log);
async function all(source: AsyncIterable<LogBatch>): Promise<string[]> {
  const out: string[] = [];
  for await (const batch of source) out.push(...texts(batch));
  return out;
}

test("JsonFileLog.write() appends in order and close() waits for the disk", async () => {
  const log = new JsonFileLog(join(dir, "log"), { fs }, () => undefined);
  for (let i = 0; i < 100; i++) void log.write(line(`${i}\n`));
  await log.close();
  expect(await all(readLog(log.path, { fs }, { tail: undefined, follow: undefined }))).toEqual(
    Array.from({ length: 100 }, (_, i) => `${i}\n`),
  );
  expect((await fs.stat(log.path)).mode & 0o777).toBe(0o600);
});

test("JsonFileLog.write() drops what a full disk does not take and goes on when there is room", async () => {
  let full = true;
  const failures: unknown[] = [];
  const limited: Pick<FileSystem, "open"> = {
    open: async (...args) => {
      const file = await fs.open(...args);
      const write = file.write.bind(file) as (
        data: Buffer,
        at: number,
        size?: number,
      ) => Promise<{ bytesWritten: number }>;
      Object.assign(file, {
        write: async (data: Buffer, at: number) => {
          if (!full) return write(data, at);
          if (at > 0) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
          return write(data, 0, 5); // a part fits
        },
      });
      return file;
    },
  };
  const log = new JsonFileLog(join(dir, "log"), { fs: limited as FileSystem }, (cause) => failures.push(cause));
  void log.write(line("lost\n"));
  await log.flushed();
  void log.write(line("lost too\n"));
  await log.flushed();
  full = false;
  void log.write(line("kept\n"));
  await log.close();
  expect(failures).toHaveLength(1);
  expect(await fs.readFile(log.path, "utf8")).toBe(line("kept\n"));
});

test("readLog() follows the file until the log is closed, and marks what is new", async () => {
  const log = new JsonFileLog(join(dir, "log"), { fs }, () => undefined);
  void log.write(line("old\n"));
  await log.flushed();
  const reading = readLog(log.path, { fs }, { tail: undefined, follow: log });
  expect((await reading.next()).value).toMatchObject({ live: false, lines: [{ log: "old\n" }] });
  const next = reading.next();
  void log.write(line("new\n"));
  expect((await next).value).toMatchObject({ live: true, lines: [{ log: "new\n" }] });
  void log.write(line("last\n"));
  void log.close();
  expect(await all(reading)).toEqual(["last\n"]);
});

test("readLog() stops following when the caller goes away", async () => {
  const log = new JsonFileLog(join(dir, "log"), { fs }, () => undefined);
  await log.flushed();
  const gone = new AbortController();
  const reading = all(readLog(log.path, { fs }, { tail: undefined, follow: log, signal: gone.signal }));
  gone.abort();
  expect(await reading).toEqual([]);
  await log.close();
});

test("readLog() gives the last lines and skips broken ones", async () => {
  await fs.writeFile(join(dir, "log"), `${line("a\n")}${line("b\n")}{"log":"torn${"\n"}${line("c\n")}{"lo`);
  const read = (tail: number | undefined) => all(readLog(join(dir, "log"), { fs }, { tail, follow: undefined }));
  expect(await read(undefined)).toEqual(["a\n", "b\n", "c\n"]);
  expect(await read(3)).toEqual(["b\n", "c\n"]);
  expect(await read(0)).toEqual([]);
});

test("readLog() rejects where there is no file", async () => {
  await expect(all(readLog(join(dir, "none"), { fs }, { tail: undefined, follow: undefined }))).rejects.toMatchObject({
    code: "ENOENT",
  });
});
