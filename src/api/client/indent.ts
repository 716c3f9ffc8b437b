/**
 * JSON on many lines, as Go's `json.Indent` writes it: the text itself stays as the daemon sent it.
 *
 * @module
 */

import { unmarshal } from "../../utils/go-json-decode.ts";

const STEP = "    ";
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gy;

/**
 * Indents a JSON text by four blanks. Numbers, escapes, the order of keys and white space at the end are not touched.
 *
 * @throws {JsonError} when the text is no JSON
 */
export function indent(text: string): string {
  unmarshal(text);
  let out = "";
  let depth = 0;
  let opened = false;
  const newline = () => `\n${STEP.repeat(depth)}`;
  TOKEN.lastIndex = /^\s*/.exec(text)?.[0].length ?? 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const token = match[0];
    while (/\s/.test(text[TOKEN.lastIndex] ?? "")) TOKEN.lastIndex++;
    const closes = token === "}" || token === "]";
    if (closes) {
      depth--;
      // An empty object stays on its line.
      out += opened ? token : newline() + token;
      opened = false;
      continue;
    }
    if (opened) {
      out += newline();
      opened = false;
    }
    if (token === "{" || token === "[") {
      depth++;
      opened = true;
      out += token;
    } else if (token === ",") out += token + newline();
    else out += token === ":" ? ": " : token;
  }
  return out + (/\s*$/.exec(text)?.[0] ?? "");
}
