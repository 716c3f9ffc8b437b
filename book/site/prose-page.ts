/**
 * A Markdown file of the repository as a page of the site: its links lead to pages of the site, symbols also to the
 * API, and a chapter gets its demonstration.
 *
 * @module
 */

import { posix } from "node:path";
import { fencesOf, headingsOf, slugOf } from "../markdown.ts";
import { declarationOf } from "../symbols.ts";
import type { Tree } from "../tree.ts";
import { type PageSource, resolveLink } from "./paths.ts";

/** Part of a page's table of contents. */
export interface OutlineItem {
  readonly level: number;
  readonly text: string;
  readonly id: string;
}

/** What the search finds in a page. */
export interface Section {
  readonly title: string;
  readonly id: string;
  readonly text: string;
}

/** A page, ready for VitePress. */
export interface SitePage {
  readonly title: string;
  readonly markdown: string;
  readonly sections: readonly Section[];
  /** Files and folders whose source the page links to. */
  readonly code: readonly string[];
  readonly faults: readonly string[];
}

/** What a page needs to know about the rest of the site. */
export interface Surroundings {
  readonly tree: Tree;
  /** Addresses in the API by symbol, `src/a.ts#A.b`. */
  readonly symbols: Readonly<Record<string, string>>;
  /** Whether a chapter has something to run. */
  readonly live: (chapter: string) => boolean;
}

/** The line that leads to the other language on GitHub; the site has a button. */
const OTHER_LANGUAGE = /^\[(?:中文|English|英文)\]\(README(?:\.zh)?\.md\)$/;

/** Elements that prose may contain; VitePress knows the last one. */
const ELEMENTS =
  /^(?:a|b|i|em|strong|small|sub|sup|kbd|br|details|summary|div|span|p|section|ul|ol|li|h[1-4]|dl|dt|dd|figure|figcaption|Runner|ChapterList)$/;

/** Whether a name is an element that prose may contain. */
export function isElement(name: string): boolean {
  return ELEMENTS.test(name);
}

/** The second half of a link; the first may stand on the line above. */
const LINK_END = /\]\(([^)\s]+)(?:(\s+)"([^"]*)")?\)/g;

const LINK = /(!?)\[((?:[^\][]|\[[^\]]*\])*)\]\(([^)\s]+)(?:\s+"([^"]*)")?\)/g;

