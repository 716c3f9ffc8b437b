/**
 * Containers by `runc`: what became of libcontainer, which 1.2.0 carried inside.
 *
 * ```text
 * <root>/<id>/config.json   the bundle runc reads
 * <root>/<id>/pid           first process, written by runc
 * <root>/.runc/<id>/        runc's own state, there from start to removal
 * ```
 *
 * One process is spawned for a container's whole life: `runc run --detach`. It leaves the container's first process
 * behind as an orphan, which this process adopts (subreaper), signals and waits for itself. Removing cgroups and state
 * afterwards is a dozen `rmdir`s; `runc delete` is asked only when they fail.
 *
 * @origin daemon/execdriver/native/driver.go
 * @deviation No `dockerinit` runs inside the container: `runc init` does.
 * @module
 */

import { join } from "node:path/posix";
import { isErrno, messageOf, NotFoundError, SystemError } from "../../../errdefs/errdefs.ts";
import type { Host } from "../../../host/host.ts";
import type { Console } from "../../../host/kernel.ts";
import type { Logger } from "../../../pkg/log/log.ts";
import type { Reader, Writer } from "../../../sync/io.ts";
import { readAhead } from "../../../sync/read-ahead.ts";
import type { Command, ExecDriver, ExitStatus, Pipes, Started } from "../driver.ts";
import { readAccountFile } from "./account-files.ts";
import { createContainer, type OciDevice } from "./create.ts";
import { hostDevices, namedDevices } from "./devices.ts";
import { endCgroups, endLaunches } from "./leftovers.ts";
import { runcError } from "./runc-error.ts";
import { lookupUser } from "./user.ts";

/** Name and version as `docker info` prints them. @origin daemon/execdriver/native/driver.go DriverName, Version */
export const NATIVE_DRIVER_NAME = "native-0.2";

/** What is read of each output stream before anybody wants it. No text of runc's is longer: it quotes the configuration. */
const AHEAD_BYTES = 8 << 20;

type NativeHost = Pick<Host, "fs" | "exec" | "kernel" | "clock">;

interface Active {
  readonly pid: number;
  readonly startTime: string | undefined;
}

/** Ends of the container's standard streams: the daemon's and the child's. */
interface Streams {
  /** Descriptors for the child's 0, 1, 2. */
  readonly stdio: readonly (number | "ignore")[];
  /** Starts the pumps; resolves when all output is delivered. @param over - settles when the process has ended */
  pump(over: Promise<unknown>): Promise<void>;
  /** Closes everything when the container never came to life. */
  abandon(): void;
}

/** @throws {NotFoundError} when there is no `runc` */
export async function requireRunc({ exec }: Pick<Host, "exec">): Promise<void> {
  if ((await exec.lookPath("runc")) !== undefined) return;
  throw new NotFoundError("Cannot run containers: runc is not on PATH. Install it (Debian: apt-get install runc).");
}

/** @origin daemon/execdriver/native/driver.go driver */
export class NativeDriver implements ExecDriver {
  readonly name = NATIVE_DRIVER_NAME;
  readonly #root: string;
  readonly #state: string;
  readonly #host: NativeHost;
  readonly #log: Logger;
  /** Whether `runc` finds control groups of version 2. */
  readonly #unified: boolean;
  readonly #active = new Map<string, Active>();
  /** Runs that have ended and whose traces are being removed: nobody waits for that to learn the exit code. */
  readonly #leaving = new Map<string, Promise<void>>();

  private constructor(root: string, host: NativeHost, log: Logger) {
    this.#root = root;
    this.#state = join(root, ".runc");
    this.#host = host;
    this.#log = log;
    this.#unified = host.kernel.mounts().some((m) => m.mountpoint === "/sys/fs/cgroup" && m.fstype === "cgroup2");
  }

