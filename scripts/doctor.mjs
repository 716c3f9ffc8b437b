/**
 * `npm run doctor`: what this machine can and cannot do, each "cannot" with its cure. Changes nothing.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { has, root } from "./setup.mjs";

process.env.PATH = `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`;
const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === "linux";
const read = (path) => (existsSync(path) ? readFileSync(path, "utf8") : "");
const works = (command, args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;
const apt = (pkg) => (has("apt-get") ? `apt-get install ${pkg}` : `install the package ${pkg} of your system`);

/** A real overlay mount, in a mount namespace of its own so that nothing is left. */
function overlayMounts() {
  const dir = mkdtempSync(join(existsSync("/var/lib") && isRoot ? "/var/lib" : tmpdir(), ".drydock-doctor-"));
  try {
    for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(join(dir, name));
    const options = `lowerdir=${dir}/lower,upperdir=${dir}/upper,workdir=${dir}/work`;
    return works("unshare", ["-m", "mount", "-t", "overlay", "overlay", "-o", options, join(dir, "merged")]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function loads(name) {
  try {
    createRequire(join(root, "package.json"))(name);
    return true;
  } catch {
    return false;
  }
}

/** Whether the engine's bridge to C finds a library of the system. */
function hasLibrary(soname) {
  try {
    createRequire(join(root, "package.json"))("koffi").load(soname);
    return true;
  } catch {
    return false;
  }
}

function canWrite(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

/** One question: what it is for, whether the answer is yes, and what to do when it is not. */
const questions = {
  "The engine": [
    [
      "Node.js 20.19 or newer",
      major > 20 || (major === 20 && minor >= 19),
      "install a newer Node.js (https://nodejs.org)",
    ],
    [
      "packages of the lock file",
      existsSync(join(root, "node_modules/.package-lock.json")),
      "npm ci (npm start does it)",
    ],
    ["bundle in dist/", existsSync(join(root, "dist/docker.cjs")), "npm run build (npm start does it)"],
    [
      "native part: system calls (koffi)",
      loads("koffi"),
      "npm ci on this machine: node_modules was made for another one",
    ],
    [
      "native part: link graph (libsql)",
      loads("libsql"),
      "npm ci on this machine: node_modules was made for another one",
    ],
  ],
  "Real containers": [
    ["Linux", isLinux, "use a Linux virtual machine; elsewhere the engine runs with vfs, dry and no bridge"],
    ["root", isRoot, "run with sudo; without root the engine runs with vfs, dry and no bridge, in your home directory"],
    ["runc", has("runc"), apt("runc")],
    [
      "overlay storage",
      isLinux && isRoot && overlayMounts(),
      isRoot
        ? "modprobe overlay; the data directory must not itself lie on overlay. Until then: -s vfs"
        : "needs root. Until then: -s vfs",
    ],
    [
      "aufs storage, when asked for (-s aufs)",
      /\baufs$/m.test(read("/proc/filesystems")) || (has("fuse-overlayfs") && existsSync("/dev/fuse")),
      has("fuse-overlayfs") ? "modprobe fuse" : apt("fuse-overlayfs"),
    ],
    [
      "btrfs storage, when asked for (-s btrfs)",
      /\bbtrfs$/m.test(read("/proc/filesystems")),
      "modprobe btrfs; the data directory must lie on btrfs",
    ],
    [
      "cgroups",
      /cgroup2? /.test(read("/proc/self/mountinfo").replace(/^.* - /gm, "")),
      "mount -t cgroup2 none /sys/fs/cgroup",
    ],
    [
      "memory limits",
      existsSync("/sys/fs/cgroup/memory/memory.limit_in_bytes") ||
        /memory/.test(read("/sys/fs/cgroup/cgroup.controllers")),
      "boot with cgroup_enable=memory; without it -m is ignored with a warning",
    ],
    [
      "swap limits",
      existsSync("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes") ||
        /memory/.test(read("/sys/fs/cgroup/cgroup.controllers")),
      "boot with swapaccount=1; without it swap is not limited",
    ],
  ],
  Network: [
    [
      "iptables",
      has("iptables") && (!isRoot || works("iptables", ["-t", "nat", "-L", "-n"])),
      has("iptables") ? "modprobe ip_tables iptable_nat, or start with --iptables=false" : apt("iptables"),
    ],
    [
      "network namespaces",
      isLinux && (isRoot ? works("unshare", ["-n", "true"]) : false),
      isRoot ? "a kernel with CONFIG_NET_NS; else start with -b none" : "needs root; else -b none",
    ],
    [
      "forwarding can be turned on",
      canWrite("/proc/sys/net/ipv4/ip_forward"),
      "needs root, and /proc/sys must be writable: containers reach no other machine without it",
    ],
  ],
  "Layers in all formats": [
    ["xz", has("xz"), apt("xz-utils")],
    ...(process.arch === "x64"
      ? [["gzip by ISA-L (twice as fast as zlib)", hasLibrary("libisal.so.2"), apt("libisal2")]]
      : []),
    ["bzip2 (faster than ours)", has("bzip2"), apt("bzip2")],
    ["zstd (faster than ours)", has("zstd"), apt("zstd")],
  ],
  "Tests and benchmark": [
    ["a real registry (docker-registry)", has("docker-registry"), apt("docker-registry")],
    ["skopeo", has("skopeo"), apt("skopeo")],
    ["chromium, to read the book's pages", has("chromium"), apt("chromium")],
    ["a static busybox", has("busybox"), apt("busybox-static")],
    ["today's docker command", has("docker"), apt("docker.io")],
    ["dockerd, to measure against", has("dockerd"), apt("docker.io")],
    ["h2load", has("h2load"), apt("nghttp2-client")],
  ],
};

let missing = 0;
for (const [title, list] of Object.entries(questions)) {
  console.log(`\n${title}`);
  for (const [what, ok, cure] of list) {
    missing += ok ? 0 : 1;
    console.log(ok ? `  yes  ${what}` : `  NO   ${what}\n         cure: ${cure}`);
  }
}
console.log(
  missing === 0
    ? "\nEverything is here."
    : `\n${missing} of these are missing; what is above a "cure" does not work until then.`,
);
