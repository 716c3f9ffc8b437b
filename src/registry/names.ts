/**
 * Names of repositories, and which registry they are in.
 *
 * ```text
 * busybox                   official index, repository busybox (library/busybox at the registry)
 * user1/app                 official index
 * localhost:5000/user1/app  registry at localhost:5000: the first part has a dot, a colon, or is localhost
 * ```
 *
 * @origin registry/registry.go
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";

/** @origin registry/auth.go INDEXSERVER */
const INDEX_SERVER = "https://index.docker.io/v1/";

/** The official index. @origin registry/auth.go IndexServerAddress */
export function indexServerAddress(): string {
  return INDEX_SERVER;
}

/** @origin registry/registry.go validateRepositoryName */
export function validateRepositoryName(repository: string): void {
  const slash = repository.indexOf("/");
  const namespace = slash < 0 ? "library" : repository.slice(0, slash);
  const name = slash < 0 ? repository : repository.slice(slash + 1);
  if (!/^[a-z0-9_]{4,30}$/.test(namespace)) {
    throw new BadRequestError(
      `Invalid namespace name (${namespace}), only [a-z0-9_] are allowed, size between 4 and 30`,
    );
  }
  if (!/^[a-z0-9-_.]+$/.test(name)) {
    throw new BadRequestError(`Invalid repository name (${name}), only [a-z0-9-_.] are allowed`);
  }
}

/** Where a repository is. */
export interface ResolvedName {
  /** `host[:port]`, or {@link indexServerAddress}. */
  readonly hostname: string;
  readonly remoteName: string;
}

/** Splits without looking at the rest. */
function split(name: string): ResolvedName {
  if (name.includes("://")) {
    throw new BadRequestError('Invalid repository name (ex: "registry.domain.tld/myrepos")');
  }
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(0, slash));
  if (slash < 0 || !(first.includes(".") || first.includes(":") || first === "localhost")) {
    return { hostname: INDEX_SERVER, remoteName: name };
  }
  const remoteName = name.slice(slash + 1);
  if (first.includes("index.docker.io")) {
    throw new BadRequestError(`Invalid repository name, try "${remoteName}" instead`);
  }
  return { hostname: first, remoteName };
}

/**
 * Splits a name into registry and repository, by the rules of 2014.
 *
 * @throws {BadRequestError}
 * @origin registry/registry.go ResolveRepositoryName
 */
export function resolveRepositoryName(name: string): ResolvedName {
  const resolved = split(name);
  validateRepositoryName(resolved.remoteName);
  return resolved;
}

const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const MAX_NAME_LENGTH = 255;

/** Whether a registry of version 2 can have a repository of this name. @since Docker 1.6 */
export function isRepositoryPath(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && name.split("/").every((part) => COMPONENT.test(part));
}

/** Whether a registry can have a tag of this name. @since Docker 1.6 */
export function isTag(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name);
}

/**
 * Splits a name by the rules of version 2: any number of parts, short ones too.
 *
 * @throws {BadRequestError} with the text of {@link resolveRepositoryName} when neither rule allows it
 * @since Docker 1.6
 */
export function resolveRepositoryPath(name: string): ResolvedName {
  const resolved = split(name);
  if (!isRepositoryPath(resolved.remoteName)) validateRepositoryName(resolved.remoteName);
  return resolved;
}

/**
 * Drops what today's clients write in full: `docker.io/library/busybox` is `busybox`.
 *
 * @since Docker 1.10
 */
export function familiarName(name: string): string {
  if (!name.startsWith("docker.io/")) return name;
  const rest = name.slice("docker.io/".length);
  return rest.startsWith("library/") ? rest.slice("library/".length) : rest;
}
