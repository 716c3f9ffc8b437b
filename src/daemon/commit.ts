/**
 * An image from a container.
 *
 * @origin daemon/commit.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { SystemError } from "../errdefs/errdefs.ts";
import type { Image } from "../image/image.ts";
import type { Config } from "../runconfig/config.ts";
import { configFromJson } from "../runconfig/from-json.ts";
import { merge } from "../runconfig/merge.ts";
import { applyChanges } from "./build/changes.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { whileHalted } from "./halted.ts";

/** What an image is to be called, and what is said about it. */
export interface CommitTerms {
  /** `""`: no name. */
  readonly repository: string;
  readonly tag: string;
  readonly comment: string;
  readonly author: string;
  /** Freezes the container while its files are read. */
  readonly pause: boolean;
  readonly config: Config;
  readonly signal?: AbortSignal;
}

/**
 * Job `commit CONTAINER`: makes an image of what the container changed; prints its id.
 *
 * `config` in the environment is completed by the container's own configuration; `changes` are instructions of a
 * Dockerfile, since Docker 1.6.
 *
 * @origin daemon/commit.go ContainerCommit
 */
export async function containerCommit(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) {
    throw new SystemError(`Not enough arguments. Usage: ${job.name} CONTAINER\n`);
  }
  const container = daemon.mustGet(name);
  const config = configFromJson(job.getenvJson<unknown>("config") ?? {});
  const changes = job.getenvList("changes") ?? [];
  if (changes.length > 0) {
    // They may speak of its variables.
    if ((config.Env ?? []).length === 0) config.Env = [...(container.config.Env ?? [])];
    applyChanges(config, changes);
  }
  merge(config, container.config, daemon.log);
  const image = await commit(daemon, container, {
    repository: job.getenv("repo"),
    tag: job.getenv("tag"),
    comment: job.getenv("comment"),
    author: job.getenv("author"),
    pause: job.getenvBool("pause"),
    config,
    signal: job.signal,
  });
  await job.printf(`${image.id}\n`);
}

/**
 * Makes an image of the container's image and, on top of it, what the container changed.
 *
 * @throws {BadRequestError} when the name is none; the image is there all the same, as in 1.2.0
 * @origin daemon/commit.go (*Daemon).Commit
 * @deviation A container that was frozen before stays so; 1.2.0 thaws it.
 */
export async function commit(daemon: Daemon, container: Container, terms: CommitTerms): Promise<Image> {
  const { id, image, config } = container;
  const create = () =>
    daemon.graph.create({
      layer: daemon.driver.diff(id, `${id}-init`),
      container: { id, image, config },
      comment: terms.comment,
      author: terms.author,
      config: terms.config,
    });
  terms.signal?.throwIfAborted();
  const made = await (terms.pause ? whileHalted(daemon, container, create) : create());
  if (terms.repository !== "") await daemon.repositories.set(terms.repository, terms.tag, made.id);
  return made;
}
