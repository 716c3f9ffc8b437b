/**
 * Directories that outlive the layer they are mounted over.
 *
 * @origin daemon/volumes.go
 * @module
 */

import posix from "node:path/posix";
import { isErrno, SystemError } from "../errdefs/errdefs.ts";
import { pathErrorText } from "../errdefs/errno-text.ts";
import { followSymlinkInScope } from "../pkg/symlink/fs.ts";
import { mount } from "./cleanup.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { copyExistingContents } from "./volume-contents.ts";

/** A wish for a volume. @origin daemon/volumes.go Volume */
interface Volume {
  /** On the host; `undefined` for one that the daemon makes. */
  readonly hostPath: string | undefined;
  readonly volPath: string;
  readonly writable: boolean;
}

/** Makes the container's volumes and their mount points. @origin daemon/volumes.go prepareVolumesForContainer */
export async function prepareVolumes(daemon: Daemon, container: Container, rootfs: string): Promise<void> {
  if (Object.keys(container.volumes ?? {}).length === 0) {
    container.volumes = emptyRecord();
    container.volumesRW = emptyRecord();
    for (const spec of container.hostConfig.VolumesFrom ?? []) await applyVolumesFrom(daemon, container, spec);
  }
  for (const volume of wantedVolumes(container)) await initialize(daemon, container, rootfs, volume);
}

/**
 * Takes back the binds that a failed start has added; volumes stay, they may hold something.
 *
 * @param known - places of the volumes there were before
 */
export function forgetBinds(container: Container, known: readonly string[]): void {
  for (const bind of container.hostConfig.Binds ?? []) {
    const path = clean(bind.split(":")[1] ?? "");
    if (known.includes(path)) continue;
    delete container.volumes?.[path];
    delete container.volumesRW?.[path];
  }
}

/** @origin daemon/volumes.go applyVolumesFrom */
async function applyVolumesFrom(daemon: Daemon, container: Container, spec: string): Promise<void> {
  const colon = spec.indexOf(":");
  const name = colon < 0 ? spec : spec.slice(0, colon);
  const mode = colon < 0 ? "rw" : spec.slice(colon + 1);
  if (mode !== "ro" && mode !== "rw") throw new SystemError(`Malformed volumes-from specification: ${spec}`);
  const donor = daemon.get(name);
  if (donor === undefined) throw new SystemError(`Container ${name} not found. Impossible to mount its volumes`);
  for (const [path, source] of Object.entries(donor.volumes ?? {})) {
    if (container.volumes?.[path] !== undefined) continue;
    (container.volumes ??= emptyRecord())[path] = source;
    (container.volumesRW ??= emptyRecord())[path] = (donor.volumesRW?.[path] ?? false) && mode === "rw";
    const rootfs = await mount(daemon, container);
    const inside = await followSymlinkInScope(daemon.host.fs, posix.join(rootfs, posix.join("/", path)), rootfs);
    await createIfNotExists(daemon, inside, (await daemon.host.fs.stat(source)).isDirectory());
  }
}

/** Binds first, then what the image or the user declares. @origin daemon/volumes.go getBindMap, createVolumes */
function wantedVolumes(container: Container): Volume[] {
  const wanted = new Map<string, Volume>();
  for (const bind of container.hostConfig.Binds ?? []) {
    const volume = parseBindVolumeSpec(bind);
    // However it is written: what is mounted over the root hides everything that is mounted before.
    if (clean(posix.join("/", volume.volPath)) === "/") {
      throw new SystemError(`Illegal bind destination: ${volume.volPath}`);
    }
    wanted.set(clean(volume.volPath), volume);
  }
  for (const path of Object.keys(container.config.Volumes ?? {})) {
    // The root itself cannot be a volume (CVE-2015-3631): an image that says so would hide itself.
    if (clean(posix.join("/", path)) === "/") throw new SystemError(`Illegal bind destination: ${path}`);
    if (!wanted.has(clean(path))) wanted.set(clean(path), { hostPath: undefined, volPath: path, writable: true });
  }
  return [...wanted.values()];
}

/**
 * Reads `host:container[:mode]`.
 *
 * @origin daemon/volumes.go parseBindVolumeSpec
 * @deviation A mode of today is a list (`ro,z`): `ro` anywhere in it makes the bind read-only.
 */
export function parseBindVolumeSpec(spec: string): { hostPath: string; volPath: string; writable: boolean } {
  const parts = spec.split(":");
  if (parts.length > 3) throw new SystemError(`Invalid volume specification: ${spec}`);
  const [hostPath, volPath, mode] =
    parts.length === 1 ? ["", spec, "rw"] : [parts[0] ?? "", parts[1] ?? "", parts[2] ?? "rw"];
  if (!hostPath.startsWith("/")) {
    throw new SystemError(`cannot bind mount volume: ${hostPath} volume paths must be absolute.`);
  }
  const options = mode.toLowerCase().split(",");
  // Every option but these makes it read-only, as in 1.2.0: nothing becomes writable by a word we do not know.
  const writable = options.every((option) => ["", "rw", "z", "nocopy", "rprivate", "private"].includes(option));
  return { hostPath, volPath, writable };
}

/** @origin daemon/volumes.go (*Volume).initialize */
async function initialize(daemon: Daemon, container: Container, rootfs: string, volume: Volume): Promise<void> {
  const { fs } = daemon.host;
  const path = clean(volume.volPath);
  if (container.volumes?.[path] !== undefined) return;
  // Its place first: a volume that cannot be mounted anywhere is not made.
  const inside = await followSymlinkInScope(fs, posix.join(rootfs, posix.join("/", path)), rootfs);
  const source = volume.hostPath ?? (await daemon.volumes.create(container.id));
  let hostPath: string;
  try {
    hostPath = await fs.realpath(source).catch((cause: unknown) => {
      throw new SystemError(pathErrorText("lstat", source, cause), { cause });
    });
    await createIfNotExists(daemon, inside, (await fs.stat(hostPath)).isDirectory());
    if (volume.hostPath === undefined) await copyExistingContents(daemon.host, inside, hostPath);
  } catch (cause) {
    // Not half filled: the next start would take it for complete.
    if (volume.hostPath === undefined) await daemon.volumes.delete(posix.basename(source)).catch(() => undefined);
    throw cause;
  }
  (container.volumes ??= emptyRecord())[path] = hostPath;
  (container.volumesRW ??= emptyRecord())[path] = volume.writable;
}

/** Makes the mount point. @origin daemon/volumes.go createIfNotExists */
async function createIfNotExists({ host: { fs } }: Daemon, path: string, directory: boolean): Promise<void> {
  try {
    await fs.stat(path);
    return;
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
  }
  if (directory) {
    await fs.mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  await fs.mkdir(posix.dirname(path), { recursive: true, mode: 0o755 });
  await (await fs.open(path, "a", 0o755)).close();
}

/** By paths that come from outside: `__proto__` and `constructor` are paths like any other. */
function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

function clean(path: string): string {
  return posix.normalize(path).replace(/(.)\/+$/, "$1");
}
