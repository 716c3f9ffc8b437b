/**
 * Programs of a machine in memory that the engine cannot do without.
 *
 * @module
 */

import { createFsFromVolume, type Volume } from "memfs";
import type { Answer } from "./exec.ts";
import { memorySyncFs } from "./sync-fs.ts";

const USAGE = "cp: only -aT from to is known here\n";

/** GNU's cp(1), as far as the vfs driver calls it: `cp -aT --reflink=auto <from> <to>`. */
export function cp(volume: Volume): Answer {
  return ({ args }) => {
    if (args[0] === "--version") return { stdout: "cp (GNU coreutils) in memory\n" };
    const [from, to] = args.slice(-2);
    if (args[0] !== "-aT" || from === undefined || to === undefined) return { code: 1, stderr: USAGE };
    try {
      copyTree(volume, from, to);
      return {};
    } catch (cause) {
      return { code: 1, stderr: `cp: ${cause instanceof Error ? cause.message : String(cause)}\n` };
    }
  };
}

/** Copies with owners, modes, times and hard links. */
function copyTree(volume: Volume, from: string, to: string): void {
  const fs = memorySyncFs(volume);
  const { readFileSync, writeFileSync } = createFsFromVolume(volume);
  /** First copy of each file that has several names. */
  const linked = new Map<number, string>();
  const copy = (source: string, target: string): void => {
    const info = fs.lstatSync(source);
    const first = info.nlink > 1 && !info.isDirectory() ? linked.get(info.ino) : undefined;
    if (first !== undefined) {
      fs.linkSync(first, target);
      return;
    }
    if (info.isDirectory()) {
      if (fs.lstatSync(target, { throwIfNoEntry: false }) === undefined) fs.mkdirSync(target);
      for (const name of fs.readdirSync(source)) copy(`${source}/${name}`, `${target}/${name}`);
    } else {
      linked.set(info.ino, target);
      if (info.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(source), target);
      else if (info.isFile()) writeFileSync(target, readFileSync(source));
      else fs.mknodSync(target, info.mode, info.rdev >> 8, info.rdev & 0xff);
    }
    fs.lchownSync(target, info.uid, info.gid);
    if (!info.isSymbolicLink()) fs.chmodSync(target, info.mode & 0o7777);
    fs.utimensSync(target, Math.floor(info.mtimeMs / 1000), (info.mtimeMs % 1000) * 1e6);
  };
  copy(from, to);
}
