/**
 * What a layer of the overlay driver adds, changes and hides, read from its own directory without mounting anything.
 *
 * @since Docker 1.4 (daemon/graphdriver/overlay)
 * @module
 */

import { type Attributes, type Change, isModified, sorted } from "../../../archive/changes.ts";
import { below, type Stats, Tree, type TreeHost } from "../../../archive/tree.ts";

const OPAQUE_XATTR = "trusted.overlay.opaque";

/** Whether this is overlay's mark of a deleted file. */
export function isWhiteout(info: Stats): boolean {
  return info.isCharacterDevice() && info.rdev === 0;
}

function isOpaque(tree: Tree, path: string): boolean {
  return tree.xattr(path, OPAQUE_XATTR)?.toString() === "y";
}

/** What the layers below show at a path. */
interface Below {
  readonly info: Stats;
  /** Where it is: the nearest layer that has it; for a directory all whose contents lie over each other. */
  readonly trees: readonly Tree[];
}

/**
 * Looks through layers, nearest first.
 *
 * @param trees - those that have the directory of the path in common
 */
async function lookBelow(trees: readonly Tree[], path: string): Promise<Below | undefined> {
  let found: Stats | undefined;
  const merged: Tree[] = [];
  for (const tree of trees) {
    const info = await tree.lstat(path);
    if (info === undefined) continue;
    if (isWhiteout(info) || (found !== undefined && !info.isDirectory())) break;
    found ??= info;
    merged.push(tree);
    if (!info.isDirectory() || isOpaque(tree, path)) break;
  }
  return found === undefined ? undefined : { info: found, trees: merged };
}

/** The names that the layers below show in a directory. */
async function namesBelow(trees: readonly Tree[], path: string): Promise<Set<string>> {
  const shown = new Set<string>();
  const hidden = new Set<string>();
  for (const tree of trees) {
    for (const [name, info] of await tree.list(path)) {
      if (isWhiteout(info)) hidden.add(name);
      else if (!hidden.has(name)) shown.add(name);
    }
  }
  return shown;
}

/**
 * The changes of a layer, as a comparison of the mounted trees would find them.
 *
 * @param diff - the layer's own directory
 * @param lower - directories of the layers below, nearest first
 * @returns sorted by path
 */
export async function overlayChanges(host: TreeHost, diff: string, lower: readonly string[]): Promise<Change[]> {
  const changes: { path: string; kind: 0 | 1 | 2 }[] = [];
  const upper = new Tree(host, diff);

  /** @param hides - whether nothing of the layers below shows through */
  const visit = async (path: string, trees: readonly Tree[], hides: boolean): Promise<void> => {
    const own = await upper.list(path);
    for (const [name, info] of own) {
      const child = below(path, name);
      const old = await lookBelow(trees, child);
      if (isWhiteout(info)) {
        if (old !== undefined) changes.push({ path: `/${child}`, kind: 2 });
        continue;
      }
      const attributes = (): [Attributes, Attributes] => [upper.xattrs(child), old?.trees[0]?.xattrs(child)];
      if (old === undefined) changes.push({ path: `/${child}`, kind: 1 });
      else if (isModified(info, old.info, attributes)) changes.push({ path: `/${child}`, kind: 0 });
      if (!info.isDirectory()) continue;
      const directory = old?.info.isDirectory() ? old.trees : [];
      await visit(child, directory, hides || isOpaque(upper, child));
    }
    if (!hides || trees.length === 0) return;
    const kept = new Set(own.map(([name]) => name));
    for (const name of await namesBelow(trees, path)) {
      if (!kept.has(name)) changes.push({ path: `/${below(path, name)}`, kind: 2 });
    }
  };
  await visit(
    "",
    lower.map((dir) => new Tree(host, dir)),
    isOpaque(upper, ""),
  );
  return sorted(changes);
}
