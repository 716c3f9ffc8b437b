/**
 * The glossary: the terms of the book in both languages, from one table.
 *
 * @module
 */

import { cell } from "./claim-table.ts";
import table from "./data/glossary.json" with { type: "json" };
import type { Tree } from "./tree.ts";

/** One term. */
export interface Term {
  /** The anchor of its row in both pages. */
  readonly id: string;
  readonly en: string;
  readonly zh: string;
  readonly meansEn: string;
  readonly meansZh: string;
  /** The chapter that explains it. */
  readonly chapter: string;
  /** What translations make of it. */
  readonly trap?: string;
}

/** Every term. */
export const terms: readonly Term[] = table.terms;

/** The glossary as a page of `book/pages/en` or `zh`. */
export function glossaryPage(tree: Tree, zh: boolean): string {
  const readme = zh ? "README.zh.md" : "README.md";
  const chapter = ({ chapter: name }: Term) => {
    const path = `chapters/${name}/${readme}`;
    return tree.has(path) ? `[${name.slice(0, 2)}](../../../${path})` : name.slice(0, 2);
  };
  const sorted = [...terms].sort((a, b) => a.en.localeCompare(b.en, "en"));
  const head = zh
    ? ["# 术语表", "", "每个术语的英文与中文、含义，以及讲解它的那一章。", ""]
    : ["# Glossary", "", "Each term in both languages, what it means, and the chapter that explains it.", ""];
  const columns = zh ? "| 中文 | English | 含义 | 章 |" : "| term | 中文 | meaning | chapter |";
  const rows = sorted.map((term) => {
    const anchor = `<a id="${term.id}"></a>`;
    const means = cell(zh ? term.meansZh : term.meansEn);
    const names = zh ? [term.zh, term.en] : [term.en, term.zh];
    return `| ${anchor}**${names[0]}** | ${names[1]} | ${means} | ${chapter(term)} |`;
  });
  const traps = sorted.filter(({ trap }) => trap !== undefined);
  const trapHead = zh
    ? ["## 翻译陷阱", "", "两篇种子文章是机器翻译；下面这些词在其中失去了原意。", ""]
    : [
        "## Traps of translation",
        "",
        "Two of the articles reach us through a machine's translation; these words lost their meaning there, or are lost easily.",
        "",
      ];
  return [
    ...head,
    columns,
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    ...trapHead,
    ...traps.map(({ en, zh: chinese, trap }) => `- **${en} · ${chinese}**: ${trap}`),
    "",
  ].join("\n");
}
