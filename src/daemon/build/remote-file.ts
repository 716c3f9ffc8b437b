/**
 * ADD of an address: the file behind it.
 *
 * @origin daemon/build.go
 * @module
 */

import { join } from "node:path/posix";
import { tarAs } from "../../archive/archive.ts";
import { namingRoom, withRoom } from "../../archive/room.ts";
import { BadRequestError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import { TarSum } from "../../pkg/tarsum/tarsum.ts";
import { download } from "../../registry/download.ts";
import { temporaryDirectory } from "./context.ts";
import type { CopyHost, Source } from "./copy-in.ts";

/** What fetching touches. */
export type FetchHost = CopyHost & Pick<Host, "net" | "clock" | "env" | "hash">;

/** A file that has been fetched. */
export interface FetchedFile {
  readonly source: Source;
  /** The tarsum of the file alone. */
  readonly sum: string;
  /** Deletes it. */
  remove(): Promise<void>;
}

/**
 * Fetches the file behind an address. It has no time, so that the cache knows it again, and only its owner may read it.
 *
 * @param dest - where it goes; a directory needs to know its name
 * @throws when it cannot be fetched; nothing is left then
 * @origin daemon/build.go (*buildFile).runContextCommand
 */
export async function fetchFile(host: FetchHost, url: string, dest: string, signal: AbortSignal): Promise<FetchedFile> {
  const directory = await temporaryDirectory(host, "docker-remote");
  const remove = () => host.fs.rm(directory, { recursive: true, force: true });
  const path = join(directory, "tmp");
  try {
    const { body } = await download(host, url, signal);
    const file = await host.fs.open(path, "wx", 0o600);
    try {
      await namingRoom(directory, async () => {
        for await (const chunk of withRoom(host, directory, body)) await file.appendFile(chunk);
      });
    } finally {
      await file.close();
    }
    await host.fs.utimes(path, 0, 0);
    const name = fileName(url);
    if (dest.endsWith("/") && name === "") throw new BadRequestError(`cannot determine filename from url: ${url}`);
    const info = await host.fs.lstat(path);
    return { source: { path, info, name: name || "tmp", unpack: false }, sum: await sumOfFile(host, path), remove };
  } catch (cause) {
    await remove();
    throw cause;
  }
}

/** The last part of an address's path, without a slash behind it. */
export function fileName(url: string): string {
  const path = new URL(url).pathname.replace(/\/$/, "");
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // An escape that is none: then it is the name.
  }
  return decoded.slice(decoded.lastIndexOf("/") + 1);
}

async function sumOfFile(host: FetchHost, path: string): Promise<string> {
  const sum = new TarSum(host, tarAs(host, path, "."), { disableCompression: true });
  for await (const _ of sum) {
    // What is asked for is the sum.
  }
  return sum.sum();
}
