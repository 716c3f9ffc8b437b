/**
 * Where the daemon is when no `-H` says so.
 *
 * @origin docker/docker.go
 * @article 003/s2
 * @module
 */

import { DEFAULTUNIXSOCKET, validateHost } from "../api/common.ts";
import type { Host } from "../host/host.ts";

/**
 * `DOCKER_HOST`, which is for clients only, or the usual socket.
 *
 * @throws when `DOCKER_HOST` is no address
 * @origin docker/docker.go main
 * @deviation The address is used in its complete form; 1.2.0 checks it and then takes it raw, and crashes on
 *   `127.0.0.1:2375`.
 */
export function defaultHost({ env }: Pick<Host, "env">, daemon: boolean): string {
  const named = daemon ? "" : (env["DOCKER_HOST"] ?? "");
  return validateHost(named === "" ? `unix://${DEFAULTUNIXSOCKET}` : named);
}
