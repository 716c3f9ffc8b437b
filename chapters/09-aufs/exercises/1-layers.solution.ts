/** An answer to exercise 1. @module */

/** The parent, then whatever stands in the parent's file: that one has all the others already. */
export function textFor(parent: string | undefined, layers: ReadonlyMap<string, string>): string {
  return parent === undefined ? "" : `${parent}\n${layers.get(parent) ?? ""}`;
}

/** The branch that is written to stands first; each of the others ends with a colon, the last one, too. */
export function mountData(root: string, id: string, layers: ReadonlyMap<string, string>): string | undefined {
  const below = (layers.get(id) ?? "").split("\n").filter((line) => line !== "");
  if (below.length === 0) return undefined;
  const branches = below.map((one) => `${root}/diff/${one}=ro+wh:`);
  return `br:${root}/diff/${id}=rw:${branches.join("")},xino=/dev/shm/aufs.xino`;
}
