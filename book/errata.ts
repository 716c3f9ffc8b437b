/**
 * The errata: every claim of the articles that needs a correction, and what holds.
 *
 * @module
 */

import { cell, goLink, verdictsZh } from "./claim-table.ts";
import { articleOf, articleTitle, placeLink } from "./coverage.ts";
import table from "./data/series-links.json" with { type: "json" };
import { type Claim, claims, sectionOf } from "./links.ts";
import type { Tree } from "./tree.ts";

/** Verdicts, the heaviest first. */
const ORDER = ["wrong", "skew", "omits", "imprecise", "typo", "mt"] as const;

const titles: Record<(typeof ORDER)[number], string> = {
  wrong: "Wrong",
  skew: "True of another version",
  omits: "Left out, and needed",
  imprecise: "Imprecise",
  typo: "Slips of the pen",
  mt: "Made by machine translation",
};

function row(tree: Tree, claim: Claim, zh: boolean): string {
  const holds = (zh ? claim.holdsZh : undefined) || claim.holds;
  const said = zh ? `${sectionOf(claim).title} L${claim.lines}` : claim.claim;
  return `| ${claim.id} | ${cell(said)} | ${cell(holds)} | ${claim.go.map(goLink).join(" ") || "–"} | ${placeLink(tree, claim, zh)} |`;
}

/** The page. */
export function errataPage(tree: Tree, zh: boolean): string {
  const faulty = claims.filter(({ verdict }) => verdict !== "ok");
  const intro = zh
    ? [
        "# 勘误",
        "",
        `《Docker源码分析》是一部好作品：五篇文章的 ${claims.length} 条论断中，${claims.length - faulty.length} 条完全正确。其余 ${faulty.length} 条列在这里，每条都附上 v1.2.0 的事实、Go 源码的行号，以及本书讨论它的章节。`,
        "",
        "机器翻译之误不是作者的错：002、003、000 三篇只有机器译文留存。",
        "",
      ]
    : [
        "# Errata",
        "",
        `The series is good work: of the ${claims.length} claims in the five articles ${claims.length - faulty.length} hold as they stand. The other ${faulty.length} are listed here, each with what holds at v1.2.0, the Go lines, and the chapter that treats it.`,
        "",
        "What the machine translations broke is not the author's fault: three of the articles (002, 003, 000) reach us only through one.",
        "",
      ];
  const head = zh
    ? "| 论断 | 出处 | v1.2.0 的事实 | Go | 章 |"
    : "| claim | what is said | what holds at v1.2.0 | Go | chapter |";
  const parts = ORDER.flatMap((verdict) => {
    const own = faulty.filter((claim) => claim.verdict === verdict);
    const name = zh ? verdictsZh[verdict] : titles[verdict];
    return [
      `## ${name} (${own.length})`,
      "",
      head,
      "| --- | --- | --- | --- | --- |",
      ...own.map((claim) => row(tree, claim, zh)),
      "",
    ];
  });
  const sources = Object.keys(table.articles).map((id) => {
    const own = faulty.filter((claim) => articleOf(claim) === id).length;
    return `- ${articleTitle(id, zh)}: ${own}`;
  });
  return [...intro, zh ? "各篇条数：" : "By article:", "", ...sources, "", ...parts].join("\n");
}
