/**
 * A file system of btrfs in a file, for as long as a test runs.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SIZE = 256 << 20;

export interface TestBtrfs {
  /** An empty directory on btrfs. */
  readonly dir: string;
  remove(): void;
}

function tool(command: string, ...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? undefined : `${command}: ${error?.message ?? stderr.trim()}`;
}

/** Makes one and mounts it. @returns why that does not work here, where it does not */
export function makeBtrfs(): TestBtrfs | string {
  if (process.getuid?.() !== 0) return "mounting needs root";
  const base = mkdtempSync(join(tmpdir(), "drydock-btrfs-"));
  const [image, dir] = [join(base, "image"), join(base, "mnt")];
  writeFileSync(image, "");
  truncateSync(image, SIZE);
  mkdirSync(dir);
  const fault = tool("mkfs.btrfs", "-q", image) ?? tool("mount", "-t", "btrfs", "-o", "loop", image, dir);
  if (fault === undefined) {
    return {
      dir,
      remove() {
        const left = tool("umount", "-R", dir);
        if (left !== undefined) throw new Error(left);
        rmSync(base, { recursive: true });
      },
    };
  }
  rmSync(base, { recursive: true });
  return fault;
}
