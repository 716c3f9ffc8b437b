/**
 * The overlay driver tells changes without mounting; what it tells must be what a comparison of the mounts finds.
 */

import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { changesDirs } from "../../src/archive/changes.ts";
import { newGraphDriver } from "../../src/daemon/graphdriver/graphdriver.ts";
import { linuxHost } from "../../src/host/linux/host.ts";
import { Logger } from "../../src/pkg/log/log.ts";

const isRoot = process.getuid?.() === 0;
const host = linuxHost();
const base = fs.mkdtempSync(join(tmpdir(), "overlay-changes-"));
const id = (n: number) => n.toString(16).padStart(64, "0");

afterAll(async () => {
  await host.pool.close();
  fs.rmSync(base, { recursive: true, force: true });
});

const NAMES = ["a", "b", "a/x", "a/y", "a/x/p", "b/x", "b/x/p", "a/\u00e9"];
const operation = fc.record({
  what: fc.constantFrom("write", "append", "mkdir", "remove", "link", "rename", "chmod", "touch"),
  path: fc.constantFrom(...NAMES),
  other: fc.constantFrom(...NAMES),
});

/** Does something to a tree, or nothing where it cannot be done. */
function change(
  root: string,
  { what, path, other }: { what: string; path: string; other: string },
  serial: number,
): void {
  const at = join(root, path);
  try {
    if (what === "write") fs.writeFileSync(at, "x".repeat(serial % 7));
    else if (what === "append") fs.appendFileSync(at, "more");
    else if (what === "mkdir") fs.mkdirSync(at, { recursive: true });
    else if (what === "remove") fs.rmSync(at, { recursive: true });
    else if (what === "link") fs.symlinkSync(other, at);
    else if (what === "rename") fs.renameSync(at, join(root, other));
    else if (what === "chmod") fs.chmodSync(at, 0o700 + (serial % 8));
    else fs.utimesSync(at, 1400000000, 1400000000 + (serial % 3));
  } catch (cause) {
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
  }
}

test("OverlayDriver.changes() finds what changesDirs() finds in the mounts", async () => {
  if (!isRoot) {
    console.log("skipped: overlay needs root (mount)");
    return expect(isRoot).toBe(false);
  }
  let serial = 0;
  let world = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(operation, { maxLength: 8 }), { minLength: 2, maxLength: 4 }),
      async (layers) => {
        const root = join(base, String(world++));
        const driver = await newGraphDriver(root, { name: "overlay", env: {} }, host, new Logger(host));
        try {
          for (const [n, operations] of layers.entries()) {
            await driver.create(id(n), n === 0 ? undefined : id(n - 1));
            const dir = await driver.get(id(n));
            for (const one of operations) change(dir, one, serial++);
            const below = n === 0 ? undefined : await driver.get(id(n - 1));
            const parent = n === 0 ? undefined : id(n - 1);
            expect(await driver.changes(id(n), parent)).toEqual(await changesDirs(host, dir, below));
            if (parent !== undefined) await driver.put(parent);
            await driver.put(id(n));
          }
        } finally {
          await driver.cleanup();
          fs.rmSync(root, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 60 },
  );
}, 120_000);
