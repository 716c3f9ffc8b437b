/** An answer to exercise 1. @module */

/** One dash in front of every name, once its mark is gone. */
export function typed(names: readonly string[]): string[] {
  return names.map((name) => `-${name.replace(/^#/, "")}`);
}

/** The replacement is the first name behind the one typed that is not deprecated itself. */
export function warning(names: readonly string[], as: string): string {
  const at = names.indexOf(`#${as.slice(1)}`);
  if (at < 0) return "";
  const replacement = names.slice(at).find((name) => !name.startsWith("#"));
  const fate = replacement === undefined ? "removed" : `replaced by '-${replacement}'`;
  return `Warning: '${as}' is deprecated, it will be ${fate} soon. See usage.`;
}
