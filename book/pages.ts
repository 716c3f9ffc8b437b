/**
 * The pages of the book beside the chapters: `book/pages/en` and `zh`, some written, some generated.
 *
 * @module
 */

import { coverageLine, coveragePage } from "./coverage.ts";
import { errataPage } from "./errata.ts";
import { glossaryPage } from "./glossary.ts";
import { fencesOf, headingsOf, ownAnchorsOf } from "./markdown.ts";
import { checkPage, fillPage } from "./prose.ts";
import type { Tree } from "./tree.ts";

const LANGUAGES = ["en", "zh"] as const;
const GENERATED = { coverage: coveragePage, errata: errataPage, glossary: glossaryPage };

/** The names of the pages of one language. */
export function pagesOf(tree: Tree, language: (typeof LANGUAGES)[number]): string[] {
  return tree.list(`book/pages/${language}`).filter((name) => name.endsWith(".md"));
}

/** What the generated files hold now, by path; the README, whose number is generated, and what pages quote, too. */
export function generated(tree: Tree): Record<string, string> {
  const files: Record<string, string> = {};
  for (const language of LANGUAGES) {
    for (const name of pagesOf(tree, language)) {
      const path = `book/pages/${language}/${name}`;
      files[path] = fillPage(tree, path).page;
    }
    for (const [name, page] of Object.entries(GENERATED)) {
      files[`book/pages/${language}/${name}.md`] = page(tree, language === "zh");
    }
  }
  files["README.md"] = (tree.read("README.md") ?? "").replace(
    /(<!-- coverage -->\n)[\s\S]*?(<!-- end of coverage -->)/,
    (_, open, close) => `${open}${coverageLine()}\n${close}`,
  );
  return files;
}

/** What is wrong with these pages: stale, without a translation, with a dead link. */
export function checkBookPages(tree: Tree): string[] {
  const stale = Object.entries(generated(tree))
    .filter(([path, page]) => tree.read(path) !== page)
    .map(([path]) => `${path} is stale: run npm run book`);
  const names = [...new Set(LANGUAGES.flatMap((language) => pagesOf(tree, language)))];
  const links = LANGUAGES.flatMap((language) =>
    pagesOf(tree, language).flatMap((name) => checkPage(tree, `book/pages/${language}/${name}`)),
  );
  links.push(...checkPage(tree, "README.md"));
  return [...new Set([...stale, ...links, ...names.flatMap((name) => twinFaults(tree, name))])];
}

/** How a page differs from its translation in headings, anchors and fences. */
function twinFaults(tree: Tree, name: string): string[] {
  const [en, zh] = LANGUAGES.map((language) => tree.read(`book/pages/${language}/${name}`));
  if (en === undefined) return [`book/pages/en/${name} is missing`];
  if (zh === undefined) return [`book/pages/zh/${name} is missing`];
  const shape = (page: string) =>
    JSON.stringify([
      headingsOf(page).map(({ level }) => level),
      ownAnchorsOf(page).sort(),
      fencesOf(page).map(({ info }) => info),
    ]);
  return shape(en) === shape(zh)
    ? []
    : [`book/pages/*/${name}: the two languages differ in headings, anchors or fences`];
}
