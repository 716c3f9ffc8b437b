/**
 * The coverage page: what has become of each claim of the articles, and the number in the README.
 *
 * @module
 */

import { cell, goLink, symbolLink, verdictsZh } from "./claim-table.ts";
import table from "./data/series-links.json" with { type: "json" };
import { type Claim, claims, coverage, fragmentOf, sectionOf } from "./links.ts";
import type { Tree } from "./tree.ts";

const articles: Record<string, { title: string; gloss: string }> = table.articles;

/** The article a claim is from. */
export function articleOf({ id }: Pick<Claim, "id">): string {
  return id.slice(0, 3);
}

/** A claim's place in its chapter, as a link from `book/pages/en` or `zh`; its chapter's number while that is not written. */
export function placeLink(tree: Tree, claim: Claim, zh: boolean): string {
  const name = claim.chapter;
  if (name === undefined) return "–";
  const path = `chapters/${name}/${zh ? "README.zh.md" : "README.md"}`;
  if (!tree.has(path) || claim.status !== "resolved") return name.slice(0, 2);
  return `[${name.slice(0, 2)}](../../../${path}#${fragmentOf(sectionOf(claim))})`;
}

/** The title of an article in one language. */
export function articleTitle(id: string, zh: boolean): string {
  const { title = id, gloss = "" } = articles[id] ?? {};
  const isChinese = /\p{Script=Han}/u.test(title);
  return `${id} · ${zh || !isChinese ? title : gloss}`;
}

/** How many claims are tested, as the README says it. */
export function coverageLine(): string {
  const { all, tested, reason, later } = coverage();
  const rest = [
    reason > 0 ? `${reason} say nothing that code could show` : "",
    later > 0 ? `${later} wait for their chapter` : "",
  ].filter(Boolean);
  return `Of the ${all} claims of the articles **${tested} have a test of their own**; ${rest.join(", ")} ([each of them](book/pages/en/coverage.md)).`;
}

function row(tree: Tree, claim: Claim, zh: boolean): string {
  const verdict = zh ? (verdictsZh[claim.verdict] ?? claim.verdict) : claim.verdict;
  const none = zh ? "无需测试" : "no test";
  const test = claim.test?.slice(claim.id.length + 1);
  const proof = claim.status === "reason" ? `${none}: ${claim.reason ?? ""}` : (test ?? (zh ? "待写" : "to come"));
  const here = (claim.ts ?? []).map((place) => symbolLink(place, "book/pages/en")).join(" ") || "–";
  return `| ${claim.id} | ${verdict} | ${cell(proof)} | ${claim.go.map(goLink).join(" ") || "–"} | ${here} | ${placeLink(tree, claim, zh)} |`;
}

/** The page. */
export function coveragePage(tree: Tree, zh: boolean): string {
  const { all, tested, reason, later } = coverage();
  const intro = zh
    ? [
        "# 覆盖情况",
        "",
        `五篇文章共有 **${all}** 条论断：**${tested}** 条各有一个以其编号命名的测试，${reason} 条与代码无关（原因如下），${later} 条等待所属章节。测试断言的是事实，而不是文章的说法：论断有误时，测试证明正确的情况。`,
        "",
        "结论：正确；不够准确；有误；版本不符（适用于别的 Docker 版本）；遗漏；笔误；机器翻译之误。",
        "",
      ]
    : [
        "# Coverage",
        "",
        `The five articles make **${all}** claims. **${tested}** of them have a test that carries the claim's id, ${reason} have nothing to do with code and say why below, ${later} wait for their chapter. A test asserts what is true: where a claim is wrong, the test proves what holds instead.`,
        "",
        "Verdicts: ok; imprecise; wrong; skew (true of another version of Docker); omits; typo; mt (made by machine translation).",
        "",
      ];
  const head = zh ? "| 论断 | 结论 | 测试 | Go | 本项目 | 章 |" : "| claim | verdict | test | Go | here | chapter |";
  const parts = Object.keys(articles).flatMap((id) => {
    const own = claims.filter((claim) => articleOf(claim) === id);
    const proven = own.filter(({ status }) => status === "resolved").length;
    return [
      `## ${articleTitle(id, zh)}`,
      "",
      zh ? `${own.length} 条论断，${proven} 条有测试。` : `${own.length} claims, ${proven} tested.`,
      "",
      head,
      "| --- | --- | --- | --- | --- | --- |",
      ...own.map((claim) => row(tree, claim, zh)),
      "",
    ];
  });
  return [...intro, ...parts].join("\n");
}
