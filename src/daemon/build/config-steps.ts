/**
 * The instructions that change nothing but the configuration.
 *
 * @origin daemon/build.go
 * @module
 */

import posix from "node:path/posix";
import { SystemError } from "../../errdefs/errdefs.ts";
import { parsePortSpecs } from "../../nat/nat.ts";
import type { Config } from "../../runconfig/config.ts";
import { compareBytes } from "../../utils/go-json.ts";
import { commandOf, goList, jsonWords, trim } from "./dockerfile.ts";
import { replaceEnvMatches } from "./expand.ts";

/** What an instruction changes, and for how long. */
export interface ConfigState {
  readonly config: Config;
  /** Goes into every image from here on. */
  maintainer: string;
  /** Whether CMD has been said. */
  cmdSet: boolean;
}

/**
 * Changes a configuration.
 *
 * @returns how the history shows the step
 */
export type ConfigStep = (state: ConfigState, args: string) => string;

/** @origin daemon/build.go (*buildFile).CmdMaintainer */
export const maintainer: ConfigStep = (state, name) => {
  state.maintainer = name;
  return `MAINTAINER ${name}`;
};

/** @origin daemon/build.go (*buildFile).CmdEnv */
export const env: ConfigStep = ({ config }, args) => {
  const blank = args.indexOf(" ");
  if (blank < 0) throw new SystemError("Invalid ENV format");
  const key = trim(args.slice(0, blank), " \t");
  const value = trim(args.slice(blank + 1), " \t");
  const variables = [...(config.Env ?? [])];
  const entry = `${key}=${replaceEnvMatches(value, variables)}`;
  const at = variables.findIndex((variable) => variable.split("=", 1)[0] === key);
  if (at < 0) variables.push(entry);
  else variables[at] = entry;
  config.Env = variables;
  return `ENV ${entry}`;
};

/** @origin daemon/build.go (*buildFile).CmdCmd */
export const cmd: ConfigStep = (state, args) => {
  state.config.Cmd = commandOf(args);
  state.cmdSet = true;
  return `CMD ${goList(state.config.Cmd)}`;
};

/** @origin daemon/build.go (*buildFile).CmdEntrypoint */
export const entrypoint: ConfigStep = ({ config, cmdSet }, args) => {
  config.Entrypoint = commandOf(args);
  // The command of the image below was meant for its entrypoint.
  if (!cmdSet) config.Cmd = null;
  return `ENTRYPOINT ${goList(config.Entrypoint)}`;
};

/** @origin daemon/build.go (*buildFile).CmdExpose */
export const expose: ConfigStep = ({ config }, args) => {
  const { exposedPorts } = parsePortSpecs([...args.split(" "), ...(config.PortSpecs ?? [])]);
  config.ExposedPorts = { ...config.ExposedPorts, ...exposedPorts };
  config.PortSpecs = null;
  const ports = Object.keys(exposedPorts).sort(compareBytes);
  return `EXPOSE map[${ports.map((port) => `${port}:{}`).join(" ")}]`;
};

/** @origin daemon/build.go (*buildFile).CmdUser */
export const user: ConfigStep = ({ config }, args) => {
  config.User = args;
  return `USER ${args}`;
};

/**
 * @origin daemon/build.go (*buildFile).CmdWorkdir
 * @deviation Without a path, which only a trigger can be, there is an error; 1.2.0 panics.
 */
export const workdir: ConfigStep = ({ config }, path) => {
  if (path === "") throw new SystemError("Workdir cannot be empty");
  const below = config.WorkingDir || "/";
  config.WorkingDir = path.startsWith("/") ? path : posix.join(below, path).replace(/(.)\/+$/, "$1");
  return `WORKDIR ${path}`;
};

/** @origin daemon/build.go (*buildFile).CmdVolume */
export const volume: ConfigStep = ({ config }, args) => {
  if (args === "") throw new SystemError("Volume cannot be empty");
  const paths = jsonWords(args);
  const added = (paths === undefined ? [args] : (paths ?? [])).map((path) => [path, {}] as const);
  config.Volumes = { ...config.Volumes, ...Object.fromEntries<Record<string, never>>(added) };
  return `VOLUME ${args}`;
};

/** Instructions that make no sense later, on top of the image. */
const notLater = new Set(["FROM", "MAINTAINER"]);

/** The instruction of a trigger, in capitals. */
export function triggerInstruction(trigger: string): string {
  return (trigger.split(" ", 1)[0] ?? "").toUpperCase();
}

/** @origin daemon/build.go (*buildFile).CmdOnbuild */
export const onbuild: ConfigStep = ({ config }, trigger) => {
  const instruction = triggerInstruction(trigger);
  if (instruction === "ONBUILD") throw new SystemError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (notLater.has(instruction)) throw new SystemError(`${instruction} isn't allowed as an ONBUILD trigger`);
  config.OnBuild = [...(config.OnBuild ?? []), trigger];
  return `ONBUILD ${trigger}`;
};

/** The instructions by name, in lower case. */
export const configSteps: ReadonlyMap<string, ConfigStep> = new Map(
  Object.entries({ maintainer, env, cmd, entrypoint, expose, user, workdir, volume, onbuild }),
);
