/**
 * Makes directories, links and devices of an archive, and gives everything its owner, attributes, mode and time.
 *
 * The order matters: chown(2) takes away set-user-id bits and file capabilities, and every new entry changes the time of
 * its directory.
 *
 * @origin archive/archive.go createTarFile
 * @module
 */

import { isErrno } from "../errdefs/errdefs.ts";
import type { SyncFs } from "../host/sync-fs.ts";
import type { Beneath } from "./beneath.ts";
import { toPath } from "./byte-string.ts";
import { type Header, TarError } from "./tar/header.ts";

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;
/** What twelve and twenty bits hold: Linux's device numbers. */
const MAX_MAJOR = 0xfff;
const MAX_MINOR = 0xfffff;
/** How many directories wait for their time. When there are more, the first get theirs early. */
const MAX_WAITING = 100_000;
/** … and when their names are longer than this. */
const MAX_WAITING_BYTES = 16 << 20;

/** What fuse-overlayfs and overlay without root go by. */
const OVERLAY = /^user\.(?:overlay|fuseoverlayfs)\./;

/** What has to be done to a directory at the end. */
interface Waiting {
  readonly mode: number;
  readonly mtime: number;
  readonly mtimeNs: number;
}

/** How entries are made. */
export interface FileMakerOptions {
  /** `false`: no owners, no devices, and what we could not read ourselves becomes readable for us. */
  readonly chown: boolean;
  /** Whether nobody looks at the tree while it is made. */
  readonly unseen: boolean;
}

/** Makes entries at real paths. */
export class FileMaker {
  readonly #fs: SyncFs;
  readonly #beneath: Beneath;
  readonly #chown: boolean;
  readonly #unseen: boolean;
  /** Whether a file that was made in a directory (with a slash behind), with a mode, had this mode and was root's. */
  #proof: { readonly directory: string; readonly mode: number; readonly holds: boolean } | undefined;
  readonly #waiting = new Map<string, Waiting>();
  #waitingBytes = 0;

  constructor(fs: SyncFs, beneath: Beneath, { chown, unseen }: FileMakerOptions) {
    this.#fs = fs;
    this.#beneath = beneath;
    this.#chown = chown;
    this.#unseen = unseen;
  }

  /** The mode to make a file with: its own, when that may be all it needs. */
  birthMode(header: Header): number {
    return this.#isPlain(header) ? header.mode : 0o600;
  }

  /** Finishes a file that was made with its {@link birthMode} and has its content. */
  dressFile(fd: number, path: string, header: Header): void {
    if (!this.#isPlain(header) || !this.#isBornSo(fd, path, header.mode)) {
      if (this.#chown) this.#fs.fchownSync(fd, header.uid, header.gid);
      this.#attributes(path, header);
      this.#fs.fchmodSync(fd, this.#chown ? header.mode : header.mode | 0o600);
    }
    this.#fs.utimensSync(fd, header.mtime, header.mtimeNs);
  }

  /** What was learned of a directory need not hold any more: something other than a file has been made or removed. */
  forget(): void {
    this.#proof = undefined;
  }

  /** Whether a file is as most are: root's, with plain permissions. */
  #isPlain({ uid, gid, mode, xattrs }: Header): boolean {
    return this.#chown && this.#unseen && uid === 0 && gid === 0 && mode <= 0o777 && xattrs === undefined;
  }

  /** What a directory, the file system and the process's mask make of a file is looked at once for many. */
  #isBornSo(fd: number, path: string, mode: number): boolean {
    const directory = path.slice(0, path.lastIndexOf("/") + 1);
    const known = this.#proof;
    if (known !== undefined && known.mode === mode && known.directory === directory) return known.holds;
    const { mode: found, uid, gid } = this.#fs.fstatSync(fd);
    const holds = (found & 0o7777) === mode && uid === 0 && gid === 0;
    this.#proof = { directory, mode, holds };
    return holds;
  }

  /** A directory that is there keeps what is in it. */
  directory(path: string, header: Header): void {
    this.#beneath.placeDirectory(path, 0o700);
    if (this.#chown) this.#fs.lchownSync(this.#beneath.at(path), header.uid, header.gid);
    this.#attributes(path, header);
    const mode = this.#chown ? header.mode : header.mode | 0o700;
    this.#fs.chmodSync(this.#beneath.at(path), mode);
    this.#waitingBytes += path.length;
    if (this.#waiting.size >= MAX_WAITING || this.#waitingBytes > MAX_WAITING_BYTES) this.flush();
    this.#waiting.set(path, { mode, mtime: header.mtime, mtimeNs: header.mtimeNs });
  }

  symlink(path: string, header: Header): void {
    const at = this.#beneath.at(path);
    this.#beneath.place(path, () => this.#fs.symlinkSync(toPath(header.linkname), at));
    if (this.#chown) this.#fs.lchownSync(at, header.uid, header.gid);
    this.#attributes(path, header);
    this.#fs.utimensSync(at, header.mtime, header.mtimeNs);
  }

  /** @param union - whether 0:0 would hide a file of the layers below */
  node(path: string, header: Header, union: boolean): void {
    const { type, devMajor, devMinor } = header;
    if (type !== "6" && !this.#chown) return; // only root makes devices
    if (devMajor < 0 || devMajor > MAX_MAJOR || devMinor < 0 || devMinor > MAX_MINOR)
      throw new TarError(`device number ${devMajor}:${devMinor} is out of range`);
    if (union && type === "3" && devMajor === 0 && devMinor === 0)
      throw new TarError("a device 0:0 would hide a file of the layers below");
    const bits = type === "3" ? S_IFCHR : type === "4" ? S_IFBLK : S_IFIFO;
    const at = this.#beneath.at(path);
    this.#beneath.place(path, () => this.#fs.mknodSync(at, bits | 0o600, devMajor, devMinor));
    if (this.#chown) this.#fs.lchownSync(at, header.uid, header.gid);
    this.#attributes(path, header);
    this.#fs.chmodSync(at, header.mode);
    this.#fs.utimensSync(at, header.mtime, header.mtimeNs);
  }

  /** Gives directories their times. A directory that has been replaced by something else meanwhile is passed over. */
  flush(): void {
    for (const [path, { mtime, mtimeNs }] of this.#waiting) {
      if (this.#beneath.isReal(path)) this.#fs.utimensSync(this.#beneath.at(path), mtime, mtimeNs);
    }
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }

  /**
   * Keeps `security.*`, `user.*` and access lists. Everything else is the machine's own: above all `trusted.overlay.*`,
   * with which a layer could show what is not its.
   */
  #attributes(path: string, header: Header): void {
    if (header.xattrs === undefined) return;
    for (const [name, value] of header.xattrs) {
      const wanted = /^(?:security\.|user\.|system\.posix_acl_)/.test(name) && !OVERLAY.test(name);
      if (!wanted) continue;
      try {
        this.#fs.lsetxattrSync(this.#beneath.at(path), name, value);
      } catch (cause) {
        // A file system without attributes, or a kind of file that cannot have this one, is not the archive's fault.
        const minor = !this.#chown || name.startsWith("user.");
        if (!isErrno(cause, "ENOTSUP", "EOPNOTSUPP") && !(minor && isErrno(cause, "EPERM"))) throw cause;
      }
    }
  }
}
