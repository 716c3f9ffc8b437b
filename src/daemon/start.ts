/**
 * Starts a container: everything between the request and a running process.
 *
 * @origin daemon/start.go, daemon/container.go Start
 * @module
 */

import posix from "node:path/posix";
import type { Job } from "../engine/job.ts";
import { isErrno, messageOf, NoSuchError, NotModifiedError, SystemError } from "../errdefs/errdefs.ts";
import { followSymlinkInScope } from "../pkg/symlink/fs.ts";
import type { HostConfig } from "../runconfig/host-config.ts";
import { cleanup, mount } from "./cleanup.ts";
import { confinementOf } from "./confinement.ts";
import type { Container } from "./container.ts";
import { initializeNetworking, networkMode, setupContainerDns } from "./container-network.ts";
import type { Daemon } from "./daemon.ts";
import { createDaemonEnvironment } from "./environment.ts";
import { rephrase } from "./errors.ts";
import type { Command, Mount } from "./execdriver/driver.ts";
import { hostConfigFromStart } from "./job-config.ts";
import { registerLinks, setupLinkedContainers } from "./links.ts";
import { ContainerMonitor } from "./monitor.ts";
import { forgetBinds, prepareVolumes } from "./volumes.ts";

/** Job `start CONTAINER`. @origin daemon/start.go ContainerStart */
export async function containerStart(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined) throw new SystemError(`Usage: ${job.name} container_id`);
  const container = daemon.mustGet(name);
  if (container.state.running) throw new NotModifiedError("Container already started");
  const hostConfig = hostConfigFromStart(job);
  if (hostConfig !== undefined) await setHostConfig(daemon, container, hostConfig);
  try {
    await startContainer(daemon, container);
  } catch (cause) {
    throw rephrase(cause, (text) => `Cannot start container ${name}: ${text}`);
  }
}

/** Takes a new host configuration: makes the sources of binds, registers links. @origin daemon/start.go setHostConfig */
export async function setHostConfig(daemon: Daemon, container: Container, hostConfig: HostConfig): Promise<void> {
  await makeBindSources(daemon, hostConfig);
  registerLinks(daemon, container, hostConfig);
  container.hostConfig = hostConfig;
  await container.toDisk(daemon.host);
}

/** Makes the directories of the host that are to be mounted and are not there. @origin daemon/start.go setHostConfig */
export async function makeBindSources({ host: { fs } }: Daemon, hostConfig: HostConfig): Promise<void> {
  for (const bind of hostConfig.Binds ?? []) {
    const source = bind.split(":")[0] ?? "";
    const refuse = (reason: unknown, text: string): never => {
      const message = `Could not create local directory '${source}' for bind mount: ${text}!`;
      throw new SystemError(message, { cause: reason });
    };
    if (source === "") refuse(undefined, "mkdir : no such file or directory");
    // Not made below the daemon's working directory: the volumes refuse such a path when the container starts.
    if (!source.startsWith("/")) continue;
    try {
      await fs.stat(source);
    } catch (cause) {
      if (!isErrno(cause, "ENOENT")) continue;
      await fs
        .mkdir(source, { recursive: true, mode: 0o755 })
        .catch((reason: unknown) => refuse(reason, messageOf(reason)));
    }
  }
}

/**
 * Starts a container that does not run; one that runs is left alone.
 *
 * @returns when the process runs
 * @throws when it cannot be started; everything made for it is gone then
 * @origin daemon/container.go Start
 * @deviation Binds of a start that failed are forgotten; 1.2.0 mounts them at every later start, whatever that asks for.
 *   Who is attached is told of the end; 1.2.0 lets them wait when the process was not even tried.
 */
export async function startContainer(daemon: Daemon, container: Container): Promise<void> {
  await daemon.locks.run(container.id, async () => {
    await container.teardown;
    if (container.isRemoved) throw new NoSuchError("container", container.id);
    if (daemon.stopping) throw new SystemError("the daemon is shutting down");
    if (container.state.running) return;
    const volumes = Object.keys(container.volumes ?? {});
    try {
      container.command = await prepare(daemon, container);
      container.monitor = new ContainerMonitor(daemon, container, container.hostConfig.RestartPolicy);
      await container.monitor.start();
    } catch (cause) {
      await cleanup(daemon, container);
      container.stdout.clean();
      container.stderr.clean();
      forgetBinds(container, volumes);
      if (container.hostConfig.AutoRemove === true) {
        void daemon.tasks.run(() => daemon.autoRemove(container));
      } else {
        await container.toDisk(daemon.host).catch(() => undefined);
      }
      throw cause;
    }
  });
}

