/**
 * The file that says which process the daemon is.
 *
 * @origin utils/daemon.go
 * @module
 */

import { isErrno, messageOf, SystemError } from "../errdefs/errdefs.ts";
import { pathErrorText } from "../errdefs/errno-text.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../pkg/log/log.ts";

/** More is no process id. */
const MAX_PID_LENGTH = 10;

/** A docker, ours as built or from its sources, or any other: `docker`, `/usr/bin/dockerd`, `docker-1.2.0`. */
const PROGRAM = /(^|\/)(dockerd?(-[\w.]+)?|dist\/docker\.cjs|src\/docker\/\w+\.ts)$/;

/**
 * Writes this process's id, without a newline, unless the file names a daemon that is running.
 *
 * @throws {SystemError} `pid file found, …` when another daemon runs, or the system's error
 * @origin utils/daemon.go CreatePidFile
 * @deviation A file left by a daemon that was killed does not stop the next one when its number meanwhile belongs to a
 *   process that is no docker, or to this one; 1.2.0 refuses while any process has it. The file is not followed when it is a link, and
 *   is written beside its place and renamed, so that nobody ever reads half a number.
 */
export async function createPidFile(pidfile: string, host: Pick<Host, "fs" | "machine">): Promise<void> {
  const other = await livingDaemon(host, pidfile);
  if (other !== undefined) {
    throw new SystemError(`pid file found, ensure docker is not running or delete ${pidfile}`);
  }
  const temporary = `${pidfile}.${host.machine.pid}`;
  try {
    await host.fs.rm(temporary, { force: true });
    await host.fs.writeFile(temporary, String(host.machine.pid), { flag: "wx", mode: 0o644 });
    await host.fs.rename(temporary, pidfile);
  } catch (cause) {
    await host.fs.rm(temporary, { force: true }).catch(() => undefined); // what failed first is what counts
    throw new SystemError(pathErrorText("open", pidfile, cause), { cause });
  }
}

/**
 * Removes the file when the daemon ends. A failure is only logged.
 *
 * @origin utils/daemon.go RemovePidFile
 */
export async function removePidFile(pidfile: string, host: Pick<Host, "fs">, log: Logger): Promise<void> {
  try {
    await host.fs.unlink(pidfile);
  } catch (cause) {
    const reason = isErrno(cause, "ENOENT") ? `remove ${pidfile}: no such file or directory` : messageOf(cause);
    log.std(`Error removing ${pidfile}: ${reason}`);
  }
}

/** The process id in the file, if that process is alive and may be a docker. */
async function livingDaemon(host: Pick<Host, "fs" | "machine">, pidfile: string): Promise<number | undefined> {
  const pid = await pidIn(host, pidfile);
  if (pid === undefined || pid === host.machine.pid) return undefined;
  try {
    await host.fs.stat(`/proc/${pid}/`);
  } catch {
    return undefined;
  }
  return (await isDocker(host, pid)) ? pid : undefined;
}

/** The whole content must be a number, as Go's Atoi reads it: with a newline behind it, it is none. */
async function pidIn(host: Pick<Host, "fs">, pidfile: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await host.fs.readFile(pidfile, "utf8");
  } catch (cause) {
    if (isErrno(cause, "EISDIR")) throw new SystemError(`open ${pidfile}: is a directory`, { cause });
    return undefined; // as 1.2.0: what cannot be read says nothing
  }
  if (text.length > MAX_PID_LENGTH || !/^\+?\d+$/.test(text)) return undefined;
  return Number(text);
}

/** Whether the process runs a program of ours or another docker. One whose command line is hidden from us may. */
async function isDocker(host: Pick<Host, "fs" | "machine">, pid: number): Promise<boolean> {
  let commandLine: string;
  try {
    commandLine = await host.fs.readFile(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return true;
  }
  // Program and script: the daemon may run under an interpreter. An empty one is a process that is just ending.
  const words = commandLine.split("\0").filter((word) => !word.startsWith("-"));
  return words.slice(0, 3).some((word) => PROGRAM.test(word) || word === host.machine.execPath);
}
