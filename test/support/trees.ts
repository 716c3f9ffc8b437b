/**
 * What is in a tree, entry by entry, to compare one that we unpacked with one that another program did.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listDir } from "./daemon.ts";

/** A line for each entry: everything about it that an archive can carry. Hard links show the first name. */
const LISTING = `
import hashlib, os, stat, sys
def listing(root, times=True):
    first, out = {}, []
    def add(path):
        full = os.path.join(root, path) if path else root
        s = os.lstat(full)
        what = [path or '.', oct(s.st_mode), s.st_uid, s.st_gid]
        if stat.S_ISREG(s.st_mode):
            what += [s.st_size, hashlib.sha256(open(full, 'rb').read()).hexdigest()]
            if s.st_nlink > 1: what.append('= ' + first.setdefault((s.st_dev, s.st_ino), path))
        if stat.S_ISLNK(s.st_mode): what.append(os.readlink(full))
        if stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode): what.append((os.major(s.st_rdev), os.minor(s.st_rdev)))
        # In whole seconds, as dockerd and we archive it; the root is made by whoever unpacks.
        if path and times: what.append(int(s.st_mtime))
        for name in sorted(os.listxattr(full, follow_symlinks=False)):
            if not name.startswith('trusted.overlay.'): what.append((name, os.getxattr(full, name, follow_symlinks=False).hex()))
        out.append(' '.join(map(str, what)))
        if stat.S_ISDIR(s.st_mode):
            for name in sorted(os.listdir(full)): add(os.path.join(path, name))
    add('')
    return '\\n'.join(out)
`;

function python(script: string, args: readonly string[]): string[] {
  const done = spawnSync("python3", ["-c", LISTING + script, ...args], { encoding: "utf8", maxBuffer: 64 << 20 });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout.trimEnd().split("\n");
}

/** The entries of a directory. */
export function treeLines(dir: string): string[] {
  return python("print(listing(sys.argv[1]))", [dir]);
}

/**
 * The sum of what is in each directory: equal sums, equal trees.
 *
 * @param options - `times`: whether those of the files count
 */
export function treeSums(dirs: readonly string[], { times = true } = {}): string[] {
  if (dirs.length === 0) return [];
  const sum = "hashlib.sha256(listing(dir, sys.argv[1] == 'true').encode('utf8', 'surrogateescape')).hexdigest()";
  return python(`for dir in sys.argv[2:]: print(${sum})`, [String(times), ...dirs]);
}

/** The entries of layers laid over each other. @param layers - directories, the topmost first */
export function mergedLines(layers: readonly string[]): string[] {
  const [only] = layers;
  if (layers.length === 1 && only !== undefined) return treeLines(only);
  const dir = mkdtempSync(join(tmpdir(), "merged-"));
  const done = spawnSync("mount", ["-t", "overlay", "-o", `ro,lowerdir=${layers.join(":")}`, "overlay", dir]);
  if (done.status !== 0) throw new Error(`mount: ${done.stderr}`);
  try {
    return treeLines(dir);
  } finally {
    spawnSync("umount", ["-l", dir]);
    rmSync(dir, { recursive: true });
  }
}

/** The directories of an image's layers in a Drydock root with overlay. @param ids - topmost first */
export function drydockLayers(root: string, ids: readonly string[]): string[] {
  // Two images for one layer: the upper of them is empty, which changes nothing.
  return ids.map((id) => join(root, "overlay", id, "diff")).filter((dir) => listDir(dir).length > 0);
}
