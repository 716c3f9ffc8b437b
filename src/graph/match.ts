/**
 * Shell patterns as Go's `path.Match` understands them: `*` and `?` stop at slashes, `[a-z]` is a class.
 *
 * @module
 */

/** Whether the whole of `name` fits. A pattern that is malformed fits nothing. */
export function pathMatch(pattern: string, name: string): boolean {
  const expression = translate(pattern);
  return expression?.test(name) ?? false;
}

function translate(pattern: string): RegExp | undefined {
  let source = "";
  const quote = (char: string) => char.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    if (char === "*") {
      // Neighbours say nothing more, and would take for ever to say it.
      if (pattern[i - 1] !== "*" || pattern[i - 2] === "\\") source += "[^/]*";
    } else if (char === "?") {
      source += "[^/]";
    } else if (char === "\\") {
      const next = pattern[++i];
      if (next === undefined) return undefined;
      source += quote(next);
    } else if (char === "[") {
      const found = /^\[(\^?)((?:\\.|[^\\\]])+)\]/.exec(pattern.slice(i));
      if (found === null) return undefined;
      const members = (found[2] as string).replace(
        /\\(.)|([\\^[\]])/g,
        (_, escaped?: string, plain?: string) => `\\${escaped ?? plain ?? ""}`,
      );
      source += `[${found[1]}${members}]`;
      i += found[0].length - 1;
    } else {
      source += quote(char);
    }
  }
  try {
    return new RegExp(`^${source}$`, "su");
  } catch {
    return undefined;
  }
}
