/**
 * The source as pages: every file with an address for each line, every folder with what is in it.
 *
 * @module
 */

import { posix } from "node:path";
import type { Tree } from "../tree.ts";
import { type Colours, escapeHtml, type Token, tokenHtml } from "./highlight.ts";
import { apiUrl, codeUrl, folderUrl } from "./paths.ts";

/** A chapter that explains a file. */
export interface Mention {
  readonly title: string;
  /** In English and in Chinese. */
  readonly url: string;
  readonly urlZh: string;
}

const LANGUAGE: Record<string, string> = {
  ts: "ts",
  mjs: "js",
  js: "js",
  json: "json",
  css: "css",
  md: "md",
  sh: "sh",
};

const SCRIPT = `(function(){var d=document.documentElement,k="vitepress-theme-appearance",s=localStorage.getItem(k);
if(s==="dark"||(s!=="light"&&matchMedia("(prefers-color-scheme: dark)").matches))d.classList.add("dark");
addEventListener("DOMContentLoaded",function(){
document.getElementById("theme").onclick=function(){localStorage.setItem(k,d.classList.toggle("dark")?"dark":"light")};
var zh=localStorage.getItem("drydock-language")==="zh";if(zh){document.querySelectorAll("[data-zh]").forEach(function(e){e.textContent=e.dataset.zh});document.querySelectorAll("[data-href]").forEach(function(e){e.href=e.dataset.href})};
function show(){var m=/^#L(\\d+)(?:-L(\\d+))?$/.exec(location.hash);document.querySelectorAll(".l.on").forEach(function(e){e.classList.remove("on")});
if(!m)return;for(var i=+m[1];i<=+(m[2]||m[1]);i++){var e=document.getElementById("L"+i);if(e)e.classList.add("on")}
var f=document.getElementById("L"+m[1]);if(f)f.scrollIntoView({block:"start"})}
addEventListener("hashchange",show);show();
var pre=document.querySelector(".lines pre");if(pre)pre.addEventListener("click",function(e){var l=e.target.closest(".l");if(!l||e.target.closest("a")||e.offsetX>60||e.target!==l)return;
var m=/^#L(\\d+)/.exec(location.hash),n=+l.id.slice(1);location.hash=e.shiftKey&&m?"L"+Math.min(n,m[1])+"-L"+Math.max(n,m[1]):"L"+n});
})})()`;

const MOON = "M16.5 12.4A7 7 0 0 1 7.6 3.5a7 7 0 1 0 8.9 8.9z";
const MARK =
  '<svg class="mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><path class="dock" d="M2 8v18h28V8"/><path class="hull" d="M6.5 11h19l-2.6 8.2a3 3 0 0 1-2.9 2.1h-8a3 3 0 0 1-2.9-2.1z"/><path class="lines" d="M12 11V6h8v5M11.5 21.5V26M16 21.5V26M20.5 21.5V26"/></svg>';

/** A text of the frame in both languages; the page's script chooses. */
const both = (en: string, zh: string) => `<span data-zh="${zh}">${en}</span>`;

function frame(path: string, content: string): string {
  const parts = path.split("/");
  const crumbs = parts
    .slice(0, -1)
    .map((part, i) => `<a href="${folderUrl(parts.slice(0, i + 1).join("/"))}">${escapeHtml(part)}</a>`)
    .join(" / ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(path)} · Drydock</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/static/code.css">
<script>${SCRIPT}</script>
</head>
<body>
<header class="top"><a class="brand" href="/">${MARK}<b>Drydock</b></a><span class="path">${crumbs}</span>
<div class="tools"><a class="word" href="/" data-zh="首页" data-href="/zh/">Book</a><a class="word" href="/api/">API</a><button type="button" class="theme" id="theme" aria-label="Light / dark · 浅色 / 深色"><svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path d="${MOON}"/></svg></button></div></header>
<main id="content">
${content}
</main>
</body>
</html>
`;
}

/** The first sentence of a file's own docstring. */
export function aboutFile(text: string): string {
  const doc = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? "";
  if (!/@module\b/.test(doc)) return "";
  const paragraph = doc
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, "").trim())
    .join("\n")
    .trim()
    .split(/\n\n|\n@|\n```/)[0];
  return (paragraph ?? "")
    .replaceAll("\n", " ")
    .replace(/\{@link ([^}]+)\}/g, "$1")
    .replace(/\s*@module\s*$/, "");
}

