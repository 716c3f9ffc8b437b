/**
 * Makes a fresh machine ready: the packages of the lock file, and as root on Debian or Ubuntu the system's parts.
 *
 * Says what it installs. `DRYDOCK_NO_SETUP=1` forbids it all. What cannot be installed is left to `npm run doctor`.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Programs (or, with a path, files) that the engine and its tests use, with the Debian package each comes from. */
const programs = {
  run: {
    runc: "runc",
    iptables: "iptables",
    xz: "xz-utils",
    ...(process.arch === "x64" && { "/usr/lib/x86_64-linux-gnu/libisal.so.2": "libisal2" }),
  },
  test: {
    "docker-registry": "docker-registry",
    skopeo: "skopeo",
    busybox: "busybox-static",
    bzip2: "bzip2",
    zstd: "zstd",
    curl: "curl",
    unshare: "util-linux",
    ip: "iproute2",
    docker: "docker.io",
    "fuse-overlayfs": "fuse-overlayfs",
    "mkfs.btrfs": "btrfs-progs",
    chromium: "chromium",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc": "fonts-wqy-zenhei",
  },
  bench: { dockerd: "docker.io", h2load: "nghttp2-client" },
};

const sbin = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Whether a program can be started by name, or is where only root's PATH looks; or whether a file is there. */
export function has(program) {
  if (program.startsWith("/")) return existsSync(program);
  return [...(process.env.PATH ?? "").split(delimiter), ...sbin].some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return statSync(join(dir, program)).isFile();
    } catch {
      return false;
    }
  });
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], ...options });
  return result.status === 0;
}

function installPackages() {
  const lock = join(root, "package-lock.json");
  const marker = join(root, "node_modules/.package-lock.json");
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log("set-up: installing the packages of the lock file (npm ci)");
  // Silent unless it fails: warnings of other people's packages are no news to a reader.
  const ok = run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (!ok) {
    console.error("Cannot install the packages: npm ci failed (see above). Check the network and the npm registry.");
    process.exit(1);
  }
}

function installPrograms(groups) {
  const missing = new Set();
  for (const group of groups) {
    for (const [program, pkg] of Object.entries(programs[group])) if (!has(program)) missing.add(pkg);
  }
  if (missing.size === 0) return;
  const list = [...missing].sort();
  if (process.getuid?.() !== 0 || !has("apt-get")) {
    console.log(`set-up: these system packages are missing: ${list.join(" ")} (npm run doctor says what for)`);
    return;
  }
  console.log(`set-up: installing system packages: ${list.join(" ")}`);
  // RUNLEVEL=1 keeps packages from starting their services: we only want the programs.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const quiet = { env, stdio: ["ignore", "ignore", "inherit"] };
  const install = () => run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...list], quiet);
  if (!install()) {
    run("apt-get", ["update", "-qq"], quiet);
    if (!install()) console.error(`set-up: apt-get could not install them; npm run doctor names what will not work`);
  }
}

/** Checks the runtime, then installs what is missing for these groups of programs. */
export async function setup(groups) {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Cannot run on Node.js ${process.versions.node}: 20.19 or newer is needed (https://nodejs.org)`);
    process.exit(1);
  }
  if (process.env.DRYDOCK_NO_SETUP !== "1") {
    installPackages();
    if (process.platform === "linux") installPrograms(groups);
  }
  process.env.PATH = [process.env.PATH, ...sbin].join(delimiter);
}

/** The version in package.json. */
export const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