  /**
   * Prepares the driver's directory and makes this process the parent of every orphan of its children.
   *
   * @param root - `<docker root>/execdriver/native`
   * @throws {NotFoundError} when there is no `runc` on PATH
   * @origin daemon/execdriver/native/driver.go NewDriver
   */
  static async init(root: string, host: NativeHost, log: Logger): Promise<NativeDriver> {
    const driver = new NativeDriver(root, host, log);
    await host.fs.mkdir(driver.#state, { recursive: true, mode: 0o700 });
    await requireRunc(host);
    host.kernel.becomeSubreaper();
    return driver;
  }

  /**
   * @origin daemon/execdriver/native/driver.go (*driver).Run
   * @deviation A terminal is made inside the container: its name there is `/dev/pts/0`, where 1.2.0 mounts one of the
   *   host's at `/dev/console`.
   */
  async run(command: Command, pipes: Pipes, started: (info: Started) => void): Promise<ExitStatus> {
    await this.settled(command.id);
    const bundle = join(this.#root, command.id);
    let streams: Streams | undefined;
    let console: Console | undefined;
    let pid: number;
    try {
      await this.#writeBundle(bundle, command);
      streams = command.tty ? undefined : this.#openStreams(command, pipes);
      console = await this.#launch(command, bundle, streams).catch(async (cause: unknown) => {
        // In the original the container's init says so itself: whoever is attached reads it.
        await (command.tty ? pipes.stdout : pipes.stderr).write(messageOf(cause));
        throw cause;
      });
      pid = Number(await this.#host.fs.readFile(join(bundle, "pid"), "utf8"));
    } catch (cause) {
      streams?.abandon();
      console?.close();
      // Whichever step runc got to: it may not have come to write down which cgroups it made, and who is in them.
      await endCgroups(command.id, this.#host).catch(() => false);
      await this.#removeTraces(command.id);
      throw cause;
    }
    this.#active.set(command.id, { pid, startTime: this.#host.kernel.processStartTime(pid) });
    const ended = this.#host.kernel.waitPid(pid);
    const drained = console ? pumpConsole(console, pipes, ended) : (streams as Streams).pump(ended);
    started(console ? { pid, console } : { pid });
    const end = await ended;
    this.#active.delete(command.id);
    await drained;
    this.#leave(command.id);
    return end.signal === undefined ? { exitCode: end.code ?? 0 } : { exitCode: -1, signal: end.signal };
  }

  /** @see ExecDriver.settled */
  async settled(id: string): Promise<void> {
    await this.#leaving.get(id);
  }

  #leave(id: string): void {
    const gone = this.#removeTraces(id)
      .catch((cause: unknown) => this.#log.error("driver.go:216", `Cannot remove what ${id} left: ${messageOf(cause)}`))
      .finally(() => this.#leaving.delete(id));
    this.#leaving.set(id, gone);
  }

  /** Sends a signal to the first process. */
  async kill(id: string, signal: number): Promise<void> {
    const active = this.#active.get(id);
    if (active === undefined || !this.#host.kernel.kill(active.pid, signal)) {
      throw new SystemError(`active container for ${id} does not exist`);
    }
  }

  /** @origin daemon/execdriver/native/driver.go (*driver).Pause */
  async pause(id: string): Promise<void> {
    await this.#runc(["pause", id]);
  }

  /** @origin daemon/execdriver/native/driver.go (*driver).Unpause */
  async unpause(id: string): Promise<void> {
    await this.#runc(["resume", id]);
  }

  /** Whether the first process runs. */
  isRunning(id: string): boolean {
    return this.#active.has(id);
  }

  /** @origin daemon/execdriver/native/driver.go (*driver).GetPidsForContainer */
  async pids(id: string): Promise<number[]> {
    const paths = await this.#cgroupPaths(id);
    const path = paths["devices"] ?? paths[""];
    if (path === undefined) throw new SystemError(`active container for ${id} does not exist`);
    const text = await this.#host.fs.readFile(join(path, "cgroup.procs"), "utf8");
    return text.split("\n").filter(Boolean).map(Number);
  }

  /**
   * Kills what an earlier daemon left under this id, and removes its traces.
   *
   * @origin daemon/execdriver/native/driver.go (*driver).Terminate
   * @deviation Everything in the container's cgroups is killed: 1.2.0 knows the first process only, and leaves a frozen
   *   one as it is.
   */
  async terminate(id: string): Promise<void> {
    await this.settled(id);
    if (!(await endCgroups(id, this.#host).catch(() => false))) {
      await this.#runc(["delete", "--force", id]).catch((cause: unknown) =>
        this.#log.debug("driver.go:244", `Cannot delete container ${id}: ${String(cause)}`),
      );
    }
    await this.#removeTraces(id);
  }

  /**
   * Containers of an earlier daemon: everything with a bundle or with runc state that this process did not start. What
   * was on its way when that daemon ended is stopped before.
   */
  async leftovers(): Promise<string[]> {
    if (this.#active.size === 0) await endLaunches(this.#state, this.#host);
    const names = [...(await this.#host.fs.readdir(this.#root)), ...(await this.#host.fs.readdir(this.#state))];
    return [...new Set(names)].filter((name) => name !== ".runc" && !this.#active.has(name));
  }

  async #writeBundle(bundle: string, command: Command): Promise<void> {
    const { fs, kernel } = this.#host;
    await fs.mkdir(bundle, { recursive: true, mode: 0o700 });
    const account = (name: string) => readAccountFile(fs, command, name);
    const needsFiles = command.user !== "";
    const user = needsFiles
      ? lookupUser(command.user, { passwd: await account("passwd"), group: await account("group") })
      : { uid: 0, gid: 0, additionalGids: await rootGroups(account) };
    const devices: OciDevice[] = command.privileged ? await hostDevices(fs) : await namedDevices(fs, command.devices);
    const config = createContainer(command, {
      user,
      devices,
      cgroup: `/docker/${command.id}`,
      unified: this.#unified,
      hasCapability: (name) => kernel.hasCapability(name),
    });
    await fs.writeFile(join(bundle, "config.json"), JSON.stringify(config), { mode: 0o600 });
  }

  async #launch(command: Command, bundle: string, streams: Streams | undefined): Promise<Console | undefined> {
    const runc = (stdio: readonly (number | "ignore")[], extra: string[]) =>
      this.#runc(["run", "--detach", "--bundle", bundle, "--pid-file", join(bundle, "pid"), ...extra, command.id], {
        bundle,
        rootfs: command.rootfs,
        stdio,
      });
    if (streams !== undefined) {
      await runc(streams.stdio, []);
      return undefined;
    }
    // Socket paths are limited to 107 bytes: a short name below the driver's root, not inside the bundle.
    const receiver = await this.#host.kernel.receiveConsole(join(this.#root, `${command.id.slice(0, 12)}.tty`));
    try {
      await runc(
        ["ignore", "ignore", "ignore"],
        ["--console-socket", join(this.#root, `${command.id.slice(0, 12)}.tty`)],
      );
      return await receiver.console;
    } catch (cause) {
      // The terminal of a container that did not come to life may be here already.
      void receiver.console.then(
        (console) => console.close(),
        () => undefined,
      );
      throw cause;
    } finally {
      receiver.close();
    }
  }

  #openStreams(command: Command, pipes: Pipes): Streams {
    const { kernel } = this.#host;
    const input = command.openStdin ? kernel.pipe() : undefined;
    const output = kernel.pipe();
    const error = kernel.pipe();
    // Read from now on: runc has the same ends, and what it has to say of a failure may not fit into a pipe.
    const ahead = [output, error].map(({ read }) => readAhead(kernel.readFd(read), AHEAD_BYTES));
    const childEnds = [input?.read, output.write, error.write].filter((fd) => fd !== undefined);
    const closeChildEnds = () => {
      for (const fd of childEnds) kernel.closeFd(fd);
    };
    return {
      stdio: [input?.read ?? "ignore", output.write, error.write],
      pump: async (over) => {
        closeChildEnds();
        // Nobody waits for the input: a client that never stops typing must not keep a dead container.
        if (input !== undefined) void pumpInput(pipes.stdin, kernel.writeFd(input.write));
        await Promise.all(ahead.map((from, i) => pumpOutput(from, i === 0 ? pipes.stdout : pipes.stderr, over)));
      },
      abandon: () => {
        closeChildEnds();
        if (input !== undefined) kernel.closeFd(input.write);
        for (const from of ahead) from.destroy();
      },
    };
  }

  /** Runs `runc` with our state directory; its error text becomes ours. */
  async #runc(
    args: string[],
    container?: { bundle: string; rootfs: string; stdio: readonly (number | "ignore")[] },
  ): Promise<void> {
    const logFile = container && join(container.bundle, "runc.log");
    const log = logFile === undefined ? [] : ["--log", logFile, "--log-format", "json"];
    const options = container ? { stdio: container.stdio } : {};
    const result = await this.#host.exec.run("runc", ["--root", this.#state, ...log, ...args], options);
    if (result.code === 0) return;
    const text =
      logFile === undefined ? result.stderr.toString() : await this.#host.fs.readFile(logFile, "utf8").catch(() => "");
    const why = result.signal ?? ((await this.#isFull()) ? "no space left on device" : `exit status ${result.code}`);
    throw new SystemError(runcError(text, container?.rootfs) || `runc ${args[0]} failed: ${why}`);
  }

  /** Whether there was no room for what runc had to say: then that is what it had to say. */
  async #isFull(): Promise<boolean> {
    return (await this.#host.fs.statfs(this.#state).catch(() => undefined))?.bavail === 0;
  }

  async #cgroupPaths(id: string): Promise<Record<string, string>> {
    try {
      const state = JSON.parse(await this.#host.fs.readFile(join(this.#state, id, "state.json"), "utf8"));
      return (state as { cgroup_paths?: Record<string, string> }).cgroup_paths ?? {};
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) return {};
      throw cause;
    }
  }

  /** Removes cgroups, runc's state and the bundle. The first process is gone already. */
  async #removeTraces(id: string): Promise<void> {
    const { fs } = this.#host;
    try {
      const paths = new Set(Object.values(await this.#cgroupPaths(id)));
      await Promise.all([...paths].map((path) => fs.rmdir(path).catch(ignoreMissing)));
      await fs.rm(join(this.#state, id), { recursive: true, force: true });
    } catch (cause) {
      // EBUSY: something escaped into a cgroup of its own below. runc knows how to kill it.
      this.#log.debug("driver.go:216", `Cannot remove the cgroups of ${id} directly: ${String(cause)}`);
      await this.#runc(["delete", "--force", id]).catch((again: unknown) =>
        this.#log.error("driver.go:216", `Cannot delete container ${id}: ${String(again)}`),
      );
    }
    await fs.rm(join(this.#root, id), { recursive: true, force: true });
  }
}

function ignoreMissing(cause: unknown): void {
  if (!isErrno(cause, "ENOENT")) throw cause;
}

/**
 * Carries output at the pace of those who read it, as long as there is a process that can wait. What a pipe still holds
 * when it has ended is handed over at once: a client that reads no more must not keep a dead container alive.
 */
async function pumpOutput(from: Reader, to: Writer, over: Promise<unknown>): Promise<void> {
  for await (const chunk of from) {
    const full = to.write(chunk);
    if (full !== undefined) await Promise.race([full, over]);
  }
}

async function pumpInput(from: Reader | undefined, to: Writer & { close(): Promise<void> }): Promise<void> {
  try {
    if (from !== undefined) for await (const chunk of from) await to.write(chunk);
  } catch {
    // The container closed its input or ended: whatever was still coming has nowhere to go.
  } finally {
    await to.close();
  }
}

async function pumpConsole(console: Console, pipes: Pipes, over: Promise<unknown>): Promise<void> {
  void (async () => {
    try {
      if (pipes.stdin !== undefined) for await (const chunk of pipes.stdin) await console.write(chunk);
    } catch {
      // As above: the terminal went away.
    }
  })();
  await pumpOutput(console.output, pipes.stdout, over);
  console.close();
}

/** Groups that list root, for a container that names no user. */
async function rootGroups(account: (name: string) => Promise<string>): Promise<readonly number[]> {
  return lookupUser("", { passwd: await account("passwd"), group: await account("group") }).additionalGids;
}
