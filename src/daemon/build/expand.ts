/**
 * Variables in the arguments of a step.
 *
 * @origin daemon/build.go
 * @module
 */

/** A dollar that no single backslash is before, a name, and braces that need not match. */
const reference = /(?:\\\\+|[^\\]|\b|^)\$\{?[0-9A-Za-z_]+\}?/g;

/**
 * Puts the values of variables in the place of `$NAME` and `${NAME}`. A name that is not there stays as it is, and so do
 * backslashes.
 *
 * Each reference is found in the text as it was given, then replaced everywhere: `$FOO` also inside `$FOOBAR`.
 *
 * @param env - `NAME=value` each
 * @origin daemon/build.go (*buildFile).ReplaceEnvMatches
 * @deviation An entry without `=`, which an image may hold, is no variable; 1.2.0 panics on it. A result beyond
 *   {@link MAX_EXPANDED} characters is refused: ten lines that double a variable forty times fill any memory.
 */
export function replaceEnvMatches(value: string, env: readonly string[]): string {
  let result = value;
  for (const [match] of value.matchAll(reference)) {
    const token = match.slice(match.indexOf("$"));
    const name = token.replace(/^[${}]+|[${}]+$/g, "");
    const entry = env.find((variable) => variable.startsWith(`${name}=`));
    if (entry === undefined) continue;
    const replacement = entry.slice(name.length + 1);
    const parts = result.split(token);
    if (result.length + (parts.length - 1) * replacement.length > MAX_EXPANDED) {
      throw new RangeError(`Cannot expand ${token}: the result is longer than ${MAX_EXPANDED} characters`);
    }
    result = parts.join(replacement);
  }
  return result;
}

/** Longest text that an expansion may give: longer than any argument the kernel takes. */
export const MAX_EXPANDED = 1 << 20;
