/**
 * Contents of files on a machine with mounts.
 *
 * @module
 */

import { type ErrorCode, failure } from "./errno.ts";
import { MountedTree, modeOf, type OptionsOrEncoding, optionsOf } from "./mounted-tree.ts";
import { openFlags, type PathLike, text } from "./node-values.ts";
import { lstat, setTimes } from "./tree.ts";

const O = { WRITE: 3, CREAT: 0o100, EXCL: 0o200, TRUNC: 0o1000, DIRECTORY: 0o200000, NOFOLLOW: 0o400000 };

/** All the file calls of the engine. */
export class MountedVolume extends MountedTree {
  truncateSync(path: PathLike, length = 0): void {
    const place = this.there(path, "truncate");
    if (this.isDirectory(place)) throw failure("EISDIR", "truncate", text(path));
    this.writable(place, "truncate");
    const real = place.tree.change(place.inner);
    this.volume.truncateSync(real, length);
    setTimes(this.volume, real, this.now(), this.now());
  }

  /** @returns a descriptor of the volume; the mount does not know that it is open */
  openSync(path: PathLike, flags: string | number = "r", mode: number | string = 0o666): number {
    const { fd, done } = this.open(path, flags, mode);
    done();
    return fd;
  }

  /** Opens a file; `done` is to be called when it has been closed. */
  open(path: PathLike, flags: string | number, mode: number | string = 0o666): { fd: number; done: () => void } {
    const bits = openFlags(flags);
    const [writes, creates, exclusive] = [bits & O.WRITE, bits & O.CREAT, bits & O.EXCL].map(Boolean);
    const follow = (bits & O.NOFOLLOW) === 0 && !(creates && exclusive);
    let place = this.place(text(path), "open", follow);
    const fail = (code: ErrorCode) => failure(code, "open", text(path));
    if (place.real === undefined) {
      if (!creates) throw fail("ENOENT");
      const permissions = modeOf(mode, 0o666) & ~this.umask();
      this.make(place, "file", (real) => {
        this.volume.writeFileSync(real, "");
        this.volume.chmodSync(real, permissions);
      });
      place = this.place(text(path), "open", follow);
    } else if (creates && exclusive) throw fail("EEXIST");
    const { real = "", mount, tree, inner } = place;
    const info = lstat(this.volume, real);
    if (info?.isSymbolicLink()) throw fail("ELOOP");
    if (info?.isDirectory() ? writes || creates : bits & O.DIRECTORY)
      throw fail(info?.isDirectory() ? "EISDIR" : "ENOTDIR");
    if (writes || bits & O.TRUNC) this.writable(place, "open");
    const opened = writes ? tree.change(inner) : real;
    const fd = this.volume.openSync(opened, bits & ~(O.CREAT | O.EXCL | O.NOFOLLOW | O.DIRECTORY));
    const before = bits & O.TRUNC ? undefined : lstat(this.volume, opened)?.mtimeMs;
    mount.users++;
    const done = () => {
      mount.users--;
      const after = lstat(this.volume, opened);
      if (writes && after !== undefined && after.mtimeMs !== before)
        setTimes(this.volume, opened, this.now(), this.now());
    };
    return { fd, done };
  }

  readFileSync(path: PathLike, options?: OptionsOrEncoding): string | Buffer {
    const { flag = "r", encoding } = optionsOf(options);
    if (this.isDirectory(this.there(path, "open"))) throw failure("EISDIR", "read");
    return this.#with(path, flag, undefined, (fd) => this.volume.readFileSync(fd, encoding as BufferEncoding)) as
      | string
      | Buffer;
  }

  writeFileSync(path: PathLike, data: string | Uint8Array, options?: OptionsOrEncoding): void {
    const { flag = "w", mode, encoding } = optionsOf(options);
    const bytes = typeof data === "string" ? Buffer.from(data, (encoding ?? "utf8") as BufferEncoding) : data;
    this.#with(path, flag, mode, (fd) => this.volume.writeFileSync(fd, Buffer.from(bytes)));
  }

  appendFileSync(path: PathLike, data: string | Uint8Array, options?: OptionsOrEncoding): void {
    this.writeFileSync(path, data, { flag: "a", ...optionsOf(options) });
  }

  copyFileSync(source: PathLike, path: PathLike, mode = 0): void {
    const info = this.statSync(source);
    if (info?.isDirectory()) throw failure("EISDIR", "copyfile", text(source), text(path));
    const flag = mode & 1 ? "wx" : "w";
    this.writeFileSync(path, this.readFileSync(source) as Buffer, { flag, mode: (info?.mode ?? 0) & 0o7777 });
  }

  #with<T>(path: PathLike, flag: string | number, mode: number | string | undefined, work: (fd: number) => T): T {
    const { fd, done } = this.open(path, flag, mode);
    try {
      return work(fd);
    } finally {
      this.volume.closeSync(fd);
      done();
    }
  }
}
