/**
 * Where files go in an image, and in which form.
 *
 * ```text
 * dest ends with / or is .       a directory: a file gets its own name in it
 * dest is a directory already    the same
 * directory                      what is in it goes into dest
 * archive, with ADD              what is in it goes into dest
 * ```
 *
 * The image may have links anywhere: they are followed as if its root were `/`. The thread that writes is locked into the
 * directory where the files go, so that an archive cannot leave that either.
 *
 * @origin daemon/build.go
 * @module
 */

import posix from "node:path/posix";
import { tar, tarAs } from "../../archive/archive.ts";
import { decompressStream } from "../../archive/compression.ts";
import { BLOCK_BYTES, beginsTar } from "../../archive/tar/header.ts";
import type { Stats } from "../../archive/tree.ts";
import { isErrno, messageOf, SystemError } from "../../errdefs/errdefs.ts";
import { pathErrorText } from "../../errdefs/errno-text.ts";
import type { Host } from "../../host/host.ts";
import { followSymlinkInScope } from "../../pkg/symlink/fs.ts";
import type { Reader } from "../../sync/io.ts";

/** What copying touches. */
export type CopyHost = Pick<Host, "fs" | "kernel" | "machine" | "pool" | "exec">;

/** A file or directory to copy. */
export interface Source {
  /** Absolute, without links. */
  readonly path: string;
  readonly info: Stats;
  /** What a file is called in a directory. */
  readonly name: string;
  /** Whether an archive is unpacked. */
  readonly unpack: boolean;
}

const READ_BYTES = 256 << 10;
const O_NOFOLLOW = 0o400000;
const O_NONBLOCK = 0o4000;
const OWNER = { uid: 0, gid: 0 };

/**
 * Copies into a mounted tree, in which nothing else may change meanwhile. Everything belongs to root, but for what comes
 * out of an archive.
 *
 * @param root - the tree
 * @param dest - as in the Dockerfile; relative to `/`
 * @throws when it cannot be copied; what was copied so far stays, for the caller to remove
 * @origin daemon/build.go (*buildFile).addContext, copyAsDirectory, fixPermissions
 * @deviation Only what is copied is given to root; 1.2.0 gives it everything that was below the same directories before.
 *   A file goes into a directory that is there; 1.2.0 removes the directory first. `..` stays below `/`; 1.2.0 fails. An
 *   archive that is broken is an error; 1.2.0 leaves what it had unpacked, and copies the archive besides. Set-user-id
 *   bits stay; in 1.2.0 the change of the owner takes them away.
 */
export async function copyIn(
  host: CopyHost,
  root: string,
  source: Source,
  dest: string,
  signal: AbortSignal,
): Promise<void> {
  const inside = posix.join("/", dest).replace(/(.)\/+$/, "$1");
  const target = new Target(host, root, await followSymlinkInScope(host.fs, posix.join(root, inside), root), signal);
  const there = await target.stat();
  const wantsDirectory = dest.endsWith("/") || dest === ".";
  if (wantsDirectory && there !== undefined && !there.isDirectory()) {
    throw new SystemError(`stat ${inside}/: not a directory`);
  }
  if (source.info.isDirectory()) return target.unpack(tar(host, source.path), "none", OWNER);
  if (source.unpack && there?.isDirectory() !== false && (await isArchive(host, source))) {
    return target.unpack(bytesOf(host, source.path), "auto").catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new SystemError(`Cannot unpack ${source.name}: ${messageOf(cause)}`, { cause });
    });
  }
  const [directory, name] =
    wantsDirectory || there?.isDirectory() === true
      ? [target, source.name]
      : [target.above(), posix.basename(target.path)];
  await directory.unpack(tarAs(host, source.path, name), "none", OWNER);
}

/** A directory in the tree, perhaps one to come. */
class Target {
  /** Absolute, without links below the root. */
  readonly path: string;
  readonly #host: CopyHost;
  readonly #root: string;
  readonly #signal: AbortSignal;

  constructor(host: CopyHost, root: string, path: string, signal: AbortSignal) {
    this.#host = host;
    this.#root = root;
    this.path = path;
    this.#signal = signal;
  }

  above(): Target {
    return new Target(this.#host, this.#root, posix.dirname(this.path), this.#signal);
  }

  async stat(): Promise<Stats | undefined> {
    try {
      return await this.#host.fs.lstat(this.path);
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) return undefined;
      throw this.#named("stat", cause);
    }
  }

  /** Makes the directory, and unpacks an archive into it. @param owner - of everything; default: whom the archive names */
  async unpack(archive: Reader, compression: "none" | "auto", owner?: typeof OWNER): Promise<void> {
    await this.#host.fs.mkdir(this.path, { recursive: true, mode: 0o755 }).catch((cause: unknown) => {
      throw this.#named("mkdir", cause);
    });
    const chown = this.#host.machine.uid === 0;
    const into = { path: "/", keepKinds: false, ...(owner === undefined ? {} : { owner }) };
    await this.#host.pool.unpack(
      { root: this.path, whiteouts: "keep", chown, compression, sync: true, into },
      archive,
      this.#signal,
    );
  }

  /** As the image's processes would name it. */
  get #inside(): string {
    return this.path.slice(this.#root.length) || "/";
  }

  #named(call: string, cause: unknown): SystemError {
    return new SystemError(pathErrorText(call, this.#inside, cause), { cause });
  }
}

/**
 * Whether a file is an archive: whether it begins, under any compression, with a header of tar.
 *
 * @origin archive/archive.go UntarPath
 * @deviation A file of zeros is no archive; 1.2.0 takes it for one without entries, and adds nothing.
 */
export async function isArchive(host: CopyHost, { path, info }: Pick<Source, "path" | "info">): Promise<boolean> {
  if (!info.isFile()) return false;
  let head = Buffer.alloc(0);
  try {
    const { plain } = await decompressStream(host.exec, bytesOf(host, path));
    for await (const chunk of plain) {
      head = Buffer.concat([head, chunk.subarray(0, BLOCK_BYTES)]);
      if (head.length >= BLOCK_BYTES) break;
    }
    return beginsTar(head);
  } catch (cause) {
    // What cannot be read as an archive is none; what cannot be read at all fails again when it is copied.
    if (isErrno(cause, "EIO", "EMFILE", "ENFILE")) throw cause;
    return false;
  }
}

/** The bytes of a plain file. */
export async function* bytesOf({ fs }: Pick<Host, "fs">, path: string): AsyncGenerator<Uint8Array> {
  const file = await fs.open(path, O_NOFOLLOW | O_NONBLOCK);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_BYTES), 0);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
