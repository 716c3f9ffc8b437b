/**
 * Heavy work off the event loop.
 *
 * @module
 */

import type { Reader } from "../sync/io.ts";

/** What unpacking a layer is to do. */
export interface UnpackJob {
  /** Directory that becomes `/` for the archive; nothing outside it is ever touched. */
  readonly root: string;
  /**
   * How the whiteouts of a layer are to be treated: carried out; made into the marks of overlay or of aufs, which are
   * whiteouts again; or kept as files like any other.
   */
  readonly whiteouts: "apply" | "overlay" | "aufs" | "keep";
  /** `false`: ownership is left alone (hosts without root). */
  readonly chown: boolean;
  /** Whether the digests are wanted; default: yes. */
  readonly digests?: boolean;
  /** Absolute path of a file to write that gives the archive back byte for byte; see `archive/split.ts`. Default: none. */
  readonly record?: string | undefined;
  /** `auto`: by magic number. */
  readonly compression: "auto" | "none";
  /** Whether everything must be on the disk before the job is done; default: no. */
  readonly sync?: boolean;
  /** Whether each entry is to be summed (see `pkg/tarsum`); default: no. */
  readonly tarsum?: boolean;
  /** What is mounted below {@link root} while the job runs, and nowhere else. */
  readonly mounts?: readonly ViewMount[];
  /** For archives that go into a container: where to. Default: the root, with nothing kept. */
  readonly into?: Destination;
  /** What must stay free of the file system; default: what the pool was told, see {@link WorkerPool.minFree}. */
  readonly minFree?: MinFree | undefined;
}

/** How much of a file system stays free. */
export interface MinFree {
  /** Of all there is; 0: nothing. */
  readonly percent: number;
  /** On large ones it is no more than this. */
  readonly atMostBytes: number;
  readonly atMostInodes: number;
}

/** A directory of a container that an archive is unpacked into. */
export interface Destination {
  /** As the container's processes name it; links are followed as they would follow them. It must be there. */
  readonly path: string;
  /** Refuse to put a directory in the place of something else, and the other way round. */
  readonly keepKinds: boolean;
  /** Who everything belongs to; default: whom the archive names. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** A directory or file of the machine that is seen at a place below another root. */
export interface ViewMount {
  readonly source: string;
  /** Absolute, as seen from that root. */
  readonly destination: string;
  readonly writable: boolean;
}

/** A container's files as its processes see them. */
export interface View {
  readonly root: string;
  readonly mounts: readonly ViewMount[];
  /** `false`: the root is looked at from outside, and nothing is mounted (hosts without root). */
  readonly confine: boolean;
}

/**
 * What is at a path of a container. Wire shape.
 *
 * @since Docker 1.8
 */
export interface PathStat {
  name: string;
  size: number;
  /** Bits of Go's `os.FileMode`. */
  mode: number;
  mtime: string;
  /** Where a link leads in the end, seen from the container's root; empty for everything else. */
  linkTarget: string;
}

/** What a thread is to find out about a path of a container; see {@link WorkerPool}. */
export interface LookJob {
  readonly view: View;
  readonly what: "stat" | "read" | "archive" | "tree";
  /** Of a `tree` it is nothing. */
  readonly path: string;
  /** Of a file that is read. */
  readonly maxBytes: number;
}

/** Who takes an archive. */
export interface ArchiveSink {
  /** Told first, once, what it is an archive of. */
  begin(stat: PathStat): void;
  /** The next piece is asked for when this one is done with. */
  write(chunk: Uint8Array): void | Promise<void>;
}

/** What came of it. */
export interface UnpackResult {
  /** Digest of the bytes as they came, `sha256:<hex>`. */
  readonly digest: string;
  /** Digest of the bytes after decompression (OCI: DiffID), `sha256:<hex>`. */
  readonly diffId: string;
  /** Bytes in regular files. */
  readonly size: number;
  /** Bytes as they came. */
  readonly received: number;
  /**
   * Bytes after decompression, when the record that was asked for is there and good. It is not when something in the
   * archive took the place of a file that had come with it.
   */
  readonly recorded?: number;
  readonly entries: number;
  /** The sum of each entry by its name, a byte string; when they were asked for. */
  readonly sums?: ReadonlyMap<string, string>;
}

/** What compressing a stream has found out. */
export interface PackResult {
  /** Digest of the bytes as they were, `sha256:<hex>`, … */
  readonly diffId: string;
  /** … and as they are now. */
  readonly digest: string;
  /** Bytes now. */
  readonly size: number;
}

/** Worker threads for what reads and writes trees that are not ours; each job has one of its own while it runs. */
export interface WorkerPool {
  /** What must stay free wherever strangers' archives are written; default: nothing. */
  minFree?: MinFree | undefined;
  /**
   * Hashes, decompresses and unpacks a stream in one pass, confined to `root`, with bounded memory.
   *
   * @throws when the archive is broken or tries to leave `root`; what was unpacked so far is left for the caller to remove
   */
  unpack(job: UnpackJob, source: Reader, signal?: AbortSignal): Promise<UnpackResult>;
  /**
   * Hashes a stream, compresses it with gzip, and hashes what comes of that, with bounded memory.
   *
   * @param write - takes what comes of it; the next piece is made while it works
   * @throws what the source or `write` throws
   */
  pack(source: Reader, write: ArchiveSink["write"], signal?: AbortSignal): Promise<PackResult>;
  /** Looks at a path of a container. A link at its end is not followed. @throws `ENOENT` when nothing is there */
  stat(view: View, path: string, signal?: AbortSignal): Promise<PathStat>;
  /** The first `maxBytes` of a container's file; nothing when it is not there, or is no plain file. */
  read(view: View, path: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * Makes an archive of what is at a path of a container: under its last name, a directory with everything in it.
   *
   * @throws `ENOENT` when nothing is there
   */
  archive(view: View, path: string, sink: ArchiveSink, signal?: AbortSignal): Promise<void>;
  /** Makes an archive of all that is below the view's root, without a name of its own. */
  tree(view: View, write: ArchiveSink["write"], signal?: AbortSignal): Promise<void>;
  /** Ends idle threads. */
  close(): Promise<void>;
}
