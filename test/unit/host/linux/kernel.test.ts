import { closeSync, openSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { deviceNumber, linuxKernel as kernel, unixAddress } from "../../../../src/host/linux/kernel.ts";
import { readAll } from "../../../../src/sync/io.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const scratch = () => temporaryDirectory("drydock-kernel-");

test("pipe() carries bytes from writeFd() to readFd() until the writer closes", async () => {
  const { read, write } = kernel.pipe();
  const writer = kernel.writeFd(write);
  const everything = readAll(kernel.readFd(read));
  const parts = Array.from({ length: 64 }, (_, index) => Buffer.alloc(32_768, index));
  for (const part of parts) await writer.write(part);
  await writer.close();
  expect((await everything).equals(Buffer.concat(parts))).toBe(true);
});

test("writeFd() holds the writer back while nobody reads", async () => {
  const { read, write } = kernel.pipe();
  const writer = kernel.writeFd(write);
  let written = 0;
  for (;;) {
    const done = writer.write(Buffer.alloc(16_384));
    if (done instanceof Promise) {
      expect(written).toBeLessThan(1 << 20);
      const reader = kernel.readFd(read);
      for await (const part of reader) {
        written -= part.length;
        if (written <= 0) break; // leaving the loop closes the read end
      }
      await done;
      break;
    }
    written += 16_384;
  }
  await writer.close();
});

test("readFd() does not read while its consumer rests", async () => {
  const { read, write } = kernel.pipe();
  const writer = kernel.writeFd(write);
  const source = kernel.readFd(read)[Symbol.asyncIterator]();
  await writer.write("first");
  expect(String((await source.next()).value)).toBe("first");
  let held = false;
  for (let round = 0; round < 100 && !held; round++) {
    held =
      (await Promise.race([writer.write(Buffer.alloc(65_536)), new Promise((r) => setImmediate(r, "held"))])) ===
      "held";
  }
  expect(held).toBe(true);
  await source.return?.();
});

test("writeFd() takes a reader that is gone for no error", async () => {
  const { read, write } = kernel.pipe();
  closeSync(read);
  const writer = kernel.writeFd(write);
  await writer.write("lost");
  await writer.close();
  await writer.write("lost too");
});

test("readFd().destroy() ends the loop that reads", async () => {
  const { read, write } = kernel.pipe();
  const reader = kernel.readFd(read);
  const everything = readAll(reader);
  reader.destroy();
  expect((await everything).length).toBe(0);
  kernel.closeFd(write);
});

test("pipe() makes ends that close on exec", () => {
  const { read, write } = kernel.pipe();
  for (const fd of [read, write]) {
    expect(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1")).toMatch(/flags:\s+02\d{6}/);
    closeSync(fd);
  }
});

test("lockFile() lets one holder in and follows no link", () => {
  const path = join(scratch(), "lock");
  expect(kernel.lockFile(path)).toBe(true);
  expect(kernel.lockFile(path)).toBe(false);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  symlinkSync("/etc/passwd", `${path}.link`);
  expect(() => kernel.lockFile(`${path}.link`)).toThrow(expect.objectContaining({ code: "ELOOP" }));
});

test("lgetxattr() reads what lsetxattr() wrote, to the byte", () => {
  const path = join(scratch(), "file");
  writeFileSync(path, "");
  expect(kernel.lgetxattr(path, "user.none")).toBeUndefined();
  const value = Buffer.from([0, 0xff, 0x80, 1]);
  kernel.lsetxattr(path, "user.some", value);
  expect(kernel.lgetxattr(path, "user.some")).toEqual(value);
  const long = Buffer.alloc(1000, 7);
  kernel.lsetxattr(path, "user.some", long);
  expect(kernel.lgetxattr(path, "user.some")).toEqual(long);
  expect(() => kernel.lgetxattr(`${path}.none`, "user.some")).toThrow(expect.objectContaining({ code: "ENOENT" }));
});

test("kill() answers whether there is such a process and never addresses a group", () => {
  expect(kernel.kill(process.pid, 0)).toBe(true);
  expect(kernel.kill(0x3fff_ffff, 0)).toBe(false);
  for (const pid of [0, -1, -5, 1.5, Number.NaN]) expect(() => kernel.kill(pid, 9)).toThrow(RangeError);
});

test("a failed call has the code, the number and the name of the call", () => {
  expect(() => kernel.unmount("/no/such/place")).toThrow(
    expect.objectContaining({
      code: expect.stringMatching(/^(ENOENT|EPERM)$/),
      syscall: "umount2",
      path: "/no/such/place",
    }),
  );
  expect(() => kernel.mount("/a\0b", "/", "none", ["bind"])).toThrow(TypeError);
});

test("mounts() has the root", () => {
  expect(kernel.mounts().some(({ mountpoint }) => mountpoint === "/")).toBe(true);
});

test("sendDatagram() refuses a path that does not fit and reports a socket that is not there", () => {
  expect(() => kernel.sendDatagram(`/${"x".repeat(200)}`, "READY=1")).toThrow(RangeError);
  expect(() => kernel.sendDatagram("/no/such/socket", "READY=1")).toThrow(expect.objectContaining({ code: "ENOENT" }));
});

test("unixAddress() turns a leading @ into the NUL of an abstract name", () => {
  expect(unixAddress("@a").toString("latin1")).toBe("\x01\x00\0a");
  expect(unixAddress("/a").toString("latin1")).toBe("\x01\x00/a\0");
});

test("deviceNumber() is undone by the kernel's own major and minor", () => {
  fc.assert(
    fc.property(fc.nat(0xfff_ffff), fc.nat(0xfff_ffff), (major, minor) => {
      const dev = deviceNumber(major, minor);
      const backMajor = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
      const backMinor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
      expect([Number(backMajor), Number(backMinor)]).toEqual([major, minor]);
    }),
  );
  expect(deviceNumber(1, 3)).toBe(0x103n);
});

test("readFd() accepts a descriptor of /dev/null's kind only when it can be polled", () => {
  const fd = openSync("/dev/null", "r");
  expect(() => kernel.readFd(fd)).toThrow();
  closeSync(fd);
});
