/**
 * FROM: what a build stands on.
 *
 * @origin daemon/build.go
 * @module
 */

import { NoSuchError, SystemError } from "../../errdefs/errdefs.ts";
import { DEFAULT_TAG } from "../../graph/tags.ts";
import type { Image } from "../../image/image.ts";
import { parseRepositoryTag } from "../../pkg/parsers/parsers.ts";
import type { AuthConfig } from "../../registry/auth.ts";
import { resolveAuthConfig } from "../../registry/config-file.ts";
import { resolveRepositoryPath } from "../../registry/names.ts";
import { newConfig } from "../../runconfig/from-json.ts";
import { defaultPathEnv } from "../environment.ts";
import type { BuildFile } from "./build-file.ts";
import { triggerInstruction } from "./config-steps.ts";

/** The name of nothing. */
const SCRATCH = "scratch";

/**
 * Goes on from an image, which is pulled when it is not here, and runs its triggers.
 *
 * @origin daemon/build.go (*buildFile).CmdFrom
 * @deviation Without a tag `latest` is pulled; 1.2.0 pulls every tag. `FROM scratch` stands on nothing, as since Docker
 *   1.5, unless there is an image of that name; in 1.2.0 it is an empty image of the official registry.
 */
export async function from(build: BuildFile, name: string): Promise<void> {
  if (/\s/.test(name)) {
    throw new SystemError(
      `Invalid FROM format: ${name}: only a name is understood; stages (AS) came with Docker 17.05`,
    );
  }
  const image = await find(build, name);
  build.fromScratch = image === undefined;
  build.standOn(image?.id ?? "");
  build.config = image?.config === undefined ? newConfig() : structuredClone(image.config);
  const { config } = build;
  if ((config.Env ?? []).length === 0) config.Env = [`PATH=${defaultPathEnv}`];
  const triggers = config.OnBuild ?? [];
  if (triggers.length > 0) await build.streams.err.write(`# Executing ${triggers.length} build triggers\n`);
  // They are run now, and not again on top of what is built now.
  config.OnBuild = [];
  for (const [n, trigger] of triggers.entries()) {
    checkTrigger(trigger);
    build.signal.throwIfAborted();
    await build.buildStep(`onbuild-${n}`, trigger);
  }
}

function checkTrigger(trigger: string): void {
  const instruction = triggerInstruction(trigger);
  if (instruction === "ONBUILD") {
    throw new SystemError(`Source image contains forbidden chained \`ONBUILD ONBUILD\` trigger: ${trigger}`);
  }
  if (instruction === "MAINTAINER" || instruction === "FROM") {
    throw new SystemError(`Source image contains forbidden ${instruction} trigger: ${trigger}`);
  }
}

/** The image of a name; `undefined` for nothing. */
async function find(build: BuildFile, name: string): Promise<Image | undefined> {
  const { repositories, graph } = build.daemon;
  const lookup = () => repositories.lookupImage(name);
  if (build.settings.pull && name !== SCRATCH) await pull(build, name);
  try {
    return await lookup();
  } catch (cause) {
    if (!(cause instanceof NoSuchError) && !graph.isNotExist(cause)) throw cause;
    if (name === SCRATCH) return undefined;
    await pull(build, name);
    return lookup();
  }
}

async function pull(build: BuildFile, name: string): Promise<void> {
  const [repository, tag] = name.includes("@") ? [name, ""] : parseRepositoryTag(name);
  const job = build.daemon.eng.job("pull", repository, name.includes("@") ? tag : tag || DEFAULT_TAG);
  job.setenvBool("json", build.settings.json);
  job.setenvBool("parallel", true);
  job.setenvJson("authConfig", accountFor(build, repository));
  job.stdout.add({ write: (chunk) => build.streams.raw.write(chunk) });
  await job.run({ signal: build.signal });
}

/** With accounts for several registries, that of this one counts. */
function accountFor({ settings }: BuildFile, repository: string): AuthConfig {
  if (settings.configs.size === 0) return settings.auth;
  const { hostname } = resolveRepositoryPath(repository.split("@", 1)[0] ?? "");
  return resolveAuthConfig({ configs: new Map(settings.configs), rootPath: "" }, hostname);
}