async function prepare(daemon: Daemon, container: Container): Promise<Command> {
  // Network and mounts have nothing to do with each other; the error of the mount counts first, as in 1.2.0.
  const network = setupContainerDns(daemon, container).then(() => initializeNetworking(daemon, container));
  const [mounted, connected] = await Promise.allSettled([mount(daemon, container), network]);
  if (mounted.status === "rejected") throw mounted.reason;
  if (connected.status === "rejected") throw connected.reason;
  verifyDaemonSettings(daemon, container);
  const rootfs = mounted.value;
  await prepareVolumes(daemon, container, rootfs);
  const linked = await setupLinkedContainers(daemon, container);
  await setupWorkingDirectory(daemon, container, rootfs);
  return populateCommand(daemon, container, rootfs, linked);
}

/** Drops limits the kernel cannot keep. @origin daemon/container.go verifyDaemonSettings */
function verifyDaemonSettings({ sysInfo, log }: Daemon, { config }: Container): void {
  if (config.Memory > 0 && !sysInfo.memoryLimit) {
    log.info("WARNING: Your kernel does not support memory limit capabilities. Limitation discarded.");
    config.Memory = 0;
  }
  if (config.Memory > 0 && !sysInfo.swapLimit) {
    log.info("WARNING: Your kernel does not support swap limit capabilities. Limitation discarded.");
    config.MemorySwap = -1;
  }
}

/** @origin daemon/container.go setupWorkingDirectory */
async function setupWorkingDirectory(daemon: Daemon, container: Container, rootfs: string): Promise<void> {
  if (container.config.WorkingDir === "") return;
  const { fs } = daemon.host;
  container.config.WorkingDir = posix.normalize(container.config.WorkingDir).replace(/(.)\/+$/, "$1");
  const path = await followSymlinkInScope(fs, posix.join(rootfs, posix.join("/", container.config.WorkingDir)), rootfs);
  try {
    if ((await fs.stat(path)).isDirectory()) return;
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
    await fs.mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  throw new SystemError(`Cannot mkdir: ${container.config.WorkingDir} is not a directory`);
}

/** @origin daemon/container.go populateCommand */
function populateCommand(daemon: Daemon, container: Container, rootfs: string, linked: readonly string[]): Command {
  const { config, hostConfig } = container;
  return {
    id: container.id,
    rootfs,
    entrypoint: container.path,
    args: container.args,
    env: createDaemonEnvironment(config, linked),
    workingDir: config.WorkingDir,
    user: config.User,
    tty: config.Tty,
    openStdin: config.OpenStdin,
    network: networkMode(daemon, container),
    resources: {
      memory: config.Memory,
      memorySwap: config.MemorySwap,
      cpuShares: config.CpuShares,
      cpuset: config.Cpuset,
    },
    mounts: setupMounts(container),
    devices: (hostConfig.Devices ?? []).map((device) => ({
      pathOnHost: device.PathOnHost,
      pathInContainer: device.PathInContainer,
      cgroupPermissions: device.CgroupPermissions,
    })),
    privileged: hostConfig.Privileged,
    capAdd: hostConfig.CapAdd ?? [],
    capDrop: hostConfig.CapDrop ?? [],
    confinement: confinementOf(hostConfig),
  };
}

/**
 * The three files in /etc, then the volumes.
 *
 * @origin daemon/volumes.go setupMountsForContainer
 * @deviation A volume inside another one comes after it; 1.2.0 mounts them in any order, and one may hide the other.
 */
export function setupMounts(container: Container): Mount[] {
  const files = [
    [container.resolvConfPath, "/etc/resolv.conf"],
    [container.hostnamePath, "/etc/hostname"],
    [container.hostsPath, "/etc/hosts"],
  ] as const;
  return [
    ...files.flatMap(([source, destination]) =>
      source === "" ? [] : [{ source, destination, writable: true, private: true }],
    ),
    ...Object.entries(container.volumes ?? {})
      .map(([destination, source]) => ({
        source,
        destination,
        writable: container.volumesRW?.[destination] ?? false,
        private: false,
      }))
      .sort((a, b) => depth(a.destination) - depth(b.destination)),
  ];
}

function depth(path: string): number {
  return path.split("/").filter(Boolean).length;
}
