/**
 * Names that Node gives every module: the bundle puts them where they are used.
 *
 * @module
 */

export { Buffer } from "buffer/";
export { process } from "./process.ts";

type Run = (...args: unknown[]) => void;

/** What runs next, and the timers that have gone off and come after all of it. */
const queue = new Map<number, () => void>();
const late = new Map<number, () => void>();
const channel = new MessageChannel();
let last = 0;

// Each entry has sent one message. An entry that was forgotten leaves a message over, which finds nothing.
channel.port1.addEventListener("message", () => {
  const from = queue.size > 0 ? queue : late;
  const [id, run] = from.entries().next().value ?? [];
  if (id === undefined || run === undefined) return;
  from.delete(id);
  run();
});
channel.port1.start();

function enter(into: Map<number, () => void>, run: () => void): number {
  into.set(++last, run);
  channel.port2.postMessage(0);
  return last;
}

/** Runs a function after everything that is under way, before any timer. A page has only timers, which wait 4 ms. */
export function setImmediate(run: Run, ...args: unknown[]): number {
  return enter(queue, () => run(...args));
}

/** Forgets a function that {@link setImmediate} was given. */
export function clearImmediate(id: number): void {
  queue.delete(id);
}

/**
 * A timer that goes off, as Node's, when nothing immediate is left.
 *
 * The bodies of responses are part of what is immediate in Node. A page reads them elsewhere and in order: a body of our
 * own comes after all that were asked for before.
 */
export function setTimeout(run: Run, ms = 0, ...args: unknown[]): unknown {
  const fire = () => void enter(late, () => run(...args));
  return globalThis.setTimeout(() => void new Response("-").text().then(fire, fire), ms);
}
