/**
 * Keeps the chapters' prose true: what it quotes, shows and links to is there, now, in both languages.
 *
 * ```text
 * ```ts src/a.ts#Name      a snippet: filled with the declaration, under a link titled "Name"
 * ```console               a transcript: replayed, and compared (see transcripts.ts)
 * ```json golden x.001     a record of the original: filled (see golden.ts)
 * ```text sketch           anything else says that it is a sketch
 * [text](a.ts#L1 "Name")   the lines of a titled link are filled
 * <!-- claims -->          the chapter's claims, filled up to <!-- end of claims -->
 * ```
 *
 * @module
 */

import { posix } from "node:path";
import { claimTable } from "./claim-table.ts";
import goLines from "./data/go-lines.json" with { type: "json" };
import today from "./data/moby-today.json" with { type: "json" };
import { isQuote, quoted } from "./golden.ts";
import { anchorOf, claims, sectionOf } from "./links.ts";
import { anchorsOf, fencesOf, headingsOf, type Link, linksOf, ownAnchorsOf } from "./markdown.ts";
import { declarationOf } from "./symbols.ts";
import { replayFence } from "./transcripts.ts";
import type { Tree } from "./tree.ts";

/** The pages of a chapter. */
export const pages = ["README.md", "README.zh.md"] as const;

