/** An answer to exercise 2. @module */

/**
 * Goes down branch by branch. What a branch says about the path, or about a directory on the way, ends the search: a
 * whiteout, or a file where a directory should be. An opaque mark ends it, too, but after its own branch has been asked.
 */
export function branchOf(path: string, branches: readonly (readonly string[])[]): number | undefined {
  const parts = path.split("/");
  const inside = (depth: number) =>
    parts
      .slice(0, depth)
      .map((part) => `${part}/`)
      .join("");
  for (const [at, branch] of branches.entries()) {
    const has = (one: string) => branch.includes(one);
    if (parts.some((name, depth) => has(`${inside(depth)}.wh.${name}`))) return undefined;
    if (has(path)) return at;
    // A directory in the place of the file, or a file in the place of a directory on the way.
    if (has(`${path}/`) || parts.some((name, depth) => depth < parts.length - 1 && has(inside(depth) + name)))
      return undefined;
    if (parts.some((_, depth) => depth > 0 && has(`${inside(depth)}.wh..wh..opq`))) return undefined;
  }
  return undefined;
}
