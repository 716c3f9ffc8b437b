/**
 * A tree with one of everything that a layer can hold.
 */

import { spawnSync } from "node:child_process";

/** The archive. @param dir - an empty directory, where it is made */
export function oddArchive(dir: string): Buffer {
  const script = `
    set -e
    cp /usr/bin/busybox . ; mkdir -p bin d/sub opaque/old etc ; mv busybox bin/ ; ln -s busybox bin/sh
    echo one > d/file ; ln d/file d/hard ; ln -s ../d/file d/link ; ln -s /nowhere "d/dangling link"
    echo root > etc/passwd ; echo gone > d/gone ; echo old > opaque/old/file ; : > d/empty
    mkfifo d/fifo ; mknod d/null c 1 3 ; mknod d/block b 7 99 ; printf 'x' > "d/ünï \\$name" ; truncate -s 3M d/sparse
    n=$(printf 'long%.0s' $(seq 40)) ; mkdir -p "$n/$n" ; echo deep > "$n/$n/$n"
    chmod 4755 bin/busybox ; chmod 1777 d/sub ; chmod 0 d/empty ; chown 12:34 d/file ; chown -h 56:78 d/link
    python3 -c "import os; os.setxattr('bin/busybox', 'security.capability', bytes.fromhex('0100000200040000000000000000000000000000')); os.setxattr('d/file', 'user.note', b'a\\\\0b')"
    find . -exec touch -h -d '2014-08-20 20:20:14.123456789' {} +
  `;
  const made = spawnSync("sh", ["-c", script], { cwd: dir, encoding: "utf8" });
  if (made.status !== 0) throw new Error(made.stderr);
  const tar = spawnSync("tar", ["--format=pax", "--xattrs", "--xattrs-include=*", "-cf", "-", "."], {
    cwd: dir,
    maxBuffer: 64 << 20,
  });
  return tar.stdout;
}
