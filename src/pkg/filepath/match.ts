/**
 * Shell patterns for paths, as Go's `filepath.Match` has them on Linux.
 *
 * ```text
 * *        any bytes but `/`, also none           [a-z]   one character of a class; [^a-z] one that is not in it
 * ?        one character but `/`                  \x      x itself
 * ```
 *
 * The whole path has to match. Patterns and paths are byte strings (see `archive/byte-string.ts`): a class and `?` take a
 * character of UTF-8, all else single bytes.
 *
 * The original is Go's own `path/filepath`, match.go.
 * @module
 */

/** The pattern cannot be read. */
export class BadPatternError extends Error {
  constructor() {
    super("syntax error in pattern");
    this.name = "BadPatternError";
  }
}

/** How many bytes of a path, from a position on, one piece of a pattern takes; 0: it does not match. */
type Piece = (path: string, at: number) => number;

/** Pieces between two stars. */
interface Run {
  /** Whether a star stands before it. */
  readonly star: boolean;
  readonly pieces: readonly Piece[];
}

const PARSED = new Map<string, readonly Run[]>();
const MAX_PARSED = 1000;

/**
 * Whether a path matches a pattern.
 *
 * @throws {BadPatternError} when the bad part is reached; a path that fails before it does not match, as in Go
 */
export function match(pattern: string, path: string): boolean {
  const runs = parsed(pattern);
  let at = 0;
  for (const [index, { star, pieces }] of runs.entries()) {
    const last = index === runs.length - 1;
    if (star && pieces.length === 0) return !path.includes("/", at);
    const end = place(pieces, path, at, star, last);
    if (end < 0) return false;
    at = end;
  }
  return at === path.length;
}

/** Where a run ends that begins at a position, or behind it when a star stands before it; −1: nowhere. */
function place(pieces: readonly Piece[], path: string, from: number, star: boolean, last: boolean): number {
  for (let at = from; ; at++) {
    const end = taken(pieces, path, at);
    if (end >= 0 && (end === path.length || !last)) return end;
    // A star takes one byte more, unless that is a slash.
    if (!star || at >= path.length || path[at] === "/") return -1;
  }
}

function taken(pieces: readonly Piece[], path: string, from: number): number {
  let at = from;
  for (const piece of pieces) {
    if (at >= path.length) return -1;
    const bytes = piece(path, at);
    if (bytes === 0) return -1;
    at += bytes;
  }
  return at;
}

function parsed(pattern: string): readonly Run[] {
  let runs = PARSED.get(pattern);
  if (runs === undefined) {
    runs = parse(pattern);
    if (PARSED.size >= MAX_PARSED) PARSED.clear();
    PARSED.set(pattern, runs);
  }
  return runs;
}

const bad: Piece = () => {
  throw new BadPatternError();
};

const question: Piece = (path, at) => (path[at] === "/" ? 0 : characterAt(path, at).bytes);

function literal(byte: string): Piece {
  return (path, at) => (path[at] === byte ? 1 : 0);
}

function parse(pattern: string): Run[] {
  const runs: { star: boolean; pieces: Piece[] }[] = [];
  for (let at = 0; at < pattern.length; ) {
    const char = pattern[at]!;
    if (char === "*") {
      if (runs.at(-1)?.star !== true || runs.at(-1)!.pieces.length > 0) runs.push({ star: true, pieces: [] });
      at++;
      continue;
    }
    if (runs.length === 0) runs.push({ star: false, pieces: [] });
    const [piece, next] = parsePiece(pattern, at);
    runs.at(-1)!.pieces.push(piece);
    at = next;
  }
  return runs;
}

/** One piece, and where the next begins. Behind a bad one nothing is reached. */
function parsePiece(pattern: string, at: number): [Piece, number] {
  const char = pattern[at]!;
  if (char === "?") return [question, at + 1];
  if (char === "[") return parseClass(pattern, at + 1);
  if (char !== "\\") return [literal(char), at + 1];
  return at + 1 < pattern.length ? [literal(pattern[at + 1]!), at + 2] : [bad, pattern.length];
}

function parseClass(pattern: string, from: number): [Piece, number] {
  const negated = pattern[from] === "^";
  const ranges: [number, number][] = [];
  let at = negated ? from + 1 : from;
  while (ranges.length === 0 || pattern[at] !== "]") {
    const low = bound(pattern, at);
    if (low === undefined) return [bad, pattern.length];
    const high = pattern[low.next] === "-" ? bound(pattern, low.next + 1) : low;
    if (high === undefined) return [bad, pattern.length];
    ranges.push([low.code, high.code]);
    at = high.next;
  }
  const piece: Piece = (path, position) => {
    const { code, bytes } = characterAt(path, position);
    return ranges.some(([low, high]) => low <= code && code <= high) === negated ? 0 : bytes;
  };
  return [piece, at + 1];
}

/** A character that bounds a range; `undefined` when there is none, or nothing comes behind it. */
function bound(pattern: string, from: number): { code: number; next: number } | undefined {
  const escaped = pattern[from] === "\\";
  const at = escaped ? from + 1 : from;
  if (at >= pattern.length || (!escaped && (pattern[at] === "-" || pattern[at] === "]"))) return undefined;
  const { code, bytes } = characterAt(pattern, at);
  if (code === NO_CHARACTER && bytes === 1) return undefined;
  return at + bytes < pattern.length ? { code, next: at + bytes } : undefined;
}

/** What Go reads where there is no UTF-8: a byte that counts as this. */
const NO_CHARACTER = 0xfffd;
const BOUNDS = [0x80, 0x800, 0x10000, 0x110000];

/** The character of UTF-8 at a position, and how many bytes it has. */
function characterAt(bytes: string, at: number): { code: number; bytes: number } {
  const first = bytes.charCodeAt(at);
  const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
  if (more === 0) return { code: first, bytes: 1 };
  let code = more < 0 ? 0 : first & (0x3f >> more);
  for (let index = 1; index <= more; index++) {
    const next = bytes.charCodeAt(at + index);
    if (!(next >= 0x80 && next < 0xc0)) return { code: NO_CHARACTER, bytes: 1 };
    code = code * 64 + (next & 0x3f);
  }
  const proper = more > 0 && code >= BOUNDS[more - 1]! && code < BOUNDS[more]! && !(code >= 0xd800 && code < 0xe000);
  return proper ? { code, bytes: more + 1 } : { code: NO_CHARACTER, bytes: 1 };
}
