/**
 * Names that Node gives every module: the bundle puts them where they are used.
 *
 * @module
 */

export { Buffer } from "buffer/";
export { process } from "./process.ts";

type Run = (...args: unknown[]) => void;

const queue = new Map<number, () => void>();
const channel = new MessageChannel();
let last = 0;

channel.port1.addEventListener("message", () => {
  const [id, run] = queue.entries().next().value ?? [];
  if (id === undefined || run === undefined) return;
  queue.delete(id);
  run();
});
channel.port1.start();

/** Runs a function after everything that is under way, before any timer. A page has only timers, which wait 4 ms. */
export function setImmediate(run: Run, ...args: unknown[]): number {
  queue.set(++last, () => run(...args));
  channel.port2.postMessage(0);
  return last;
}

/** Forgets a function that {@link setImmediate} was given. */
export function clearImmediate(id: number): void {
  queue.delete(id);
}

/** A timer that goes off, as Node's, when nothing immediate is left. */
export function setTimeout(run: Run, ms = 0, ...args: unknown[]): unknown {
  const fire = (): void => {
    if (queue.size > 0) setImmediate(fire);
    else run(...args);
  };
  return globalThis.setTimeout(fire, ms);
}
