/**
 * The file of `docker run --cidfile`.
 *
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import { isErrno } from "../../errdefs/errdefs.ts";
import { errnoText, pathErrorText } from "../../errdefs/errno-text.ts";
import type { DockerCli } from "./cli.ts";

/** Made before the container, so that no container is made whose id could not be kept. */
export interface CidFile {
  /** Stores the id, without a newline. */
  write(id: string): Promise<void>;
  /** Closes the file, and removes it when nothing was stored. */
  close(): Promise<void>;
}

/**
 * Makes the file.
 *
 * @throws Error when it is there already: another container may depend on it
 * @origin api/client/commands.go (*DockerCli).CmdRun
 */
export async function createCidFile(cli: DockerCli, path: string): Promise<CidFile> {
  const { fs } = cli.host;
  let file: FileHandle;
  try {
    // Exclusive: between a look and the creation another client could take the name.
    file = await fs.open(path, "wx", 0o666);
  } catch (cause) {
    if (isErrno(cause, "EEXIST")) {
      throw new Error(`Container ID file found, make sure the other container isn't running or delete ${path}`, {
        cause,
      });
    }
    throw new Error(`Failed to create the container ID file: ${pathErrorText("open", path, cause)}`, { cause });
  }
  let written = false;
  return {
    async write(id) {
      try {
        await file.writeFile(id);
      } catch (cause) {
        throw new Error(`Failed to write the container ID to the file: ${pathErrorText("write", path, cause)}`, {
          cause,
        });
      }
      written = true;
    },
    async close() {
      await file.close();
      if (written) return;
      try {
        await fs.unlink(path);
      } catch (cause) {
        await cli.out.write(`failed to remove Container ID file '${path}': remove ${path}: ${errnoText(cause)} \n`);
      }
    },
  };
}
