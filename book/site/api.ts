/**
 * The reference of the engine: TypeDoc reads `src/`, and each package (a folder, as in Go) becomes one page.
 *
 * @module
 */

import { posix } from "node:path";
import { type Comment, type CommentDisplayPart, Reflection } from "typedoc";
import ts from "typescript";
import { anchorOf, claims, sections } from "../links.ts";
import { parse } from "../symbols.ts";
import type { Tree } from "../tree.ts";
import { type Entry, readSources } from "./api-reading.ts";
import { type Colours, type Token, tokenHtml } from "./highlight.ts";
import { apiUrl, codeUrl, folderUrl, pageUrl } from "./paths.ts";
import { signatureOf } from "./signature.ts";

/** What the search finds. */
export interface ApiHit {
  readonly title: string;
  readonly where: string;
  readonly url: string;
  readonly text: string;
}

/** The reference, ready to be written. */
export interface Api {
  /** Markdown by path, `api/pkg/mflag.md`. */
  readonly pages: Readonly<Record<string, string>>;
  /** Addresses by symbol: `src/pkg/mflag/flag-set.ts#FlagSet.parse`. */
  readonly urls: Readonly<Record<string, string>>;
  readonly hits: readonly ApiHit[];
  readonly packages: readonly string[];
  readonly faults: readonly string[];
}

const packageOf = (file: string) => posix.dirname(file).replace(/^src\/?/, "");

function nodeOf(tree: Tree, entry: Entry): ts.Node | undefined {
  const source = parse(entry.file, tree.read(entry.file) ?? "");
  return source.statements.find((statement) =>
    ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.some(({ name }) => name.getText(source) === entry.name)
      : (statement as { name?: ts.Node }).name?.getText(source) === entry.name &&
        // Of overloads the first is shown.
        statement.getEnd() > 0,
  );
}

/** The names a file knows from elsewhere: name → file. */
function importsOf(tree: Tree, file: string): Map<string, string> {
  const source = parse(file, tree.read(file) ?? "");
  const names = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const from = statement.moduleSpecifier.text;
    const bindings = statement.importClause?.namedBindings;
    if (!from.startsWith(".") || bindings === undefined || !ts.isNamedImports(bindings)) continue;
    for (const { name, propertyName } of bindings.elements) {
      if (propertyName === undefined) names.set(name.text, posix.join(posix.dirname(file), from));
    }
  }
  return names;
}

