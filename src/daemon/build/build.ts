/**
 * `docker build`: an image from a Dockerfile and the files beside it.
 *
 * ```text
 * context.ts     the files, from an archive, git or the web        in-context.ts   paths in them
 * dockerfile.ts  from text to steps                                expand.ts       variables
 * build-file.ts  one build, step by step                           cache.ts        what was built before
 * dispatch.ts    instructions: from.ts, run.ts, add.ts (copy-in.ts, remote-file.ts), config-steps.ts
 * ```
 *
 * @origin daemon/build.go
 * @module
 */

import posix from "node:path/posix";
import type { Job } from "../../engine/job.ts";
import { NotFoundError, SystemError } from "../../errdefs/errdefs.ts";
import { DEFAULT_TAG } from "../../graph/tags.ts";
import { parseRepositoryTag } from "../../pkg/parsers/parsers.ts";
import { configFromJson } from "../../runconfig/from-json.ts";
import { BufferWriter, readAll, type Writer } from "../../sync/io.ts";
import { goJson } from "../../utils/go-json.ts";
import { StreamFormatter, stderrFormatter, stdoutFormatter } from "../../utils/stream-formatter.ts";
import type { Daemon } from "../daemon.ts";
import { BuildFile } from "./build-file.ts";
import { applyChanges } from "./changes.ts";
import { type BuildContext, MAX_DOCKERFILE_BYTES, openContext } from "./context.ts";
import { bytesOf } from "./copy-in.ts";
import { removeIgnored } from "./ignored.ts";
import { findInContext } from "./in-context.ts";
import { type BuildSettings, DEFAULT_DOCKERFILE, readSettings } from "./settings.ts";

/** @origin daemon/build.go ErrDockerfileEmpty */
const EMPTY = "Dockerfile cannot be empty";

/**
 * Job `build`: reads the context from standard input or fetches `remote`, and reports every step. Names the image `t`.
 *
 * Environment: `t remote q nocache rm forcerm json authConfig configFile`; for clients of today also `tags`, `dockerfile`,
 * `pull`, `labels`, `proxies`, `networkMode`, `dockerignore`, `Memory`, `MemorySwap`, `CpuShares`, `Cpuset`, `aux` (the id as a message of its own),
 * and `idOnly` (nothing but the id).
 *
 * With a list `changes` it builds no image: it carries these instructions out on the configuration `config`, and prints
 * what comes of it. An import needs that, since Docker 1.13.
 *
 * @origin daemon/build.go (*Daemon).CmdBuild
 * @deviation A name that cannot be given is an error; 1.2.0 says nothing.
 */
export async function cmdBuild(daemon: Daemon, job: Job): Promise<void> {
  if (job.args.length !== 0) throw new SystemError(`Usage: ${job.name}\n`);
  const changes = job.getenvList("changes") ?? [];
  if (changes.length > 0) {
    const config = configFromJson(job.getenvJson<unknown>("config") ?? {});
    applyChanges(config, changes);
    return job.printf(goJson(config));
  }
  const settings = readSettings(job);
  const context = await openContext(daemon, job);
  try {
    const { path, text } = await readDockerfile(daemon, context, settings.dockerfile);
    if (settings.dockerignore) await removeIgnored(daemon.host, context, path);
    await buildAndTag(daemon, job, settings, context, text);
  } finally {
    await context.remove();
  }
}

async function buildAndTag(
  daemon: Daemon,
  job: Job,
  settings: BuildSettings,
  context: BuildContext,
  dockerfile: string,
): Promise<void> {
  const formatter = new StreamFormatter(settings.json, () => daemon.host.clock.now());
  const held = new BufferWriter();
  const raw: Writer = settings.idOnly ? held : { write: (chunk) => job.stdout.write(chunk) };
  const out = stdoutFormatter(raw, formatter);
  const build = new BuildFile(
    daemon,
    context,
    settings,
    { out, err: stderrFormatter(raw, formatter), raw },
    job.signal,
  );
  try {
    const id = await build.build(dockerfile);
    for (const name of settings.names) {
      const [repository, tag] = parseRepositoryTag(name);
      if (repository === "") continue; // a tag of nothing
      await daemon.repositories.set(repository, tag, id);
      if (settings.aux) await out.write(`Successfully tagged ${repository}:${tag || DEFAULT_TAG}\n`);
    }
    if (settings.idOnly) await job.stdout.write(formatter.formatStream(`sha256:${id}\n`));
  } catch (cause) {
    if (settings.idOnly) await job.stdout.write(held.bytes());
    throw cause;
  }
}

/**
 * The text of a Dockerfile, and where it really lies.
 *
 * @param name - path in the context; links in it may lead anywhere inside
 * @throws {SystemError} when it is not there, empty, or no plain file
 * @origin daemon/build.go (*buildFile).Build
 * @deviation A byte order mark before the first line is no part of it.
 */
async function readDockerfile(
  { host }: Daemon,
  context: BuildContext,
  name: string,
): Promise<{ path: string; text: string }> {
  const found = await findInContext(host.fs, context.root, name).catch((cause: unknown) => {
    if (!(cause instanceof NotFoundError)) throw cause;
    const text =
      name === DEFAULT_DOCKERFILE
        ? "Can't build a directory with no Dockerfile"
        : `Cannot locate specified Dockerfile: ${name}`;
    throw new SystemError(text, { cause });
  });
  if (!found.info.isFile()) throw new SystemError(`Cannot read the Dockerfile: ${name} is no plain file`);
  if (found.info.size === 0) throw new SystemError(EMPTY);
  if (found.info.size > MAX_DOCKERFILE_BYTES) {
    throw new SystemError(`Cannot read the Dockerfile: ${name} is longer than ${MAX_DOCKERFILE_BYTES} bytes`);
  }
  const bytes = await readAll(bytesOf(host, posix.join(context.root, found.path)));
  return { path: found.path, text: bytes.toString("utf8").replace(/^\uFEFF/, "") };
}
