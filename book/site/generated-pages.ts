/**
 * Pages made from the source, in both languages: where each Go file of 1.2.0 went, and where Drydock differs on purpose.
 *
 * @module
 */

import goSymbols from "../data/go-symbols.json" with { type: "json" };
import notHere from "../data/not-here.json" with { type: "json" };
import type { Tag } from "../tags.ts";
import { codeUrl, type Language } from "./paths.ts";

/** What became of a Go file. */
export interface Fate {
  readonly go: string;
  /** Files that carry on its work. */
  readonly here: readonly string[];
  /** Why there is none. */
  readonly why: Readonly<Record<Language, string>> | undefined;
}

const goUrl = (path: string) => `https://github.com/moby/moby/blob/v1.2.0/${path}`;

/** Whether a rule's pattern fits a path: `*end`, `folder/`, or the path itself. */
function fits(pattern: string, path: string): boolean {
  if (pattern.startsWith("*")) return path.endsWith(pattern.slice(1));
  return pattern.endsWith("/") ? path.startsWith(pattern) : path === pattern;
}

/** The Go files an `@origin` names: `a.go X, Y; b.go`, or a folder. */
function goFilesOf(text: string): string[] {
  return text.split(/;\s*|,\s+(?=\S+\.go\b)/).map((part) => part.trim().split(/\s+/)[0] ?? "");
}

/** What became of every Go file of 1.2.0. */
export function fates(tags: readonly Tag[], paths: readonly string[] = Object.keys(goSymbols.files)): Fate[] {
  const here = new Map<string, Set<string>>();
  for (const tag of tags.filter(({ kind }) => kind === "origin")) {
    for (const go of goFilesOf(tag.text)) {
      const files = here.get(go.replace(/\/$/, "")) ?? new Set<string>();
      here.set(go.replace(/\/$/, ""), files.add(tag.file));
    }
  }
  return paths.map((go) => {
    const rule = notHere.rules.find((known) => known.go.some((pattern) => fits(pattern, go)));
    const files = [...(here.get(go) ?? [])];
    return { go, here: files, why: files.length > 0 || rule === undefined ? undefined : { en: rule.en, zh: rule.zh } };
  });
}

/** Go files that are neither here nor have a reason. */
export function mapFaults(all: readonly Fate[]): string[] {
  return all
    .filter(({ here, why }) => here.length === 0 && why === undefined)
    .map(({ go }) => `book/data/not-here.json does not say why ${go} has no place here`);
}

const folderOf = (path: string) => (path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".");

function fateTable(rows: readonly Fate[], zh: boolean): string[] {
  return [
    zh ? "| Docker 1.2.0 | 本项目 |" : "| Docker 1.2.0 | Drydock |",
    "| --- | --- |",
    ...rows.map(({ go, here, why }) => {
      const files = here.map((file) => `[${file}](${codeUrl(file)})`).join("<br>");
      return `| [${go}](${goUrl(go)}) | ${files || (why === undefined ? "–" : `<em>${why[zh ? "zh" : "en"]}</em>`)} |`;
    }),
  ];
}

/** The source map as Markdown. */
export function sourceMapPage(all: readonly Fate[], language: Language): string {
  const zh = language === "zh";
  const isOutside = ({ go, here }: Fate) => here.length === 0 && /_test\.go$|^vendor\/|^integration/.test(go);
  const own = all.filter((fate) => !isOutside(fate));
  const outside = all.filter(isOutside);
  const mapped = own.filter(({ here }) => here.length > 0).length;
  const folders = [...new Set(own.map(({ go }) => folderOf(go)))];
  const intro = zh
    ? [
        "# 源码对照表",
        "",
        `Docker 1.2.0 的 ${all.length} 个 Go 文件逐一列出：它的工作在这里由哪些文件继续，或者为什么没有。除去测试和第三方代码的 ${own.length} 个文件中，${mapped} 个在这里有对应；其余每一个都写明原因。`,
        "",
        "对照来自源码注释中的 `@origin`；一项检查保证每个 `@origin` 都指向 v1.2.0 中确实存在的文件与名字。",
      ]
    : [
        "# Source map",
        "",
        `Each of the ${all.length} Go files of Docker 1.2.0: which files carry on its work here, or why none does. Of the ${own.length} files that are neither tests nor other people's code, ${mapped} have a place here; each of the others says why not.`,
        "",
        "The map is made from the `@origin` tags of the source; a check proves that each names a file, and names in it, that v1.2.0 has.",
      ];
  const groups = folders.flatMap((folder) => [
    "",
    `## ${folder}`,
    "",
    ...fateTable(
      own.filter(({ go }) => folderOf(go) === folder),
      zh,
    ),
  ]);
  const rest = [
    "",
    zh ? "## 测试与第三方代码" : "## Tests, and other people's code",
    "",
    `<details><summary>${zh ? `${outside.length} 个文件` : `${outside.length} files`}</summary>`,
    "",
    ...fateTable(outside, zh),
    "",
    "</details>",
  ];
  return [...intro, ...groups, ...rest, ""].join("\n");
}

/** The list of deviations as Markdown, by package. */
export function deviationsPage(tags: readonly Tag[], language: Language): string {
  const zh = language === "zh";
  const all = tags.filter(({ kind }) => kind === "deviation");
  const folders = [...new Set(all.map(({ file }) => folderOf(file)))].sort();
  const intro = zh
    ? [
        "# 有意的不同",
        "",
        `Drydock 在 ${all.length} 处有意与 Docker 1.2.0 不同。每一处都写在它所在的源码注释里（\`@deviation\`），下面是全部。原文为英文，与源码一致。`,
      ]
    : [
        "# Where Drydock differs on purpose",
        "",
        `In ${all.length} places Drydock differs from Docker 1.2.0 on purpose. Each is told where it happens, in the source (\`@deviation\`); these are all of them.`,
      ];
  const groups = folders.flatMap((folder) => [
    "",
    `## ${folder.replace(/^src\//, "")}`,
    "",
    ...all
      .filter(({ file }) => folderOf(file) === folder)
      .map(({ file, line, symbol, text }) => {
        const name = symbol === "" ? file.slice(folder.length + 1) : symbol;
        return `- [\`${name}\`](${codeUrl(file)}#L${line} "${file}:${line}"): ${text.replace(/\{@link ([^}]+)\}/g, "`$1`")}`;
      }),
  ]);
  return [...intro, ...groups, ""].join("\n");
}
