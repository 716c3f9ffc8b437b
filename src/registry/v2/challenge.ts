/**
 * What a registry asks for in `WWW-Authenticate`.
 *
 * @since Docker 1.6
 * @module
 */

/** One way to prove who one is: the scheme in lower case, its parameters. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/**
 * Reads the header; several challenges may share it.
 *
 * @returns what could be read; a text that is none of this gives an empty list
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const skip = (pattern: RegExp) => {
    while (at < header.length && pattern.test(header[at] as string)) at++;
  };
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  while (at < header.length) {
    skip(/[\s,]/);
    const name = match(TOKEN)?.[0];
    if (name === undefined) break;
    const afterName = at;
    skip(/\s/);
    if (header[at] !== "=") {
      challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
      at = Math.max(at, afterName);
      continue;
    }
    at++;
    skip(/\s/);
    const quoted = match(QUOTED)?.[1]?.replace(/\\(.)/g, "$1");
    const value = quoted ?? match(TOKEN)?.[0];
    const current = challenges.at(-1);
    if (value === undefined || current === undefined) break;
    current.parameters.set(name.toLowerCase(), value);
  }
  return challenges;
}
