/**
 * Names of containers.
 *
 * @origin daemon/daemon.go reserveName, generateNewName
 * @module
 */

import { ConflictError, messageOf, SystemError } from "../errdefs/errdefs.ts";
import { isNonUniqueNameError } from "../pkg/graphdb/graphdb.ts";
import { getRandomName } from "../pkg/namesgenerator/names-generator.ts";
import type { Daemon } from "./daemon.ts";

const validName = /^\/?[a-zA-Z0-9_.-]+$/;

/** @origin daemon/daemon.go GetFullContainerName */
export function fullContainerName(name: string): string {
  if (name === "") throw new SystemError("Container name cannot be empty");
  return name.startsWith("/") ? name : `/${name}`;
}

/**
 * Gives a container the name the user wants.
 *
 * @returns the name with its slash
 * @throws {ConflictError} when another container has it
 * @origin daemon/daemon.go reserveName
 * @deviation A name whose container is gone is taken over; 1.2.0 frees it and leaves the new container without one.
 */
export function reserveName(daemon: Daemon, id: string, name: string): string {
  if (!validName.test(name)) {
    throw new SystemError(`Invalid container name (${name}), only [a-zA-Z0-9_.-] are allowed`);
  }
  const full = fullContainerName(name);
  const graph = daemon.containerGraph;
  try {
    graph.set(full, id);
  } catch (cause) {
    if (!isNonUniqueNameError(cause)) throw cause;
    const owner = graph.get(full) ?? "";
    if (daemon.containers.has(owner) || daemon.beingCreated.has(owner)) {
      const known = full.slice(1);
      throw new ConflictError(
        `Conflict, The name ${known} is already assigned to ${owner.slice(0, 12)}. You have to delete (or rename) ` +
          `that container to be able to assign ${known} to a container again.`,
        { cause },
      );
    }
    graph.delete(full);
    graph.set(full, id);
  }
  daemon.beingCreated.add(id);
  return full;
}

/** Makes up a name nobody has. @origin daemon/daemon.go generateNewName */
export function generateName(daemon: Daemon, id: string): string {
  daemon.beingCreated.add(id);
  for (let tries = 0; tries < 6; tries++) {
    const name = `/${getRandomName(tries, daemon.host)}`;
    try {
      daemon.containerGraph.set(name, id);
      return name;
    } catch (cause) {
      if (!isNonUniqueNameError(cause)) throw cause;
    }
  }
  const name = `/${id.slice(0, 12)}`;
  daemon.containerGraph.set(name, id);
  return name;
}

/** Takes the name of a container back that came to nothing. */
export function releaseName(daemon: Daemon, id: string): void {
  daemon.beingCreated.delete(id);
  try {
    daemon.containerGraph.purge(id);
  } catch (cause) {
    // On a full disk. Nobody misses the name: one without a container is taken over by the next that wants it.
    daemon.log.error("create.go:95", `Cannot release the name of ${id}: ${messageOf(cause)}`);
  }
}
