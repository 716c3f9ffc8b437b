/**
 * Builds the site of the book into `book/dist`: pages, reference, source, demonstrations, search. Nothing of it needs a
 * server or the network.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { build } from "vitepress";
import { collectTags } from "../tags.ts";
import { diskTree, type Tree } from "../tree.ts";
import { type Api, makeApi } from "./api.ts";
import { type Bundled, bundleChapter } from "./bundle.ts";
import { checkSite, filesBelow } from "./check-site.ts";
import { codePage, folderPage, type Mention } from "./code-pages.ts";
import { deviationsPage, fates, mapFaults, sourceMapPage } from "./generated-pages.ts";
import { Colours } from "./highlight.ts";
import { navigation } from "./navigation.ts";
import { codeUrl, folderUrl, GENERATED, languages, type PageSource, pageSources, pageUrl } from "./paths.ts";
import { outlineOf, type SitePage, sectionsOf, sitePage } from "./prose-page.ts";
import { type Searched, searchIndex } from "./search-index.ts";

const FONTS = [
  "serif-4-latin-wght-normal",
  "serif-4-latin-wght-italic",
  "sans-3-latin-wght-normal",
  "code-pro-latin-wght-normal",
  "code-pro-latin-wght-italic",
];

const FAVICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="none" stroke="#57616e" stroke-width="2.5" d="M2 8v18h28V8"/><path fill="#b0481f" d="M6.5 11h19l-2.6 8.2a3 3 0 0 1-2.9 2.1h-8a3 3 0 0 1-2.9-2.1z"/></svg>\n`;

/** Folders whose files have a page each. */
const SHOWN = ["src", "chapters"];
const isShown = (path: string) => /\.(?:ts|css|json|mjs)$/.test(path) && !path.includes("node_modules");

const put = (path: string, text: string) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

/** The chapters that have something to run, and whether it has a picture. */
export function runnable(tree: Tree): Bundled[] {
  return tree
    .list("chapters")
    .filter((name) => /^\d\d-/.test(name) && tree.has(`chapters/${name}/README.md`))
    .map((chapter) => ({
      chapter,
      files: ["demo.ts", "live.ts"].filter((file) => tree.has(`chapters/${chapter}/${file}`)),
    }))
    .filter(({ files }) => files.includes("demo.ts"));
}

/** The reference, from the run before when nothing has changed. */
async function apiOf(root: string, tree: Tree, sources: readonly string[], colours: Colours): Promise<Api> {
  const hash = createHash("sha256");
  const own = ["api.ts", "api-reading.ts", "signature.ts", "highlight.ts", "paths.ts"].map(
    (name) => `book/site/${name}`,
  );
  const chapters = tree.list("chapters").filter((name) => tree.has(`chapters/${name}/README.md`));
  for (const path of [...sources, ...own, "book/data/series-links.json"]) hash.update(`${path}\0${tree.read(path)}\0`);
  const key = hash.update(chapters.join()).digest("hex");
  const kept = join(root, "book/out/cache/api.json");
  if (existsSync(kept)) {
    const before = JSON.parse(readFileSync(kept, "utf8")) as { key: string; api: Api };
    if (before.key === key) return before.api;
  }
  const api = await makeApi(root, tree, sources, colours);
  if (api.faults.length === 0) put(kept, JSON.stringify({ key, api }));
  return api;
}

/** A page of the site before VitePress. */
interface Made extends SitePage {
  readonly source: PageSource;
}

/** Writes the Markdown that VitePress reads, and takes away what is no longer. */
function putPages(folder: string, pages: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true });
  for (const file of filesBelow(folder)) {
    const path = relative(folder, file).split(sep).join("/");
    if (!pages.has(path) && !path.startsWith("public/")) rmSync(file);
  }
  for (const [path, text] of pages) {
    const file = join(folder, path);
    if (!existsSync(file) || readFileSync(file, "utf8") !== text) put(file, text);
  }
}