/** Reads `src/` and writes the reference. */
export async function makeApi(root: string, tree: Tree, files: readonly string[], colours: Colours): Promise<Api> {
  const { entries: bare, faults, target, modules } = await readSources(root, files);
  const entries = bare
    .map((entry) => Object.assign(entry, { node: nodeOf(tree, entry) }))
    .filter(({ node }) => node !== undefined)
    .sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));

  const seen = new Map<string, number>();
  for (const entry of entries) {
    const key = `${packageOf(entry.file)}#${entry.name.toLowerCase()}`;
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    if (before > 0) entry.id = `${posix.basename(entry.file, ".ts")}-${entry.name}`;
  }
  const urlOf = (entry: Entry, member = "") =>
    `${apiUrl(packageOf(entry.file))}#${entry.id}${member === "" ? "" : `.${member}`}`;

  const byPlace = new Map(entries.map((entry) => [`${entry.file}#${entry.name}`, entry]));
  const byName = new Map<string, Entry | undefined>();
  for (const entry of entries) byName.set(entry.name, byName.has(entry.name) ? undefined : entry);

  const urls: Record<string, string> = {};
  const hits: ApiHit[] = [];
  const pages: Record<string, string> = {};

  const markdownOf = (parts: readonly CommentDisplayPart[]): string =>
    parts
      .map((part) => {
        if (part.kind !== "inline-tag") return part.text;
        const to = part.target instanceof Reflection ? part.target : undefined;
        const text = `\`${part.text.trim() || (to?.name ?? "")}\``;
        if (to === undefined) return text;
        const own = target.get(to);
        if (own !== undefined) return `[${text}](${urlOf(own)})`;
        const parent = to.parent === undefined ? undefined : target.get(to.parent);
        return parent === undefined ? text : `[${text}](${urlOf(parent)}.${to.name})`.replace(/\)\.([^)]*)\)$/, ".$1)");
      })
      .join("");

  const signatureHtml = (entry: Entry): { html: string; members: string[] } => {
    const node = entry.node as ts.Node;
    const lines = signatureOf(node, parse(entry.file, tree.read(entry.file) ?? ""));
    const imported = importsOf(tree, entry.file);
    const link = (name: string): string | undefined => {
      if (name === entry.name) return undefined;
      const found =
        byPlace.get(`${entry.file}#${name}`) ??
        (imported.has(name) ? (byPlace.get(`${imported.get(name)}#${name}`) ?? byName.get(name)) : undefined);
      return found === undefined ? undefined : urlOf(found);
    };
    const linked = (token: Token): string => {
      if (/[sckn]/.test(token[1])) return tokenHtml(token);
      return token[0]
        .split(/([A-Za-z_$][\w$]*)/)
        .map((piece, i) => {
          const url = i % 2 === 1 ? link(piece) : undefined;
          const html = tokenHtml([piece, token[1]]);
          return piece === "" ? "" : url === undefined ? html : `<a href="${url}">${html}</a>`;
        })
        .join("");
    };
    const coloured = colours.lines(lines.map(({ text }) => text).join("\n"), "ts");
    const members: string[] = [];
    const html = coloured.map((tokens, i) => {
      const member = lines[i]?.member;
      const inner = tokens.map(linked).join("");
      if (member === undefined || members.includes(member)) return inner;
      members.push(member);
      return `<span id="${entry.id}.${member}">${inner}</span>`;
    });
    return { html: html.join("\n"), members };
  };

  const tagsOf = (comment: Comment | undefined): string[] => {
    const rows: string[] = [];
    for (const { tag, content } of comment?.blockTags ?? []) {
      const text = markdownOf(content).trim().replaceAll("\n", " ");
      if (tag === "@origin") rows.push(`<dt>Go</dt><dd>\n\n${goLinks(text)}\n\n</dd>`);
      else if (tag === "@article") rows.push(`<dt>Article</dt><dd>\n\n${articleLink(tree, text)}\n\n</dd>`);
      else if (tag === "@deviation") rows.push(`<dt>Differs</dt><dd>\n\n${text}\n\n</dd>`);
      else if (tag === "@since") rows.push(`<dt>Since</dt><dd>\n\n${text}\n\n</dd>`);
      else if (tag === "@throws") rows.push(`<dt>Throws</dt><dd>\n\n${text}\n\n</dd>`);
      else if (tag === "@returns") rows.push(`<dt>Returns</dt><dd>\n\n${text}\n\n</dd>`);
    }
    return rows.length === 0 ? [] : [`<dl class="tags">${rows.join("")}</dl>`, ""];
  };

  const parameters = (entry: Entry): string[] => {
    const docs = ts.getJSDocTags(entry.node as ts.Node).filter(ts.isJSDocParameterTag);
    const rows = docs.map((tag) => {
      const text = (ts.getTextOfJSDocComment(tag.comment) ?? "").replace(/^-\s*/, "").replaceAll("\n", " ");
      return `- \`${tag.name.getText()}\`: ${text.replace(/\{@link ([^}]+)\}/g, "`$1`")}`;
    });
    return rows.length === 0 ? [] : [...rows, ""];
  };

  const packages = [...new Set(entries.map(({ file }) => packageOf(file)))].sort();
  const ledes: [string, string][] = [];
  for (const name of packages) {
    const own = entries.filter(({ file }) => packageOf(file) === name);
    const inFiles = [...new Set(own.map(({ file }) => file))];
    const first = [`src/${name}/${posix.basename(name)}.ts`, ...inFiles].find((file) => modules.has(file));
    const lede = first === undefined ? "" : markdownOf(modules.get(first)?.summary ?? []).trim();
    ledes.push([name, lede.split(/\n\n|\n```/)[0]?.replaceAll("\n", " ") ?? ""]);
    const body: string[] = [];
    for (const file of inFiles) {
      const about = modules.get(file);
      body.push(`## ${posix.basename(file)} {#${posix.basename(file)}}`, "");
      body.push(`<p class="source"><a href="${codeUrl(file)}">${file}</a></p>`, "");
      if (about !== undefined) body.push(markdownOf(about.summary).trim(), "", ...tagsOf(about));
      for (const entry of own.filter((known) => known.file === file)) {
        const { html, members } = signatureHtml(entry);
        urls[`${file}#${entry.name}`] = urlOf(entry);
        for (const member of members) urls[`${file}#${entry.name}.${member}`] = urlOf(entry, member);
        const summary = markdownOf(entry.comment?.summary ?? []).trim();
        body.push(
          `### <small>${entry.kind}</small> ${entry.name} {#${entry.id}}`,
          "",
          `<pre class="signature" v-pre><code>${html}</code></pre>`,
          "",
          summary,
          "",
          ...parameters(entry),
          ...tagsOf(entry.comment),
          `<p class="source"><a href="${codeUrl(file)}#L${entry.line}">${posix.basename(file)}, line ${entry.line}</a></p>`,
          "",
        );
        const text = summary.split("\n\n")[0]?.replace(/\[`?([^\]`]*)`?\]\([^)]*\)/g, "$1") ?? "";
        hits.push({ title: entry.name, where: `${name} · ${entry.kind}`, url: urlOf(entry), text });
      }
    }
    const outline = own.map(({ name, id }) => ({ level: 2, text: name, id }));
    pages[`api/${name}.md`] = [
      "---",
      `title: ${JSON.stringify(`${name} · API`)}`,
      `outline: ${JSON.stringify(outline)}`,
      "kind: api",
      `package: ${JSON.stringify(name)}`,
      "---",
      "",
      `# <small>package</small> ${name}`,
      "",
      `<p class="source"><a href="${folderUrl(`src/${name}`)}">src/${name}</a></p>`,
      "",
      lede,
      "",
      ...body,
    ].join("\n");
  }

  pages["api/index.md"] = [
    "---",
    'title: "API"',
    "kind: api",
    "---",
    "",
    "# API reference",
    "",
    "Every exported name of the engine, by package. A package is a folder of `src/`, and has the name of the Go package of",
    "Docker 1.2.0 that it carries on, where there is one. The texts are the docstrings of the source.",
    "",
    "| Package | What it is |",
    "| --- | --- |",
    ...ledes.map(([name, lede]) => `| [${name}](${apiUrl(name)}) | ${lede.replaceAll("|", "\\|")} |`),
    "",
  ].join("\n");
  return { pages, urls, hits, packages, faults };
}

/** `daemon/config.go (*Config).InstallFlags`, with a link to the file. */
export function goLinks(text: string): string {
  return text.replace(/[\w./-]+\.go\b/g, (path) => `[${path}](https://github.com/moby/moby/blob/v1.2.0/${path})`);
}

/** `001/5.2`, with a link to where a chapter treats it, when one does. */
export function articleLink(tree: Tree, text: string): string {
  return text.replace(/\b00\d\/[\w.-]+\b/g, (id) => {
    const section = sections.find((known) => known.id === id);
    const chapter = claims.find(
      (claim) => claim.id.replace(/\/[^/]*$/, "") === id && claim.status === "resolved",
    )?.chapter;
    if (section === undefined || chapter === undefined || !tree.has(`chapters/${chapter}/README.md`)) return id;
    return `[${id}](${pageUrl(`chapters/${chapter}`, "en")}#${encodeURI(anchorOf(section))})`;
  });
}
