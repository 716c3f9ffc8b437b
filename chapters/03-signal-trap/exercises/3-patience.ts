/**
 * Exercise 3: a limit for each step.
 *
 * In 1.2.0 one container that does not stop uses up the ten seconds of all: ports, storage and database are never
 * reached. Write a shutdown handler that gives each step a limit of its own. A step that takes longer is left alone, and
 * one that fails is as good as done; in both cases the next one begins.
 *
 * @module
 */

import type { Clock } from "../../../src/host/clock.ts";
import { yourTurn } from "../../lib/exercise.ts";

/** One step, and how long it may take. */
export interface Step {
  readonly name: string;
  readonly limitMs: number;
  run(): Promise<void>;
}

/** Runs the steps one after another. @returns the names of those that were left alone */
export async function inOrder(steps: readonly Step[], clock: Clock): Promise<string[]> {
  return yourTurn(steps, clock);
}