/** Runs VitePress; a warning of its is a fault. */
async function runVitePress(root: string): Promise<string[]> {
  const faults: string[] = [];
  const { warn, log, error } = console;
  const { write } = process.stderr;
  console.warn = (...parts: unknown[]) => void faults.push(`VitePress: ${parts.join(" ")}`);
  console.error = console.warn;
  console.log = () => undefined;
  process.stderr.write = () => true;
  const stdout = process.stdout.write;
  process.stdout.write = () => true;
  try {
    await build(join(root, "book/site"));
  } catch (cause) {
    faults.push(`VitePress: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
  } finally {
    Object.assign(console, { warn, log, error });
    process.stderr.write = write;
    process.stdout.write = stdout;
  }
  return faults;
}

/** Which chapters explain which file. */
function mentionsOf(made: readonly Made[]): Map<string, Mention[]> {
  const mentions = new Map<string, Mention[]>();
  const translated = new Set(made.filter(({ source }) => source.language === "zh").map(({ source }) => source.path));
  for (const { source, title, code } of made) {
    if (!source.path.startsWith("chapters/") || source.language !== "en") continue;
    for (const path of code) {
      const known = mentions.get(path) ?? [];
      const url = pageUrl(source.path, "en");
      known.push({ title, url, urlZh: translated.has(source.path) ? pageUrl(source.path, "zh") : url });
      mentions.set(path, known);
    }
  }
  return mentions;
}

function putCode(dist: string, tree: Tree, linked: readonly string[], made: readonly Made[], colours: Colours): void {
  const below = (folder: string): string[] =>
    tree.list(folder).flatMap((name) => {
      const path = `${folder}/${name}`;
      return tree.read(path) === undefined ? below(path) : [path];
    });
  const files = new Set(SHOWN.flatMap(below).filter(isShown));
  const folders = new Set<string>();
  for (const path of linked) {
    if (tree.read(path) !== undefined) files.add(path);
    else for (const file of below(path)) files.add(file);
  }
  for (const file of files) {
    for (let folder = posix.dirname(file); folder !== "."; folder = posix.dirname(folder)) folders.add(folder);
  }
  const mentions = mentionsOf(made);
  for (const file of files) put(join(dist, codeUrl(file)), codePage(tree, file, colours, mentions.get(file) ?? []));
  for (const folder of folders) put(join(dist, folderUrl(folder), "index.html"), folderPage(tree, folder, files));
}

function putAssets(root: string, dist: string): void {
  const fonts = join(dist, "fonts");
  mkdirSync(fonts, { recursive: true });
  for (const font of FONTS) {
    const family = /^(?:serif-4|sans-3|code-pro)/.exec(font)?.[0] ?? "";
    const from = join(root, `node_modules/@fontsource-variable/source-${family}`);
    copyFileSync(join(from, `files/source-${font}.woff2`), join(fonts, `source-${font}.woff2`));
    copyFileSync(join(from, "LICENSE"), join(fonts, `source-${family}-LICENSE.txt`));
  }
  const css = ["tokens.css", "code.css"].map((name) => readFileSync(join(root, "book/theme", name), "utf8"));
  put(join(dist, "static/code.css"), css.join("\n"));
  put(join(dist, "favicon.svg"), FAVICON);
}

/** Puts a new folder in the place of an old one, at once: whoever reads the site never sees half of it. */
function swap(fresh: string, place: string): void {
  const old = `${fresh}-before`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(place)) renameSync(place, old);
  renameSync(fresh, place);
  rmSync(old, { recursive: true, force: true });
}

/** Builds everything. @returns one line per fault */
export async function buildSite(root: string): Promise<string[]> {
  const begin = performance.now();
  const said = (text: string) =>
    console.log(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  const tree = diskTree(root);
  const out = join(root, "book/out");
  const dist = join(out, "dist");
  const colours = await new Colours(join(out, "cache/colours.json")).open();
  const tags = collectTags(root);
  const sources = filesBelow(join(root, "src"))
    .map((file) => relative(root, file).split(sep).join("/"))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
  const api = await apiOf(root, tree, sources, colours);
  const faults = [...api.faults];
  said(`API: ${Object.keys(api.urls).length} names in ${api.packages.length} packages`);

  const chapters = runnable(tree);
  const around = {
    tree,
    symbols: api.urls,
    live: (chapter: string) => chapters.some((known) => known.chapter === chapter),
  };
  const all = fates(tags);
  faults.push(...mapFaults(all));
  const generated = languages.flatMap((language): Made[] =>
    GENERATED.map((path) => {
      const text = path === "source-map" ? sourceMapPage(all, language) : deviationsPage(tags, language);
      const outline = outlineOf(text);
      const title = outline[0]?.text ?? path;
      const front = [
        "---",
        `title: ${JSON.stringify(title)}`,
        `outline: ${JSON.stringify(outline.slice(1))}`,
        "kind: page",
        "---",
        "",
        "",
      ];
      return {
        source: { file: "", language, path },
        title,
        markdown: front.join("\n") + text,
        sections: sectionsOf(text).slice(0, 1),
        code: [],
        faults: [],
      };
    }),
  );
  const made: Made[] = [...pageSources(tree).map((source) => ({ source, ...sitePage(around, source) })), ...generated];
  for (const page of made) faults.push(...page.faults);

  const pages = new Map<string, string>(Object.entries(api.pages));
  for (const { source, markdown } of made)
    pages.set(`${source.language === "zh" ? "zh/" : ""}${source.path}.md`, markdown);
  putPages(join(out, "pages"), pages);
  put(join(out, "site.json"), JSON.stringify(navigation(made, api.packages)));
  said(`${pages.size} pages written`);

  // What is in `public` goes into the site as it is.
  putAssets(root, join(out, "pages/public"));
  faults.push(...(await runVitePress(root)));
  said("pages rendered");

  for (const chapter of chapters) faults.push(...(await bundleChapter(root, chapter, join(dist, "live"))));
  for (const language of languages) {
    const searched = made
      .filter(({ source }) => source.language === language)
      .map(({ source, title, sections }): Searched => ({ url: pageUrl(source.path, language), title, sections }));
    put(join(dist, `search-${language}.json`), searchIndex(searched, api.hits));
  }
  said(`${chapters.length} demonstrations bundled, search indexed`);

  putCode(
    dist,
    tree,
    made.flatMap(({ code }) => code),
    made,
    colours,
  );
  colours.save();
  said("source rendered");
  faults.push(...checkSite(dist));
  said("links checked");
  swap(dist, join(root, "book/dist"));
  return [...new Set(faults)];
}
