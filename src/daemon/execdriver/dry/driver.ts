/**
 * Containers on paper: writes the bundle that `runc` would be given, says so, and ends.
 *
 * For hosts without root or without Linux, and for the chapters: everything up to the first system call of a container
 * can be read and tested there.
 *
 * @since Drydock; 1.2.0 has no such driver
 * @module
 */

import { join } from "node:path/posix";
import { SystemError } from "../../../errdefs/errdefs.ts";
import type { Host } from "../../../host/host.ts";
import type { Command, ExecDriver, ExitStatus, Pipes, Started } from "../driver.ts";
import { createContainer } from "../native/create.ts";

/** @see ExecDriver */
export class DryDriver implements ExecDriver {
  readonly name = "dry-0.1";
  readonly #root: string;
  readonly #host: Pick<Host, "fs">;

  /** @param root - `<docker root>/execdriver/dry`; bundles stay there until the container is removed or started again */
  constructor(root: string, host: Pick<Host, "fs">) {
    this.#root = root;
    this.#host = host;
  }

  /** Writes the bundle and tells on standard output what would have run; the exit code is 0. */
  async run(command: Command, pipes: Pipes, started: (info: Started) => void): Promise<ExitStatus> {
    const bundle = join(this.#root, command.id);
    const config = createContainer(command, {
      user: { uid: 0, gid: 0, additionalGids: [] },
      devices: [],
      cgroup: `/docker/${command.id}`,
      unified: false,
      hasCapability: () => true,
    });
    await this.#host.fs.mkdir(bundle, { recursive: true, mode: 0o700 });
    await this.#host.fs.writeFile(join(bundle, "config.json"), `${JSON.stringify(config, undefined, 2)}\n`);
    started({ pid: 0 });
    const words = [command.entrypoint, ...command.args].join(" ");
    await pipes.stdout.write(
      `dry run: would run ${JSON.stringify(words)} from the bundle ${bundle}${command.tty ? "\r" : ""}\n`,
    );
    return { exitCode: 0 };
  }

  /** The bundle stays, for whoever wants to read it. */
  async settled(): Promise<void> {}

  /** Nothing ever runs long enough to be signalled. */
  async kill(id: string): Promise<void> {
    throw new SystemError(`active container for ${id} does not exist`);
  }

  /** As {@link kill}. */
  async pause(id: string): Promise<void> {
    await this.kill(id);
  }

  /** As {@link kill}. */
  async unpause(id: string): Promise<void> {
    await this.kill(id);
  }

  /** Never. */
  isRunning(): boolean {
    return false;
  }

  /** None. */
  async pids(): Promise<number[]> {
    return [];
  }

  /** Removes the bundle. */
  async terminate(id: string): Promise<void> {
    await this.#host.fs.rm(join(this.#root, id), { recursive: true, force: true });
  }

  /** Bundles are harmless: an earlier daemon leaves nothing that runs. */
  async leftovers(): Promise<string[]> {
    return [];
  }
}
