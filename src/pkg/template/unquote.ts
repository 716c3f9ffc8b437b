/**
 * Go's string literals.
 *
 * @module
 */

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))|\\/g;

/**
 * What a quoted text stands for: `"a\n"`, `'a'`, or a raw one in backquotes.
 *
 * @returns `undefined` when it is not well formed
 */
export function unquote(quoted: string): string | undefined {
  const body = quoted.slice(1, -1);
  if (quoted.startsWith("`")) return body.replaceAll("\r", "");
  let good = true;
  const text = body.replace(
    ESCAPE,
    (_, hex?: string, short?: string, long?: string, octal?: string, simple?: string) => {
      const digits = hex ?? short ?? long;
      const code =
        digits !== undefined ? Number.parseInt(digits, 16) : octal !== undefined ? Number.parseInt(octal, 8) : -1;
      const char = code < 0 ? SIMPLE[simple ?? ""] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
      if (char === undefined) good = false;
      return char ?? "";
    },
  );
  return good && (!quoted.startsWith("'") || [...text].length === 1) ? text : undefined;
}
