/**
 * The table of a chapter's claims, as its pages show it.
 *
 * @module
 */

import { posix } from "node:path";
import { type Claim, claims, fragmentOf, sectionOf } from "./links.ts";

/** The verdicts in Chinese. */
export const verdictsZh: Record<string, string> = {
  ok: "正确",
  imprecise: "不够准确",
  wrong: "有误",
  skew: "版本不符",
  omits: "遗漏",
  typo: "笔误",
  mt: "机器翻译之误",
};

/** A range of a Go file at v1.2.0, as a link. */
export const goLink = (range: string) => {
  const [, path = "", from = "", to] = /^(.*):(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  const url = `https://github.com/moby/moby/blob/v1.2.0/${path}#L${from}${to === undefined ? "" : `-L${to}`}`;
  return `[${path}:${from}${to === undefined ? "" : `–${to}`}](${url})`;
};

/** `src/a.ts#Symbol` as a link from a folder. */
export function symbolLink(place: string, folder: string): string {
  const [path = "", ...symbol] = place.split("#");
  return `[\`${symbol.join("#")}\`](${posix.relative(folder, path)})`;
}

/** A text that may stand in a table. */
export const cell = (text: string) =>
  text.replaceAll("|", "\\|").replace(/`[^`]*`|</g, (part) => (part === "<" ? "&lt;" : part));

function row(claim: Claim, zh: boolean, folder: string): string {
  const right = zh ? "如原文所述" : "as the article says";
  const holds = (zh ? claim.holdsZh : claim.holds) || right;
  const here = (claim.ts ?? []).map((place) => symbolLink(place, folder)).join(" ");
  const verdict = zh ? (verdictsZh[claim.verdict] ?? claim.verdict) : claim.verdict;
  const reason = claim.status === "reason" ? claim.reason : undefined;
  const go = claim.go.map(goLink).join(" ");
  const id = `[${claim.id}](#${fragmentOf(sectionOf(claim))})`;
  return `| ${id} | ${verdict} | ${cell(holds)} | ${go || "–"} | ${here || (reason === undefined ? "–" : zh ? "无需代码" : "no code")} |`;
}

/** The claims a chapter treats: verdict, what holds, the Go lines, and where it is here. */
export function claimTable(chapter: string, zh: boolean, folder: string): string {
  const head = zh
    ? "| 论断 | 结论 | v1.2.0 的事实 | Go | 本项目 |"
    : "| claim | verdict | what holds at v1.2.0 | Go | here |";
  const own = claims.filter((claim) => claim.chapter === chapter);
  return [head, "| --- | --- | --- | --- | --- |", ...own.map((claim) => row(claim, zh, folder))].join("\n");
}
