/**
 * The repository's files as the checks see them; a test lays its own over them.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Files by path below the repository. */
export interface Tree {
  /** A file's text; `undefined` when there is none. */
  read(path: string): string | undefined;
  /** Whether there is a file or folder. */
  has(path: string): boolean;
  /** Names in a folder, in order. */
  list(path: string): string[];
}

/** The files of a directory. */
export function diskTree(root: string): Tree {
  return {
    read(path) {
      const full = join(root, path);
      return existsSync(full) && statSync(full).isFile() ? readFileSync(full, "utf8") : undefined;
    },
    has: (path) => existsSync(join(root, path)),
    list: (path) => (existsSync(join(root, path)) ? readdirSync(join(root, path)).sort() : []),
  };
}

/** The same tree with some files changed; `undefined` takes a file away. */
export function overlay(tree: Tree, changed: Readonly<Record<string, string | undefined>>): Tree {
  return {
    read: (path) => (path in changed ? changed[path] : tree.read(path)),
    has: (path) => (path in changed ? changed[path] !== undefined : tree.has(path)),
    list: (path) => tree.list(path).filter((name) => !(`${path}/${name}` in changed) || changed[`${path}/${name}`]),
  };
}
