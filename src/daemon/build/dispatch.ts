/**
 * What is done for each instruction.
 *
 * @origin daemon/build.go
 * @module
 */

import { SystemError } from "../../errdefs/errdefs.ts";
import { add, copy } from "./add.ts";
import type { BuildFile } from "./build-file.ts";
import { type ConfigStep, configSteps } from "./config-steps.ts";
import { from } from "./from.ts";
import { run } from "./run.ts";

/** Does a step. */
export type Instruct = (build: BuildFile, args: string) => Promise<void>;

const change =
  (step: ConfigStep): Instruct =>
  async (build, args) =>
    build.commitConfig(step(build, args));

/** @origin daemon/build.go (*buildFile).CmdInsert */
const insert: Instruct = async () => {
  throw new SystemError("INSERT has been deprecated. Please use ADD instead");
};

/**
 * The instructions by name, in lower case.
 *
 * @origin daemon/build.go (*buildFile).BuildStep
 * @deviation A table; 1.2.0 makes the name of a method from the instruction.
 */
export const instructions: ReadonlyMap<string, Instruct> = new Map<string, Instruct>([
  ["from", from],
  ["run", run],
  ["add", add],
  ["copy", copy],
  ["insert", insert],
  ...[...configSteps].map(([name, step]) => [name, change(step)] as const),
]);
