/**
 * Files into and out of a container as its processes see them, volumes included: today's `docker cp`.
 *
 * @since Docker 1.8
 * @module
 */

import posix from "node:path/posix";
import { absolutePath } from "../archive/copy.ts";
import type { Job } from "../engine/job.ts";
import {
  BadRequestError,
  EngineError,
  isErrno,
  messageOf,
  NoSuchError,
  NotFoundError,
  SystemError,
} from "../errdefs/errdefs.ts";
import type { Destination, View, ViewMount } from "../host/pool.ts";
import { goJson } from "../utils/go-json.ts";
import { ZERO_TIME } from "../utils/go-time.ts";
import { mount, unmount, withRootfs } from "./cleanup.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { lookupUser } from "./execdriver/native/user.ts";
import { setupMounts } from "./start.ts";
import { prepareVolumes } from "./volumes.ts";

/** So much of a container's /etc/passwd and /etc/group is read. */
const ACCOUNTS_BYTES = 1 << 20;

/**
 * Job `container_copy CONTAINER PATH` with `direction` in its environment. `stat` prints what is at the path, as JSON;
 * `out` puts that into `stat` and writes an archive; `in` reads an archive and unpacks it into the directory at the
 * path, with `noOverwriteDirNonDir` and `copyUIDGID` as in the API.
 *
 * A running container goes on meanwhile: nothing it does to its files can lead the copy out of them.
 *
 * @throws {NotFoundError} when there is no such path
 * @since Docker 1.8
 */
export async function containerArchive(daemon: Daemon, job: Job, container: Container, path: string): Promise<void> {
  try {
    await withView(daemon, container, (view) => {
      refuseUnmounted(container, view, path);
      switch (job.getenv("direction")) {
        case "stat":
          return containerStatPath(daemon, job, view, path);
        case "out":
          return containerArchivePath(daemon, job, view, container, path);
        case "in":
          return containerExtractToDir(daemon, job, view, container, path);
        default:
          throw new SystemError(`Invalid direction: ${job.getenv("direction")}`);
      }
    });
  } catch (cause) {
    if (cause instanceof EngineError || job.signal.aborted) throw cause;
    if (isErrno(cause, "ENOENT")) {
      throw new NotFoundError(`Could not find the file ${path} in container ${job.args[0]}`, { cause });
    }
    const Kind = isErrno(cause, "EDESTINATION") ? BadRequestError : SystemError;
    throw new Kind(messageOf(cause), { cause });
  }
}

async function containerStatPath({ host }: Daemon, job: Job, view: View, path: string): Promise<void> {
  await job.printf(goJson(await host.pool.stat(view, path, job.signal)));
}

async function containerArchivePath(
  daemon: Daemon,
  job: Job,
  view: View,
  container: Container,
  path: string,
): Promise<void> {
  const begin = (stat: unknown) => {
    job.setenvJson("stat", stat);
    daemon.logEvent(container, "archive-path");
  };
  await daemon.host.pool.archive(view, path, { begin, write: (chunk) => job.stdout.write(chunk) }, job.signal);
}

async function containerExtractToDir(
  daemon: Daemon,
  job: Job,
  view: View,
  container: Container,
  path: string,
): Promise<void> {
  const { root, mounts, confine } = view;
  const owner = job.getenvBool("copyUIDGID") ? await ownerOf(daemon, job, view, container) : undefined;
  const into: Destination = {
    path,
    keepKinds: job.getenvBool("noOverwriteDirNonDir"),
    ...(owner !== undefined && { owner }),
  };
  const order = { root, mounts, into, chown: confine, whiteouts: "keep", compression: "auto" } as const;
  await daemon.host.pool.unpack(order, job.stdin, job.signal);
  daemon.logEvent(container, "extract-to-dir");
}

/** The container's user, if it has one. */
async function ownerOf(
  { host }: Daemon,
  { signal }: Job,
  view: View,
  { config }: Container,
): Promise<Destination["owner"]> {
  if (config.User === "") return undefined;
  const account = async (name: string) => {
    const bytes = await host.pool.read(view, `/etc/${name}`, ACCOUNTS_BYTES, signal);
    return Buffer.from(bytes).toString("utf8");
  };
  const { uid, gid } = lookupUser(config.User, { passwd: await account("passwd"), group: await account("group") });
  return { uid, gid };
}

/** Runs `work` while the container's files are mounted. */
async function withView<T>(daemon: Daemon, container: Container, work: (view: View) => Promise<T>): Promise<T> {
  await makeVolumes(daemon, container);
  return withRootfs(daemon, container, (root) => {
    const confine = daemon.host.machine.uid === 0;
    return work({ root, mounts: confine ? mountsOf(container) : [], confine });
  });
}

/** What a run of the container would mount, outer directories first. */
function mountsOf(container: Container): ViewMount[] {
  const depth = (path: string) => path.split("/").length;
  return setupMounts(container)
    .map(({ source, destination, writable }) => ({ source, destination: absolutePath(destination), writable }))
    .sort((a, b) => depth(a.destination) - depth(b.destination));
}

/**
 * Makes the volumes of a container that has never run: what is copied into one before the first start is to be there
 * afterwards.
 */
async function makeVolumes(daemon: Daemon, container: Container): Promise<void> {
  const { id, state } = container;
  const hasRun = () => state.running || state.startedAt !== ZERO_TIME;
  if (hasRun()) return;
  await daemon.locks.run(id, async () => {
    if (hasRun()) return;
    if (container.isRemoved) throw new NoSuchError("container", id);
    const before = Object.keys(container.volumes ?? {}).length;
    try {
      await prepareVolumes(daemon, container, await mount(daemon, container));
    } finally {
      await unmount(daemon, container);
      // Also of those that were made before another one failed the daemon has to know.
      if (Object.keys(container.volumes ?? {}).length !== before) await container.toDisk(daemon.host);
    }
  });
}

/** Without root a volume cannot be put in its place. */
function refuseUnmounted(container: Container, { confine }: View, path: string): void {
  if (confine) return;
  const inside = posix.join("/", path);
  const volume = Object.keys(container.volumes ?? {}).find((at) => inside === at || inside.startsWith(`${at}/`));
  if (volume === undefined) return;
  throw new BadRequestError(`Cannot copy ${path}: it lies in the volume ${volume}, which only root can mount`);
}
