/**
 * Names of images as clients of today write them.
 *
 * @module
 */

import type { ApiVersion } from "./version.ts";

/** From this version on ids of images carry the name of their hash, and the jobs say more about images. */
export const CONTENT_ADDRESSED = "1.22";

/** An id of an image as this client writes it. */
export function imageId(id: string, version: ApiVersion): string {
  return version.atLeast(CONTENT_ADDRESSED) && /^[0-9a-f]{64}$/.test(id) ? `sha256:${id}` : id;
}

/**
 * The short form of a name: no `sha256:` before an id, no name of the official registry.
 *
 * 1.2.0 would look for the registry `docker.io`, and for the tag `<id>` of the repository `sha256`.
 */
export function imageName(name: string, version: ApiVersion): string {
  if (!version.modern) return name;
  if (/^sha256:[0-9a-f]+$/.test(name)) return name.slice("sha256:".length);
  return name.replace(/^(?:index\.)?docker\.io\//, "").replace(/^library\/(?=[^/]+$)/, "");
}

/**
 * Divides a repository and its tag: `localhost:5000/busybox:latest`.
 *
 * @origin pkg/parsers/parsers.go ParseRepositoryTag
 */
export function repositoryAndTag(name: string): [repository: string, tag: string] {
  const at = name.lastIndexOf(":");
  if (at < 0 || name.includes("/", at)) return [name, ""];
  return [name.slice(0, at), name.slice(at + 1)];
}
