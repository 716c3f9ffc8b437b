/**
 * Chapter 03: the engine is told when to end, and what to do before.
 *
 * There is no daemon yet. What stands for it are its two shutdown handlers, with the steps they have in 1.2.0.
 *
 * @module
 */

import type { Engine } from "../../src/engine/engine.ts";
import type { Host } from "../../src/host/host.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { trap } from "../../src/pkg/signal/trap.ts";
import { type Started, start as startEngine } from "../02-engine/main.ts";

/** What the chapters after this one begin with: flags, an engine, and signals that end it. */
export interface Trapped extends Started {
  readonly log: Logger;
}

/**
 * The next step of mainDaemon(): signals shut the engine down.
 *
 * @returns `undefined` when the usage screen was all there was to do
 */
export function start(args: readonly string[], host: Host): Trapped | undefined {
  const started = startEngine(args, host);
  if (started === undefined) return undefined;
  const log = new Logger(host);
  trap(
    host,
    () => started.eng.shutdown(),
    (line) => log.std(line),
  );
  return { ...started, log };
}

/** The steps of the second handler: the first may take for ever, the others wait for it. */
export const STEPS = ["containers", "ports", "storage", "database"] as const;

/** Adds the shutdown handlers that the daemon of 1.2.0 adds. @param does - what each step does */
export function install(eng: Engine, does: (step: "pid file" | (typeof STEPS)[number]) => Promise<void>): void {
  eng.onShutdown(() => does("pid file"));
  eng.onShutdown(async () => {
    for (const step of STEPS) await does(step);
  });
}
