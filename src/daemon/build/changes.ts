/**
 * Instructions of a Dockerfile that a commit or an import carries out, with `--change`.
 *
 * @since Docker 1.6 (builder/job.go)
 * @module
 */

import { BadRequestError, messageOf, SystemError } from "../../errdefs/errdefs.ts";
import type { Config } from "../../runconfig/config.ts";
import { type ConfigStep, configSteps } from "./config-steps.ts";
import { parseInstruction } from "./dockerfile.ts";

/** A word of `NAME=value` pairs: bare text, and parts in quotes, in which a backslash keeps the next character. */
const word = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs;

/** `A=1 B="two words"`, or `A the rest`. */
function pairs(args: string): [name: string, value: string][] {
  const words = args.match(word) ?? [];
  if (!words[0]?.includes("=")) {
    const blank = args.search(/\s/);
    if (blank < 0) throw new SystemError(`${args} must have two arguments`);
    return [[args.slice(0, blank), args.slice(blank).trim()]];
  }
  return words.map((text) => {
    const at = text.indexOf("=");
    if (at < 0) throw new SystemError(`Can't find = in ${JSON.stringify(text)}. Must be of the form: name=value`);
    return [unquote(text.slice(0, at)), unquote(text.slice(at + 1))];
  });
}

function unquote(text: string): string {
  return text.replace(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs,
    (_, double?: string, single?: string, escaped?: string) =>
      double !== undefined ? double.replace(/\\(["\\$])/g, "$1") : (single ?? escaped ?? ""),
  );
}

/** Also in the form of today. */
const env: ConfigStep = (state, args) => {
  const step = configSteps.get("env");
  for (const [name, value] of pairs(args)) step?.(state, `${name} ${value}`);
  return `ENV ${args}`;
};

const label: ConfigStep = ({ config }, args) => {
  config.Labels = { ...config.Labels, ...Object.fromEntries(pairs(args)) };
  return `LABEL ${args}`;
};

const stopsignal: ConfigStep = ({ config }, args) => {
  config.StopSignal = args;
  return `STOPSIGNAL ${args}`;
};

const steps = new Map<string, ConfigStep>([...configSteps, ["env", env], ["label", label], ["stopsignal", stopsignal]]);
steps.delete("maintainer");

/**
 * Carries out instructions on a configuration, in place.
 *
 * @param changes - one line each
 * @throws {BadRequestError} naming the line that cannot be carried out
 */
export function applyChanges(config: Config, changes: readonly string[]): void {
  const state = { config, maintainer: "", cmdSet: false };
  for (const change of changes.flatMap((text) => text.split("\n"))) {
    const line = change.trim();
    if (line === "") continue;
    const { name, args } = parseInstruction(line) ?? { name: line.toLowerCase(), args: "" };
    const step = steps.get(name);
    if (step === undefined) throw new BadRequestError(`${name} is not a valid change command`);
    try {
      step(state, args);
    } catch (cause) {
      throw new BadRequestError(`Bad parameter: change ${JSON.stringify(line)}: ${messageOf(cause)}`, { cause });
    }
  }
}
