/**
 * How VitePress turns the book's Markdown into HTML: our colours, our frames round code, tables that scroll.
 *
 * @module
 */

import type { MarkdownOptions } from "vitepress";
import { slugOf } from "../markdown.ts";
import { type Colours, consoleHtml, escapeHtml } from "./highlight.ts";
import { codeUrl } from "./paths.ts";
import { isElement } from "./prose-page.ts";

const WIDE_MARK = /[\u3000-\u303f\uff00-\uff0f\uff1a-\uff1f]/u;
const HAN = /[\p{Script=Han}\u3000-\u303f\uff00-\uffef《》，。；：“”‘’、（）]/u;

/** Finds the lines of a snippet, `src/a.ts#A.b`. */
export type LinesOf = (place: string) => { readonly start: number; readonly end: number } | undefined;

function figure(kind: string, caption: string, code: string, note = ""): string {
  const head = caption === "" ? "" : `<figcaption>${caption}${note}</figcaption>`;
  return `<figure class="code ${kind}">${head}<pre v-pre tabindex="0"><code>${code}</code></pre></figure>\n`;
}

/** HTML of a fenced block. */
export function fenceHtml(colours: Colours, linesOf: LinesOf, info: string, body: string): string {
  const [language = "", second = "", third = ""] = info.trim().split(/\s+/);
  const text = body.replace(/\n$/, "");
  if (language === "console") return figure("console", "", consoleHtml(text));
  const place = /^([^#]+)#(\S+)$/.exec(second);
  if (language === "ts" && place !== null) {
    const [, file = "", symbol = ""] = place;
    const lines = linesOf(second);
    const at = lines === undefined ? "" : `#L${lines.start}-L${lines.end}`;
    const where = lines === undefined ? "" : `:${lines.start}`;
    const source = `<a href="${codeUrl(file)}${at}" target="_self">${escapeHtml(file)}${where}</a>`;
    return figure("snippet", `<b>${escapeHtml(symbol)}</b>${source}`, colours.html(text, "ts"));
  }
  if (second === "golden") {
    const caption = `<b>Docker 1.2.0</b><span>${escapeHtml(third)}</span>`;
    return figure("golden", caption, colours.html(text, language));
  }
  const known = language === "text" || language === "" ? escapeHtml(text) : colours.html(text, language);
  return figure(info.split(/\s+/).includes("sketch") ? "sketch" : "plain", "", known);
}

/** The options of VitePress's Markdown. */
export function markdownOptions(colours: Colours, linesOf: LinesOf): MarkdownOptions {
  return {
    anchor: { slugify: slugOf, permalink: undefined },
    attrs: { disable: false },
    headers: false,
    toc: {},
    // What VitePress would colour itself is coloured by fenceHtml().
    highlight: (code) => escapeHtml(code),
    config(md) {
      md.renderer.rules.fence = (tokens, index) => {
        const token = tokens[index];
        return fenceHtml(colours, linesOf, token?.info ?? "", token?.content ?? "");
      };
      md.renderer.rules.table_open = () => '<div class="table" tabindex="0"><table>\n';
      md.renderer.rules.table_close = () => "</table></div>\n";
      // Short code stays on one line: a flag is not cut behind its dash.
      md.renderer.rules.code_inline = (tokens, index) => {
        const text = tokens[index]?.content ?? "";
        return `<code v-pre${text.length <= 24 ? ' class="short"' : ""}>${escapeHtml(text)}</code>`;
      };
      // Two braces are an expression for Vue; here they are a template of Go.
      md.renderer.rules.text = (tokens, index) =>
        escapeHtml(tokens[index]?.content ?? "").replaceAll("{{", "&#123;&#123;");
      const inline = md.renderer.rules.html_inline;
      md.renderer.rules.html_inline = (tokens, index, ...rest) => {
        const text = tokens[index]?.content ?? "";
        // What is no element, as in mnt/<id>, is text.
        const name = /^<\/?([\w-]+)/.exec(text)?.[1];
        if (name !== undefined && !isElement(name)) return escapeHtml(text);
        return inline?.(tokens, index, ...rest) ?? text;
      };
      // In Chinese the end of a line in the file is no space.
      md.core.ruler.push("han-breaks", (state) => {
        for (const { children } of state.tokens) {
          for (const [i, token] of (children ?? []).entries()) {
            if (token.type !== "softbreak") continue;
            const before = children?.slice(0, i).findLast(({ content }) => content !== "")?.content ?? "";
            const after = children?.slice(i + 1).find(({ content }) => content !== "")?.content ?? "";
            const [left, right] = [before.slice(-1), after.slice(0, 1)];
            // A full-width mark brings its own space.
            if ((HAN.test(left) && HAN.test(right)) || WIDE_MARK.test(left) || WIDE_MARK.test(right)) {
              token.type = "text";
              token.content = "";
            }
          }
        }
      });
      md.core.ruler.push("pages-outside", (state) => {
        for (const token of state.tokens.flatMap(({ children }) => children ?? [])) {
          if (token.type !== "link_open") continue;
          // Source pages are no part of the application: the browser loads them.
          if (token.attrGet("href")?.startsWith("/code/")) token.attrSet("target", "_self");
        }
      });
    },
  };
}
