/**
 * What the engine's libraries ask `process` for, in a page.
 *
 * @module
 */

/** Runs a function after the current one, before anything else. */
function nextTick(run: (...args: unknown[]) => void, ...args: unknown[]): void {
  queueMicrotask(() => run(...args));
}

/** The process of a page: root of a machine that exists only in memory. */
export const process = {
  env: {} as Record<string, string | undefined>,
  argv: [] as string[],
  platform: "linux",
  version: "v20.19.0",
  versions: { node: "20.19.0" },
  nextTick,
  cwd: () => "/",
  getuid: () => 0,
  getgid: () => 0,
  umask: () => 0o022,
  emitWarning: () => undefined,
  on: () => process,
};
export default process;
