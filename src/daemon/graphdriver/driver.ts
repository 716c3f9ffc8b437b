/**
 * What a storage driver does: layers on top of layers, each a directory when mounted.
 *
 * @origin daemon/graphdriver/driver.go
 * @module
 */

import type { Change } from "../../archive/changes.ts";
import type { UnpackResult } from "../../host/pool.ts";
import type { Reader } from "../../sync/io.ts";

/**
 * A storage driver. Ids are parsed by the caller: 64 hexadecimal digits, for containers also with `-init`.
 *
 * @origin daemon/graphdriver/driver.go Driver, Differ
 */
export interface GraphDriver {
  /** `vfs`, `overlay`, `aufs`: names the directory below the root and `repositories-<name>`. */
  readonly name: string;
  /** Whether a layer may be unpacked before the layers below it are: then a pull unpacks several at once. */
  readonly independentLayers: boolean;
  /** Makes an empty layer on top of `parent`. @throws when the parent is unknown */
  create(id: string, parent?: string): Promise<void>;
  /** Removes a layer and what it holds; a layer that is not there is no error. */
  remove(id: string): Promise<void>;
  /** Makes the layer and everything below it visible, counting its users. @returns the directory */
  get(id: string, mountLabel?: string): Promise<string>;
  /** Gives back what {@link get} gave; the last one unmounts. */
  put(id: string): Promise<void>;
  exists(id: string): Promise<boolean>;
  /** Every layer the driver holds: what boot compares with the graph to find half-made ones. */
  ids(): Promise<string[]>;
  /** Lines for `docker info`, or `undefined` for none. */
  status(): Promise<[string, string][] | undefined>;
  /**
   * Unpacks an archive into a layer, whiteouts and all.
   *
   * @param record - where to write what gives the archive back byte for byte; see {@link layerPath}
   * @throws when the archive is broken or hostile
   */
  applyDiff(
    id: string,
    parent: string | undefined,
    layer: Reader,
    signal?: AbortSignal,
    record?: string,
  ): Promise<UnpackResult>;
  /** Where the files of a layer itself can be read, mounted or not. A driver without it archives its layers anew. */
  layerPath?(id: string): string;
  /** The layer's own content as an uncompressed tar, whiteouts as `.wh.` files. */
  diff(id: string, parent: string | undefined): Reader;
  /** What the layer changes, sorted by path. */
  changes(id: string, parent: string | undefined): Promise<Change[]>;
  /** Bytes of the layer's own regular files. */
  diffSize(id: string, parent: string | undefined): Promise<number>;
  /** Unmounts everything; called once at shutdown. */
  cleanup(): Promise<void>;
}
