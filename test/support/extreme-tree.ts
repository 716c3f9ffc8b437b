/**
 * Trees at the edges of what a file system and an archive can hold, and what a container may do to one.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const COMMON = `
import os, stat, sys
root = os.fsencode(sys.argv[1])
def at(*parts): return os.path.join(root, *parts)
def put(path, content=b'', size=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(content)
        if size is not None: f.truncate(size)
    return path
def when(path, seconds, ns=0): os.utime(path, ns=(0, seconds * 10**9 + ns), follow_symlinks=False)
CAPABILITY = bytes.fromhex('0100000200040000000000000000000000000000')
ROOTED = bytes.fromhex('0100000300040000000000000000000000000000e8030000')
long = [b'directory-%02d-of-a-long-path' % n for n in range(14)]
`;

const MAKE = `
os.makedirs(root, exist_ok=True)
# Names.
for n, name in enumerate([b'new\\nline', b'tab\\there', b'trailing blank ', b' leading', b'back\\\\slash', b'quo"te\\'s', b'*?[x]', b'-rf',
        b'\\xff\\xfe not utf-8', b'half \\xc3', b'nfd e\\xcc\\x81', 'nfc é 日本 🐳'.encode(), b'\\x01\\x7f control', b'...', b'.wh', b'wh.x',
        b'n' * 255, b'\\xe6\\x97\\xa5' * 85, b'n' * 100, b'n' * 101, b'%41=b', b'1 path=x', b'C:', b'a:b']):
    put(at(b'names', name), b'content of %d' % n)
    os.makedirs(at(b'dirs', name))
    put(at(b'dirs', name, name[::-1][:50]), b'inside')
os.makedirs(at(b'empty', b'trailing dot.', b'x ' * 20))
# Paths: around 100, 155, 256 and far beyond.
for depth in range(1, len(long) + 1): put(at(*long[:depth], b'file'), b'%d' % depth)
for size in (98, 99, 100, 101, 154, 155, 156, 157): put(at(b'p' * (size - 8), b'file'), b'p'); put(at(b'q', b'f' * size), b'q')
put(at(*long[:9], b'\\xff' * 90), b'deep and odd')
# Owners and times.
for n, (uid, gid) in enumerate([(0o7777777, 0o7777777), (0o10000000, 0), (0, 3000000), (2**31, 2**31 - 1), (0xfffffffe, 0xfffffffd)]):
    os.chown(put(at(b'owners', b'%d' % n)), uid, gid)
    os.chown(put(at(b'owners', b'o' * 150 + b'%d' % n)), uid, gid)
    os.mkdir(at(b'owners', b'd%d' % n)); os.chown(at(b'owners', b'd%d' % n), uid, gid)
# Modes.
for mode in (0, 0o4755, 0o2755, 0o1777, 0o7777, 0o6000, 0o111):
    path = put(at(b'modes', b'%o' % mode), b'm'); os.chmod(path, mode)
    path = at(b'modes', b'd%o' % mode); os.mkdir(path); os.chmod(path, mode)
# Links.
for n, target in enumerate([b'/', b'..', b'a\\nb', b'\\xff', b't' * 100, b't' * 101, b'/' + b'd/' * 900 + b'x', b'self', b'trailing ', b' ']):
    path = at(b'links', b'l%d' % n)
    os.makedirs(at(b'links'), exist_ok=True); os.symlink(target, path); os.chown(path, n, 3000000 + n, follow_symlinks=False)
for n in range(4): put(at(b'hard', b'group%d' % n, b'first'), b'group %d' % n)
for n in range(4):
    for name in (b'second', b'\\xff third', b'h' * 120, b'\\n'): os.link(at(b'hard', b'group%d' % n, b'first'), at(b'hard', b'group%d' % n, name))
os.link(at(b'hard', b'group0', b'first'), at(*long[:12], b'far away'))
os.link(at(*long[:10], b'file'), at(b'aaa before its group'))
os.symlink(b'x', at(b'hard', b'link')); os.link(at(b'hard', b'link'), at(b'hard', b'link again'), follow_symlinks=False)
# Kinds.
os.makedirs(at(b'kinds'))
for name, mode, device in ((b'null', stat.S_IFCHR, (1, 3)), (b'minor', stat.S_IFBLK, (7, 1048575)), (b'major', stat.S_IFCHR, (4095, 0)), (b'fifo', stat.S_IFIFO, (0, 0))):
    os.mknod(at(b'kinds', name), mode | 0o640, os.makedev(*device))
os.chmod(at(b'kinds', b'fifo'), 0o2622)
os.link(at(b'kinds', b'null'), at(b'kinds', b'null again')); os.link(at(b'kinds', b'fifo'), at(b'kinds', b'fifo again'))
# Contents.
put(at(b'sizes', b'holes'), b'', 5 << 20)
with open(at(b'sizes', b'islands'), 'wb') as f:
    for n in range(40): f.seek(n * 100_000 + n); f.write(b'island %d' % n)
    f.truncate(6_000_001)
for size in (0, 1, 511, 512, 513, 1023, 1024, 4096, 65536): put(at(b'sizes', b'%d' % size), bytes(n % 251 for n in range(size)))
# Attributes.
path = put(at(b'attributes', b'values'), b'a')
for name, value in (('empty', b''), ('nul', b'\\0\\0'), ('line', b'a\\n12 path=x\\n'), ('bytes', bytes(range(256))), ('big', b'v' * 1500), ('name é', b'x')):
    os.setxattr(path, 'user.' + name, value)
os.setxattr(put(at(b'attributes', b'capable'), b'a'), 'security.capability', CAPABILITY)
os.setxattr(put(at(b'attributes', b'rooted'), b'a'), 'security.capability', ROOTED)
os.setxattr(put(at(b'attributes', b'c' * 120), b'a'), 'security.capability', CAPABILITY)
os.mkdir(at(b'attributes', b'dir')); os.setxattr(at(b'attributes', b'dir'), 'user.of.dir', b'd')
# Times come last: whatever was done before has changed those of the directories.
for path, dirs, files in os.walk(root, topdown=False):
    for name in files + dirs: when(os.path.join(path, name), 1408566014, 123456789)
for n, (seconds, ns) in enumerate([(0, 0), (1, 1), (-1, 0), (-1, 999999999), (-2**31, 5), (2**31 - 1, 0), (2**31, 7), (2**32, 0), (2**33 - 1, 0), (2**33 + 5, 0), (1, 999999999)]):
    when(put(at(b'times', b'%02d' % n)), seconds, ns)
    os.mkdir(at(b'times', b'd%02d' % n)); when(at(b'times', b'd%02d' % n), seconds, ns)
    os.symlink(b'x', at(b'times', b'l%02d' % n)); when(at(b'times', b'l%02d' % n), seconds, ns)
# All of it long ago: what is changed within the next second has another time, also where only seconds are told.
for path, directories, files in os.walk(root):
    for name in directories + files:
        if path != at(b'times'): when(os.path.join(path, name), 1500000000, 123456789)
when(root, 1500000000, 123456789)
`;

const CHANGE = `
import shutil
names = sorted(name for name in os.listdir(at(b'names')) if len(name) <= int(sys.argv[2]))
for n, name in enumerate(names):
    if n % 3 == 0: os.remove(at(b'names', name)) if b'.wh' not in name else None
    if n % 3 == 1: os.chmod(at(b'names', name), 0o600)
    if n % 3 == 2: put(at(b'names', name), b'changed')
    if n % 4 == 0: shutil.rmtree(at(b'dirs', name))
    if n % 4 == 1: shutil.rmtree(at(b'dirs', name)); put(at(b'dirs', name, b'anew'), b'anew')
    if n % 4 == 2: shutil.rmtree(at(b'dirs', name)); put(at(b'dirs', name), b'a file now')
os.remove(at(*long[:13], b'file')); shutil.rmtree(at(*long[:14])); put(at(*long[:12], b'new'), b'new')
os.chown(at(b'owners', b'1'), 5, 6); os.chmod(at(b'modes', b'4755'), 0o4700); os.chmod(at(b'modes', b'd1777'), 0o1770)
os.remove(at(b'links', b'l3')); os.mkdir(at(b'links', b'l3')); os.remove(at(b'links', b'l4')); os.symlink(b'elsewhere', at(b'links', b'l4'))
os.remove(at(b'hard', b'group1', b'first')); os.chmod(at(b'hard', b'group2', b'first'), 0o640)
os.link(at(b'hard', b'group3', b'first'), at(b'hard', b'one more'))
put(at(b'new', b'one'), b'1'); os.link(at(b'new', b'one'), at(b'new', b'two'))
os.remove(at(b'kinds', b'null')); os.mknod(at(b'kinds', b'null'), stat.S_IFCHR | 0o600, os.makedev(1, 5)); os.remove(at(b'kinds', b'fifo again'))
with open(at(b'sizes', b'islands'), 'r+b') as f: f.seek(50_000); f.write(b'one more island')
os.truncate(at(b'sizes', b'65536'), 3)
if 'user.big' in os.listxattr(at(b'attributes', b'values')): os.removexattr(at(b'attributes', b'values'), 'user.big')
os.setxattr(at(b'attributes', b'values'), 'user.empty', b'no more')
put(at(b'attributes', b'capable'), b'written to: no longer capable')
os.setxattr(at(b'attributes', b'dir'), 'user.of.dir', b'other')
shutil.rmtree(at(b'empty')); os.makedirs(at(b'empty'))
for n in range(0, 11, 2): when(at(b'times', b'%02d' % n), 2**31 + n); when(at(b'times', b'd%02d' % n), 7 + n)
`;

const ATTRIBUTES = ["--xattrs", "--xattrs-include=*", "--numeric-owner"];

/** A directory, packed by GNU tar with everything that it can keep. */
export const packedByTar = (parent: string, name: string, ...more: string[]): Buffer =>
  gnuTar(["-c", "--format=posix", ...more, ...ATTRIBUTES, "-C", parent, name], undefined);

