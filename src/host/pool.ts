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
  /** `auto`: by magic number. */
  readonly compression: "auto" | "none";
  /** Whether everything must be on the disk before the job is done; default: no. */
  readonly sync?: boolean;
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
  readonly entries: number;
}

/** Worker threads for unpacking; each job has one of its own while it runs. */
export interface WorkerPool {
  /**
   * Hashes, decompresses and unpacks a stream in one pass, confined to `root`, with bounded memory.
   *
   * @throws when the archive is broken or tries to leave `root`; what was unpacked so far is left for the caller to remove
   */
  unpack(job: UnpackJob, source: Reader, signal?: AbortSignal): Promise<UnpackResult>;
  /** Ends idle threads. */
  close(): Promise<void>;
}
