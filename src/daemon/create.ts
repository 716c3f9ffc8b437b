/**
 * Makes a container: a name, a writable layer on top of an image, a directory. Nothing runs yet.
 *
 * @origin daemon/create.go; daemon/daemon.go newContainer, createRootfs, mergeAndVerifyConfig
 * @module
 */

import type { Job } from "../engine/job.ts";
import { BadRequestError, isErrno, messageOf, NoSuchError, NotFoundError, SystemError } from "../errdefs/errdefs.ts";
import { setupInitLayer } from "../graph/init-layer.ts";
import type { Image } from "../image/image.ts";
import { parseRepositoryTag } from "../pkg/parsers/parsers.ts";
import type { Config } from "../runconfig/config.ts";
import { containerConfigFromJob } from "../runconfig/from-job.ts";
import type { HostConfig } from "../runconfig/host-config.ts";
import { merge } from "../runconfig/merge.ts";
import { syncDirectory } from "../utils/durable.ts";
import { rfc3339Nano } from "../utils/go-time.ts";
import { generateRandomID } from "../utils/utils.ts";
import { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { hostConfigFromCreate } from "./job-config.ts";
import { registerLinks } from "./links.ts";
import { generateName, releaseName, reserveName } from "./names.ts";
import { makeBindSources } from "./start.ts";

const leastMemory = 524_288;

/**
 * Job `create [NAME]`: prints the id; warnings go to standard error.
 *
 * @origin daemon/create.go ContainerCreate
 * @deviation A limit of memory and swap together is kept to, so it cannot be less than that of memory alone; 1.2.0's
 *   cgroups take twice the memory, whatever the number is.
 */
export async function containerCreate(daemon: Daemon, job: Job): Promise<void> {
  if (job.args.length > 1) throw new SystemError(`Usage: ${job.name}`);
  const config = containerConfigFromJob(job);
  if (config.Memory !== 0 && config.Memory < leastMemory) throw new SystemError("Minimum memory limit allowed is 512k");
  if (config.MemorySwap > 0 && config.MemorySwap < config.Memory) {
    throw new BadRequestError("Minimum memoryswap limit should be larger than memory limit, see usage.");
  }
  if (config.Memory > 0 && !daemon.sysInfo.memoryLimit) {
    job.errorf("Your kernel does not support memory limit capabilities. Limitation discarded.\n");
    config.Memory = 0;
  }
  if (config.Memory > 0 && !daemon.sysInfo.swapLimit) {
    job.errorf("Your kernel does not support swap limit capabilities. Limitation discarded.\n");
    config.MemorySwap = -1;
  }
  const made = await createContainer(daemon, config, hostConfigFromCreate(job), job.args[0] ?? "");
  daemon.logEvent(made.container, "create");
  await job.printf(`${made.container.id}\n`);
  for (const warning of made.warnings) job.errorf(`${warning}\n`);
}

/**
 * Makes a container that can be started.
 *
 * @param name - `""`: one is made up
 * @param furnish - adds to the container's directory, before there is a container that a crash could leave
 * @returns the container, and what the user should be told
 * @throws when it cannot be made; nothing of it is left then
 * @origin daemon/create.go Create
 * @deviation A failure takes name and directories back; 1.2.0 leaves them.
 */
export async function createContainer(
  daemon: Daemon,
  config: Config,
  hostConfig: HostConfig,
  name: string,
  furnish?: (container: Container) => Promise<void>,
): Promise<{ container: Container; warnings: string[] }> {
  const image = await lookup(daemon, config.Image);
  const warnings = mergeAndVerifyConfig(config, image);
  const id = generateRandomID(daemon.host.random);
  daemon.graph.hold(image.id);
  try {
    const fullName = name === "" ? generateName(daemon, id) : reserveName(daemon, id, name);
    const container = newContainer(daemon, id, fullName, config, hostConfig, image);
    await makeBindSources(daemon, hostConfig);
    registerLinks(daemon, container, hostConfig);
    await createRootfs(daemon, container);
    await furnish?.(container);
    await container.toDisk(daemon.host);
    await syncDirectory(daemon.host.fs, daemon.repository);
    daemon.register(container);
    return { container, warnings };
  } catch (cause) {
    await removeTraces(daemon, id);
    releaseName(daemon, id);
    throw cause;
  } finally {
    daemon.graph.release(image.id);
  }
}

async function lookup(daemon: Daemon, name: string): Promise<Image> {
  try {
    const image = await daemon.repositories.lookupImage(name);
    await image.checkDepth();
    return image;
  } catch (cause) {
    if (!(cause instanceof NoSuchError) && !daemon.graph.isNotExist(cause)) throw cause;
    const [, tag] = parseRepositoryTag(name);
    throw new NotFoundError(`No such image: ${name} (tag: ${tag || "latest"})`, { cause });
  }
}

/**
 * Completes a configuration with what the image says.
 *
 * @returns what the user should be told
 * @throws {SystemError} when there is nothing to run then
 * @origin daemon/daemon.go mergeAndVerifyConfig
 */
export function mergeAndVerifyConfig(config: Config, image: Image): string[] {
  const deprecated = [image.config, config].some((c) => c?.PortSpecs?.some((spec) => spec.includes(":")) === true);
  if (image.config) merge(config, image.config);
  if ((config.Entrypoint ?? []).length === 0 && (config.Cmd ?? []).length === 0) {
    throw new SystemError("No command specified");
  }
  const text =
    "The mapping to public ports on your host via Dockerfile EXPOSE (host:port:port) has been deprecated. " +
    "Use -p to publish the ports.";
  return deprecated ? [text] : [];
}

/** @origin daemon/daemon.go newContainer, getEntrypointAndArgs, generateHostname */
function newContainer(
  daemon: Daemon,
  id: string,
  name: string,
  config: Config,
  hostConfig: HostConfig,
  image: Image,
): Container {
  if (config.Hostname === "") config.Hostname = id.slice(0, 12);
  const [path = "", ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const container = new Container(
    {
      id,
      root: daemon.containerRoot(id),
      name,
      path,
      args,
      config,
      hostConfig,
      image: image.id,
      driver: daemon.driver.name,
      execDriver: daemon.execDriver.name,
    },
    daemon.host.clock,
  );
  container.created = rfc3339Nano(daemon.host.clock.nowNs());
  return container;
}

/** @origin daemon/daemon.go createRootfs */
async function createRootfs({ driver, host }: Daemon, { id, root, image }: Container): Promise<void> {
  // The directory first: at boot it says which layers belong to a container.
  await host.fs.mkdir(root, { mode: 0o700 });
  const initId = `${id}-init`;
  await driver.create(initId, image);
  const path = await driver.get(initId);
  try {
    await setupInitLayer(path, host.fs);
  } finally {
    await driver.put(initId);
  }
  await driver.create(id, initId);
}

/** Removes a container's layers and its directory, as far as they are there. */
export async function removeTraces({ driver, host, log, containerRoot }: Daemon, id: string): Promise<void> {
  for (const step of [
    () => driver.remove(id),
    () => driver.remove(`${id}-init`),
    () => host.fs.rm(containerRoot(id), { recursive: true, force: true }),
  ]) {
    await step().catch((cause: unknown) => {
      if (!isErrno(cause, "ENOENT")) log.error("create.go:95", `Error removing the rest of ${id}: ${messageOf(cause)}`);
    });
  }
}
