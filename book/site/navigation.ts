/**
 * What stands where in the contents of the site.
 *
 * @module
 */

import type { NavItem, SiteData } from "../theme/data.ts";
import { apiUrl, folderUrl, type PageSource, pageUrl } from "./paths.ts";

/** A page with a place in the contents. */
export interface NavPage {
  readonly source: PageSource;
  readonly title: string;
}

/** Pages of the reference, in the order of the navigation; others follow. */
const REFERENCE = ["go-for-typescript-readers", "glossary", "errata", "coverage", "source-map", "deviations"];

/** Names that are shorter in the navigation than on their page. */
const SHORT: Readonly<Record<string, { en: string; zh: string }>> = {
  "go-for-typescript-readers": { en: "Go for TypeScript readers", zh: "写给 TypeScript 读者的 Go" },
  glossary: { en: "Glossary", zh: "术语表" },
  errata: { en: "Errata of the articles", zh: "原文勘误" },
  coverage: { en: "Coverage of the articles", zh: "原文覆盖情况" },
  "source-map": { en: "Source map", zh: "源码对照表" },
  deviations: { en: "Deviations", zh: "有意的不同" },
};

/** The contents of the site, in both languages. */
export function navigation(made: readonly NavPage[], packages: readonly string[]): SiteData {
  const nav = (language: "en" | "zh") => {
    const own = made.filter(({ source }) => source.language === language);
    const chapters = own.filter(({ source }) => source.path.startsWith("chapters/"));
    const others = own.filter(({ source }) => !source.path.startsWith("chapters/") && source.path !== "index");
    const rank = ({ source }: NavPage) => {
      const at = REFERENCE.indexOf(source.path);
      return at < 0 ? REFERENCE.length : at;
    };
    const item = ({ source, title }: NavPage): NavItem => {
      const [, number, text] = /^(\d\d) · (.*)$/.exec(title) ?? [];
      const url = pageUrl(source.path, language);
      return number === undefined
        ? { text: SHORT[source.path]?.[language] ?? title, url }
        : { text: text ?? title, url, number };
    };
    const fixed = [
      { text: language === "zh" ? "API 参考" : "API reference", url: "/api/" },
      { text: language === "zh" ? "源码" : "Source", url: folderUrl("src") },
    ];
    return {
      chapters: chapters.map(item),
      reference: [...others.sort((a, b) => rank(a) - rank(b)).map(item), ...fixed],
    };
  };
  const zh = new Set(made.filter(({ source }) => source.language === "zh").map(({ source }) => source.path));
  const twins = made.filter(({ source }) => source.language === "en" && zh.has(source.path));
  return {
    nav: { en: nav("en"), zh: nav("zh") },
    packages: packages.map((name) => ({ text: name, url: apiUrl(name) })),
    twins: twins.map(({ source }) => pageUrl(source.path, "en")),
  };
}
