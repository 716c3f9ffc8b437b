/**
 * Reads `@origin`, `@article`, `@deviation` and `@since` from the docstrings of `src/`.
 *
 * They are what ties the engine to Docker 1.2.0 and to the articles; {@link checkOrigins} proves that every Go file and
 * every name in an `@origin` is there at tag v1.2.0, {@link checkArticles} that every section is one of the articles'.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import symbols from "./data/go-symbols.json" with { type: "json" };
import { sections } from "./links.ts";

/** One tag of a docstring. */
export interface Tag {
  readonly kind: "origin" | "article" | "deviation" | "since";
  /** Path below the repository. */
  readonly file: string;
  readonly line: number;
  /** What the docstring documents: an exported or private name, or the file itself. */
  readonly symbol: string;
  readonly text: string;
}

const TAG = /^@(origin|article|deviation|since)\b\s*(.*)$/;
const go: Record<string, string[]> = symbols.files;

function sourceFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? sourceFiles(join(dir, entry.name)) : [join(dir, entry.name)]))
    .filter((path) => path.endsWith(".ts"))
    .sort();
}

/** The name declared by the first code line after a docstring. */
function declared(code: string): string {
  const match =
    /^\s*(?:export\s+)?(?:default\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|class|interface|type|const|let)\s+(\w+)/.exec(
      code,
    ) ??
    /^\s*(?:export\s+)?(?:public|private|protected|static|readonly|override|async|get|set|\*|\s)*(#?\w+)\??\s*[(:=<;]/.exec(
      code,
    );
  return match?.[1] ?? "";
}

function tagsOf(path: string, root: string): Tag[] {
  const source = readFileSync(path, "utf8");
  const file = relative(root, path);
  const tags: Tag[] = [];
  for (const match of source.matchAll(/\/\*\*([\s\S]*?)\*\//g)) {
    const comment = match[1] ?? "";
    if (!comment.includes("@")) continue;
    const start = source.slice(0, match.index).split("\n").length;
    const after = source.slice((match.index ?? 0) + match[0].length).replace(/^\s*\n?/, "");
    const symbol = /@module\b/.test(comment) ? "" : declared(after.split("\n", 1)[0] ?? "");
    let open: { kind: Tag["kind"]; line: number; parts: string[] } | undefined;
    const flush = () => {
      if (open) tags.push({ kind: open.kind, file, line: open.line, symbol, text: open.parts.join(" ").trim() });
      open = undefined;
    };
    for (const [i, raw] of comment.split("\n").entries()) {
      const text = raw.replace(/^\s*\*? ?/, "").trim();
      // A one-line docstring may carry its tags behind the sentence.
      for (const piece of text.split(/\s(?=@(?:origin|article|deviation|since)\b)/)) {
        const tag = TAG.exec(piece);
        if (tag) {
          flush();
          open = { kind: tag[1] as Tag["kind"], line: start + i, parts: [tag[2] ?? ""] };
        } else if (piece.startsWith("@") || piece === "") {
          flush();
        } else open?.parts.push(piece);
      }
    }
    flush();
  }
  return tags;
}

/** Every tag below `src/`, in order of file and line. */
export function collectTags(root: string): Tag[] {
  return sourceFiles(join(root, "src")).flatMap((path) => tagsOf(path, root));
}

/**
 * What is wrong with the `@origin` tags: a Go file or a name that 1.2.0 does not have. Newer parts carry `@since`.
 *
 * @returns one line per fault, with file and line
 */
export function checkOrigins(tags: readonly Tag[]): string[] {
  const faults: string[] = [];
  for (const tag of tags.filter((t) => t.kind === "origin")) {
    // `a.go X, Y; b.go Z` and `a.go, b.go` name several files.
    for (const part of tag.text.split(/;\s*|,\s+(?=\S+\.go\b)/)) {
      const [path = "", ...rest] = part.trim().split(/\s+/);
      const names = go[path];
      if (names === undefined) {
        const folder = path.replace(/\/$/, "");
        const isFolder = Object.keys(go).some((known) => known.startsWith(`${folder}/`));
        if (!isFolder) faults.push(`${tag.file}:${tag.line} @origin names no Go file of v1.2.0: ${path || "(empty)"}`);
        continue;
      }
      const wanted = rest
        .join(" ")
        .split(/,\s*|\s+and\s+/)
        .map((n) => n.trim())
        .filter(Boolean);
      for (const name of wanted) {
        if (!/^[(*\w.)]+$/.test(name)) continue; // prose behind the names
        const plain = name.replace(/[()*]/g, "");
        const known = names.some(
          (n) => n === name || n.replace(/[()*]/g, "") === plain || n.replace(/[()*]/g, "").endsWith(`.${plain}`),
        );
        if (!known) faults.push(`${tag.file}:${tag.line} @origin ${path} has no ${name}`);
      }
    }
  }
  return faults;
}

/**
 * What is wrong with the `@article` tags: each names a section of an article (`001/5.2`) or another part of the series
 * (`part 11`).
 *
 * @returns one line per fault, with file and line
 */
export function checkArticles(tags: readonly Tag[]): string[] {
  const known = new Set(sections.map(({ id }) => id));
  const isPart = (text: string) => /^part (?:[1-9]|1[01])$/.test(text);
  return tags
    .filter(({ kind, text }) => kind === "article" && !known.has(text) && !isPart(text))
    .map(({ file, line, text }) => `${file}:${line} @article names no section of the articles: ${text}`);
}

/** The Go files of the engine proper, with the places that come from them: the source map. */
export function sourceMap(tags: readonly Tag[]): { go: string; here: Tag[] }[] {
  return Object.keys(go)
    .filter((path) => !path.endsWith("_test.go") && !path.startsWith("vendor/") && !path.startsWith("integration"))
    .map((path) => ({
      go: path,
      here: tags.filter((t) => t.kind === "origin" && t.text.split(";").some((p) => p.trim().startsWith(path))),
    }));
}
