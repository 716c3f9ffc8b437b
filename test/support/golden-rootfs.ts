/**
 * The root file system that the records were made with, as far as they tell: BusyBox 1.35 with links to itself, and
 * files in /etc, with the same number of bytes.
 */

import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { pack } from "tar-stream";
import type { LayerSpec } from "./images.ts";

/** Bytes in files and links, as the daemon counts them. */
const SIZE = 1_986_049;
const BUSYBOX = "/usr/bin/busybox";

const ETC: Record<string, string> = {
  "etc/group":
    "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nmail:x:8:\nwww-data:x:33:\noperator:x:37:\nnogroup:x:99:\nusers:x:100:\n",
  "etc/passwd": [
    "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\n",
    "sys:x:3:3:sys:/dev:/bin/false\nsync:x:4:100:sync:/bin:/bin/sync\nmail:x:8:8:mail:/var/spool/mail:/bin/false\n",
    "www-data:x:33:33:www-data:/var/www:/bin/false\noperator:x:37:37:Operator:/var:/bin/false\n",
    "nobody:x:99:99:nobody:/home:/bin/false\n",
  ].join(""),
  "etc/shadow": "root:*:16000:0:99999:7:::\n",
  "etc/hosts": "",
  "etc/hostname": "",
  "etc/resolv.conf": "",
};

/** What is in it: path to text, link or program. @throws when the system's BusyBox is too large */
export function goldenLayer(): LayerSpec {
  const layer: LayerSpec = { "bin/busybox": { busybox: true }, ...ETC };
  const applets = execFileSync(BUSYBOX, ["--list"], { encoding: "utf8" }).split("\n");
  let bytes = statSync(BUSYBOX).size;
  for (const text of Object.values(ETC)) bytes += text.length;
  for (const applet of applets) {
    if (applet === "" || applet === "busybox") continue;
    layer[`bin/${applet}`] = { link: "busybox" };
    bytes += "busybox".length;
  }
  if (bytes > SIZE) throw new Error(`Cannot make the root file system: ${bytes} bytes are more than ${SIZE}`);
  // A file that nothing reads makes up the difference.
  layer["etc/shadow"] += "#".repeat(SIZE - bytes);
  return layer;
}

/** The same as an archive. */
export async function goldenRootfs(): Promise<Buffer> {
  const archive = pack();
  const mtime = new Date(1_400_000_000_000);
  for (const name of ["bin", "dev", "etc", "proc", "root", "sys", "tmp", "usr", "var"]) {
    archive.entry({ name, type: "directory", mode: name === "tmp" ? 0o1777 : 0o755, mtime });
  }
  for (const [name, what] of Object.entries(goldenLayer())) {
    if (typeof what === "string") archive.entry({ name, mode: what === "" ? 0o755 : 0o644, mtime }, what);
    else if ("link" in what) archive.entry({ name, type: "symlink", linkname: what.link, mtime });
    else archive.entry({ name, mode: 0o755, mtime }, readFileSync(BUSYBOX));
  }
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
