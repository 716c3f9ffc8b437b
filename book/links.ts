/**
 * The claims of the articles, each with the Go lines of 1.2.0, the symbol here and the test that carry it.
 *
 * ```text
 * resolved   treated by a chapter: symbol, Go range, test and section are all there (checkLinks proves it)
 * reason     nothing to run: a biography, a page's frame; the row says why
 * later      its chapter is not written yet
 * ```
 *
 * @module
 */

import goLines from "./data/go-lines.json" with { type: "json" };
import table from "./data/series-links.json" with { type: "json" };
import { anchorsOf } from "./markdown.ts";
import { declarationOf } from "./symbols.ts";
import { type ChapterTest, testsOf } from "./tests.ts";
import type { Tree } from "./tree.ts";

/** One claim of an article. */
export interface Claim {
  /** `001/5.0/4`: article, section, number. */
  readonly id: string;
  /** Lines of the article's file. */
  readonly lines: string;
  readonly claim: string;
  readonly verdict: string;
  /** What holds at v1.2.0; empty when the claim is right as it stands. */
  readonly holds: string;
  readonly holdsZh?: string;
  /** `daemon/config.go:20-39`, at tag v1.2.0. */
  readonly go: readonly string[];
  readonly chapter?: string;
  readonly status: string;
  /** `src/daemon/config.ts#installDaemonFlags` */
  readonly ts?: readonly string[];
  /** Full name of a test in the chapter's suite; begins with the claim's id. */
  readonly test?: string;
  readonly reason?: string;
}

/** One section of an article. */
export interface Section {
  /** `001/5.0` */
  readonly id: string;
  readonly lines: string;
  readonly title: string;
  /** The title in English. */
  readonly gloss: string;
}

/** Every claim, in the order of the articles. */
export const claims: readonly Claim[] = table.claims;

/** Every section. */
export const sections: readonly Section[] = table.sections;

const counts: Record<string, number> = goLines.files;

/** The claim with this id. */
export function claimOf(id: string): Claim | undefined {
  return claims.find((claim) => claim.id === id);
}

/** The section a claim stands in. */
export function sectionOf({ id }: Pick<Claim, "id">): Section {
  const section = sections.find((known) => known.id === id.replace(/\/[^/]*$/, ""));
  if (section === undefined) throw new Error(`The section of ${id} is not in book/data/series-links.json`);
  return section;
}

/** The name both languages of a chapter give to the place that treats a section. */
export function anchorOf({ id, title }: Section): string {
  const named = /\p{Script=Han}/u.test(title) && id.startsWith("001/") ? `-${title.replaceAll(" ", "-")}` : "";
  return `${id.replace("/", "-")}${named}`;
}

/** The anchor as a link in Markdown has it. */
export function fragmentOf(section: Section): string {
  return encodeURI(anchorOf(section)).replace(/[()]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
}

/** What is wrong with a range of a Go file at v1.2.0, `daemon/config.go:20-39`. */
export function goFault(range: string): string | undefined {
  const [, path = "", from, to] = /^(.*):(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  const length = counts[path];
  if (length === undefined) return `v1.2.0 has no Go file ${path || range}`;
  const [start, end] = [Number(from), Number(to ?? from)];
  return start >= 1 && start <= end && end <= length ? undefined : `${path} has ${length} lines, not ${range}`;
}

/** What a claim that counts as resolved lacks. */
function faultsOf(claim: Claim, tree: Tree, tests: readonly ChapterTest[]): string[] {
  const faults: string[] = [];
  if (claim.ts === undefined || claim.ts.length === 0) faults.push("names no symbol");
  for (const place of claim.ts ?? []) {
    const found = declarationOf(tree, place);
    if (found === undefined) faults.push(`${place} is not there`);
    else if (!found.exported) faults.push(`${place} is not exported`);
  }
  const named = tests.filter(({ name }) => name.startsWith(`${claim.id} `));
  if (named.length !== 1) faults.push(`${named.length} tests begin with its id`);
  for (const test of named) {
    if (test.name !== claim.test) faults.push(`its test is called "${test.name}", the table says "${claim.test}"`);
    if (!test.asserts) faults.push(`its test asserts nothing`);
  }
  for (const language of ["README.md", "README.zh.md"]) {
    const path = `chapters/${claim.chapter}/${language}`;
    const anchor = anchorOf(sectionOf(claim));
    if (!anchorsOf(tree.read(path) ?? "").has(anchor)) faults.push(`${path} has no anchor ${anchor}`);
  }
  return faults;
}

/**
 * What is wrong with the table.
 *
 * @returns one line per fault, with the claim's id
 */
export function checkLinks(tree: Tree, rows: readonly Claim[] = claims): string[] {
  const tests = new Map<string, ChapterTest[]>();
  const suite = (chapter: string) => {
    const path = `chapters/${chapter}/chapter.test.ts`;
    const known = tests.get(path) ?? testsOf(tree.read(path) ?? "");
    tests.set(path, known);
    return known;
  };
  return rows.flatMap((claim) => {
    const go = claim.go.map(goFault).filter((fault) => fault !== undefined);
    const own = () => {
      if (claim.status === "resolved") return faultsOf(claim, tree, suite(claim.chapter ?? ""));
      if (claim.status === "reason") return (claim.reason ?? "").length < 20 ? ["no reason is stated"] : [];
      if (claim.status !== "later") return [`its status is ${claim.status}`];
      const written = tree.read(`chapters/${claim.chapter}/chapter.test.ts`) !== undefined;
      return written ? [`chapter ${claim.chapter} is written, and the claim waits for it`] : [];
    };
    return [...go, ...own()].map((fault) => `${claim.id}: ${fault}`);
  });
}

/** The table's text with the names that the chapters' tests have now. */
export function fillTests(tree: Tree, text: string): string {
  const chapters = new Set(claims.filter(({ status }) => status === "resolved").map(({ chapter }) => chapter));
  const tests = [...chapters].flatMap((name) => testsOf(tree.read(`chapters/${name}/chapter.test.ts`) ?? ""));
  return claims.reduce((filled, claim) => {
    const now = tests.find(({ name }) => name.startsWith(`${claim.id} `))?.name;
    if (now === undefined || claim.test === undefined) return filled;
    return filled.replace(`"test": ${JSON.stringify(claim.test)}`, () => `"test": ${JSON.stringify(now)}`);
  }, text);
}

/** How many claims have a test, need none, and wait for their chapter. */
export function coverage(rows: readonly Claim[] = claims): {
  all: number;
  tested: number;
  reason: number;
  later: number;
} {
  const count = (status: string) => rows.filter((claim) => claim.status === status).length;
  return { all: rows.length, tested: count("resolved"), reason: count("reason"), later: count("later") };
}
