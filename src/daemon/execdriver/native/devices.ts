/**
 * Device nodes of the host, as a bundle describes them.
 *
 * @origin vendor/src/github.com/docker/libcontainer/devices/devices.go
 * @module
 */

import { join } from "node:path/posix";
import { BadRequestError, isErrno } from "../../../errdefs/errdefs.ts";
import type { FileSystem } from "../../../host/host.ts";
import type { Device } from "../driver.ts";
import type { OciDevice } from "./create.ts";

// Directories below /dev that hold no devices, or the container's own.
const SKIPPED = new Set(["pts", "shm", "fd", "mqueue", "console"]);

/** Splits a device number as glibc's makedev(3) put it together. */
function splitRdev(rdev: number): { major: number; minor: number } {
  const n = BigInt(rdev);
  return {
    major: Number(((n >> 8n) & 0xfffn) | ((n >> 32n) & 0xfffff000n)),
    minor: Number((n & 0xffn) | ((n >> 12n) & 0xffffff00n)),
  };
}

async function describe(
  fs: Pick<FileSystem, "stat" | "lstat">,
  path: string,
  as: string,
): Promise<OciDevice | undefined> {
  const info = await fs.stat(path);
  if (!info.isCharacterDevice() && !info.isBlockDevice()) return undefined;
  return {
    path: as,
    type: info.isBlockDevice() ? "b" : "c",
    ...splitRdev(info.rdev),
    fileMode: info.mode & 0o777,
    uid: info.uid,
    gid: info.gid,
  };
}

/**
 * The devices named by `--device`.
 *
 * @throws {BadRequestError} for a path that is missing or no device
 * @origin vendor/src/github.com/docker/libcontainer/devices/devices.go GetDevice
 * @deviation A missing device, or a file that is none, is reported; 1.2.0 crashes on it.
 */
export async function namedDevices(
  fs: Pick<FileSystem, "stat" | "lstat">,
  wanted: readonly Device[],
): Promise<OciDevice[]> {
  return Promise.all(
    wanted.map(async ({ pathOnHost, pathInContainer }) => {
      const found = await describe(fs, pathOnHost, pathInContainer).catch((cause: unknown) => {
        if (!isErrno(cause, "ENOENT", "ENOTDIR")) throw cause;
        throw new BadRequestError(
          `error gathering device information while adding custom device stat ${pathOnHost}: no such file or directory`,
        );
      });
      if (found === undefined) {
        throw new BadRequestError("error gathering device information while adding custom device not a device node");
      }
      return found;
    }),
  );
}

/**
 * Every device of the host, for a privileged container.
 *
 * @origin vendor/src/github.com/docker/libcontainer/devices/devices.go GetHostDeviceNodes
 */
export async function hostDevices(
  fs: Pick<FileSystem, "stat" | "lstat" | "readdir">,
  dir = "/dev",
): Promise<OciDevice[]> {
  const found: OciDevice[] = [];
  for (const entry of await fs.readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (SKIPPED.has(entry.name)) continue;
    if (entry.isDirectory()) found.push(...(await hostDevices(fs, path)));
    else if (entry.isCharacterDevice() || entry.isBlockDevice()) {
      // A node may vanish while we look: loop and tty devices come and go.
      const device = await describe(fs, path, path).catch(() => undefined);
      if (device !== undefined) found.push(device);
    }
  }
  return found;
}
