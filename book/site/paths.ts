/**
 * Which page of the site shows a file of the repository.
 *
 * ```text
 * chapters/01-config-flags/README.md      /chapters/01-config-flags.html
 * chapters/01-config-flags/README.zh.md   /zh/chapters/01-config-flags.html
 * book/pages/en/glossary.md               /glossary.html
 * book/pages/zh/glossary.md               /zh/glossary.html
 * src/pkg/mflag                           /code/src/pkg/mflag/
 * src/pkg/mflag/flag.ts                   /code/src/pkg/mflag/flag.ts.html
 * package pkg/mflag in the API            /api/pkg/mflag.html
 * ```
 *
 * @module
 */

import { posix } from "node:path";
import type { Tree } from "../tree.ts";

/** The languages of the book. */
export type Language = "en" | "zh";

/** Both of them. */
export const languages: readonly Language[] = ["en", "zh"];

/** A page's address in a language; `path` has no language and no ending. */
export function pageUrl(path: string, language: Language): string {
  const name = path === "index" ? "" : `${path}.html`;
  return language === "zh" ? `/zh/${name}` : `/${name}`;
}

/** The page that shows a file's source. */
export function codeUrl(path: string): string {
  return `/code/${path}.html`;
}

/** The page that lists a folder. */
export function folderUrl(path: string): string {
  return `/code/${path}/`;
}

/** The page of the API for a package, a folder below `src/`. */
export function apiUrl(name: string): string {
  return `/api/${name}.html`;
}

/** A page whose Markdown is in the repository. */
export interface PageSource {
  /** Below the repository. */
  readonly file: string;
  readonly language: Language;
  /** `chapters/01-config-flags`, `glossary`, `index` */
  readonly path: string;
}

/** Which page a Markdown file becomes; `undefined` for all other files. */
export function pageOf(file: string): PageSource | undefined {
  const chapter = /^(chapters\/\d\d-[\w-]+)\/README(\.zh)?\.md$/.exec(file);
  if (chapter !== null) return { file, language: chapter[2] === undefined ? "en" : "zh", path: chapter[1] ?? "" };
  const page = /^book\/pages\/(en|zh)\/([\w-]+)\.md$/.exec(file);
  if (page === null) return undefined;
  return { file, language: page[1] as Language, path: page[2] === "home" ? "index" : (page[2] ?? "") };
}

/** Pages that are made from the source, in both languages. */
export const GENERATED: readonly string[] = ["source-map", "deviations"];

/** The Markdown files that become pages. */
export function pageSources(tree: Tree): PageSource[] {
  const chapters = tree
    .list("chapters")
    .filter((name) => /^\d\d-/.test(name))
    .flatMap((name) => [`chapters/${name}/README.md`, `chapters/${name}/README.zh.md`]);
  const pages = languages.flatMap((language) =>
    tree.list(`book/pages/${language}`).map((name) => `book/pages/${language}/${name}`),
  );
  return [...chapters, ...pages].filter((file) => tree.has(file)).flatMap((file) => pageOf(file) ?? []);
}

/** Where a link of a Markdown file leads on the site. */
export interface Target {
  readonly url: string;
  /** A file whose source the site must show for this. */
  readonly code?: string;
}

/**
 * Finds the place of a link's target on the site.
 *
 * @param from - the Markdown file the link stands in
 * @returns `undefined` when the repository has no such file
 */
export function resolveLink(tree: Tree, from: PageSource, target: string): Target | undefined {
  if (/^[a-z]+:/.test(target) || target.startsWith("#")) return { url: target };
  const [path = "", anchor] = target.split("#", 2);
  const hash = anchor === undefined ? "" : `#${anchor}`;
  if (path.startsWith("/")) return { url: target };
  const file = posix.join(posix.dirname(from.file), path).replace(/\/$/, "");
  const generated = /^book\/(?:out|pages\/(?:en|zh))\/([\w-]+)\.md$/.exec(file)?.[1];
  if (generated !== undefined && GENERATED.includes(generated)) {
    return { url: `${pageUrl(generated, from.language)}${hash}` };
  }
  if (!tree.has(file)) return undefined;
  const page = pageOf(file);
  if (page !== undefined) return { url: `${pageUrl(page.path, page.language)}${hash}` };
  const lists = tree.read(file) === undefined;
  return lists ? { url: `${folderUrl(file)}${hash}`, code: file } : { url: `${codeUrl(file)}${hash}`, code: file };
}