const SNIPPET = /^ts (\S+#\S+)$/;
const isEngine = (target: string) => /^(?:\.\.\/)+src\//.test(target) || /^(?:\.\/)?\w[\w./-]*\.ts/.test(target);

/** A page with everything filled that can be, and what cannot. */
interface Filled {
  readonly page: string;
  readonly faults: readonly string[];
}

/** Fills a page of a chapter from the source. */
export function fillPage(tree: Tree, path: string): Filled {
  const faults: string[] = [];
  const lines = (tree.read(path) ?? "").split("\n");
  const folder = posix.dirname(path);
  for (const { info, start, end } of fencesOf(lines.join("\n")).reverse()) {
    if (isQuote(info)) {
      const text = quoted(tree, info);
      if (text === undefined) faults.push(`${path}:${start + 1} quotes a record that is not there: ${info}`);
      else lines.splice(start + 1, end - start - 1, ...text.split("\n"));
    }
    const place = SNIPPET.exec(info)?.[1];
    if (place === undefined) continue;
    const found = declarationOf(tree, place);
    if (found === undefined) faults.push(`${path}:${start + 1} quotes ${place}, which is not there`);
    else lines.splice(start + 1, end - start - 1, ...found.text.split("\n"));
  }
  const titled = lines.join("\n").replace(/\]\(([^)\s#]+)(?:#[^)\s]*)? "([^"]+)"\)/g, (whole, target, symbol) => {
    if (!isEngine(target)) return whole;
    const found = declarationOf(tree, `${posix.join(folder, target)}#${symbol}`);
    if (found === undefined) {
      faults.push(`${path} links to ${symbol} in ${target}, which is not there`);
      return whole;
    }
    const range = found.end === found.start ? `L${found.start}` : `L${found.start}-L${found.end}`;
    return `](${target}#${range} "${symbol}")`;
  });
  const table = claimTable(posix.basename(folder), path.endsWith(".zh.md"), folder);
  const page = titled.replace(
    /(<!-- claims -->\n)[\s\S]*?(<!-- end of claims -->)/,
    (_, open, close) => `${open}\n${table}\n\n${close}`,
  );
  return { page, faults };
}

/** What is wrong with one page: snippets, fences and links. */
export function checkPage(tree: Tree, path: string): string[] {
  const page = tree.read(path);
  if (page === undefined) return [`${path} is missing`];
  const filled = fillPage(tree, path);
  const faults = [...filled.faults];
  const now = filled.page.split("\n");
  const at = page.split("\n").findIndex((line, i) => line !== now[i]);
  if (filled.page !== page) faults.push(`${path}:${at + 1} is stale: run npm run book`);
  return [
    ...faults,
    ...fenceFaults(path, page),
    ...linksOf(page).flatMap((link) => linkFaults(tree, path, page, link)),
  ];
}

function fenceFaults(path: string, page: string): string[] {
  const lines = page.split("\n");
  return fencesOf(page).flatMap(({ info, start }) => {
    const place = SNIPPET.exec(info)?.[1];
    if (place === undefined) {
      const known = info === "console" || isQuote(info) || info.split(" ").includes("sketch");
      return known ? [] : [`${path}:${start + 1} a fence is neither snippet, transcript, record nor sketch: "${info}"`];
    }
    const end = lines.slice(0, start).findLastIndex((line) => line.trim() !== "") + 1;
    const above = lines.slice(lines.slice(0, end).lastIndexOf("") + 1, end).join("\n");
    const [file = "", symbol = ""] = [place.slice(0, place.indexOf("#")), place.slice(place.indexOf("#") + 1)];
    const linked = linksOf(above).some(
      ({ target, title }) => title === symbol && posix.join(posix.dirname(path), target.split("#")[0] ?? "") === file,
    );
    return linked ? [] : [`${path}:${start + 1} the snippet stands under no link titled "${symbol}"`];
  });
}

const goCounts: Record<string, number> = goLines.files;
const todayCounts: Record<string, number> = today.files;

function linkFaults(tree: Tree, path: string, page: string, { target, line }: Link): string[] {
  const where = `${path}:${line}`;
  const moby = /^https:\/\/github\.com\/(?:moby\/moby|docker\/docker)\/(?:blob|tree)\/([^/]+)\/([^#]*)(?:#(.*))?$/.exec(
    target,
  );
  if (moby !== null) {
    const [, tag, file = "", lines] = moby;
    const counts = tag === goLines.tag ? goCounts : tag === today.tag ? todayCounts : undefined;
    if (counts === undefined) return [`${where} is not pinned to ${goLines.tag} or ${today.tag}: ${target}`];
    const length = counts[file];
    if (length === undefined) return [`${where} ${tag} has no ${file}`];
    return lines === undefined ? [] : rangeFault(lines, length, `${where} ${file}`);
  }
  if (/^https?:/.test(target)) return [];
  const [file = "", anchor] = target.split("#", 2);
  const inner = decodeURIComponent(anchor ?? "");
  if (file === "") return anchorsOf(page).has(inner) ? [] : [`${where} has a dead anchor: ${target}`];
  const full = posix.join(posix.dirname(path), file).replace(/\/$/, "");
  if (!tree.has(full)) return [`${where} has a dead link: ${target}`];
  if (anchor === undefined) return [];
  const text = tree.read(full) ?? "";
  if (/^L\d/.test(inner)) return rangeFault(inner, text.split("\n").length, `${where} ${full}`);
  return anchorsOf(text).has(inner) ? [] : [`${where} has a dead anchor: ${target}`];
}

function rangeFault(range: string, length: number, where: string): string[] {
  const [, from, to] = /^L(\d+)(?:-L(\d+))?$/.exec(range) ?? [];
  const [start, end] = [Number(from), Number(to ?? from)];
  return start >= 1 && start <= end && end <= length ? [] : [`${where} has ${length} lines, not ${range}`];
}

/** How the two languages of a chapter differ in headings, anchors and fences. */
export function skeletonFaults(tree: Tree, chapter: string): string[] {
  const [en, zh] = pages.map((name) => tree.read(`chapters/${chapter}/${name}`));
  if (en === undefined || zh === undefined) {
    return pages.filter((_, i) => [en, zh][i] === undefined).map((name) => `chapters/${chapter}/${name} is missing`);
  }
  const shape = (page: string) => ({
    levels: headingsOf(page)
      .map(({ level }) => level)
      .join(""),
    anchors: ownAnchorsOf(page).join(" "),
    fences: fencesOf(page)
      .map(({ info, body }) => (info === "console" ? `${info} ${body}` : info))
      .join("\n"),
  });
  const [left, right] = [shape(en), shape(zh)];
  const faults = (["levels", "anchors", "fences"] as const)
    .filter((part) => left[part] !== right[part])
    .map((part) => `chapters/${chapter}: the two languages differ in ${part}`);
  const wanted = new Set(
    claims.filter((claim) => claim.chapter === chapter).map((claim) => anchorOf(sectionOf(claim))),
  );
  const missing = [...wanted].filter((anchor) => !ownAnchorsOf(en).includes(anchor));
  return [...faults, ...missing.map((anchor) => `chapters/${chapter}/README.md has no anchor ${anchor}`)];
}

/** What is wrong with a chapter's prose; replays its transcripts. */
export async function checkProse(tree: Tree, chapter: string): Promise<string[]> {
  const faults = pages.flatMap((name) => checkPage(tree, `chapters/${chapter}/${name}`));
  const missing = skeletonFaults(tree, chapter);
  // The transcripts of the two languages are the same, or the skeleton differs: one replay is enough.
  const path = `chapters/${chapter}/README.md`;
  for (const fence of fencesOf(tree.read(path) ?? "").filter(({ info }) => info === "console")) {
    for (const fault of await replayFence(fence.body)) faults.push(`${path}:${fence.start + 1} ${fault}`);
  }
  return [...new Set([...faults, ...missing])];
}

/** The chapters that have prose. */
export function proseChapters(tree: Tree): string[] {
  return tree.list("chapters").filter((name) => /^\d\d-/.test(name) && tree.has(`chapters/${name}/README.md`));
}