/** Whether a position is inside a code span of the line. */
function inSpan(line: string, at: number): boolean {
  for (const span of line.matchAll(/(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g)) {
    if (span.index <= at && at < span.index + span[0].length) return true;
  }
  return false;
}

/** The anchors of a page's headings, as GitHub gives them: a second one of a name gets `-1`. */
export function outlineOf(page: string): OutlineItem[] {
  const seen = new Map<string, number>();
  return headingsOf(page).map(({ level, text }) => {
    const own = /\s*\{#([^}]+)\}$/.exec(text);
    const plain = text
      .replace(/\s*\{#[^}]+\}$/, "")
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/<[^>]+>/g, "");
    const slug = slugOf(plain);
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return { level, text: plain.replaceAll("`", ""), id: own?.[1] ?? (before === 0 ? slug : `${slug}-${before}`) };
  });
}

/** The running text of some lines, for the search. */
function plainText(lines: readonly string[]): string {
  return lines
    .join(" ")
    .replace(/<[^>]+>/g, " ")
    .replace(LINK, "$2")
    .replace(/\|(?:\s*:?-{3,}:?\s*\|)+/g, " ")
    .replace(/\{@link ([^}]+)\}/g, "$1")
    .replace(/[`*|]/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** The parts of a page between its headings. */
export function sectionsOf(page: string): Section[] {
  const lines = page.split("\n");
  for (const { start, end } of fencesOf(page)) lines.fill("", start, end + 1);
  for (const [i, line] of lines.entries()) if (OTHER_LANGUAGE.test(line)) lines[i] = "";
  const outline = outlineOf(page);
  const headings = headingsOf(page);
  return headings.map(({ line }, i) => {
    const item = outline[i] as OutlineItem;
    const text = plainText(lines.slice(line, (headings[i + 1]?.line ?? lines.length + 1) - 1));
    return { title: item.text, id: item.level === 1 ? "" : item.id, text };
  });
}

/** The line below which a chapter's demonstration stands: the same heading in both languages. */
function runnerLine(tree: Tree, chapter: string, text: string): number | undefined {
  const english = headingsOf(tree.read(`chapters/${chapter}/README.md`) ?? "");
  const at = english.findIndex((heading) => heading.level === 2 && /^See it run/.test(heading.text));
  const line = at < 0 ? undefined : headingsOf(text)[at]?.line;
  return line === undefined ? undefined : line - 1;
}

/** The symbol a titled link names, when its target is a file of the engine. */
function apiLink(
  around: Surroundings,
  from: PageSource,
  target: string,
  symbol: string,
): { url?: string; fault?: string } {
  const file = posix.join(posix.dirname(from.file), target.split("#")[0] ?? "");
  if (!file.startsWith("src/")) return {};
  const found = declarationOf(around.tree, `${file}#${symbol}`);
  if (found === undefined) return { fault: `${from.file} names ${symbol}, which ${file} does not declare` };
  const url = around.symbols[`${file}#${symbol}`] ?? undefined;
  if (url !== undefined) return { url };
  // What is private, or nested in a function, has no entry: its source is all there is.
  const top = symbol.split(".")[0] ?? "";
  const known = !found.exported || symbol.includes("#") || around.symbols[`${file}#${top}`] !== undefined;
  return known ? {} : { fault: `${from.file} names ${symbol} of ${file}, which the API does not have` };
}

/** Makes a page of a Markdown file. */
export function sitePage(around: Surroundings, from: PageSource): SitePage {
  const text = around.tree.read(from.file) ?? "";
  const faults: string[] = [];
  const code = new Set<string>();
  const shown = new Set<string>();
  const fenced = new Set<number>();
  for (const { start, end } of fencesOf(text)) for (let i = start; i <= end; i++) fenced.add(i);

  const link = (whole: string, target: string, space = "", title: string | undefined): string => {
    const to = resolveLink(around.tree, from, target);
    if (to === undefined) {
      faults.push(`${from.file} has a dead link: ${target}`);
      return whole;
    }
    if (to.code !== undefined) code.add(to.code);
    const plain = `](${to.url}${title === undefined ? "" : `${space}"${title}"`})`;
    if (title === undefined || to.code === undefined) return plain;
    const { url, fault } = apiLink(around, from, target, title);
    if (fault !== undefined) faults.push(fault);
    if (url === undefined || shown.has(url)) return plain;
    shown.add(url);
    return `${plain}<a class="api" href="${url}" title="API: ${title}">API</a>`;
  };
  const named = (whole: string, symbol: string): string => {
    const places = Object.keys(around.symbols).filter((place) => place.endsWith(`#${symbol}`));
    const [place] = places;
    if (place !== undefined && places.length === 1) return `[\`${symbol}\`](${around.symbols[place]})`;
    faults.push(`${from.file} links to ${symbol}: ${places.length} symbols have this name`);
    return whole;
  };

  const chapter = /^chapters\/(\d\d-[\w-]+)$/.exec(from.path)?.[1];
  const live = chapter !== undefined && around.live(chapter);
  const runnerAt = live ? runnerLine(around.tree, chapter, text) : undefined;
  const outline = outlineOf(text);
  // A link may go over the end of a line, not over an empty one or into a fence.
  const given = text.split("\n");
  const blocks = given.reduce<string[][]>((all, line, at) => {
    if (line === "" || fenced.has(at) || all.length === 0 || fenced.has(at - 1)) all.push([line]);
    else all.at(-1)?.push(line);
    return all;
  }, []);
  let line = 0;
  const linkedText = blocks.map((block) => {
    const isFence = fenced.has(line);
    line += block.length;
    const whole = block.join("\n");
    if (isFence) return whole;
    return whole.replace(
      LINK_END,
      (found: string, target: string, space: string | undefined, title: string | undefined, offset: number) =>
        inSpan(whole, offset) ? found : link(found, target, space, title),
    );
  });
  const lines = linkedText
    .join("\n")
    .split("\n")
    .flatMap((line, at): string[] => {
      if (fenced.has(at)) {
        // The place a snippet comes from goes with it.
        const place = /^```ts ([^#\s]+)#\S+$/.exec(line);
        if (place === null) return [line];
        code.add(place[1] ?? "");
        return [line];
      }
      if (OTHER_LANGUAGE.test(given[at] ?? "")) return [];
      for (const [tag, name = ""] of line.matchAll(/<\/?([\w.:-]+)[^>]*>/g)) {
        if (!isElement(name) && !inSpan(line, line.indexOf(tag)))
          faults.push(`${from.file}:${at + 1} ${tag} is no HTML: a reader will not see it`);
      }
      const linked = line.replace(/\{@link ([\w.]+)\}/g, (whole: string, symbol: string, offset: number) =>
        inSpan(line, offset) ? whole : named(whole, symbol),
      );
      if (at === runnerAt) return [linked, "", `<Runner chapter="${chapter}" />`, ""];
      const head = /^# (\d\d) · (.*)$/.exec(linked);
      if (head === null) return [linked];
      const title = `# <span class="no">${head[1]}</span>${head[2]} {#${slugOf(line.slice(2))}}`;
      const words = from.language === "zh" ? "▶ 直接在本页运行" : "▶ Run this chapter on this page";
      return runnerAt === undefined ? [title] : [title, "", `<p class="jump"><a href="#run">${words}</a></p>`];
    });
  if (live && runnerAt === undefined) faults.push(`${from.file} has no heading "See it run" for its demonstration`);
  const title = outline.find(({ level }) => level === 1)?.text ?? from.path;
  const front = [
    "---",
    `title: ${JSON.stringify(title)}`,
    `outline: ${JSON.stringify(outline.filter(({ level }) => level === 2 || level === 3))}`,
    `kind: ${chapter === undefined ? (from.path === "index" ? "home" : "page") : "chapter"}`,
    ...(chapter === undefined ? [] : [`chapter: ${chapter}`]),
    `sourceFile: ${JSON.stringify(from.file)}`,
    "---",
    "",
  ];
  return {
    title,
    markdown: [...front, ...lines].join("\n"),
    sections: sectionsOf(text),
    code: [...code],
    faults,
  };
}
