/** What stays free of a file system, whatever an archive holds. */

import { expect, test } from "vitest";
import { DEFAULT_MIN_FREE, NoRoomError, parseMinFree, Room, whileRoom, withRoom } from "../../../src/archive/room.ts";
import { newGraphDriver } from "../../../src/daemon/graphdriver/graphdriver.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { readAll } from "../../../src/sync/io.ts";
import { layer, streamOf } from "../../support/layers.ts";

const MB = 1 << 20;
const space = (freeBytes: number, inodes = 0, freeInodes = inodes) => ({
  bsize: 4096,
  blocks: (100 * MB) / 4096,
  bavail: Math.floor(freeBytes / 4096),
  files: inodes,
  ffree: freeInodes,
});

test("Room stops before the last bytes and inodes, and says where, how much there is, and what helps", () => {
  const room = new Room("/var/lib/docker/x", DEFAULT_MIN_FREE);
  expect(() => room.look(space(MB))).toThrow(
    "Cannot write to /var/lib/docker/x: no space left on device (1048 kB of 104 MB are free, 1048 kB are kept free): " +
      "remove what is not needed, or keep less with --storage-opt <driver>.min_free_space=<percent>%",
  );
  expect(() => room.look(space(90 * MB, 1000, 10))).toThrow("(10 of 1000 inodes are free, 10 are kept free)");
  expect(() => room.look(space(90 * MB, 0))).not.toThrow();
  // Of a large disk it is no share.
  expect(() => room.look({ ...space(0), blocks: 2 ** 40, bavail: (257 * MB) / 4096 })).not.toThrow();
});

test("Room asks the seldomer the more there is, and never lets half of it go by", () => {
  const asked = (freeBytes: number, inodes = 0, freeInodes = 0) => {
    const room = new Room("/x", DEFAULT_MIN_FREE);
    expect(room.takes(1)).toBe(true);
    room.look({ ...space(freeBytes, inodes, freeInodes), blocks: 2 ** 24 });
    let taken = 0;
    for (; !room.takes(4096); taken += 4096);
    return taken;
  };
  expect(asked(60_000 * MB)).toBe(64 * MB);
  expect(asked(256 * MB + 160 * MB)).toBe(10 * MB);
  expect(asked(256 * MB + 8 * MB)).toBe(512 << 10);
  expect(asked(257 * MB)).toBe(256 << 10);
  expect(asked(60_000 * MB, 1e7, 26_384)).toBe(Math.floor((10_000 * 512) / 2 / 4096) * 4096);
  const none = new Room("/x", parseMinFree("0%"));
  expect(none.takes(Number.MAX_SAFE_INTEGER)).toBe(false);
});

test("min_free_space takes a share of the file system", async () => {
  for (const text of ["", "5", "%", "100%", "-1%", "5 %", "1e1%", "1GB"]) expect(parseMinFree(text)).toBeUndefined();
  expect(parseMinFree("12.5%")?.percent).toBe(12.5);
  const host = memoryHost();
  const open = (...options: string[]) =>
    newGraphDriver("/d", { name: "vfs", env: {}, options }, host, new Logger(host));
  await open();
  expect(host.pool.minFree).toEqual(DEFAULT_MIN_FREE);
  await open("vfs.min_free_space=20%");
  expect(host.pool.minFree).toMatchObject({ percent: 20, atMostBytes: Number.POSITIVE_INFINITY });
  await expect(open("vfs.min_free_space=lots")).rejects.toThrow(
    "vfs: Invalid value of vfs.min_free_space: lots is no share like 5%",
  );
  await expect(open("vfs.other=1")).rejects.toThrow("vfs: Unknown option vfs.other");
  await expect(open("overlay.min_free_space=1%")).rejects.toThrow("vfs: Unknown option overlay.min_free_space");
});

test("layers and streams end where the room does", async () => {
  const host = memoryHost();
  const driver = await newGraphDriver("/d", { name: "vfs", env: {} }, host, new Logger(host));
  await driver.create("a");
  const full = layer({ name: "f", content: "x".repeat(3 * MB) });
  await driver.applyDiff("a", undefined, streamOf(full));
  host.pool.minFree = { percent: 100, atMostBytes: Number.POSITIVE_INFINITY, atMostInodes: 0 };
  await expect(driver.applyDiff("a", undefined, streamOf(full))).rejects.toMatchObject({
    code: "ENOSPC",
    message: expect.stringContaining("Cannot write to /d/vfs/dir/a: no space left on device (") as string,
  });
  await expect(readAll(withRoom(host, "/d", streamOf(full)))).rejects.toBeInstanceOf(NoRoomError);
});

test("work that writes by itself is stopped when there is no more room, and its failure is told otherwise", async () => {
  const host = memoryHost();
  const signal = new AbortController().signal;
  await host.fs.mkdir("/d");
  expect(await whileRoom(host, "/d", signal, async () => "done")).toBe("done");
  await expect(whileRoom(host, "/d", signal, () => Promise.reject(new Error("own")))).rejects.toThrow("own");
  host.pool.minFree = DEFAULT_MIN_FREE;
  const work = whileRoom(
    host,
    "/d",
    signal,
    (stop) =>
      new Promise((_, reject) => {
        stop.addEventListener("abort", () => reject(new Error("killed")));
      }),
  );
  const ended = work.catch((cause: unknown) => cause);
  await host.clock.advance(2000);
  host.pool.minFree = { percent: 100, atMostBytes: Number.POSITIVE_INFINITY, atMostInodes: 0 };
  await host.clock.advance(2000);
  expect(await ended).toBeInstanceOf(NoRoomError);
});

test("a write that failed for want of room is told with its place; attributes that do not fit are not", () => {
  const room = new Room("/x", undefined);
  const cause = Object.assign(new Error("ENOSPC: no space left on device, write"), {
    code: "ENOSPC",
    syscall: "write",
  });
  expect(String(room.named(cause))).toContain("Cannot write to /x: no space left on device: remove what is not needed");
  for (const other of [new Error("other"), Object.assign(new Error("x"), { code: "ENOSPC", syscall: "lsetxattr" })])
    expect(room.named(other)).toBe(other);
});
