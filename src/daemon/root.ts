/**
 * The daemon's own directory: ours alone, by one process at a time.
 *
 * @since Drydock
 * @module
 */

import posix from "node:path/posix";
import { isErrno, SystemError } from "../errdefs/errdefs.ts";
import { errnoText, pathErrorText } from "../errdefs/errno-text.ts";
import type { Host } from "../host/host.ts";

/** Says that a root is ours; locked while a daemon runs. */
export const markerName = ".drydock";

/** What other engines leave in a root. */
const foreign = ["image", "containerd", "buildkit", "swarm", "overlay2", "linkgraph.db", "containers", "graph"];

/**
 * Makes the root if need be, and claims it.
 *
 * @throws {SystemError} when another engine has written there, or another daemon runs in it
 * @deviation 1.2.0 takes any directory, and lets two daemons write to one.
 */
export async function claimRoot(root: string, host: Pick<Host, "fs" | "kernel" | "machine">): Promise<void> {
  const { fs } = host;
  await makeRoot(root, host);
  const marker = posix.join(root, markerName);
  if (!(await exists(host, marker))) {
    const names = await fs.readdir(root);
    const found = foreign.filter((name) => names.includes(name));
    if (found.length > 0) {
      throw new SystemError(
        `Cannot use ${root}: another engine has written there (${found.join(", ")}). Choose another directory: use -g`,
      );
    }
  }
  // Opened for appending: the pid of the owner stays readable while another daemon tries.
  try {
    await (await fs.open(marker, "a", 0o600)).close();
  } catch (cause) {
    throw new SystemError(`Cannot use ${root}: ${errnoText(cause)}. Choose another directory: use -g`, { cause });
  }
  if (!host.kernel.lockFile(marker)) {
    const owner = (await fs.readFile(marker, "utf8")).trim();
    throw new SystemError(
      `Cannot use ${root}: in use by another daemon${owner === "" ? "" : ` (pid ${owner})`}. Use -g`,
    );
  }
  await fs.writeFile(marker, `${host.machine.pid}\n`);
  await fs.chmod(root, 0o700);
}

/**
 * Makes the directory and those above it.
 *
 * One by one: Node's own way never ends below `/proc`, where a name cannot be made and its parent is there.
 *
 * @throws with 1.2.0's text when it cannot be made
 */
export async function makeRoot(root: string, { fs }: Pick<Host, "fs">): Promise<void> {
  const make = async (path: string): Promise<void> => {
    try {
      await fs.mkdir(path, { mode: 0o700 });
    } catch (cause) {
      if (isErrno(cause, "EEXIST") && (await fs.stat(path)).isDirectory()) return;
      const parent = posix.dirname(path);
      if (!isErrno(cause, "ENOENT") || (await exists({ fs }, parent))) throw cause;
      await make(parent);
      await fs.mkdir(path, { mode: 0o700 });
    }
  };
  try {
    await make(posix.resolve("/", root));
  } catch (cause) {
    const text = pathErrorText("mkdir", root, cause);
    throw new SystemError(`Unable to get the full path to root (${root}): ${text}. Choose another directory: use -g`, {
      cause,
    });
  }
}

async function exists({ fs }: Pick<Host, "fs">, path: string): Promise<boolean> {
  try {
    await fs.lstat(path);
    return true;
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
    return false;
  }
}
