/**
 * What an execution driver does: turns a container's description into running processes.
 *
 * @origin daemon/execdriver/driver.go
 * @module
 */

import type { Console } from "../../host/kernel.ts";
import type { Reader, Writer } from "../../sync/io.ts";

/** A directory or file of the host that appears in the container. */
export interface Mount {
  readonly source: string;
  readonly destination: string;
  readonly writable: boolean;
  /** Mount propagation: private instead of the default recursive bind. */
  readonly private: boolean;
}

/** Limits; 0 and "" mean none. */
export interface Resources {
  /** Bytes. */
  readonly memory: number;
  /** Memory and swap together, bytes; -1 is without limit. */
  readonly memorySwap: number;
  readonly cpuShares: number;
  readonly cpuset: string;
}

/** A device node given to the container. */
export interface Device {
  readonly pathOnHost: string;
  readonly pathInContainer: string;
  /** Of `rwm`. */
  readonly cgroupPermissions: string;
}

/** Where the container's network comes from. */
export type NetworkMode =
  | { readonly kind: "netns"; readonly path: string } // an own namespace, made ready by the network driver; also another container's
  | { readonly kind: "host" }
  | { readonly kind: "none" }; // own namespace with nothing but loopback

/** What clients of today narrow a container down with; `undefined`: not asked for. @since Docker 1.3 and later */
export interface Confinement {
  readonly readonlyRootfs: boolean;
  readonly noNewPrivileges: boolean;
  readonly rlimits: readonly { readonly type: string; readonly soft: number; readonly hard: number }[];
  readonly tmpfs: readonly { readonly destination: string; readonly options: string[] }[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** A view of the cgroups that begins at the container's own. */
  readonly ownCgroupView: boolean;
  readonly oomKillDisable: boolean;
  readonly shmBytes: number | undefined;
  readonly pidsLimit: number | undefined;
  readonly oomScoreAdj: number | undefined;
  /** Bytes. */
  readonly memoryReservation: number | undefined;
  /** 0 to 100. */
  readonly memorySwappiness: number | undefined;
  /** Microseconds, as the quota. */
  readonly cpuPeriod: number | undefined;
  readonly cpuQuota: number | undefined;
  readonly cpusetMems: string | undefined;
  readonly blkioWeight: number | undefined;
}

/**
 * Everything needed to start a container's first process.
 *
 * @origin daemon/execdriver/driver.go Command
 */
export interface Command {
  readonly id: string;
  /** Mounted root file system. */
  readonly rootfs: string;
  readonly entrypoint: string;
  readonly args: readonly string[];
  /** `KEY=value`, complete. */
  readonly env: readonly string[];
  readonly workingDir: string;
  /** `user[:group]`, names or numbers; "" is root. Looked up in the container's own files. */
  readonly user: string;
  readonly tty: boolean;
  /** Whether anything can ever be written to its standard input. */
  readonly openStdin: boolean;
  readonly network: NetworkMode;
  readonly resources: Resources;
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly confinement?: Confinement;
}

/** The container's standard streams as the daemon sees them. */
export interface Pipes {
  /** Ends when the daemon closes the container's input. */
  readonly stdin?: Reader;
  /** Everything with a terminal comes here. */
  readonly stdout: Writer;
  readonly stderr: Writer;
}

/** Told once, when the process runs. */
export interface Started {
  readonly pid: number;
  /** With a terminal: for resizing. */
  readonly console?: Console;
}

/** How a container's first process ended: 1.2.0's exit code, −1 for a process killed by a signal. */
export interface ExitStatus {
  readonly exitCode: number;
  /** The signal's number, for clients of today that expect 128 + n. */
  readonly signal?: number;
}

/** @origin daemon/execdriver/driver.go Driver */
export interface ExecDriver {
  /** `native-0.2`, `dry`: as `docker info` shows it. */
  readonly name: string;
  /**
   * Starts the process and waits for its end; all output has been delivered to the pipes when it resolves. What the run
   * leaves in the kernel is taken down behind it, see {@link settled}.
   *
   * @param started - called when the process runs, before its end is reported
   * @throws when it could not be started; then nothing of it is left and `started` was not called
   */
  run(command: Command, pipes: Pipes, started: (info: Started) => void): Promise<ExitStatus>;
  /** Resolves when nothing of the last run is left. */
  settled(id: string): Promise<void>;
  /** Sends a signal to the first process. @throws when it does not run */
  kill(id: string, signal: number): Promise<void>;
  pause(id: string): Promise<void>;
  unpause(id: string): Promise<void>;
  isRunning(id: string): boolean;
  /** Process ids of everything in the container, as the host sees them. */
  pids(id: string): Promise<number[]>;
  /** Ends what an earlier daemon left running under this id and removes its traces. Nothing there is no error. */
  terminate(id: string): Promise<void>;
  /** Ids of everything an earlier daemon left. */
  leftovers(): Promise<string[]>;
}
