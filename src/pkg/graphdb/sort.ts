/**
 * Splitting and ordering of paths in the graph.
 *
 * @origin pkg/graphdb/utils.go, pkg/graphdb/sort.go
 * @module
 */

import posix from "node:path/posix";

/** `/web/db` → `["/web", "db"]`, `/web` → `["/", "web"]`. @origin pkg/graphdb/utils.go splitPath */
export function splitPath(path: string): [parent: string, name: string] {
  const full = path.startsWith("/") ? path : `/${path}`;
  const parent = posix.dirname(full);
  return [parent, posix.basename(full)];
}

/** How many levels below the root a path is. @origin pkg/graphdb/utils.go PathDepth */
export function pathDepth(path: string): number {
  return path.split("/").filter((part) => part !== "").length;
}

/** Deepest first; paths of one depth in the order of their bytes, where 1.2.0 leaves them in the order of a hash map. */
export function sortByDepth(paths: readonly string[]): string[] {
  return [...paths].sort((a, b) => pathDepth(b) - pathDepth(a) || (a < b ? -1 : a > b ? 1 : 0));
}
