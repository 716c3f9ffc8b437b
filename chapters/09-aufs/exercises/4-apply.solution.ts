/** An answer to exercise 4. @module */

/** First everything that hides, then everything that comes: a whiteout speaks of the layers below, never of its own. */
export function carryOut(tree: readonly string[], layer: readonly string[]): string[] {
  let left = [...tree];
  const removeAll = (path: string) => {
    left = left.filter((one) => one !== path && !one.startsWith(`${path}/`));
  };
  for (const name of layer) {
    const slash = name.lastIndexOf("/");
    const [directory, base] = [name.slice(0, slash + 1), name.slice(slash + 1)];
    if (base === ".wh..wh..opq") left = left.filter((one) => one === directory || !one.startsWith(directory));
    else if (base.startsWith(".wh.") && !base.startsWith(".wh..wh.")) removeAll(directory + base.slice(".wh.".length));
  }
  const brought = layer.filter((name) => name !== "./" && !/(^|\/)\.wh\./.test(name));
  // A file takes the place of a directory, and the other way round.
  for (const name of brought) {
    if (name.endsWith("/")) left = left.filter((one) => one !== name.slice(0, -1));
    else removeAll(name);
  }
  return [...new Set([...left, ...brought])].sort();
}
