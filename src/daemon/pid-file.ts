/**
 * The file with the daemon's process id.
 *
 * @origin utils/daemon.go
 * @module
 */

import { isErrno, messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../pkg/log/log.ts";

/**
 * Writes the file, unless it names a process that lives.
 *
 * @throws `pid file found, ensure docker is not running or delete <path>`
 * @origin utils/daemon.go CreatePidFile
 */
export async function createPidFile(path: string, host: Pick<Host, "fs" | "machine">): Promise<void> {
  const text = await host.fs.readFile(path, "utf8").catch((cause: unknown) => {
    if (!isErrno(cause, "ENOENT")) throw cause;
    return "";
  });
  // Only digits count: with a newline at the end it is not read, as in 1.2.0.
  if (/^\d{1,9}$/.test(text) && Number(text) !== host.machine.pid && (await lives(host, text))) {
    throw new SystemError(`pid file found, ensure docker is not running or delete ${path}`);
  }
  await host.fs.writeFile(path, String(host.machine.pid));
}

async function lives({ fs }: Pick<Host, "fs">, pid: string): Promise<boolean> {
  try {
    await fs.stat(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}

/** @origin utils/daemon.go RemovePidFile */
export async function removePidFile(path: string, host: Pick<Host, "fs">, log: Logger): Promise<void> {
  await host.fs.unlink(path).catch((cause: unknown) => log.std(`Error removing ${path}: ${messageOf(cause)}`));
}
