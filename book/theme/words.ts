/**
 * Command lines as text: what a reader types becomes arguments, and arguments become what a reader can type.
 *
 * @module
 */

/**
 * The arguments in a line, split as a shell does.
 *
 * @throws when a quote is not closed
 */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? "";
    if (char === "'" || char === '"') {
      const end = closing(line, at);
      const inside = line.slice(at + 1, end);
      word = (word ?? "") + (char === '"' ? inside.replace(/\\(["\\$`])/g, "$1") : inside);
      at = end;
    } else if (char === "\\" && at + 1 < line.length) {
      word = (word ?? "") + line[++at];
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

function closing(line: string, open: number): number {
  const quote = line[open];
  for (let at = open + 1; at < line.length; at++) {
    if (quote === '"' && line[at] === "\\") at++;
    else if (line[at] === quote) return at;
  }
  throw new Error(`${quote} is not closed`);
}

/** A line that {@link splitLine} and a shell split into these arguments. */
export function joinLine(args: readonly string[]): string {
  return args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`)).join(" ");
}

/** The part of an address that keeps arguments. */
export function hashOf(args: readonly string[]): string {
  return `#run=${encodeURIComponent(JSON.stringify(args))}`;
}

/** The arguments an address keeps; `undefined` when it keeps none. */
export function argsIn(hash: string): string[] | undefined {
  const text = /^#run=(.*)$/.exec(hash)?.[1];
  if (text === undefined) return undefined;
  try {
    const args: unknown = JSON.parse(decodeURIComponent(text));
    return Array.isArray(args) && args.every((arg) => typeof arg === "string") ? args : undefined;
  } catch {
    return undefined;
  }
}