/** Code spans of a docstring. */
const prose = (text: string) => escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");

/** Imports lead to the file they name. */
function withImports(token: Token, path: string, tree: Tree): string {
  const target = /^["'](\.{1,2}\/[^"']+)["']$/.exec(token[0].trim())?.[1];
  if (token[1] !== "s" || target === undefined) return tokenHtml(token);
  const file = posix.join(posix.dirname(path), target);
  return tree.read(file) === undefined || !/^(?:src|chapters)\//.test(file)
    ? tokenHtml(token)
    : `<a href="${codeUrl(file)}">${tokenHtml(token)}</a>`;
}

/** The page of a file. */
export function codePage(tree: Tree, path: string, colours: Colours, mentions: readonly Mention[]): string {
  const text = tree.read(path) ?? "";
  const language = LANGUAGE[posix.extname(path).slice(1)] ?? (text.startsWith("#!") ? "js" : "text");
  const lines = colours.lines(text.replace(/\n$/, ""), language);
  const code = lines
    .map(
      (tokens, i) =>
        `<span class="l" id="L${i + 1}">${tokens.map((token) => withImports(token, path, tree)).join("")}\n</span>`,
    )
    .join("");
  const about = aboutFile(text);
  const inApi = path.startsWith("src/") && path.endsWith(".ts") && !path.endsWith(".d.ts");
  const chapters = mentions.map(({ title, url, urlZh }) => {
    const number = title.slice(0, 2);
    return `<a href="${url}" data-href="${urlZh}" title="${escapeHtml(title)}">${number}</a>`;
  });
  const links: string[] = [];
  if (chapters.length > 0) links.push(`${both("Explained in chapter", "讲解见章节")} ${chapters.join(" ")}`);
  if (inApi) links.push(`<a href="${apiUrl(posix.dirname(path).replace(/^src\//, ""))}">API</a>`);
  return frame(
    path,
    `<div class="about"><h1>${escapeHtml(posix.basename(path))}</h1>${about === "" ? "" : `<p>${prose(about)}</p>`}${links.length === 0 ? "" : `<p class="seen">${links.join(" · ")}</p>`}</div>
<div class="lines"><pre tabindex="0"><code>${code}</code></pre></div>`,
  );
}

/** The page of a folder. */
export function folderPage(tree: Tree, path: string, shown: ReadonlySet<string>): string {
  const names = tree.list(path);
  const rows = names.flatMap((name) => {
    const full = `${path}/${name}`;
    const text = tree.read(full);
    if (text === undefined) {
      const inside = [...shown].some((file) => file.startsWith(`${full}/`));
      return inside
        ? [
            `<li><a href="${folderUrl(full)}">${escapeHtml(name)}/</a><span>${prose(aboutFolder(tree, full))}</span></li>`,
          ]
        : [];
    }
    if (!shown.has(full)) return [];
    return [`<li><a href="${codeUrl(full)}">${escapeHtml(name)}</a><span>${prose(aboutFile(text))}</span></li>`];
  });
  return frame(
    `${path}/`,
    `<div class="about"><h1>${escapeHtml(path)}/</h1><p>${prose(aboutFolder(tree, path))}</p></div>\n<ul class="files">${rows.join("\n")}</ul>`,
  );
}

/** Folders without a file of their own name. */
const FOLDERS: Readonly<Record<string, string>> = {
  src: "The engine. Folders and files have the names of Docker 1.2.0.",
  "src/api": "The remote API: what both sides know, the client, the server.",
  "src/pkg": "General tools that know nothing of containers.",
  "src/pkg/networkfs": "Files about the network that a container gets.",
  chapters: "The chapters' own code: main.ts, a demonstration, a picture, tests, exercises.",
};

/** What a folder is for: the sentence of the file that has its name. */
function aboutFolder(tree: Tree, path: string): string {
  return FOLDERS[path] ?? aboutFile(tree.read(`${path}/${posix.basename(path)}.ts`) ?? "");
}
