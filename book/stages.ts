/**
 * Proves that a chapter runs nothing that no chapter so far has introduced.
 *
 * A chapter introduces the files and folders of `src/` that both languages of its prose link to. What runs is
 * everything that its `main.ts`, `demo.ts` and `live.ts` import, and what that imports, down to the last file; imports
 * of types run nothing. The host is the world: what `src/host/` needs for itself is part of it and is not followed.
 *
 * @module
 */

import { posix } from "node:path";
import { build } from "esbuild";
import { linksOf } from "./markdown.ts";
import { pages, proseChapters } from "./prose.ts";
import type { Tree } from "./tree.ts";

/** The files and folders of the engine that a chapter's prose links to, in both languages. */
export function introducedBy(tree: Tree, chapter: string): Set<string> {
  const [en = new Set<string>(), zh = new Set<string>()] = pages.map((name) => {
    const path = `chapters/${chapter}/${name}`;
    const targets = linksOf(tree.read(path) ?? "").map(({ target }) => target.split("#")[0] ?? "");
    const inside = targets.map((target) => posix.join(posix.dirname(path), target).replace(/\/$/, ""));
    return new Set(inside.filter((target) => target.startsWith("src/")));
  });
  return new Set([...en].filter((target) => zh.has(target)));
}

/** The files that run when these do. */
export async function closureOf(root: string, entries: readonly string[]): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...entries],
    outdir: "unused",
    bundle: true,
    metafile: true,
    write: false,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "silent",
  });
  const reached = new Set<string>();
  const follow = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    const isHost = file.startsWith("src/host/");
    for (const { path, external } of metafile.inputs[file]?.imports ?? []) {
      if (external !== true && (!isHost || path.startsWith("src/host/"))) follow(path);
    }
  };
  for (const entry of entries) follow(entry);
  return [...reached].sort();
}

/** The chapters whose introductions count for a chapter: itself and those before it, but for the map. */
function introducing(tree: Tree, chapter: string): string[] {
  return proseChapters(tree).filter((name) => name === chapter || (name < chapter && !name.startsWith("00-")));
}

/** Files of the engine that run in a chapter, and that nothing has introduced. */
export async function stageFaults(root: string, tree: Tree, chapter: string): Promise<string[]> {
  const introduced = new Set(introducing(tree, chapter).flatMap((name) => [...introducedBy(tree, name)]));
  const entries = ["main.ts", "demo.ts", "live.ts"]
    .map((name) => `chapters/${chapter}/${name}`)
    .filter((path) => tree.has(path));
  const running = await closureOf(root, entries);
  const known = (file: string): boolean => {
    for (let path = file; path !== "." && path !== "src"; path = posix.dirname(path)) {
      if (introduced.has(path)) return true;
    }
    return false;
  };
  return running
    .filter((file) => file.startsWith("src/") && !known(file))
    .map((file) => `chapters/${chapter} runs ${file}, which no chapter so far has introduced`);
}
