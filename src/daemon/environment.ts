/**
 * The environment of a container's first process.
 *
 * @origin daemon/container.go createDaemonEnvironment; utils/utils.go ReplaceOrAppendEnvValues
 * @module
 */

import type { Config } from "../runconfig/config.ts";

/** @origin daemon/container.go DefaultPathEnv */
export const defaultPathEnv = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Defaults, then links, then what the user wants; `HOME` is left to whoever knows the user's home.
 *
 * @param linked - variables of the links
 * @origin daemon/container.go createDaemonEnvironment
 */
export function createDaemonEnvironment(config: Config, linked: readonly string[]): string[] {
  const defaults = [`PATH=${defaultPathEnv}`, `HOSTNAME=${config.Hostname}`];
  if (config.Tty) defaults.push("TERM=xterm");
  return replaceOrAppendEnvValues([...defaults, ...linked], config.Env ?? []);
}

/**
 * Puts each override in the place of the default with its key, or at the end.
 *
 * @origin utils/utils.go ReplaceOrAppendEnvValues
 */
export function replaceOrAppendEnvValues(defaults: readonly string[], overrides: readonly string[]): string[] {
  const out = [...defaults];
  const places = new Map(defaults.map((entry, place) => [key(entry), place]));
  for (const entry of overrides) {
    const place = places.get(key(entry));
    if (place === undefined) out.push(entry);
    else out[place] = entry;
  }
  return out;
}

function key(entry: string): string {
  return entry.split("=", 1)[0] ?? "";
}
