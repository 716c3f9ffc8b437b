/**
 * Proves the built site whole: every link leads to a page, every anchor to a place on it, and nothing to another server.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";

/** Files below a folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

const decode = (text: string) =>
  text
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");

function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A page as the check sees it. */
interface Page {
  readonly ids: ReadonlySet<string>;
  readonly twice: readonly string[];
  readonly links: readonly string[];
  /** What the page loads. */
  readonly parts: readonly string[];
}

/** Reads the ids and links of a page. */
export function readPage(html: string): Page {
  const ids: string[] = [];
  const links: string[] = [];
  const parts: string[] = [];
  for (const [tag, name = ""] of html.matchAll(/<([a-zA-Z][\w-]*)\b(?:"[^"]*"|'[^']*'|[^>"'])*>/g)) {
    const attribute = (key: string) => {
      const value = new RegExp(`\\s${key}="([^"]*)"`).exec(tag)?.[1];
      return value === undefined ? undefined : decode(value);
    };
    const id = attribute("id");
    if (id !== undefined) ids.push(id);
    const href = attribute("href");
    if (href !== undefined) (name.toLowerCase() === "a" ? links : parts).push(href);
    const src = attribute("src");
    if (src !== undefined) parts.push(src);
  }
  return { ids: new Set(ids), twice: ids.filter((id, i) => ids.indexOf(id) !== i), links, parts };
}

/**
 * What is wrong with a built site.
 *
 * @param dist - its folder
 * @returns one line per fault
 */
export function checkSite(dist: string): string[] {
  const pages = new Map<string, Page>();
  for (const file of filesBelow(dist)) {
    if (!file.endsWith(".html")) continue;
    pages.set(`/${relative(dist, file).split(sep).join("/")}`, readPage(readFileSync(file, "utf8")));
  }
  const faults = new Set<string>();
  const isFile = (path: string) => existsSync(join(dist, path)) && statSync(join(dist, path)).isFile();
  const pageAt = (path: string) => pages.get(path) ?? pages.get(posix.join(path, "index.html"));
  for (const [path, { links, parts, twice }] of pages) {
    for (const id of twice) faults.add(`${path} has two places called #${id}`);
    for (const part of parts) {
      if (/^(?:data:|#)/.test(part)) continue;
      if (/^(?:[a-z]+:)?\/\//.test(part)) faults.add(`${path} loads from another server: ${part}`);
      else if (!isFile(decodeUri(posix.resolve(posix.dirname(path), part.replace(/[?#].*$/, "")))))
        faults.add(`${path} loads what is not there: ${part}`);
    }
    for (const link of links) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue;
      const [target = "", hash] = link.split("#", 2);
      const to = target === "" ? path : decodeUri(posix.resolve(posix.dirname(path), target));
      const page = pageAt(to);
      if (page === undefined) {
        if (!isFile(to)) faults.add(`${path} has a dead link: ${link}`);
        continue;
      }
      if (hash === undefined || hash === "") continue;
      const id = decodeUri(hash);
      const range = /^(L\d+)-(L\d+)$/.exec(id);
      const wanted = range === null ? [id] : [range[1] ?? "", range[2] ?? ""];
      if (!wanted.every((one) => page.ids.has(one)) && !id.startsWith("run="))
        faults.add(`${path} has a dead anchor: ${link}`);
    }
  }
  return [...faults];
}