/** Unpacks as GNU tar does. @param dir - may not exist */
export function unpackByTar(archive: Buffer, dir: string): void {
  mkdirSync(dir);
  gnuTar(["-x", "-p", "--same-owner", ...ATTRIBUTES, "-C", dir], archive);
}

function gnuTar(args: string[], input: Buffer | undefined): Buffer {
  const { status, stdout, stderr } = spawnSync("tar", args, { input, maxBuffer: 256 << 20 });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
}

function python(script: string, ...args: string[]): string {
  const options = { encoding: "utf8", maxBuffer: 64 << 20 } as const;
  const { status, stdout, stderr } = spawnSync("python3", ["-c", COMMON + script, ...args], options);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** Makes the tree. @param dir - may not exist; as root, since there are owners and devices in it */
export const makeExtremeTree = (dir: string): void => void python(MAKE, dir);

/**
 * Removes, replaces and alters of everything in the tree something.
 *
 * @param longest - names with more bytes are left alone
 */
export const changeExtremeTree = (dir: string, longest = 255): void => void python(CHANGE, dir, String(longest));

/** A line for each entry below the root, in ASCII; hard links show the first name of their group. */
const LIST = `
import hashlib
whole, first = sys.argv[2] == 'seconds', {}
def text(name): return os.fsdecode(name).encode('unicode_escape').decode()
def add(path):
    full = os.path.join(root, path)
    s = os.lstat(full)
    what = [text(path), oct(s.st_mode), s.st_uid, s.st_gid]
    if stat.S_ISREG(s.st_mode): what += [s.st_size, hashlib.sha256(open(full, 'rb').read()).hexdigest()]
    if not stat.S_ISDIR(s.st_mode) and s.st_nlink > 1: what.append('= ' + first.setdefault((s.st_dev, s.st_ino), text(path)))
    if stat.S_ISLNK(s.st_mode): what.append(text(os.readlink(full)))
    if stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode): what.append((os.major(s.st_rdev), os.minor(s.st_rdev)))
    what.append(s.st_mtime_ns // 10**9 if whole else s.st_mtime_ns)
    for name in sorted(os.listxattr(full, follow_symlinks=False)):
        if not name.startswith('trusted.overlay.'): what.append((text(name), os.getxattr(full, name, follow_symlinks=False).hex()))
    print(' '.join(map(str, what)))
    if stat.S_ISDIR(s.st_mode): walk(path)
def walk(path):
    for name in sorted(os.listdir(os.path.join(root, path))): add(os.path.join(path, name))
walk(b'')
`;

/** How exactly times are told: layers that dockerd and we make have whole seconds, other archives have it all. */
export type Times = "seconds" | "nanoseconds";

/** The entries of a tree, whatever their names. */
export function exactLines(dir: string, times: Times): string[] {
  return python(LIST, dir, times).trimEnd().split("\n");
}

/** The entries of a directory in layers laid over each other. @param layers - directories, the topmost first */
export function exactLinesOfLayers(layers: readonly string[], directory: string, times: Times): string[] {
  const dir = mkdtempSync(join(tmpdir(), "laid-"));
  // One alone cannot be mounted: an empty one below it changes nothing.
  const lower = mkdtempSync(join(tmpdir(), "below-"));
  const mount = ["-t", "overlay", "-o", `ro,lowerdir=${[...layers, lower].join(":")}`, "overlay", dir];
  const done = spawnSync("mount", mount, { encoding: "utf8" });
  try {
    if (done.status !== 0) throw new Error(`mount: ${done.stderr}`);
    return exactLines(join(dir, directory), times);
  } finally {
    spawnSync("umount", ["-l", dir]);
    for (const path of [dir, lower]) rmSync(path, { recursive: true });
  }
}
