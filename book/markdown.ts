/**
 * The parts of a Markdown page that the checks look at: headings, anchors, links and fences.
 *
 * @module
 */

/** A fenced block. */
export interface Fence {
  /** What stands behind the opening ticks. */
  readonly info: string;
  readonly body: string;
  /** Index of the opening line, from 0; the closing one is `end`. */
  readonly start: number;
  readonly end: number;
}

/** A link, outside fences and code spans. */
export interface Link {
  readonly target: string;
  /** The quoted text behind the target. */
  readonly title: string | undefined;
  readonly line: number;
}

/** A heading. */
export interface Heading {
  readonly level: number;
  readonly text: string;
  readonly line: number;
}

/** The fenced blocks of a page. */
export function fencesOf(page: string): Fence[] {
  const fences: Fence[] = [];
  const lines = page.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const open = /^(`{3,})(.*)$/.exec(lines[i] ?? "");
    if (open === null) continue;
    let end = i + 1;
    while (end < lines.length && lines[end] !== open[1]) end++;
    fences.push({ info: (open[2] ?? "").trim(), body: lines.slice(i + 1, end).join("\n"), start: i, end });
    i = end;
  }
  return fences;
}

/** The page with its fences blank, line for line. */
function proseOf(page: string): string[] {
  const lines = page.split("\n");
  for (const { start, end } of fencesOf(page)) lines.fill("", start, end + 1);
  return lines;
}

/** The links of a page. */
export function linksOf(page: string): Link[] {
  return proseOf(page).flatMap((line, at) => {
    // A code span may hold brackets; inside a link's text it stays.
    const text = line.replace(/`[^`]*`/g, (span) => span.replace(/[[\]()]/g, "."));
    return [...text.matchAll(/\]\(([^)\s]+)(?:\s+"([^"]*)")?\)/g)].map(([, target = "", title]) => ({
      target,
      title,
      line: at + 1,
    }));
  });
}

/** The headings of a page. */
export function headingsOf(page: string): Heading[] {
  return proseOf(page).flatMap((line, at) => {
    const match = /^(#{1,6}) (.*)$/.exec(line);
    return match === null ? [] : [{ level: match[1]?.length ?? 0, text: (match[2] ?? "").trim(), line: at + 1 }];
  });
}

/** The anchor GitHub gives a heading. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, "")
    .replaceAll(" ", "-");
}

/** The anchors a page sets itself: `<a id="…"></a>`. */
export function ownAnchorsOf(page: string): string[] {
  return proseOf(page).flatMap((line) => [...line.matchAll(/<a id="([^"]+)"><\/a>/g)].map(([, id = ""]) => id));
}

/** Everything a `#…` can point to. */
export function anchorsOf(page: string): Set<string> {
  return new Set([...ownAnchorsOf(page), ...headingsOf(page).map(({ text }) => slugOf(text))]);
}

/** Words of the prose: a Chinese character counts as one. Fences and tables do not count. */
export function wordsOf(page: string): number {
  const prose = proseOf(page)
    .filter((line) => !line.startsWith("|"))
    .join("\n")
    .replace(/<[^>]*>/g, " ")
    .replace(/\]\([^)]*\)/g, "]");
  const han = prose.match(/\p{Script=Han}/gu)?.length ?? 0;
  const latin = prose.replace(/\p{Script=Han}/gu, " ").match(/[\p{L}\p{N}][\p{L}\p{N}'’./_-]*/gu)?.length ?? 0;
  return han + latin;
}
